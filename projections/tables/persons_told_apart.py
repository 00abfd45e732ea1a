"""The read table `persons_told_apart`: which persons were said to be two."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, PrimaryKeyConstraint, Table, bindparam, delete, insert

from domain.events.person import PersonsTellingApartWithdrawn, PersonsToldApart
from projections.tables.projection import Id, Projection, Row


class PersonsToldApartTable(Projection):
    """One row a pair, the lower id first; the persons are those that were named, before merges are followed."""

    def define(self) -> None:
        """Columns and the writes."""
        self.table = t = Table(
            self.named("persons_told_apart"),
            self.metadata,
            Column("person_id", Id, self.reference("persons"), nullable=False),
            Column("other_id", Id, self.reference("persons"), nullable=False),
            PrimaryKeyConstraint("person_id", "other_id", name=self.named("persons_told_apart_pair")),
            CheckConstraint("person_id < other_id", name=self.named("persons_told_apart_once")),
        )
        Index(self.named("persons_told_apart_other"), t.c.other_id)
        self.on(PersonsToldApart, insert(t), lambda e, r: _pair(e, "person_id", "other_id"))
        one = delete(t).where(t.c.person_id == bindparam("lower"), t.c.other_id == bindparam("higher"))
        self.on(PersonsTellingApartWithdrawn, one, lambda e, r: _pair(e, "lower", "higher"))


def _pair(event: PersonsToldApart | PersonsTellingApartWithdrawn, lower: str, higher: str) -> Row:
    return {lower: min(event.person_id, event.other), higher: max(event.person_id, event.other)}
