"""The read table `person_faces`: which faces were ever said to be whose."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, bindparam, insert, select

from domain.events.event import Recorded
from domain.events.face import FaceAssigned
from projections.tables.projection import Id, Projection, Row


class PersonFacesTable(Projection):
    """One row a pair, which stays when the face is taken from the person again: who saw a person once knows of it."""

    def define(self) -> None:
        """Columns and the write."""
        self.table = t = Table(
            self.named("person_faces"),
            self.metadata,
            Column("person_id", Id, self.reference("persons"), nullable=False),
            Column("face_id", Id, nullable=False),
            PrimaryKeyConstraint("person_id", "face_id", name=self.named("person_faces_pair")),
        )
        Index(self.named("person_faces_face"), t.c.face_id)
        there = select(t.c.face_id).where(t.c.person_id == bindparam("person"), t.c.face_id == bindparam("face"))
        pair = select(bindparam("person", type_=Id), bindparam("face", type_=Id)).where(~there.exists())
        absent = insert(t).from_select(["person_id", "face_id"], pair)
        self.on_each(FaceAssigned, absent, _pair, once=True)


def _pair(event: FaceAssigned, recorded: Recorded) -> Iterator[Row]:
    yield {"person": event.person_id, "face": event.face_id}
