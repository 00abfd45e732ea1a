"""The read table `persons`: names, what is known, and where each merged person went."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    bindparam,
    insert,
    select,
    update,
)

from domain.names import name_key
from domain.person import (
    Person,
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
from projections.merging import follow_merges
from projections.projection import Id, Projection, id_column


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
            Column("notes", Text, nullable=False),
            Column("entity_id", Id, self.reference("entities")),
            Column("cover_face_id", Id),
            Column("birth_date", Text),
            Column("hidden", Boolean, nullable=False),
            Column("merged_into", Id, self.reference("persons")),
            Column("canonical_id", Id),
            Column("deleted", Boolean, nullable=False),
            Column("created_at", BigInteger, nullable=False),
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
                "notes": e.notes,
                "entity_id": None,
                "cover_face_id": None,
                "birth_date": e.birth_date,
                "hidden": e.hidden,
                "merged_into": None,
                "canonical_id": e.person_id,
                "deleted": False,
                "created_at": r.recorded_at,
                "version": 1,
            },
        )
        change = update(t).where(t.c.id == bindparam("key"))
        one_more = {"version": t.c.version + 1}
        self.on(
            PersonRenamed,
            change.values(name=bindparam("to"), name_key=bindparam("to_key"), **one_more),
            lambda e, r: {"key": e.person_id, "to": e.name, "to_key": name_key(e.name)},
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


class Persons:
    """Queries on `persons` that need no face."""

    def __init__(self, connection: Connection, table: PersonsTable) -> None:
        self._connection = connection
        self._table = table.table
        self._behind = table.behind

    def _select(self) -> Select[*tuple[Any, ...]]:
        return select(*(self._table.c[name] for name in Person.__struct_fields__))

    def get(self, person_id: int) -> Person | None:
        """The person with this id, merged and deleted ones too."""
        row = self._connection.execute(self._select().where(self._table.c.id == person_id)).one_or_none()
        return None if row is None else _person(row)

    def named(self, name: str) -> Person | None:
        """The live person with this name, without regard to case."""
        t = self._table
        statement = self._select().where(
            t.c.name_key == name_key(name), t.c.merged_into.is_(None), t.c.deleted.is_(False)
        )
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else _person(row)

    def behind(self, person_id: int) -> list[int]:
        """The ids of this person and of everyone merged into it, directly or by others."""
        rows = self._connection.execute(self._behind, {"key": person_id})
        return [row[0] for row in rows]


def _person(row: Row[*tuple[Any, ...]]) -> Person:
    return Person(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name for a row as a mapping
