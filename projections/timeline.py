"""Queries of the timeline and the folders: pages of photos by keyset, never by offset.

Three ways lead to a page, and on SQLite each names the index that it takes, since its planner knows no sizes. What
tags, persons and one folder leave is gathered by them and sorted. Everything else is told by the index of the timeline,
which holds what the filters ask and so answers a hundred thousand files without one row of them. The other orders have
an index each, walked where much fits; where little does, the timeline's index finds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    RowMapping,
    Select,
    and_,
    func,
    literal_column,
    or_,
    select,
    true,
)

from domain.faces import DETECTED
from domain.names import name_key, search_key
from domain.stacks import CLIP, PICTURE
from projections.schema import ReadTables

PROBED: Final = 1000
"""Rows that are looked for with the first page: where there are fewer, nothing is left to count."""
DENSE: Final = 5000
"""Fitting files from which on another order than the timeline's is walked, and not sorted."""


class PhotoFilter(msgspec.Struct, frozen=True):
    """What a page of photos is narrowed to; times are microseconds of the wall clock as in `FileFacts.taken_at`;
    `stacked` leaves out a file where another one of its stack stands before it and fits as well."""

    folder: str | None = None
    recursive: bool = True
    kind: str | None = None
    tags: tuple[str, ...] = ()
    all_tags: bool = False
    exclude_tags: tuple[str, ...] = ()
    persons: tuple[int, ...] = ()
    all_persons: bool = False
    taken_from: int | None = None
    taken_to: int | None = None
    camera: str | None = None
    lens: str | None = None
    has_gps: bool | None = None
    within: tuple[float, float, float, float] | None = None
    q: str | None = None
    stacked: bool = False

    @property
    def of_files(self) -> PhotoFilter:
        """The same for every file, whatever stands before it in a stack."""
        return msgspec.structs.replace(self, stacked=False) if self.stacked else self

    @property
    def one_folder(self) -> bool:
        """Whether one folder alone is meant, without those below."""
        return self.folder is not None and not self.recursive

    @property
    def by_content(self) -> bool:
        """Whether tags or persons say which photos fit."""
        return bool(self.tags or self.persons)


SORTS = {"taken_at": ("taken_at", True), "name": ("name", False), "discovered": ("discovered_at", True)}
"""Sort words with their column and whether the greatest comes first."""
EVERYTHING: Final = PhotoFilter()
Place = tuple[Any, int]
_STACK: Final = ("library_id", "stack_key", "stack_rank")


