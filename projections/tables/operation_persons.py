"""The read table `operation_persons`: which operations concerned which persons, for their histories."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, bindparam, insert, select

from domain.events.event import Event, Recorded, topics
from domain.events.face import (
    FaceAssigned,
    FaceConfirmationWithdrawn,
    FaceConfirmed,
    FaceRejected,
    FaceRejectionWithdrawn,
    FaceUnassigned,
)
from projections.tables.projection import Id, Projection, Row


class OperationPersonsTable(Projection):
    """One row a pair; an operation that touches a person many times, as a batch does, has one row for it."""

    def define(self) -> None:
        """Columns and the one write, for every event that concerns a person."""
        self.table = t = Table(
            self.named("operation_persons"),
            self.metadata,
            Column("operation_id", Id, self.reference("operations"), nullable=False),
            Column("person_id", Id, self.reference("persons"), nullable=False),
            PrimaryKeyConstraint("person_id", "operation_id", name=self.named("operation_persons_pair")),
        )
        Index(self.named("operation_persons_operation"), t.c.operation_id)
        there = select(t.c.person_id).where(
            t.c.operation_id == bindparam("operation"), t.c.person_id == bindparam("person")
        )
        pair = select(bindparam("operation", type_=Id), bindparam("person", type_=Id)).where(~there.exists())
        absent = insert(t).from_select(["operation_id", "person_id"], pair)
        concerned: list[type[Event]] = [event for event in topics().values() if event.subject == "person"]
        concerned += [FaceAssigned, FaceUnassigned, FaceRejected, FaceRejectionWithdrawn]
        concerned += [FaceConfirmed, FaceConfirmationWithdrawn]
        for event in concerned:
            self.on_each(event, absent, _pairs, once=True)


def persons_of(event: Event) -> set[int]:
    """The persons that an event concerns."""
    persons = {id_ for kind, id_ in event.touches() if kind == "person"}
    return persons | {id_ for id_ in (getattr(event, "person_id", None), _before(event)) if id_ is not None}


def _pairs(event: Event, recorded: Recorded) -> Iterator[Row]:
    for person in sorted(persons_of(event)):
        yield {"operation": recorded.operation_id, "person": person}


def _before(event: Event) -> int | None:
    """The person that a face was taken from."""
    return event.was if isinstance(event, (FaceAssigned, FaceUnassigned)) else None
