"""The read table `unmatched_faces`: which decided faces found no place on the content that took the place of theirs."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, PrimaryKeyConstraint, Table, bindparam, delete, insert

from domain.events.face import FaceSettled, FaceUnmatched
from projections.tables.projection import Id, Projection


class UnmatchedFacesTable(Projection):
    """One row a pair of face and content on which nothing is like it, until that is settled."""

    def define(self) -> None:
        """Columns and the writes."""
        self.table = t = Table(
            self.named("unmatched_faces"),
            self.metadata,
            Column("face_id", Id, nullable=False),
            Column("content_hash", LargeBinary, nullable=False),
            PrimaryKeyConstraint("face_id", "content_hash", name=self.named("unmatched_faces_pair")),
        )
        Index(self.named("unmatched_faces_content"), t.c.content_hash)
        self.on(FaceUnmatched, insert(t), lambda e, r: {"face_id": e.face_id, "content_hash": e.content_hash})
        self.on(
            FaceSettled,
            delete(t).where(t.c.face_id == bindparam("key"), t.c.content_hash == bindparam("content")),
            lambda e, r: {"key": e.face_id, "content": e.content_hash},
        )
