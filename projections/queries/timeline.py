"""Queries of the timeline and the folders: pages of photos by keyset, never by offset.

Three ways lead to a page, and on SQLite each names the index that it takes, since its planner knows no sizes.

- Scanned: the index of the timeline holds what the filters ask of a file and so answers a hundred thousand files
  without one row of them; what stands after the page is counted from there on.
- Walked: where much fits, in any order, the page is full after some files of the order's index. What they lack is
  looked up file by file, so the walk ends after `WALKED` of them, full or not.
- Gathered: what tags, persons or one folder leave, or little of another order, is found by them, sorted and counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, literal_column, or_, select, union

from domain.events.media import PICTURE
from projections.queries.index_hints import by_index
from projections.queries.photo_filter import EVERYTHING, PhotoConditions, PhotoFilter
from projections.tables.schema import ReadTables

PROBED: Final = 1000
"""Rows that words are looked for with the first page: where there are fewer, nothing is left to count."""
WALKED: Final = 2000
"""Files that are looked up one by one before what fits is gathered instead."""
CERTAIN: Final = 2.0
"""How many times a page has to fit, as far as one can tell, into what is walked, before it is tried."""

SORTS = {"taken_at": ("taken_at", True), "name": ("name", False), "discovered": ("discovered_at", True)}
"""Sort words with their column and whether the greatest comes first."""
Place = tuple[Any, int]
_SHOWN_OF_STACK: Final = ("id", "path", "kind", "format", "stack", "stack_rank")


class Timeline:
    """Pages of visible files; `libraries` are the ids that the asker may see."""

    def __init__(self, connection: Connection, tables: ReadTables, libraries: Collection[int]) -> None:
        self._connection = connection
        self._tables = tables
        self._files = tables.media
        self._media = tables.media.table
        self._libraries = tuple(sorted(libraries))

    def page(self, narrowed: PhotoFilter, *, sort: str, after: Place | None, limit: int) -> Sequence[RowMapping]:
        """Rows of `media` in the order of `sort` (a word of `SORTS`); `after` is the sort value and id of the last row
        before."""
        return self._rows(self._found(self._conditions(narrowed), sort, after, limit)[0])

    def first_page(self, narrowed: PhotoFilter, *, sort: str, limit: int) -> tuple[Sequence[RowMapping], int | None]:
        """The first rows as `page` gives them, and how many there are in all; None where words find very many, which
        would take as long to count as to find."""
        conditions = self._conditions(narrowed)
        ids, total = self._found(conditions, sort, None, limit)
        rows = self._rows(ids)
        if total is None and not narrowed.q:
            total = self._total(conditions, sort, rows)
        return rows, total

    def count(self, narrowed: PhotoFilter) -> int:
        """How many files the filter leaves."""
        return self._count(self._conditions(narrowed))

    def contents(self, narrowed: PhotoFilter, limit: int) -> list[bytes]:
        """The first `limit` contents of the files that the filter leaves, each once."""
        conditions = self._conditions(narrowed)
        fitting = union(*(self._fitting(each, self._media.c.content_hash) for each in conditions.alternatives))
        return [bytes(content) for content in self._connection.execute(fitting.limit(limit)).scalars()]

    def few(self, narrowed: PhotoFilter, limit: int) -> list[int]:
        """The ids of at most `limit` files that fit, in no order."""
        conditions, m = self._conditions(narrowed), self._media
        found: dict[int, None] = {}
        for each in conditions.alternatives:
            fitting = self._fitting(each, m.c.id).where(*self._foremost(conditions, probed=False))
            found |= dict.fromkeys(self._ids(fitting.limit(limit)))
        return list(found)[:limit]

    def among(self, narrowed: PhotoFilter, ids: Sequence[int]) -> set[int]:
        """Those of these files that fit."""
        conditions, m = self._conditions(narrowed), self._media
        statement = self._shown(m.c.id).with_hint(m, "NOT INDEXED", "sqlite").where(m.c.id.in_(ids))
        statement = statement.where(m.c.library_id.in_(self._libraries), *self._wanted(conditions, probed=True))
        return set(self._ids(statement.where(*self._foremost(conditions, probed=True))))

    def rows(self, ids: Sequence[int]) -> list[RowMapping]:
        """The rows of `media` of these visible files, in this order."""
        m = self._media
        seen = select(m).where(m.c.id.in_(ids), m.c.library_id.in_(self._libraries))
        found = {row["id"]: row for row in self._connection.execute(seen).mappings().all()}
        return [found[id_] for id_ in ids if id_ in found]

    def _conditions(self, narrowed: PhotoFilter) -> PhotoConditions:
        if narrowed.stacked and (not self._has_companions or narrowed.kind == "video"):
            narrowed = narrowed.of_files  # of the videos that are of a stack none stands before another
        return PhotoConditions(self._connection, self._tables, self._libraries, narrowed, self._about[1])

    def _rows(self, ids: Sequence[int]) -> list[RowMapping]:
        m = self._media
        found = {row["id"]: row for row in self._connection.execute(select(m).where(m.c.id.in_(ids))).mappings().all()}
        return [found[id_] for id_ in ids]

    # Pages

    def _found(
        self, conditions: PhotoConditions, sort: str, after: Place | None, limit: int
    ) -> tuple[list[int], int | None]:
        """The ids of a page, and how many files fit where that came with them."""
        is_scanned = self._is_scanned(conditions, sort)
        probed = max(limit, PROBED) if conditions.filter.q and after is None else limit
        if self._may_walk(conditions, limit) and (not is_scanned or conditions.by_names):
            last = self._end_of_walk(sort, after)
            most = limit if last else probed
            ids = self._ids(self._walked(conditions, sort, after, last, most))
            if last is None or len(ids) == limit:
                return ids[:limit], len(ids) if after is None and len(ids) < most else None
        if not is_scanned:
            rows = self._connection.execute(self._gathered(conditions, sort, after, limit)).all()
            total = next((int(number) for _, number in rows), 0)
            return [id_ for id_, _ in rows], None if after is not None else total
        merged = self._merged(conditions, after, probed, limit) if conditions.has_names else None
        if merged is None:
            ids = self._ids(self._scanned(conditions, sort, after, probed))
            merged = ids, len(ids) < probed
        ids, are_all = merged
        return ids[:limit], len(ids) if after is None and are_all else None

    def _merged(
        self, conditions: PhotoConditions, after: Place | None, probed: int, limit: int
    ) -> tuple[list[int], bool] | None:
        """The first ids in the order of the timeline of what fits one of several filters, and whether they are all;
        None where of those that were probed too few are the foremost of their stacks."""
        m = self._media
        found: dict[int, tuple[int, int]] = {}
        for each in conditions.alternatives:
            fitting = self._in_order(self._fitting(each, m.c.id, m.c.taken_at, m.c.stack_rank), "taken_at", after)
            rows = self._connection.execute(fitting.limit(probed)).all()
            found |= {id_: (taken_at, rank) for id_, taken_at, rank in rows}
        in_order = sorted(((taken_at, id_, rank) for id_, (taken_at, rank) in found.items()), reverse=True)[:probed]
        behind: set[int] = set()
        if conditions.filter.stacked:
            may_be = [id_ for _, id_, rank in in_order if rank > PICTURE]
            statement = select(m.c.id).where(m.c.id.in_(may_be), conditions.before(probed=True).exists())
            behind.update(self._connection.execute(statement).scalars())
        kept = [id_ for _, id_, _ in in_order if id_ not in behind]
        are_all = len(in_order) < probed
        return (kept, are_all) if are_all or len(kept) >= limit else None

    def _ids(self, statement: Select[int]) -> list[int]:
        return list(self._connection.execute(statement).scalars().all())

    def _is_scanned(self, conditions: PhotoConditions, sort: str) -> bool:
        """Whether an index in the order of the page holds all that is asked, or all files are asked."""
        narrowed = conditions.filter
        if narrowed.of_files == EVERYTHING and self._sees_everything:
            return True
        return sort == "taken_at" and not narrowed.by_content and not conditions.in_small_folder

    def _may_walk(self, conditions: PhotoConditions, limit: int) -> bool:
        """Whether a walk is likely to fill the page, as far as tags and persons tell."""
        return conditions.share * WALKED >= CERTAIN * limit and not conditions.in_small_folder

    def _scanned(self, conditions: PhotoConditions, sort: str, after: Place | None, limit: int) -> Select[int]:
        """The ids of a page in the order of an index that tells what fits."""
        m = self._media
        if sort == "taken_at" and conditions.filter.of_files == EVERYTHING and len(self._libraries) == 1:
            statement = self._fitting(conditions, m.c.id)
        else:
            statement = self._walk(sort, m.c.id).where(*self._wanted(conditions, probed=False))
        return self._in_order(statement.where(*self._foremost(conditions, probed=True)), sort, after).limit(limit)

    def _walked(
        self, conditions: PhotoConditions, sort: str, after: Place | None, last: Place | None, limit: int
    ) -> Select[int]:
        """The ids of a page, from the files up to `last` in the order alone."""
        statement = self._walk(sort, self._media.c.id)
        statement = statement.where(*self._wanted(conditions, probed=True), *self._foremost(conditions, probed=True))
        if last is not None:
            statement = statement.where(*self._up_to(sort, last))
        return self._in_order(statement, sort, after).limit(limit)

    def _gathered(
        self, conditions: PhotoConditions, sort: str, after: Place | None, limit: int
    ) -> Select[*tuple[int, int]]:
        """The ids of a page, each beside the number of files after `after`: what fits is found once for both."""
        m = self._media
        column, falling = m.c[SORTS[sort][0]], SORTS[sort][1]
        fitting = [
            self._fitting(each, m.c.id, column.label("place")).where(
                *self._foremost(conditions, probed=False), *(self._beyond(sort, after) if after is not None else ())
            )
            for each in conditions.alternatives
        ]
        fit = (union(*fitting) if len(fitting) > 1 else fitting[0]).cte("fit").prefix_with("MATERIALIZED")
        order = (fit.c.place.desc(), fit.c.id.desc()) if falling else (fit.c.place, fit.c.id)
        number = select(func.count()).select_from(fit).scalar_subquery()
        return select(fit.c.id, number.label("number")).order_by(*order).limit(limit)

    def _end_of_walk(self, sort: str, after: Place | None) -> Place | None:
        """The last place that is walked to, None where the order ends before."""
        m = self._media
        statement = self._in_order(self._walk(sort, m.c[SORTS[sort][0]], m.c.id), sort, after)
        row = self._connection.execute(statement.offset(WALKED - 1).limit(1)).one_or_none()
        return None if row is None else tuple(row)

    def _walk(self, sort: str, *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
        index = {"taken_at": "media_timeline", "name": "media_name", "discovered": "media_discovered"}[sort]
        return by_index(self._files, self._shown(*columns), index)

    def _in_order(
        self, statement: Select[*tuple[Any, ...]], sort: str, after: Place | None
    ) -> Select[*tuple[Any, ...]]:
        m = self._media
        column, falling = m.c[SORTS[sort][0]], SORTS[sort][1]
        if after is not None:
            statement = statement.where(*self._beyond(sort, after))
        return statement.order_by(*((column.desc(), m.c.id.desc()) if falling else (column, m.c.id)))

    def _beyond(self, sort: str, after: Place) -> Iterator[ColumnElement[bool]]:
        """After a place. The first condition is implied, and what the database looks for in an index."""
        (value, last), m = after, self._media
        column, falling = m.c[SORTS[sort][0]], SORTS[sort][1]
        yield column <= value if falling else column >= value
        same = and_(column == value, m.c.id < last if falling else m.c.id > last)
        yield or_(column < value if falling else column > value, same)

    def _up_to(self, sort: str, last: Place) -> Iterator[ColumnElement[bool]]:
        """Up to a place, itself included."""
        (value, id_), m = last, self._media
        column, falling = m.c[SORTS[sort][0]], SORTS[sort][1]
        yield column >= value if falling else column <= value
        same = and_(column == value, m.c.id >= id_ if falling else m.c.id <= id_)
        yield or_(column > value if falling else column < value, same)

    # What fits

    def _fitting(self, conditions: PhotoConditions, *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
        """These columns of the files that fit, by the index that finds them soonest."""
        statement = self._shown(*columns)
        if conditions.in_small_folder:
            statement = by_index(self._files, statement, "media_folder").where(
                self._media.c.library_id.in_(self._libraries)
            )
        elif conditions.groups:
            statement = by_index(self._files, statement, "media_content")
        elif conditions.filter.of_files == EVERYTHING:
            statement = by_index(self._files, statement, "media_library_timeline")
            return statement.where(self._media.c.library_id.in_(self._libraries))
        else:
            statement = by_index(self._files, statement, "media_timeline")
        return statement.where(*self._wanted(conditions, probed=False))

    def _shown(self, *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
        m = self._media
        return select(*columns).select_from(m).where(m.c.present, m.c.content_hash.is_not(None))

    def _wanted(
        self, conditions: PhotoConditions, *, probed: bool, counted: bool = False
    ) -> Iterator[ColumnElement[bool]]:
        m = self._media
        if not self._sees_everything:
            yield (m.c.library_id + 0).in_(self._libraries)  # the arithmetic keeps libraries from being looked for
        yield from conditions.of_file(m)
        yield from conditions.of_content(m, probed=probed, counted=counted)

    @property
    def _sees_everything(self) -> bool:
        """Whether there is no library but those that the asker sees; then no file is asked for its own."""
        return not self._about[2]

    @property
    def _has_companions(self) -> bool:
        """Whether any file may stand behind another; in many collections none does, and nothing is to do."""
        return bool(self._about[0])

    @cached_property
    def _about(self) -> tuple[bool, int, bool]:
        """Whether any file may stand behind another, as many files as there may be, and whether any library is out of
        sight."""
        m, t = self._media, self._tables.libraries.table
        behind = by_index(self._files, self._shown(m.c.id), "media_companion").where(self._may_be_behind).limit(1)
        others = select(t.c.id).where(t.c.id.not_in(self._libraries))
        greatest = select(func.max(m.c.id)).scalar_subquery()
        has_behind, files, has_others = self._connection.execute(
            select(behind.exists(), greatest, others.exists())
        ).one()
        return bool(has_behind), int(files or 0), bool(has_others)

    # How many

    def _total(self, conditions: PhotoConditions, sort: str, page: Sequence[RowMapping]) -> int:
        """How many files fit, of which the first ones are `page`: in the order of the timeline those after it are left
        to count."""
        column = SORTS[sort][0]
        narrowed = conditions.filter
        is_left_to_count = narrowed.of_files != EVERYTHING and not narrowed.by_content
        if not page or sort != "taken_at" or not is_left_to_count or page[-1][column] is None:
            return self._count(conditions)
        return len(page) + self._count(conditions, (page[-1][column], page[-1]["id"]))

    def _count(self, conditions: PhotoConditions, after: Place | None = None) -> int:
        narrowed = conditions.filter
        if conditions.has_names and not conditions.groups:
            each_way = [self._fitting(each, self._media.c.id) for each in conditions.alternatives]
            every = union(*(way.where(*self._foremost(conditions, probed=False)) for way in each_way)).subquery()
            return int(self._connection.execute(select(func.count()).select_from(every)).scalar_one())
        if narrowed.by_content or conditions.in_small_folder:
            counted = self._fitting(conditions, func.count()).where(*self._foremost(conditions, probed=False))
            return int(self._connection.execute(self._after(counted, after)).scalar_one())
        fitting = self._count_files(conditions, after)
        return fitting - (self._count_behind(conditions, after) if narrowed.stacked else 0)

    def _count_files(self, conditions: PhotoConditions, after: Place | None) -> int:
        """How many files fit, whatever stands before them."""
        narrowed = conditions.filter.of_files
        if narrowed.exclude_tags:
            # What is gathered by the tags is counted sooner than what is left without them.
            without = msgspec.structs.replace(narrowed, exclude_tags=())
            excluded = msgspec.structs.replace(without, tags=narrowed.exclude_tags, all_tags=False)
            return self._count(self._conditions(without), after) - self._count(self._conditions(excluded), after)
        if narrowed == EVERYTHING and self._sees_everything:
            counted = by_index(self._files, self._shown(func.count()), "media_library_timeline")
        else:
            counted = self._fitting(conditions, func.count())
        return int(self._connection.execute(self._after(counted, after)).scalar_one())

    def _after(self, counted: Select[int], after: Place | None) -> Select[int]:
        return counted if after is None else counted.where(*self._beyond("taken_at", after))

    # Stacks

    def _foremost(self, conditions: PhotoConditions, *, probed: bool) -> Iterator[ColumnElement[bool]]:
        """That none stands before a file, where that is asked."""
        if conditions.filter.stacked:
            yield or_(self._media.c.stack_rank <= PICTURE, ~conditions.before(probed=probed).exists())

    def _count_behind(self, conditions: PhotoConditions, after: Place | None) -> int:
        """How many of the files that fit have one before them in their stack that fits as well."""
        counted = by_index(self._files, self._shown(func.count()).where(self._may_be_behind), "media_companion")
        counted = counted.where(
            *self._wanted(conditions, probed=False, counted=True),
            conditions.before(probed=False, counted=True).exists(),
        )
        return int(self._connection.execute(self._after(counted, after)).scalar_one())

    @property
    def _may_be_behind(self) -> ColumnElement[bool]:
        """With the number written out: SQLite takes no partial index for a parameter."""
        return self._media.c.stack_rank > literal_column("0")

    def companions(self, rows: Sequence[RowMapping]) -> Mapping[int, Sequence[RowMapping]]:
        """For each of these rows of `media` the shown files of another rank in its stack (id, path, kind, format), by
        rank and id; nothing where there are none."""
        leading = [row for row in rows if row["stack_rank"] >= PICTURE]
        if not leading or not self._has_companions:
            return {}
        m = self._media
        few = by_index(self._files, self._shown(*(m.c[name] for name in _SHOWN_OF_STACK)), "media_stack")
        found = few.where(m.c.stack.in_({row["stack"] for row in leading}), m.c.stack_rank >= PICTURE)
        stacks: dict[int, list[RowMapping]] = {}
        for row in self._connection.execute(found.order_by(m.c.stack_rank, m.c.id)).mappings().all():
            stacks.setdefault(row["stack"], []).append(row)
        return {
            row["id"]: [other for other in stacks.get(row["stack"], ()) if other["stack_rank"] != row["stack_rank"]]
            for row in leading
        }

    def folders(self) -> list[tuple[int, str, int]]:
        """Every folder that holds visible files itself: library id, folder, number of files."""
        m = self._media
        statement = (
            by_index(self._files, self._shown(m.c.library_id, m.c.folder, func.count()), "media_folder")
            .where(m.c.library_id.in_(self._libraries))
            .group_by(m.c.library_id, m.c.folder)
            .order_by(m.c.library_id, m.c.folder)
        )
        return [(library_id, folder, files) for library_id, folder, files in self._connection.execute(statement)]
