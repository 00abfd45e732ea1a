"""Queries on the faces of persons by their embeddings: what is asked to find who may be one and who may be two."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from domain.events.face import DETECTED
from projections.tables.schema import ReadTables

CHUNK = 500
"""Ids that one statement takes."""


class FacesOfPersons:
    """Queries on the visible faces of persons; `libraries` are the ids that the asker may see."""

    def __init__(self, connection: Connection, tables: ReadTables, libraries: Collection[int]) -> None:
        self._connection = connection
        self._faces = tables.faces.table
        self._persons = tables.persons.table
        self._media = tables.media.table
        self._rejections = tables.rejections.table
        self._confirmations = tables.confirmations.table
        self._libraries = tuple(libraries)

    def _is_seen(self) -> ColumnElement[bool]:
        f, m = self._faces, self._media
        shown = select(m.c.id).where(
            m.c.content_hash == f.c.content_hash, m.c.present, m.c.library_id.in_(self._libraries)
        )
        return shown.exists()

    def _embedded(self, model_version: str) -> Select[*tuple[Any, ...]]:
        f, p = self._faces, self._persons
        return (
            select(p.c.canonical_id, f.c.id, f.c.embedding_id)
            .join(p, p.c.id == f.c.person_id)
            .where(
                f.c.model_version == model_version,
                f.c.status == DETECTED,
                f.c.embedding_id.is_not(None),
                self._is_seen(),
            )
        )

    def shown(self) -> Mapping[int, tuple[str, str | None]]:
        """Name and birth date of every live person that is not hidden."""
        p = self._persons
        statement = select(p.c.id, p.c.name, p.c.birth_date).where(
            p.c.merged_into.is_(None), p.c.deleted.is_(False), p.c.hidden.is_(False)
        )
        return {id_: (name, birth_date) for id_, name, birth_date in self._connection.execute(statement)}

    def embedded(self, model_version: str) -> Sequence[Row[int, int, int]]:
        """Every visible face of one model that is a live person's: canonical person, face id and embedding id, in no
        order."""
        statement = self._embedded(model_version).where(self._persons.c.canonical_id.is_not(None))
        return self._connection.execute(statement).all()

    def embedded_of(self, person_id: int, model_version: str) -> Sequence[Row[int, int, int]]:
        """As `embedded` of one canonical person."""
        statement = self._embedded(model_version).where(self._persons.c.canonical_id == person_id)
        return self._connection.execute(statement).all()

    def dated(self, person_id: int) -> list[tuple[int, int | None]]:
        """The ids of a canonical person's visible faces, with those of everyone merged into it, each with when the
        photo that shows it was taken (microseconds since 1970 by the clock where it was), in no order."""
        f, p, m = self._faces, self._persons, self._media
        shown = select(func.min(m.c.taken_at)).where(
            m.c.content_hash == f.c.content_hash, m.c.present, m.c.library_id.in_(self._libraries)
        )
        behind = select(p.c.id).where(p.c.canonical_id == person_id)
        statement = select(f.c.id, shown.correlate(f).scalar_subquery()).where(
            f.c.person_id.in_(behind), f.c.status == DETECTED, self._is_seen()
        )
        return [(face_id, taken_at) for face_id, taken_at in self._connection.execute(statement)]

    def confirmed(self) -> set[int]:
        """The faces that were said to be all the same whose they are today."""
        f, c = self._faces, self._confirmations
        whose, named = self._persons.alias("whose"), self._persons.alias("named")
        statement = (
            select(c.c.face_id)
            .select_from(c.join(f, f.c.id == c.c.face_id))
            .join(whose, whose.c.id == f.c.person_id)
            .join(named, named.c.id == c.c.person_id)
            .where(whose.c.canonical_id == named.c.canonical_id)
        )
        return set(self._connection.execute(statement).scalars())

    def refused(self) -> set[tuple[int, int]]:
        """Canonical persons, a face of one of whom was said not to be the other, the lower id first."""
        f, r = self._faces, self._rejections
        whose, named = self._persons.alias("whose"), self._persons.alias("named")
        statement = (
            select(whose.c.canonical_id, named.c.canonical_id)
            .select_from(r.join(f, f.c.id == r.c.face_id))
            .join(whose, whose.c.id == f.c.person_id)
            .join(named, named.c.id == r.c.person_id)
            .where(
                f.c.status == DETECTED,
                whose.c.canonical_id.is_not(None),
                named.c.canonical_id.is_not(None),
                whose.c.canonical_id != named.c.canonical_id,
            )
            .distinct()
        )
        return {(min(pair), max(pair)) for pair in self._connection.execute(statement)}

    def contents(self, person_ids: Collection[int]) -> Mapping[int, set[bytes]]:
        """The visible contents on which canonical persons have a face, with an embedding or without, by person."""
        f, p = self._faces, self._persons
        wanted = sorted(person_ids)
        found: dict[int, set[bytes]] = {}
        for start in range(0, len(wanted), CHUNK):
            statement = (
                select(p.c.canonical_id, f.c.content_hash)
                .join(f, f.c.person_id == p.c.id)
                .where(p.c.canonical_id.in_(wanted[start : start + CHUNK]), f.c.status == DETECTED, self._is_seen())
            )
            for person_id, content in self._connection.execute(statement):
                found.setdefault(person_id, set()).add(bytes(content))
        return found
