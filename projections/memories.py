"""Queries for memories: what was taken between two moments of the wall clock."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Connection, RowMapping, func, select

from projections.schema import ReadTables


class Taken(msgspec.Struct, frozen=True):
    """A visible file: `at` microseconds of the wall clock and `offset` as in `FileFacts`, `source` what told the
    time, `rank` its place among the files of the library with the same `stack`, as in `domain.stacks`."""

    id: int
    content_hash: bytes
    folder: str
    at: int
    offset: int | None
    source: str | None
    library_id: int
    stack: str
    rank: int


class Memories:
    """Queries on when files were taken; `libraries` are the ids that the asker may see."""

    def __init__(self, connection: Connection, tables: ReadTables, libraries: Collection[int]) -> None:
        self._connection = connection
        self._media = tables.media.table
        self._libraries = tuple(libraries)

    def reach(self) -> tuple[int, int] | None:
        """When the oldest and the newest file of any library were taken, None where there is none."""
        m = self._media
        bounds = (
            select(bound(m.c.taken_at)).where(m.c.present, m.c.content_hash.is_not(None))
            for bound in (func.min, func.max)
        )
        oldest, newest = (self._connection.execute(bound).scalar_one_or_none() for bound in bounds)
        return None if oldest is None or newest is None else (oldest, newest)

    def between(self, start: int, end: int) -> list[Taken]:
        """The files taken from `start` to before `end`, oldest first; of several copies the first."""
        m = self._media
        statement = (
            select(
                *(m.c[name] for name in ("id", "content_hash", "folder", "taken_at", "taken_offset", "taken_source")),
                *(m.c[name] for name in ("library_id", "stack_key", "stack_rank")),
            )
            .where(
                m.c.present,
                m.c.content_hash.is_not(None),
                (m.c.library_id + 0).in_(self._libraries),
                m.c.taken_at >= start,
                m.c.taken_at < end,
            )
            .order_by(m.c.taken_at, m.c.id)
        )
        return [Taken(row[0], bytes(row[1]), *row[2:]) for row in self._connection.execute(statement)]

    def rows(self, ids: Sequence[int]) -> list[RowMapping]:
        """All columns of these files, in this order."""
        m = self._media
        found = {row["id"]: row for row in self._connection.execute(select(m).where(m.c.id.in_(ids))).mappings()}
        return [found[id_] for id_ in ids]
