"""Queries for memories: what was taken between two moments of the wall clock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, func, select

from projections.queries.index_hints import by_index
from projections.tables.schema import ReadTables


class DatedFile(msgspec.Struct, frozen=True):
    """A visible file: `at` microseconds of the wall clock and `offset` as in `FileFacts`, `source` what told the
    time, `rank` its place among the files of the same `stack`, as in `domain.rules.stacks`."""

    id: int
    content_hash: bytes
    folder: str
    at: int
    offset: int | None
    source: str | None
    stack: int
    rank: int


class DatedFiles:
    """Queries on when files were taken; `libraries` are the ids that the asker may see."""

    def __init__(self, connection: Connection, tables: ReadTables, libraries: Collection[int]) -> None:
        self._connection = connection
        self._files, self._media = tables.media, tables.media.table
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

    def between(self, spans: Iterable[tuple[int, int]]) -> Iterator[list[DatedFile]]:
        """For each span the files taken from its start to before its end, oldest first."""
        m = self._media
        columns = ("id", "content_hash", "folder", "taken_at", "taken_offset", "taken_source", "stack", "stack_rank")
        statement = (
            select(*(m.c[name] for name in columns))
            .where(
                m.c.present,
                m.c.content_hash.is_not(None),
                (m.c.library_id + 0).in_(self._libraries),
                m.c.taken_at >= bindparam("start"),
                m.c.taken_at < bindparam("end"),
            )
            .order_by(m.c.taken_at, m.c.id)
        )
        by_time = by_index(self._files, statement, "media_timeline")
        for start, end in spans:
            yield [DatedFile(*row) for row in self._connection.execute(by_time, {"start": start, "end": end}).all()]

    def rows(self, ids: Sequence[int]) -> Mapping[int, RowMapping]:
        """All columns of these files, by id."""
        m = self._media
        found: dict[int, RowMapping] = {}
        for start in range(0, len(ids), 1000):
            statement = select(m).where(m.c.id.in_(ids[start : start + 1000]))
            found |= {row["id"]: row for row in self._connection.execute(statement).mappings().all()}
        return found
