"""Queries on what is tagged: the tags of a content, and the contents of a tag that somebody may see."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, RowMapping, func, select

from domain.events.tag import Tag
from projections.queries.library_sets import within
from projections.tables.schema import ReadTables


class TaggedMedia:
    """Queries on `tagged_media`; `libraries` are the ids that the asker may see, `everything` says
    that they may know of every tag."""

    def __init__(
        self, connection: Connection, tables: ReadTables, libraries: Collection[int], *, everything: bool
    ) -> None:
        self._connection = connection
        self._table, self._tags, self._media = tables.tagged_media.table, tables.tags.table, tables.media.table
        self._counts = tables.tag_counts
        self._libraries, self._everything = tuple(libraries), everything

    def of_content(self, content_hash: bytes) -> list[Tag]:
        """The tags of one content, by name."""
        t, tags = self._table, self._tags
        statement = (
            select(tags.c.id, tags.c.name, tags.c.version, tags.c.color)
            .join(t, t.c.tag_id == tags.c.id)
            .where(t.c.content_hash == content_hash, tags.c.deleted.is_(False))
            .order_by(tags.c.name_key)
        )
        return [Tag(*row) for row in self._connection.execute(statement)]

    def of_contents(self, contents: Collection[bytes]) -> Mapping[bytes, list[str]]:
        """The tag names of many contents at once, for a page of photos."""
        t, tags = self._table, self._tags
        statement = (
            select(t.c.content_hash, tags.c.name)
            .join(tags, t.c.tag_id == tags.c.id)
            .where(t.c.content_hash.in_(tuple(contents)), tags.c.deleted.is_(False))
            .order_by(tags.c.name_key)
        )
        names: dict[bytes, list[str]] = {}
        for content_hash, name in self._connection.execute(statement).all():
            names.setdefault(bytes(content_hash), []).append(name)
        return names

    def ids_of_content(self, content_hash: bytes) -> set[int]:
        """The ids of the tags of one content, deleted ones too."""
        t = self._table
        return set(self._connection.execute(select(t.c.tag_id).where(t.c.content_hash == content_hash)).scalars())

    def contents_of(self, tag_id: int) -> set[bytes]:
        """Every content that has this tag."""
        t = self._table
        found = self._connection.execute(select(t.c.content_hash).where(t.c.tag_id == tag_id)).scalars()
        return {bytes(content) for content in found}

    def uses(self, tag_id: int) -> int:
        """How many contents have this tag."""
        t = self._table
        return self._connection.execute(select(func.count()).where(t.c.tag_id == tag_id)).scalar_one()

    def counts(self) -> list[RowMapping]:
        """Every live tag that the asker may know of, with the number of visible contents that have it, by name: `id`,
        `name`, `version`, `color`, `count`."""
        c, tags = self._counts.table, self._tags
        seen = (
            select(c.c.tag_id, func.sum(c.c.seen).label("count"))
            .where(within(self._counts, self._libraries))
            .group_by(c.c.tag_id)
            .subquery()
        )
        statement = (
            select(
                *(tags.c.id, tags.c.name, tags.c.version, tags.c.color), func.coalesce(seen.c.count, 0).label("count")
            )
            .outerjoin(seen, seen.c.tag_id == tags.c.id)
            .where(tags.c.deleted.is_(False))
            .order_by(tags.c.name_key)
        )
        if not self._everything:
            statement = statement.where(seen.c.count > 0)
        return [*self._connection.execute(statement).mappings()]
