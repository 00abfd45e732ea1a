"""Queries of the timeline and the folders: pages of photos by keyset, never by offset."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, distinct, func, or_, select

from domain.faces import DETECTED
from domain.names import name_key
from projections.schema import ReadTables


class PhotoFilter(msgspec.Struct, frozen=True):
    """What a page of photos is narrowed to; times are microseconds of the wall clock as in `FileFacts.taken_at`."""

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


SORTS = {"taken_at": ("taken_at", True), "name": ("name", False), "discovered": ("discovered_at", True)}
"""Sort words with their column and whether the greatest comes first."""


class Timeline:
    """Pages of visible files; `libraries` are the ids that the asker may see."""

    def __init__(self, connection: Connection, tables: ReadTables, libraries: Collection[int]) -> None:
        self._connection = connection
        self._media = tables.media.table
        self._faces = tables.faces.table
        self._persons = tables.persons.table
        self._tags = tables.tags.table
        self._tagged = tables.tagged_media.table
        self._libraries = tuple(libraries)

    def page(
        self, narrowed: PhotoFilter, *, sort: str, after: tuple[Any, int] | None, limit: int
    ) -> Sequence[RowMapping]:
        """Rows of `media` in the order of `sort` (a word of `SORTS`); `after` is the sort value and id of the last row
        before."""
        m = self._media
        column, falling = m.c[SORTS[sort][0]], SORTS[sort][1]
        statement = self._narrow(select(m), narrowed).limit(limit)
        order = (column.desc(), m.c.id.desc()) if falling else (column, m.c.id)
        statement = statement.order_by(*order)
        if after is not None:
            value, last = after
            beyond = column < value if falling else column > value
            statement = statement.where(or_(beyond, and_(column == value, m.c.id < last if falling else m.c.id > last)))
        return [*self._connection.execute(statement).mappings()]

    def count(self, narrowed: PhotoFilter) -> int:
        """How many files the filter leaves."""
        statement = self._narrow(select(func.count()).select_from(self._media), narrowed)
        return int(self._connection.execute(statement).scalar_one())

    def _narrow(self, statement: Select[*tuple[Any, ...]], narrowed: PhotoFilter) -> Select[*tuple[Any, ...]]:
        m = self._media
        statement = statement.where(m.c.present, m.c.content_hash.is_not(None), self._in_sight())
        return statement.where(*self._of_file(narrowed), *self._of_content(narrowed))

    def _in_sight(self) -> ColumnElement[bool]:
        """The visible libraries, said so that each timeline index serves: one library by its own index, several by the
        common one, which the arithmetic keeps the planner from trading for a sort of everything."""
        m = self._media
        if len(self._libraries) == 1:
            return m.c.library_id == self._libraries[0]
        return (m.c.library_id + 0).in_(self._libraries)

    def _of_file(self, narrowed: PhotoFilter) -> list[ColumnElement[bool]]:
        m = self._media
        wanted: list[ColumnElement[bool]] = []
        if narrowed.folder is not None and (narrowed.folder or not narrowed.recursive):
            here = m.c.folder == narrowed.folder
            below = m.c.folder.startswith(f"{narrowed.folder}/", autoescape=True)
            wanted.append(or_(here, below) if narrowed.recursive else here)
        if narrowed.kind is not None:
            wanted.append(m.c.kind == narrowed.kind)
        if narrowed.taken_from is not None:
            wanted.append(m.c.taken_at >= narrowed.taken_from)
        if narrowed.taken_to is not None:
            wanted.append(m.c.taken_at < narrowed.taken_to)
        if narrowed.camera is not None:
            camera = func.coalesce(m.c.make, "") + " " + func.coalesce(m.c.model, "")
            wanted.append(camera.icontains(narrowed.camera, autoescape=True))
        if narrowed.lens is not None:
            wanted.append(m.c.lens.icontains(narrowed.lens, autoescape=True))
        if narrowed.has_gps is not None:
            wanted.append(m.c.latitude.is_not(None) if narrowed.has_gps else m.c.latitude.is_(None))
        if narrowed.within is not None:
            wanted.append(self._within(*narrowed.within))
        return wanted

    def _within(self, south: float, west: float, north: float, east: float) -> ColumnElement[bool]:
        m = self._media
        across_the_date_line = west > east
        meridians = (
            or_(m.c.longitude >= west, m.c.longitude <= east)
            if across_the_date_line
            else m.c.longitude.between(west, east)
        )
        return and_(m.c.latitude.between(south, north), meridians)

    def _of_content(self, narrowed: PhotoFilter) -> list[ColumnElement[bool]]:
        m = self._media
        wanted: list[ColumnElement[bool]] = []
        tagged = [self._tagged_as(name) for name in narrowed.tags]
        if tagged:
            wanted.append(and_(*tagged) if narrowed.all_tags else or_(*tagged))
        wanted += [~self._tagged_as(name) for name in narrowed.exclude_tags]
        shown = [self._shows(person) for person in narrowed.persons]
        if shown:
            wanted.append(and_(*shown) if narrowed.all_persons else or_(*shown))
        if narrowed.q:
            wanted.append(or_(m.c.path.icontains(narrowed.q, autoescape=True), *self._called(narrowed.q)))
        return wanted

    def _tagged_as(self, name: str) -> ColumnElement[bool]:
        m, t, tags = self._media, self._tagged, self._tags
        has = select(t.c.tag_id).join(tags, tags.c.id == t.c.tag_id)
        return has.where(
            t.c.content_hash == m.c.content_hash, tags.c.name_key == name_key(name), tags.c.deleted.is_(False)
        ).exists()

    def _shows(self, person_id: int) -> ColumnElement[bool]:
        m, f, p = self._media, self._faces, self._persons
        behind = select(p.c.id).where(p.c.canonical_id == person_id)
        has = select(f.c.id).where(f.c.status == DETECTED, f.c.person_id.in_(behind))
        return m.c.content_hash.in_(has.with_only_columns(f.c.content_hash))

    def _called(self, q: str) -> list[ColumnElement[bool]]:
        """Contents whose tags or persons have `q` in their names."""
        m, t, tags, f, p = self._media, self._tagged, self._tags, self._faces, self._persons
        key = name_key(q)
        if not key:
            return []
        by_tag = (
            select(t.c.content_hash)
            .join(tags, tags.c.id == t.c.tag_id)
            .where(tags.c.name_key.contains(key, autoescape=True), tags.c.deleted.is_(False))
        )
        canonical = p.alias("canonical")
        by_person = (
            select(f.c.content_hash)
            .join(p, p.c.id == f.c.person_id)
            .join(canonical, canonical.c.id == p.c.canonical_id)
            .where(f.c.status == DETECTED, canonical.c.name_key.contains(key, autoescape=True))
        )
        return [m.c.content_hash.in_(by_tag), m.c.content_hash.in_(by_person)]

    def folders(self) -> list[tuple[int, str, int]]:
        """Every folder that holds visible files itself: library id, folder, number of files."""
        m = self._media
        statement = (
            select(m.c.library_id, m.c.folder, func.count(distinct(m.c.id)))
            .where(m.c.present, m.c.content_hash.is_not(None), m.c.library_id.in_(self._libraries))
            .group_by(m.c.library_id, m.c.folder)
            .order_by(m.c.library_id, m.c.folder)
        )
        return [(row[0], row[1], row[2]) for row in self._connection.execute(statement)]
