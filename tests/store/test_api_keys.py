"""Keys as they lie in the database: the same after a replay and in another database, and when they were used."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from sqlalchemy import exc, insert

from adapters.store.database import Database
from adapters.store.export_import import export_log, import_log
from adapters.store.generations import verify
from adapters.store.key_uses import KEPT_FOR_MICROS, KeyUses
from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from domain.commands.accounts import add_user, remove_user
from domain.commands.api_keys import issue_key, revoke_key
from domain.events.api_key import ApiKey, hash_of


def keys_of(ledger: Ledger) -> list[ApiKey]:
    """Every key that was not revoked."""
    with ledger.reading(CLI) as tables:
        return tables.api_keys.of(None)


def furnish(ledger: Ledger) -> None:
    """Two users with three keys, of which one was revoked, and a third user who was removed with a key."""
    with ledger.transaction(CLI) as uow:
        ann, bob, eve = (add_user(uow, name, "editor", None) for name in ("ann", "bob", "eve"))
        made = [
            issue_key(uow, who, name, "read", hash_of(name.encode()), 0, until)
            for who, name, until in ((ann, "phone", 9), (ann, "frame", None), (bob, "phone", None), (eve, "phone", 9))
        ]
        revoke_key(uow, made[1])
    with ledger.transaction(CLI) as uow:
        remove_user(uow, eve)


def test_a_replay_and_an_import_give_the_same_keys(ledger: Ledger, tmp_path: Path) -> None:
    furnish(ledger)
    assert [(key.user_id, key.name) for key in keys_of(ledger)] == [(1, "phone"), (2, "phone")]
    assert verify(ledger) == []
    out = io.BytesIO()
    export_log(ledger, out)
    other = Ledger(Database(f"sqlite:///{tmp_path}/other.db"))
    import_log(other, out.getvalue().splitlines())
    assert keys_of(other) == keys_of(ledger)
    with other.transaction(CLI) as uow:
        assert uow.new_id("key") == 5, "no id is used twice"
    other.close()


def test_the_database_itself_holds_a_users_keys_to_two_names(ledger: Ledger) -> None:
    furnish(ledger)
    with ledger.database.reading() as connection:
        table = ledger.live(connection).tables.api_keys.table
        row = dict(connection.execute(table.select().limit(1)).mappings().one()) | {"id": 9, "revoked": False}
    with pytest.raises(exc.IntegrityError), ledger.database.writing() as connection:
        connection.execute(insert(table), row)


def test_a_use_is_kept_for_every_process_and_written_once_an_hour(ledger: Ledger, url: str) -> None:
    now = 1_000
    uses = KeyUses(ledger.database, lambda: now * 1000)
    assert uses.all() == {}
    uses.note(7)
    first = now
    now += KEPT_FOR_MICROS - 1
    uses.note(7)
    other = Ledger(Database(url))
    assert KeyUses(other.database).all() == {7: first}
    now += 1
    uses.note(7)
    uses.note(8)
    assert KeyUses(other.database).all() == {7: now, 8: now}
    other.close()


def test_a_database_that_is_busy_loses_a_use_and_no_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.store.database.BUSY_SECONDS", 0.05)
    url = f"sqlite:///{tmp_path}/imageapi.db"
    ledger, other = Ledger(Database(url)), Database(url)
    uses = KeyUses(other)
    with ledger.database.writing():
        uses.note(7)
    assert uses.all() == {}
    other.close()
    ledger.close()
