"""What narrows a page of photos, as conditions on the read table `media`: what a file's own row says, what is said of
its content (tags, persons, words), and what stands before it in its stack."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any, Final

import msgspec
from sqlalchemy import CTE, ColumnElement, Connection, FromClause, Select, Table, and_, false, func, or_, select, true

from domain.base.names import name_key, search_key
from domain.events.face import DETECTED
from domain.events.media import CLIP, PICTURE, RANKS
from projections.queries.index_hints import by_index
from projections.queries.library_sets import within
from projections.tables.schema import ReadTables


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


EVERYTHING: Final = PhotoFilter()
SOONER: Final = 12
"""How many times as many faces are gathered sooner than probed."""
FEW: Final = 8000
"""Files of a folder up to which they are gathered; more are looked for in the timeline."""


class Named(msgspec.Struct, frozen=True):
    """Tags, or persons and everyone merged into them, of which a content has one; on `seen` contents or faces that the
    asker sees, so it is about as many files."""

    tags: tuple[int, ...]
    persons: tuple[int, ...]
    seen: int


class PhotoConditions:
    """A filter, told in SQL; `libraries` are the ids that the asker may see.

    What tags and persons say is asked in one of two ways: gathered, as a set that is made once and costs as much as it
    holds, or probed, content by content, which costs nothing until a file is looked at.
    """

    def __init__(
        self, connection: Connection, tables: ReadTables, libraries: Collection[int], narrowed: PhotoFilter, files: int
    ) -> None:
        """`files` is about how many files there are."""
        self._connection = connection
        self._tables = tables
        self._libraries = tuple(sorted(libraries))
        self._files = max(1, files)
        self.filter = narrowed

    # Of a file's own row

    def of_file(self, m: FromClause) -> Iterator[ColumnElement[bool]]:
        """What the row of a file says."""
        narrowed = self.filter
        yield from self._of_folder(m)
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

    def _of_folder(self, m: FromClause) -> Iterator[ColumnElement[bool]]:
        narrowed = self.filter
        if narrowed.one_folder:
            yield m.c.folder == narrowed.folder
        elif narrowed.folder:
            # A range, because LIKE takes 'Trips' for 'trips' on SQLite; '0' follows '/'.
            yield m.c.folder >= narrowed.folder
            yield m.c.folder < f"{narrowed.folder}0"
            yield or_(m.c.folder == narrowed.folder, m.c.folder >= f"{narrowed.folder}/")

    @cached_property
    def in_small_folder(self) -> bool:
        """Whether a folder is meant that holds few files, with those below where they count, and fewer than have one of
        the tags or persons."""
        if not self.filter.folder and not self.filter.one_folder:
            return False
        media = self._tables.media
        m = media.table
        held = by_index(media, select(m.c.id), "media_folder").where(
            m.c.library_id.in_(self._libraries), *self._of_folder(m)
        )
        few = min([FEW, *(group.seen + 1 for group in self.groups)])
        return self._one(select(func.count()).select_from(held.limit(few).subquery())) < few

    def _one(self, statement: Select[int]) -> int:
        return int(self._connection.execute(statement).scalar_one() or 0)

    # Of its content

    @cached_property
    def groups(self) -> Sequence[Named]:
        """Of each of these a content that fits has one; the fewest first."""
        narrowed = self.filter
        named: list[Named] = []
        if narrowed.tags:
            ids = self._tag_ids(narrowed.tags)
            named += [self._tags(each) for each in ([[id_] for id_ in ids] if narrowed.all_tags else [ids])]
        if narrowed.persons:
            groups = [[id_] for id_ in narrowed.persons] if narrowed.all_persons else [narrowed.persons]
            named += [self._persons(each) for each in groups]
        return sorted(named, key=lambda each: each.seen)

    @cached_property
    def excluded(self) -> Named | None:
        """Of these a content that fits has none."""
        narrowed = self.filter
        return self._tags(self._tag_ids(narrowed.exclude_tags)) if narrowed.exclude_tags else None

    @cached_property
    def words(self) -> Sequence[tuple[str, Sequence[Named]]]:
        """Each word that is looked for with the tags and the persons that hold it in their names."""
        found = []
        for word in search_key(self.filter.q or "").split():
            tags, persons = self._called("tags", word), self._called("persons", word)
            named = ([self._tags(tags)] if tags else []) + ([self._persons(persons)] if persons else [])
            found.append((word, named))
        return found

    @property
    def has_names(self) -> bool:
        """Whether a word is in the name of a tag or person."""
        return any(named for _, named in self.words)

    @property
    def by_names(self) -> bool:
        """Whether each word is in the name of a tag or person."""
        return bool(self.words) and all(named for _, named in self.words)

    @property
    def share(self) -> float:
        """About which part of all files fits, as far as tags and persons tell; 1 where they tell nothing."""
        part = 1.0
        for named in [[group] for group in self.groups] + [named for _, named in self.words if named]:
            part *= min(1.0, sum(each.seen for each in named) / self._files)
        if self.excluded is not None:
            part *= max(0.0, 1 - self.excluded.seen / self._files)
        return part

    def of_content(self, m: FromClause, *, probed: bool, counted: bool = False) -> Iterator[ColumnElement[bool]]:
        """What tags, persons and words say: probed; or gathered where that is sooner, which is so of much that is
        excluded where all files are `counted`."""
        for place, group in enumerate(self.groups):
            # A face is probed by its row, and a tag by its index alone.
            is_probed = probed or (not group.persons and (place > 0 or self.in_small_folder))
            yield self._has(group, m) if is_probed else self._gathered(group, m)
        if self.excluded is not None:
            is_gathered = counted or self.excluded.seen > self._files / 2
            if is_gathered and not probed and not self.groups:
                yield m.c.id.not_in(select(self._excluded_files.c.id))
            else:
                yield ~self._has(self.excluded, m)
        for word, named in self.words:
            pattern = f"%{_escaped(word)}%"
            conditions: list[ColumnElement[bool]] = [
                column.like(pattern, escape="\\") for column in (m.c.path_key, m.c.camera_key, m.c.words_key)
            ]
            for each in named:
                is_sooner = bool(self.groups) and each.seen < SOONER * self.groups[0].seen
                conditions.append(self._gathered(each, m) if is_sooner and not probed else self._has(each, m))
            yield or_(*conditions)

    @property
    def alternatives(self) -> Sequence[PhotoConditions]:
        """Filters, one of which a file fits where it fits this one: a word is in its path or camera, or it has one of
        the tags or persons that the word names, and those are gathered."""
        named = [(place, names) for place, (_, names) in enumerate(self.words) if names]
        if not named or self.groups:
            return [self]
        _, place, names = min((sum(one.seen for one in names), place, names) for place, names in named)
        others = [*self.words[:place], *self.words[place + 1 :]]
        words = [(self.words[place][0], ()), *others]
        return [
            self._for(self.filter, words=words),
            *(self._for(self.filter, groups=[one], words=others) for one in names),
        ]

    def before(self, *, probed: bool, counted: bool = False) -> Select[int]:
        """The files that fit and stand before a row of `media` that fits in its stack; so they are of the same folder,
        and their rank says of which kind they are."""
        media = self._tables.media
        m = media.table
        first = _alias(m, "before")
        rank = first.c.stack_rank % RANKS
        of_rank = {None: true(), "photo": rank != CLIP, "video": rank == CLIP}
        others = self._for(msgspec.structs.replace(self.filter, folder=None, kind=None))
        statement = select(first.c.id).where(
            first.c.present,
            first.c.content_hash.is_not(None),
            first.c.stack == m.c.stack,
            first.c.stack_rank >= PICTURE,
            first.c.stack_rank < m.c.stack_rank,
            of_rank[self.filter.kind],
            *others.of_file(first),
            *others.of_content(first, probed=probed, counted=counted),
        )
        return by_index(media, statement, "media_stack", first).correlate(m)

    def _for(self, narrowed: PhotoFilter, **instead: Any) -> PhotoConditions:
        """Another filter with the same tags, persons and words, or others `instead`."""
        other = PhotoConditions(self._connection, self._tables, self._libraries, narrowed, self._files)
        other.__dict__ |= {"groups": self.groups, "excluded": self.excluded, "words": self.words, **instead}
        if self.excluded is not None:
            other.__dict__["_excluded_files"] = self._excluded_files
        return other

    def _has(self, named: Named, m: FromClause) -> ColumnElement[bool]:
        t, f = self._tables.tagged_media.table, self._tables.faces
        conditions: list[ColumnElement[bool]] = []
        if named.tags:
            tagged = select(t.c.tag_id).where(t.c.content_hash == m.c.content_hash, t.c.tag_id.in_(named.tags))
            conditions.append(tagged.correlate(m).exists())
        if named.persons:
            c = f.table.c
            shown = select(c.id).where(
                c.content_hash == m.c.content_hash, c.status == DETECTED, c.person_id.in_(named.persons)
            )
            conditions.append(by_index(f, shown, "face_content").correlate(m).exists())
        return or_(false(), *conditions)

    def _gathered(self, named: Named, m: FromClause) -> ColumnElement[bool]:
        t, f = self._tables.tagged_media.table, self._tables.faces.table
        if named.persons:
            shown = select(f.c.content_hash).where(f.c.status == DETECTED, f.c.person_id.in_(named.persons))
            return m.c.content_hash.in_(shown)
        return m.c.content_hash.in_(select(t.c.content_hash).where(t.c.tag_id.in_(named.tags)))

    @cached_property
    def _excluded_files(self) -> CTE:
        """The files with an excluded tag, by numbers, among which another is found sooner than among hashes."""
        files = _alias(self._tables.media.table, "of_names")
        statement = select(files.c.id).where(self._gathered(self.excluded or Named((), (), 0), files))
        return (
            by_index(self._tables.media, statement, "media_content", files).cte("excluded").prefix_with("MATERIALIZED")
        )

    # Names

    def _tags(self, ids: Sequence[int]) -> Named:
        return Named(tuple(ids), (), self._seen(self._tables.tag_counts, "tag_id", ids))

    def _persons(self, canonical: Sequence[int]) -> Named:
        p = self._tables.persons.table
        behind = tuple(self._connection.execute(select(p.c.id).where(p.c.canonical_id.in_(canonical))).scalars())
        return Named((), behind, self._seen(self._tables.person_counts, "person_id", behind))

    def _seen(self, counts: Any, subject: str, ids: Sequence[int]) -> int:
        c = counts.table
        return self._one(select(func.sum(c.c.seen)).where(c.c[subject].in_(ids), within(counts, self._libraries)))

    def _tag_ids(self, names: Sequence[str]) -> list[int]:
        """The tags of these names; 0, which none has, where there is none."""
        t = self._tables.tags.table
        keys = [name_key(name) for name in names]
        statement = select(t.c.name_key, t.c.id).where(t.c.name_key.in_(keys), t.c.deleted.is_(False))
        found = dict(self._connection.execute(statement).all())
        return [found.get(key, 0) for key in dict.fromkeys(keys)]

    def _called(self, kind: str, word: str) -> list[int]:
        """The tags, or canonical persons, with `word` in their names."""
        return [id_ for id_, key in self._names[kind] if word in key]

    @cached_property
    def _names(self) -> dict[str, list[tuple[int, str]]]:
        t, p = self._tables.tags.table, self._tables.persons.table
        tags = select(t.c.id, t.c.name).where(t.c.deleted.is_(False))
        persons = select(p.c.id, p.c.name).where(p.c.deleted.is_(False), p.c.merged_into.is_(None))
        return {
            kind: [(id_, _key_of(name)) for id_, name in self._connection.execute(statement)]
            for kind, statement in (("tags", tags), ("persons", persons))
        }


_key_of: Final = lru_cache(maxsize=50_000)(search_key)
"""Names are folded once, and looked through with each word."""


@lru_cache(maxsize=16)
def _alias(table: Table, name: str) -> FromClause:
    """The table under another name, made once: to copy its columns takes longer than to ask a small question."""
    return table.alias(name)


def _escaped(word: str) -> str:
    """What LIKE takes literally."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _within(m: FromClause, south: float, west: float, north: float, east: float) -> ColumnElement[bool]:
    across_the_date_line = west > east
    meridians = (
        or_(m.c.longitude >= west, m.c.longitude <= east) if across_the_date_line else m.c.longitude.between(west, east)
    )
    return and_(m.c.latitude.between(south, north), meridians)
