"""Queries on the persons that the asker may know of, together with the faces that they see: no view, count or cover
tells of anything else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, or_, select

from domain.base.names import search_words
from domain.events.face import DETECTED
from projections.queries.library_sets import within
from projections.queries.person_sight import PersonSight
from projections.tables.face_detections import QUALITY
from projections.tables.schema import ReadTables

_ID_BITS = 1 << 40
"""Room for a face id below a quality score in one 64-bit number, so that one `max` finds the best face of each
person."""


class PersonView(msgspec.Struct, frozen=True):
    """A person as clients see it: `face_count` and `cover_face_id` count what the asker may see, `merged_into` names
    the canonical person of a merged one, `entity_id` what the bridged entity is today."""

    id: int
    name: str
    notes: str
    entity_id: int | None
    cover_face_id: int | None
    birth_date: str | None
    hidden: bool
    face_count: int
    merged_into: int | None
    version: int


class PersonsWithFaces:
    """Queries on persons with their faces; `libraries` are the ids that the asker may see, `knows` whether they may
    know of the person with an id, and `sight` says so in a query, None where they may of each."""

    def __init__(
        self,
        connection: Connection,
        tables: ReadTables,
        libraries: Collection[int],
        *,
        knows: Callable[[int], bool],
        sight: PersonSight | None,
    ) -> None:
        self._connection = connection
        self._sight = sight
        self._knows = knows
        self._persons, self._entities = tables.persons.table, tables.entities.table
        self._faces = tables.faces.table
        self._media = tables.media.table
        self._counts = tables.person_counts
        self._libraries = tuple(libraries)

    def _counted(self) -> Select[*tuple[Any, ...]]:
        """For each canonical person with visible faces: how many there are."""
        c, p = self._counts.table, self._persons
        return (
            select(p.c.canonical_id, func.sum(c.c.seen).label("face_count"))
            .join(p, p.c.id == c.c.person_id)
            .where(p.c.canonical_id.is_not(None), within(self._counts, self._libraries))
            .group_by(p.c.canonical_id)
        )

    def _has_faces_anywhere(self) -> ColumnElement[bool]:
        """Whether a canonical person has a face that somebody may see."""
        c, behind = self._counts.table, self._persons.alias("behind")
        counted = select(c.c.person_id).join(behind, behind.c.id == c.c.person_id)
        return counted.where(behind.c.canonical_id == self._persons.c.id).correlate(self._persons).exists()

    def _best(self, canonical: Sequence[int]) -> dict[int, int]:
        """The visible face of each of these persons that shows most of it, by person; the first that the index of
        persons and quality tells, so that no other face is looked at."""
        f, p, c, m = self._faces, self._persons, self._counts.table, self._media
        shown = select(m.c.id).where(
            m.c.content_hash == f.c.content_hash, m.c.present, m.c.library_id.in_(self._libraries)
        )
        best = (
            select(QUALITY * _ID_BITS + f.c.id)
            .where(f.c.person_id == p.c.id, f.c.status == DETECTED, shown.exists())
            .order_by(QUALITY.desc(), f.c.id.desc())
            .limit(1)
        )
        seen = select(c.c.person_id).where(within(self._counts, self._libraries))
        statement = (
            select(p.c.canonical_id, func.max(best.scalar_subquery()))
            .where(p.c.canonical_id.in_(canonical), p.c.id.in_(seen))
            .group_by(p.c.canonical_id)
        )
        return {person_id: face % _ID_BITS for person_id, face in self._connection.execute(statement)}

    def _views(self, rows: Sequence[RowMapping]) -> list[PersonView]:
        canonical = [row["canonical_id"] for row in rows if row["canonical_id"] is not None]
        counted = self._counted().where(self._persons.c.canonical_id.in_(canonical))
        counts = {person_id: int(faces) for person_id, faces in self._connection.execute(counted)}
        return self._with_covers(rows, counts)

    def _with_covers(self, rows: Sequence[RowMapping], counts: Mapping[int, int]) -> list[PersonView]:
        covers = self._visible_covers(rows)
        unchosen = [
            row["id"] for row in rows if covers.get(row["cover_face_id"]) != row["id"] and counts.get(row["id"])
        ]
        best, bridged = self._best(unchosen), self._bridged(rows)
        return [_view(row, counts, best, covers, bridged) for row in rows]

    def _bridged(self, rows: Sequence[RowMapping]) -> dict[int, int]:
        """What the entities of these persons are today, by what they were bridged to; deleted ones are left out."""
        e, ids = self._entities, {row["entity_id"] for row in rows if row["entity_id"] is not None}
        statement = select(e.c.id, e.c.canonical_id).where(e.c.id.in_(ids), e.c.canonical_id.is_not(None))
        return dict(self._connection.execute(statement).all()) if ids else {}

    def _visible_covers(self, rows: Sequence[RowMapping]) -> dict[int, int]:
        """The covers that were chosen and can be shown, by face: the canonical person whose visible face each one
        is."""
        chosen = [row["cover_face_id"] for row in rows if row["cover_face_id"] is not None]
        if not chosen:
            return {}
        f, p, m = self._faces, self._persons, self._media
        shown = select(m.c.id).where(
            m.c.content_hash == f.c.content_hash, m.c.present, m.c.library_id.in_(self._libraries)
        )
        statement = (
            select(f.c.id, p.c.canonical_id)
            .join(p, p.c.id == f.c.person_id)
            .where(f.c.id.in_(chosen), f.c.status == DETECTED, shown.exists())
        )
        return dict(self._connection.execute(statement).all())

    def view(self, person_id: int) -> PersonView | None:
        """The person with this id, where the asker may know of it; a merged one says into whom, a deleted one is not
        found."""
        if not self._knows(person_id):
            return None
        p = self._persons
        rows = self._connection.execute(select(p).where(p.c.id == person_id)).mappings().all()
        found = [view for row, view in zip(rows, self._views(rows), strict=True) if row["canonical_id"] is not None]
        return next(iter(found), None)

    def views(self, person_ids: Sequence[int]) -> list[PersonView]:
        """Those of these persons that the asker may know of, as `view` gives them, deleted ones too, by id."""
        p, known = self._persons, tuple(filter(self._knows, person_ids))
        statement = select(p).where(p.c.id.in_(known)).order_by(p.c.id)
        rows = self._connection.execute(statement).mappings().all()
        return self._views(rows)

    def names(self) -> Mapping[int, str]:
        """The names of all persons that are neither merged nor deleted, whoever asks."""
        p = self._persons
        statement = select(p.c.id, p.c.name).where(p.c.merged_into.is_(None), p.c.deleted.is_(False))
        return dict(self._connection.execute(statement).all())

    def page(
        self,
        *,
        sort: str,
        after: tuple[Any, int] | None,
        limit: int,
        q: str | None = None,
        include_hidden: bool = False,
        with_faces_only: bool = False,
        elsewhere: bool = True,
    ) -> list[tuple[PersonView, Any]]:
        """Live persons with the sort key of each: `sort` is `name` (A to Z) or `faces` (most first); `after` is the key
        and id of the last one of the page before; `q` words of the name, in any order; `with_faces_only` leaves out who
        has no visible face; without `elsewhere` who has faces in no visible library but in others is left out."""
        p = self._persons
        seen = self._counted().subquery()
        count = func.coalesce(seen.c.face_count, 0)
        statement = (
            select(p, count.label("face_count"))
            .outerjoin(seen, seen.c.canonical_id == p.c.id)
            .where(p.c.merged_into.is_(None), p.c.deleted.is_(False))
            .limit(limit)
        )
        if not include_hidden:
            statement = statement.where(p.c.hidden.is_(False))
        for word in search_words(q or ""):
            statement = statement.where(p.c.search_key.contains(word, autoescape=True))
        if with_faces_only:
            statement = statement.where(count > 0)
        elif self._sight is not None:
            statement = statement.where(or_(count > 0, self._sight.knows(p.c.canonical_id)))
        elif not elsewhere:
            statement = statement.where(or_(count > 0, ~self._has_faces_anywhere()))
        if sort == "name":
            statement = statement.order_by(p.c.name_key, p.c.id)
            if after:
                beyond = and_(p.c.name_key == after[0], p.c.id > after[1])
                statement = statement.where(or_(p.c.name_key > after[0], beyond))
        else:
            statement = statement.order_by(count.desc(), p.c.id)
            if after:
                statement = statement.where(or_(count < after[0], and_(count == after[0], p.c.id > after[1])))
        rows = self._connection.execute(statement).mappings().all()
        views = self._with_covers(rows, {row["id"]: int(row["face_count"]) for row in rows})
        return [
            (view, row["name_key"] if sort == "name" else view.face_count)
            for view, row in zip(views, rows, strict=True)
        ]


def _view(
    row: RowMapping,
    counts: Mapping[int, int],
    best: Mapping[int, int],
    covers: Mapping[int, int],
    bridged: Mapping[int, int],
) -> PersonView:
    merged = row["merged_into"] is not None
    return PersonView(
        id=row["id"],
        name=row["name"],
        notes=row["notes"],
        entity_id=bridged.get(row["entity_id"]),
        cover_face_id=row["cover_face_id"] if covers.get(row["cover_face_id"]) == row["id"] else best.get(row["id"]),
        birth_date=row["birth_date"],
        hidden=bool(row["hidden"]),
        face_count=0 if merged else counts.get(row["id"], 0),
        merged_into=row["canonical_id"] if merged else None,
        version=row["version"],
    )
