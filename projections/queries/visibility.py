"""Queries that the rules of access decide by: how much of a person, a tag or some photos is in an actor's sight."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from domain.events.face import DETECTED
from projections.queries.library_sets import within
from projections.queries.person_sight import PersonSight
from projections.tables.schema import ReadTables

_BATCH = 500
"""Parameters of one statement; databases take a limited number."""


class Visibility:
    """How much is in sight of who sees the libraries with the ids `libraries`: what a present file of one shows."""

    def __init__(
        self, connection: Connection, tables: ReadTables, libraries: Collection[int], sight: PersonSight
    ) -> None:
        self._connection, self._sight = connection, sight
        self._persons, self._faces = tables.persons.table, tables.faces.table
        self._media, self._tagged = tables.media.table, tables.tagged_media.table
        self._person_counts, self._tag_counts = tables.person_counts, tables.tag_counts
        self._libraries = tuple(libraries)

    def faces_of(self, person_id: int) -> int:
        """How many faces in sight are a canonical person's; none of one that was merged or deleted."""
        c, p = self._person_counts.table, self._persons
        statement = (
            select(func.coalesce(func.sum(c.c.seen), 0))
            .join(p, p.c.id == c.c.person_id)
            .where(p.c.canonical_id == person_id, within(self._person_counts, self._libraries))
        )
        return int(self._connection.execute(statement).scalar_one())

    def knows_person(self, canonical_id: int) -> bool:
        """Whether who sees some libraries only knows of a live canonical person."""
        p = self._persons
        statement = select(p.c.id).where(p.c.id == canonical_id, self._sight.knows(p.c.canonical_id))
        return self._connection.execute(statement).first() is not None

    def faces_outside(self, person_ids: Collection[int], status: str = DETECTED) -> int:
        """How many faces of these persons, of this status, lie in no library in sight, whether their files are there or
        missing; those of a content that no file has any more lie nowhere."""
        f = self._faces
        anywhere = self._files_of(f.c.content_hash)
        within = anywhere.where(self._media.c.library_id.in_(self._libraries))
        statement = select(func.count()).where(
            f.c.person_id.in_(tuple(person_ids)), f.c.status == status, anywhere.exists(), ~within.exists()
        )
        return self._connection.execute(statement).scalar_one()

    def faces_among(self, face_ids: Collection[int]) -> set[int]:
        """Those of these faces, deleted ones too, whose content is in sight."""
        f, m = self._faces, self._media
        shown = self._files_of(f.c.content_hash).where(m.c.present, m.c.library_id.in_(self._libraries)).exists()
        found: set[int] = set()
        for some in _batches(sorted(face_ids)):
            found.update(self._connection.scalars(select(f.c.id).where(f.c.id.in_(some), f.c.x.is_not(None), shown)))
        return found

    def contents_among(self, contents: Collection[bytes]) -> set[bytes]:
        """Those of these contents that are in sight."""
        m = self._media
        found: set[bytes] = set()
        for some in _batches(sorted(contents)):
            is_seen = (m.c.content_hash.in_(some), m.c.present, m.c.library_id.in_(self._libraries))
            found.update(map(bytes, self._connection.scalars(select(m.c.content_hash).where(*is_seen))))
        return found

    def tagged(self, tag_id: int) -> int:
        """How many contents in sight have a tag, live or deleted."""
        c = self._tag_counts.table
        statement = select(func.coalesce(func.sum(c.c.seen), 0)).where(
            c.c.tag_id == tag_id, within(self._tag_counts, self._libraries)
        )
        return int(self._connection.execute(statement).scalar_one())

    def tagged_outside(self, tag_id: int) -> int:
        """How many contents with a tag, live or deleted, lie in no library in sight."""
        t = self._tagged
        within = self._files_of(t.c.content_hash).where(self._media.c.library_id.in_(self._libraries))
        statement = select(func.count()).where(t.c.tag_id == tag_id, ~within.exists())
        return self._connection.execute(statement).scalar_one()

    def _files_of(self, content: ColumnElement[Any]) -> Any:
        return select(self._media.c.id).where(self._media.c.content_hash == content)


def _batches(values: list[Any]) -> Iterator[Iterable[Any]]:
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))