class Timeline:
    """Pages of visible files; `libraries` are the ids that the asker may see."""

    def __init__(self, connection: Connection, tables: ReadTables, libraries: Collection[int]) -> None:
        self._connection = connection
        self._tables = tables
        self._media = tables.media.table
        self._faces = tables.faces.table
        self._persons = tables.persons.table
        self._tags = tables.tags.table
        self._tagged = tables.tagged_media.table
        self._libraries = tuple(sorted(libraries))

    def page(self, narrowed: PhotoFilter, *, sort: str, after: Place | None, limit: int) -> Sequence[RowMapping]:
        """Rows of `media` in the order of `sort` (a word of `SORTS`); `after` is the sort value and id of the last row
        before."""
        return self._rows(self._ids(narrowed, sort, after, limit))

    def first_page(self, narrowed: PhotoFilter, *, sort: str, limit: int) -> tuple[Sequence[RowMapping], int | None]:
        """The first rows as `page` gives them, and how many there are in all; None where words find very many, which
        would take as long to count as to find."""
        probed = max(limit, PROBED)
        ids = self._ids(narrowed, sort, None, probed)
        if len(ids) < probed:
            return self._rows(ids[:limit]), len(ids)
        return self._rows(ids[:limit]), None if narrowed.q else self.count(narrowed)

    def count(self, narrowed: PhotoFilter) -> int:
        """How many files the filter leaves."""
        if narrowed.stacked:
            return self.count(narrowed.of_files) - self._count_behind(narrowed.of_files)
        if narrowed.exclude_tags and not narrowed.by_content:
            # What is gathered by the tags is counted sooner than what is left without them.
            without = msgspec.structs.replace(narrowed, exclude_tags=())
            excluded = msgspec.structs.replace(without, tags=narrowed.exclude_tags)
            return self.count(without) - self.count(excluded)
        if narrowed == EVERYTHING:
            counted = self._of_libraries(self._shown(func.count()))
        else:
            counted = self._fitting(narrowed, func.count())
        return int(self._connection.execute(counted).scalar_one())

    def _count_behind(self, narrowed: PhotoFilter) -> int:
        """How many of the files that fit have one before them in their stack that fits as well."""
        if not self._has_companions:
            return 0
        counted = self._shown(func.count()).where(self._may_be_behind)
        if narrowed.by_content or narrowed.one_folder:
            counted = self._hinted(counted, "media_content" if narrowed.by_content else "media_folder")
            counted = counted.where(*self._wanted(narrowed))
        else:
            m = self._media
            counted = self._hinted(counted, "media_companion").where(m.c.library_id.in_(self._libraries))
            counted = counted.where(*self._of_file(narrowed, m), *self._of_content(narrowed, m))
        return int(self._connection.execute(counted.where(self._before(narrowed).exists())).scalar_one())

    @property
    def _may_be_behind(self) -> ColumnElement[bool]:
        """With the number written out: SQLite takes no partial index for a parameter."""
        return self._media.c.stack_rank > literal_column("0")

    @cached_property
    def _has_companions(self) -> bool:
        """Whether any visible file may stand behind another; in many collections none does, and nothing is to do."""
        m = self._media
        any_ = self._hinted(self._shown(m.c.id), "media_companion").where(
            m.c.library_id.in_(self._libraries), self._may_be_behind
        )
        return self._connection.execute(any_.limit(1)).first() is not None

    def _before(self, narrowed: PhotoFilter) -> Select[int]:
        """The files that fit and stand before a row of `media` that fits in its stack; so they are of the same folder,
        and their rank says of which kind they are."""
        m, first = self._media, self._media.alias("before")
        of_rank = {None: true(), "photo": first.c.stack_rank != CLIP, "video": first.c.stack_rank == CLIP}
        others = msgspec.structs.replace(narrowed, folder=None, kind=None)
        statement = select(first.c.id).where(
            first.c.present,
            first.c.content_hash.is_not(None),
            first.c.library_id == m.c.library_id,
            first.c.stack_key == m.c.stack_key,
            first.c.stack_rank >= PICTURE,
            first.c.stack_rank < m.c.stack_rank,
            of_rank[narrowed.kind],
            *self._of_file(others, first),
            *self._of_content(others, first),
        )
        return self._hinted(statement.correlate(m), "media_stack", first)

    def companions(self, rows: Sequence[RowMapping]) -> Mapping[int, Sequence[RowMapping]]:
        """For each of these rows of `media` the shown files of another rank in its stack (id, path, kind, format), by
        rank and id; nothing where there are none."""
        m = self._media
        asked = [row for row in rows if row["stack_rank"] >= PICTURE]
        if not asked or not self._has_companions:
            return {}
        behind = [row for row in asked if row["stack_rank"] > PICTURE]
        found = self._of_stacks(behind, "media_stack", m.c.stack_rank == PICTURE) if behind else []
        found += self._of_stacks(asked, "media_companion", self._may_be_behind)
        stacks: dict[tuple[int, str], list[RowMapping]] = {}
        for row in found:
            stacks.setdefault((row["library_id"], row["stack_key"]), []).append(row)
        return {
            row["id"]: [
                other
                for other in stacks.get((row["library_id"], row["stack_key"]), ())
                if other["stack_rank"] != row["stack_rank"]
            ]
            for row in asked
        }

    def _of_stacks(self, rows: Sequence[RowMapping], index: str, ranks: ColumnElement[bool]) -> list[RowMapping]:
        """The shown files of these ranks with the keys of `rows`, by rank and id."""
        m = self._media
        few = self._shown(*(m.c[name] for name in ("id", "path", "kind", "format", *_STACK)))
        statement = self._hinted(few, index).where(
            m.c.library_id.in_({row["library_id"] for row in rows}),
            m.c.stack_key.in_({row["stack_key"] for row in rows}),
            ranks,
        )
        return [*self._connection.execute(statement.order_by(m.c.stack_rank, m.c.id)).mappings()]

    def contents(self, narrowed: PhotoFilter, limit: int) -> list[bytes]:
        """The first `limit` contents of the files that the filter leaves, each once."""
        statement = self._fitting(narrowed, self._media.c.content_hash).distinct().limit(limit)
        return [bytes(content) for content in self._connection.execute(statement).scalars()]

    def _rows(self, ids: Sequence[int]) -> list[RowMapping]:
        m = self._media
        found = {row["id"]: row for row in self._connection.execute(select(m).where(m.c.id.in_(ids))).mappings()}
        return [found[id_] for id_ in ids]

    def _ids(self, narrowed: PhotoFilter, sort: str, after: Place | None, limit: int) -> list[int]:
        wanted = narrowed if narrowed.stacked and self._has_companions else narrowed.of_files
        statement = self.ordered(wanted, sort, after, limit)
        return list(self._connection.execute(statement).scalars())

    def ordered(self, narrowed: PhotoFilter, sort: str, after: Place | None, limit: int) -> Select[int]:
        """The statement that finds the ids of a page."""
        m, stacked, narrowed = self._media, narrowed.stacked, narrowed.of_files
        column, falling = m.c[SORTS[sort][0]], SORTS[sort][1]
        if sort == "taken_at" or not self._is_dense(narrowed):
            statement = self._fitting(narrowed, m.c.id)
        else:
            statement = self._hinted(self._shown(m.c.id), f"media_{sort}").where(*self._wanted(narrowed))
        if stacked:
            statement = statement.where(or_(m.c.stack_rank <= PICTURE, ~self._before(narrowed).exists()))
        order = (column.desc(), m.c.id.desc()) if falling else (column, m.c.id)
        statement = statement.order_by(*order).limit(limit)
        if after is not None:
            value, last = after
            beyond = column < value if falling else column > value
            same = and_(column == value, m.c.id < last if falling else m.c.id > last)
            statement = statement.where(column <= value if falling else column >= value, or_(beyond, same))
        return statement

    def _is_dense(self, narrowed: PhotoFilter) -> bool:
        """Whether so much fits that it lies close together in any order."""
        if narrowed == EVERYTHING:
            return True
        if narrowed.by_content or narrowed.one_folder:
            return False
        few = self._fitting(narrowed, self._media.c.id).limit(DENSE).subquery()
        return self._connection.execute(select(func.count()).select_from(few)).scalar_one() == DENSE

    def _fitting(self, narrowed: PhotoFilter, *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
        """These columns of the files that fit, by the index that finds them soonest."""
        statement = self._shown(*columns)
        if narrowed.by_content:
            statement = self._hinted(statement, "media_content")
        elif narrowed.one_folder:
            statement = self._hinted(statement, "media_folder")
        elif narrowed == EVERYTHING and len(self._libraries) == 1:
            return self._of_libraries(statement)
        else:
            statement = self._hinted(statement, "media_timeline")
        return statement.where(*self._wanted(narrowed))

    def _of_libraries(self, statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        """All of the libraries, by the smallest index; in the order of the timeline where it is one library."""
        m = self._media
        return self._hinted(statement, "media_library_timeline").where(m.c.library_id.in_(self._libraries))

    def _hinted(
        self, statement: Select[*tuple[Any, ...]], index: str, table: FromClause | None = None
    ) -> Select[*tuple[Any, ...]]:
        named = self._media if table is None else table
        return statement.with_hint(named, f"INDEXED BY {self._tables.media.named(index)}", "sqlite")

    def _shown(self, *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
        m = self._media
        return select(*columns).select_from(m).where(m.c.present, m.c.content_hash.is_not(None))

    def _wanted(self, narrowed: PhotoFilter) -> Iterator[ColumnElement[bool]]:
        m = self._media
        # One folder is found by library and folder; elsewhere the arithmetic keeps libraries from being looked for.
        yield (m.c.library_id if narrowed.one_folder else m.c.library_id + 0).in_(self._libraries)
        yield from self._of_file(narrowed, m)
        yield from self._of_content(narrowed, m)

    def _of_file(self, narrowed: PhotoFilter, m: FromClause) -> Iterator[ColumnElement[bool]]:
        if narrowed.one_folder:
            yield m.c.folder == narrowed.folder
        elif narrowed.folder:
            # A range, because LIKE takes 'Trips' for 'trips' on SQLite; '0' follows '/'.
            below = and_(m.c.folder >= f"{narrowed.folder}/", m.c.folder < f"{narrowed.folder}0")
            yield or_(m.c.folder == narrowed.folder, below)
        if narrowed.kind is not None:
            yield m.c.kind == narrowed.kind
        if narrowed.taken_from is not None:
            yield m.c.taken_at >= narrowed.taken_from
        if narrowed.taken_to is not None:
            yield m.c.taken_at < narrowed.taken_to
        if narrowed.camera is not None:
            yield m.c.camera_key.like(f"%{_escaped(search_key(narrowed.camera))}%\n%", escape="\\")
        if narrowed.lens is not None:
            yield m.c.camera_key.like(f"%\n%{_escaped(search_key(narrowed.lens))}%", escape="\\")
        if narrowed.has_gps is not None:
            yield m.c.latitude.is_not(None) if narrowed.has_gps else m.c.latitude.is_(None)
        if narrowed.within is not None:
            yield _within(m, *narrowed.within)

    def _of_content(self, narrowed: PhotoFilter, m: FromClause) -> Iterator[ColumnElement[bool]]:
        if narrowed.tags:
            named = self._tag_ids(narrowed.tags)
            each = [[tag] for tag in named] if narrowed.all_tags else [named]
            yield from (m.c.content_hash.in_(self._tagged_with(tags)) for tags in each)
        if narrowed.exclude_tags:
            yield m.c.id.not_in(self._files_tagged(self._tag_ids(narrowed.exclude_tags)))
        if narrowed.persons:
            groups = [[person] for person in narrowed.persons] if narrowed.all_persons else [narrowed.persons]
            yield from (m.c.content_hash.in_(self._faces_of(persons)) for persons in groups)
        for word in search_key(narrowed.q or "").split():
            yield self._told_by(word, m)

    def _tag_ids(self, names: Sequence[str]) -> list[int]:
        """The tags of these names; 0, which none has, where there is none."""
        t = self._tags
        keys = [name_key(name) for name in names]
        statement = select(t.c.name_key, t.c.id).where(t.c.name_key.in_(keys), t.c.deleted.is_(False))
        found = {row[0]: row[1] for row in self._connection.execute(statement)}
        return [found.get(key, 0) for key in dict.fromkeys(keys)]

    def _tagged_with(self, tags: Sequence[int]) -> Select[bytes]:
        t = self._tagged
        return select(t.c.content_hash).where(t.c.tag_id.in_(tags))

    def _faces_of(self, persons: Sequence[int]) -> Select[bytes]:
        f, p = self._faces, self._persons
        behind = select(p.c.id).where(p.c.canonical_id.in_(persons))
        return select(f.c.content_hash).where(f.c.status == DETECTED, f.c.person_id.in_(behind))

    def _files_tagged(self, tags: Sequence[int]) -> Select[int]:
        """The ids of files with one of these tags: numbers, among which another is found sooner than among hashes."""
        m, t = self._media.alias("tagged_file"), self._tagged
        return select(m.c.id).join(t, t.c.content_hash == m.c.content_hash).where(t.c.tag_id.in_(tags))

    def _files_showing(self, persons: Sequence[int]) -> Select[int]:
        """The ids of files with a face of one of these canonical persons."""
        m, f, p = self._media.alias("shown_file"), self._faces, self._persons
        behind = select(p.c.id).where(p.c.canonical_id.in_(persons))
        joined = select(m.c.id).join(f, f.c.content_hash == m.c.content_hash)
        return joined.where(f.c.status == DETECTED, f.c.person_id.in_(behind))

    def _told_by(self, word: str, m: FromClause) -> ColumnElement[bool]:
        """Path, camera, lens, a tag or a person of a file holds `word`, which is folded already."""
        pattern = f"%{_escaped(word)}%"
        told = [m.c.path_key.like(pattern, escape="\\"), m.c.camera_key.like(pattern, escape="\\")]
        tags, persons = self._called(self._tags, word), self._called(self._persons, word)
        if tags:
            told.append(m.c.id.in_(self._files_tagged(tags)))
        if persons:
            told.append(m.c.id.in_(self._files_showing(persons)))
        return or_(*told)

    def _called(self, table: Any, word: str) -> list[int]:
        """The tags, or canonical persons, with `word` in their names."""
        named: Column[str] = table.c.name
        statement = select(table.c.id, named).where(table.c.deleted.is_(False))
        if "merged_into" in table.c:
            statement = statement.where(table.c.merged_into.is_(None))
        return [row[0] for row in self._connection.execute(statement) if word in search_key(row[1])]

    def folders(self) -> list[tuple[int, str, int]]:
        """Every folder that holds visible files itself: library id, folder, number of files."""
        m = self._media
        statement = (
            self._hinted(self._shown(m.c.library_id, m.c.folder, func.count()), "media_folder")
            .where(m.c.library_id.in_(self._libraries))
            .group_by(m.c.library_id, m.c.folder)
            .order_by(m.c.library_id, m.c.folder)
        )
        return [(row[0], row[1], row[2]) for row in self._connection.execute(statement)]


def _escaped(word: str) -> str:
    """What LIKE takes literally."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _within(m: FromClause, south: float, west: float, north: float, east: float) -> ColumnElement[bool]:
    across_the_date_line = west > east
    meridians = (
        or_(m.c.longitude >= west, m.c.longitude <= east) if across_the_date_line else m.c.longitude.between(west, east)
    )
    return and_(m.c.latitude.between(south, north), meridians)
