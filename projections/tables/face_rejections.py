"""The read table `face_rejections`: which face was said not to be which person."""

from __future__ import annotations

from sqlalchemy import Column, PrimaryKeyConstraint, Table, bindparam, delete, insert

from domain.events.face import FaceRejected, FaceRejectionWithdrawn, FaceRetracted
from projections.tables.projection import Id, Projection


class FaceRejectionsTable(Projection):
    """One row a pair; the person is the one that was named, before merges are followed."""

    def define(self) -> None:
        """Columns and the writes."""
        self.table = t = Table(
            self.named("face_rejections"),
            self.metadata,
            Column("face_id", Id, self.reference("face_detections"), nullable=False),
            Column("person_id", Id, self.reference("persons"), nullable=False),
            PrimaryKeyConstraint("face_id", "person_id", name=self.named("face_rejections_pair")),
        )
        self.on(FaceRejected, insert(t), lambda e, r: {"face_id": e.face_id, "person_id": e.person_id})
        face = t.c.face_id == bindparam("key")
        self.on(
            FaceRejectionWithdrawn,
            delete(t).where(face, t.c.person_id == bindparam("person")),
            lambda e, r: {"key": e.face_id, "person": e.person_id},
        )
        self.on(FaceRetracted, delete(t).where(face), lambda e, r: {"key": e.face_id})
