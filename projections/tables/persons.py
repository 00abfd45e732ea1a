"""The read table `persons`: names, what is known, and where each merged person went."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Table,
    Text,
    bindparam,
    insert,
    update,
)

from domain.base.names import name_key, search_key
from domain.events.person import (
    PersonBirthDateSet,
    PersonBridged,
    PersonCoverChosen,
    PersonCreated,
    PersonDeleted,
    PersonHidden,
    PersonMerged,
    PersonNoted,
    PersonRenamed,
    PersonRestored,
    PersonShown,
    PersonUnmerged,
)
from projections.tables.merging import follow_merges
from projections.tables.projection import Id, Projection, id_column


class PersonsTable(Projection):
    """One row a person that ever was. A merge sets `merged_into` and re-points `canonical_id` of the persons behind it:
    the cost is the number of persons merged, never the number of faces."""

    def define(self) -> None:
        """Columns, the unique name among persons that are neither merged nor deleted, and the writes."""
        self.table = t = Table(
            self.named("persons"),
            self.metadata,
            id_column(),
            Column("name", Text, nullable=False),
            Column("name_key", Text, nullable=False),
            Column("search_key", Text, nullable=False),
            Column("notes", Text, nullable=False),
            Column("entity_id", Id, self.reference("entities")),
            Column("cover_face_id", Id),
            Column("birth_date", Text),
            Column("hidden", Boolean, nullable=False),
            Column("merged_into", Id, self.reference("persons")),
            Column("canonical_id", Id),
            Column("deleted", Boolean, nullable=False),
            Column("created_at", BigInteger, nullable=False),
            Column("made_by", Text, nullable=False),
            Column("version", Integer, nullable=False),
            CheckConstraint("merged_into <> id", name=self.named("persons_not_into_itself")),
        )
        live = t.c.merged_into.is_(None) & t.c.deleted.is_(False)
        self.unique_name("persons_name", live)
        Index(self.named("persons_merged"), t.c.merged_into)
        Index(self.named("persons_canonical"), t.c.canonical_id)
        self._define_facts(t)
        self.behind = follow_merges(
            self, t, merged=PersonMerged, unmerged=PersonUnmerged, deleted=PersonDeleted, restored=PersonRestored
        )

    def _define_facts(self, t: Table) -> None:
        self.on(
            PersonCreated,
            insert(t),
            lambda e, r: {
                "id": e.person_id,
                "name": e.name,
                "name_key": name_key(e.name),
                "search_key": search_key(e.name),
                "notes": e.notes,
                "entity_id": None,
                "cover_face_id": None,
                "birth_date": e.birth_date,
                "hidden": e.hidden,
                "merged_into": None,
                "canonical_id": e.person_id,
                "deleted": False,
                "created_at": r.recorded_at,
                "made_by": r.actor,
                "version": 1,
            },
        )
        change = update(t).where(t.c.id == bindparam("key"))
        one_more = {"version": t.c.version + 1}
        self.on(
            PersonRenamed,
            change.values(
                name=bindparam("to"), name_key=bindparam("to_key"), search_key=bindparam("to_search"), **one_more
            ),
            lambda e, r: {
                "key": e.person_id,
                "to": e.name,
                "to_key": name_key(e.name),
                "to_search": search_key(e.name),
            },
        )
        notes = change.values(notes=bindparam("to"), **one_more)
        self.on(PersonNoted, notes, lambda e, r: {"key": e.person_id, "to": e.notes})
        cover = change.values(cover_face_id=bindparam("to"), **one_more)
        self.on(PersonCoverChosen, cover, lambda e, r: {"key": e.person_id, "to": e.face_id})
        birth = change.values(birth_date=bindparam("to"), **one_more)
        self.on(PersonBirthDateSet, birth, lambda e, r: {"key": e.person_id, "to": e.birth_date})
        hidden = change.values(hidden=bindparam("to"), **one_more)
        self.on(PersonHidden, hidden, lambda e, r: {"key": e.person_id, "to": True})
        self.on(PersonShown, hidden, lambda e, r: {"key": e.person_id, "to": False})
        bridge = change.values(entity_id=bindparam("to"), **one_more)
        self.on(PersonBridged, bridge, lambda e, r: {"key": e.person_id, "to": e.entity_id})
