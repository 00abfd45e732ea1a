"""Queries on faces that found no place on the photo that was saved in place of theirs."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, RowMapping, func, or_, select

from domain.events.face import DETECTED
from projections.tables.schema import ReadTables


class UnmatchedFaces:
    """Queries on `unmatched_faces`; `libraries` are the ids that the asker may see."""

    def __init__(self, connection: Connection, tables: ReadTables, libraries: Collection[int]) -> None:
        self._connection = connection
        self._unmatched, self._faces = tables.unmatched.table, tables.faces.table
        self._persons, self._media = tables.persons.table, tables.media.table
        self._libraries = tuple(libraries)

    def shown(self, after: int, limit: int) -> list[RowMapping]:
        """What is still to be found on photos that the asker sees, by the id of the face, from `after`: `face_id`, its
        `x`, `y`, `w`, `h` on the older content, `person_id` and `person_name` of the canonical person, None where it
        has none, `content_hash`, `library_id` and `path` of the photo as it is now. Who has a face on it by now is not
        looked for any more."""
        u, f, p, m = self._unmatched, self._faces, self._persons, self._media
        whose, canonical = p.alias("whose"), p.alias("canonical")
        there, theirs, other = f.alias("there"), p.alias("theirs"), m.alias("other")
        is_there = (
            select(there.c.id)
            .join(theirs, theirs.c.id == there.c.person_id)
            .where(there.c.content_hash == u.c.content_hash, there.c.status == DETECTED)
            .where(theirs.c.canonical_id == canonical.c.id)
        )
        first = select(func.min(other.c.id)).where(
            other.c.content_hash == u.c.content_hash, other.c.present, other.c.library_id.in_(self._libraries)
        )
        statement = (
            select(
                *(u.c.face_id, f.c.x, f.c.y, f.c.w, f.c.h, u.c.content_hash, m.c.library_id, m.c.path),
                canonical.c.id.label("person_id"),
                canonical.c.name.label("person_name"),
            )
            .join(f, f.c.id == u.c.face_id)
            .join(m, m.c.id == first.correlate(u).scalar_subquery())
            .outerjoin(whose, whose.c.id == f.c.person_id)
            .outerjoin(canonical, canonical.c.id == whose.c.canonical_id)
            .where(u.c.face_id > after, f.c.status == DETECTED, f.c.content_hash != u.c.content_hash)
            .where(or_(canonical.c.id.is_(None), ~is_there.correlate(u, canonical).exists()))
            .order_by(u.c.face_id)
            .limit(limit)
        )
        return [*self._connection.execute(statement).mappings()]
