"""The read table `tagged_media`: which content has which tag.

Changes here move `tag_counts` by triggers: see `counting_triggers.py`.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, PrimaryKeyConstraint, Table, bindparam, delete, insert

from domain.events.tag import MediaTagged, MediaUntagged
from projections.tables.projection import Id, Projection


class TaggedMediaTable(Projection):
    """One row a pair of content and tag: copies of a file share their tags, and a moved file keeps them."""

    def define(self) -> None:
        """Columns and the writes."""
        self.table = t = Table(
            self.named("tagged_media"),
            self.metadata,
            Column("content_hash", LargeBinary, nullable=False),
            Column("tag_id", Id, self.reference("tags"), nullable=False),
            PrimaryKeyConstraint("content_hash", "tag_id", name=self.named("tagged_media_pair")),
        )
        Index(self.named("tagged_media_tag"), t.c.tag_id, t.c.content_hash)
        self.on(MediaTagged, insert(t), lambda e, r: {"content_hash": e.content_hash, "tag_id": e.tag_id})
        self.on(
            MediaUntagged,
            delete(t).where(t.c.content_hash == bindparam("key"), t.c.tag_id == bindparam("tag")),
            lambda e, r: {"key": e.content_hash, "tag": e.tag_id},
        )
