"""The read table `face_confirmations`: which face was said to be whose it is, though it is unlike the others there."""

from __future__ import annotations

from sqlalchemy import Column, PrimaryKeyConstraint, Table, bindparam, delete, insert

from domain.events.face import FaceConfirmationWithdrawn, FaceConfirmed, FaceRetracted
from projections.tables.projection import Id, Projection


class FaceConfirmationsTable(Projection):
    """One row a pair, which stays when the face is given to somebody else; the person is the one that was named, before
    merges are followed."""

    def define(self) -> None:
        """Columns and the writes."""
        self.table = t = Table(
            self.named("face_confirmations"),
            self.metadata,
            Column("face_id", Id, self.reference("face_detections"), nullable=False),
            Column("person_id", Id, self.reference("persons"), nullable=False),
            PrimaryKeyConstraint("face_id", "person_id", name=self.named("face_confirmations_pair")),
        )
        self.on(FaceConfirmed, insert(t), lambda e, r: {"face_id": e.face_id, "person_id": e.person_id})
        face = t.c.face_id == bindparam("key")
        self.on(
            FaceConfirmationWithdrawn,
            delete(t).where(face, t.c.person_id == bindparam("person")),
            lambda e, r: {"key": e.face_id, "person": e.person_id},
        )
        self.on(FaceRetracted, delete(t).where(face), lambda e, r: {"key": e.face_id})
