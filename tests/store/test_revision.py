"""An upgrade that changes what a projection writes makes the read tables of an old data folder anew, where it says so
by `REVISION`."""

from __future__ import annotations

import pytest

from adapters.store.database import Database
from adapters.store.generations import prepare, verify
from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from domain.base.errors import Unavailable
from domain.commands.persons import create_person
from projections.tables import persons, schema


def named(ledger: Ledger, name: str) -> int:
    with ledger.transaction(CLI) as uow:
        return create_person(uow, name)


def keys(ledger: Ledger) -> dict[str, str]:
    """The key of each name, as the table has it."""
    with ledger.database.reading() as connection:
        t = ledger.live(connection).tables.persons.table
        return {row.name: row.name_key for row in connection.execute(t.select())}


def test_an_upgrade_that_raises_the_revision_makes_the_tables_of_an_old_data_folder_anew_at_its_start(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Ledger(Database(url))
    named(before, "Anna")
    before.close()

    monkeypatch.setattr(persons, "name_key", lambda name: name.upper())
    unsaid = Ledger(Database(url))
    named(unsaid, "Bob")
    assert keys(unsaid) == {"Anna": "anna", "Bob": "BOB"}, "what the guard is there for"
    assert [str(difference) for difference in verify(unsaid)] == [
        "persons 1: name_key is 'anna' live and 'ANNA' in the replay"
    ]
    unsaid.close()

    monkeypatch.setattr(schema, "REVISION", schema.REVISION + 1)
    after = Ledger(Database(url))
    assert not after.is_ready()
    with pytest.raises(Unavailable, match="being built"):
        named(after, "Cleo")
    prepare(after, lambda done, total: None)
    named(after, "Cleo")
    assert keys(after) == {"Anna": "ANNA", "Bob": "BOB", "Cleo": "CLEO"}
    assert verify(after) == []
    after.close()
