"""What is stored is found again under its name for ever: old versions are lifted, unknown ones are said to be so."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, select, update

import domain.events.event
from adapters.store.database import Database
from adapters.store.export_import import export_log, import_log
from adapters.store.generations import rebuild, verify
from adapters.store.ledger import Ledger
from adapters.store.log import log_events
from domain.base.actor import CLI, WATCHER
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files
from domain.commands.persons import create_person
from domain.events.event import Event, class_of, recorded_as, topics
from domain.events.media import FileFacts, MediaChanged, MediaDiscovered
from domain.events.person import PersonCreated
from tests.golden.files import CASES, FOLDER, LEAST, decoded


@pytest.fixture(autouse=True)
def own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it."""
    monkeypatch.setattr(domain.events.event, "_CLASSES", dict(domain.events.event._CLASSES))
    monkeypatch.setattr(domain.events.event, "_UPCASTERS", dict(domain.events.event._UPCASTERS))


def trial_of_version_2() -> type[Event]:
    """An event whose `length` was called `duration`, in minutes, when it had version 1."""

    @recorded_as(
        "TrialHeld",
        "trial",
        "trial_id",
        version=2,
        upcasts={1: lambda old: {"trial_id": old["trial_id"], "length": old["duration"] * 60}},
    )
    class TrialHeld(Event, frozen=True, omit_defaults=True):
        """Only a test records it."""

        trial_id: int
        length: int
        witness: str = "nobody"

    return TrialHeld


def store(ledger: Ledger, position: int, topic: str, payload: dict[str, Any], stream: str) -> None:
    """Write a row of the log as another version of the program did."""
    row = {
        "position": position,
        "stream": stream,
        "version": 1,
        "topic": topic,
        "payload": msgspec.msgpack.encode(payload),
        "recorded_at": 1,
        "actor": "cli",
        "operation_id": 1,
    }
    with ledger.database.writing() as connection:
        connection.execute(insert(log_events), row)


def stored(ledger: Ledger) -> list[str]:
    """The names under which the events of a log are stored."""
    with ledger.database.reading() as connection:
        return list(connection.execute(select(log_events.c.topic).order_by(log_events.c.position)).scalars())


def test_a_payload_of_an_old_version_is_lifted_to_the_fields_of_today(ledger: Ledger) -> None:
    cls = trial_of_version_2()
    store(ledger, 1, "TrialHeld:1", {"trial_id": 7, "duration": 2}, "trial-7")
    store(ledger, 2, "TrialHeld:2", {"trial_id": 8, "length": 30, "witness": "Bob"}, "trial-8")
    assert [recorded.event for recorded in ledger.events(0, 10)] == [
        cls(trial_id=7, length=120),
        cls(trial_id=8, length=30, witness="Bob"),
    ]
    assert stored(ledger) == ["TrialHeld:1", "TrialHeld:2"], "reading rewrites nothing"


def test_only_the_current_version_of_a_name_is_written(ledger: Ledger) -> None:
    cls = trial_of_version_2()
    assert cls.topic == "TrialHeld:2"
    assert topics()["TrialHeld:2"] is cls
    assert "TrialHeld:1" not in topics()
    with ledger.transaction(CLI) as uow:
        uow.begin("test", "held a trial")
        uow.append(cls(trial_id=7, length=1))
    assert stored(ledger) == ["OperationBegan:1", "TrialHeld:2"]


def test_a_rebuild_projects_old_payloads_as_what_they_mean_today(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lift(old: dict[str, Any]) -> dict[str, Any]:
        return {"person_id": old["person_id"], "name": f"{old['first']} {old['last']}"}

    monkeypatch.setitem(domain.events.event._UPCASTERS, "PersonCreated:0", (PersonCreated, lift))
    with ledger.transaction(CLI) as uow:
        create_person(uow, "Anna Lee")
    payload = msgspec.msgpack.encode({"person_id": 1, "first": "Anna", "last": "Lee"})
    with ledger.database.writing() as connection:
        rows = update(log_events).where(log_events.c.topic == "PersonCreated:1")
        connection.execute(rows.values(topic="PersonCreated:0", payload=payload))
    assert verify(ledger) == [], "the old payload means the same as the new one"
    rebuild(ledger)
    with ledger.reading(CLI) as tables:
        assert dict(tables.persons_with_faces.names()) == {1: "Anna Lee"}


def test_an_event_of_a_newer_version_says_what_to_do(ledger: Ledger) -> None:
    store(ledger, 1, "PersonTeleported:3", {"person_id": 1}, "person-1")
    with pytest.raises(LookupError, match="'PersonTeleported:3', which this version does not know: update imageapi"):
        ledger.events(0, 10)
    with pytest.raises(LookupError, match="PersonTeleported:3"):
        verify(ledger)


def test_a_payload_that_does_not_fit_its_event_is_refused(ledger: Ledger) -> None:
    store(ledger, 1, "PersonCreated:1", {"person_id": "one", "name": "Anna"}, "person-1")
    with pytest.raises(msgspec.ValidationError, match="person_id"):
        ledger.events(0, 10)


def test_a_stored_name_belongs_to_one_class() -> None:
    before = class_of("PersonCreated:1")
    with pytest.raises(ValueError, match="PersonCreated:1 belongs to PersonCreated already"):

        @recorded_as("PersonCreated", "person", "person_id")
        class Impostor(Event, frozen=True):
            """Never registered."""

            person_id: int

    assert class_of("PersonCreated:1") == before


OLD = FileFacts(7, 8, "photo", "jpeg", 9, 9, taken_at=10, taken_source="exif", lens="50mm", reading=1)
NEWER = FileFacts(8, 9, "photo", "jpeg", 9, 9, taken_at=11, taken_source="mtime")


@pytest.fixture
def of_version_1(ledger: Ledger) -> Ledger:
    """A log whose files were found and changed when nothing of what people wrote was read, without read tables."""
    with ledger.transaction(CLI) as uow:
        library = add_library(uow, "/photos")
    for facts in (OLD, NEWER):
        with ledger.transaction(WATCHER) as uow:
            uow.begin("scan", "scanned")
            record_files(uow, library, [ReadFile("a.jpg", bytes([facts.size]) * 32, facts)])
    t = log_events
    with ledger.database.writing() as connection:
        for name in ("MediaDiscovered", "MediaChanged"):
            rows = update(t).where(t.c.topic == f"{name}:2")
            assert connection.execute(rows.values(topic=f"{name}:1")).rowcount == 1
    return ledger


def row_of_the_file(ledger: Ledger) -> dict[str, Any]:
    with ledger.reading(WATCHER) as tables:
        return dict(tables.media.row(1) or {})


def test_files_of_version_1_are_known_as_before_and_nobody_wrote_of_them(of_version_1: Ledger) -> None:
    before = row_of_the_file(of_version_1)
    assert verify(of_version_1) == []
    rebuild(of_version_1)
    row = row_of_the_file(of_version_1)
    assert row == before
    assert (row["size"], row["taken_at"], row["taken_source"]) == (8, 11, "mtime")
    new = ("title", "description", "rating", "keywords", "place", "sidecar", "offset_source", "picture_hash")
    assert [row[name] for name in new] == [None] * len(new)


def test_a_log_of_version_1_is_exported_imported_and_means_the_same(of_version_1: Ledger, tmp_path: Path) -> None:
    out = io.BytesIO()
    export_log(of_version_1, out)
    other = Ledger(Database(f"sqlite:///{tmp_path}/other.db"))
    import_log(other, out.getvalue().splitlines())
    assert stored(other) == stored(of_version_1)
    assert "MediaDiscovered:1" in stored(other), "an import rewrites nothing"
    assert verify(other) == []
    assert row_of_the_file(other) == row_of_the_file(of_version_1)
    other.close()


def test_whoever_follows_an_event_is_told_of_its_old_versions_too(of_version_1: Ledger) -> None:
    told = of_version_1.events(0, 10, [MediaDiscovered.topic, MediaChanged.topic])
    assert [recorded.event for recorded in told] == [
        MediaDiscovered(1, 1, "a.jpg", bytes([7]) * 32, OLD),
        MediaChanged(1, bytes([8]) * 32, bytes([7]) * 32, NEWER),
    ]


@pytest.mark.parametrize("folder", [FOLDER, LEAST, CASES], ids=lambda folder: folder.name)
def test_what_was_stored_of_files_in_version_1_still_says_all_that_it_said(folder: Path) -> None:
    files = [*folder.glob("MediaDiscovered.1*.json"), *folder.glob("MediaChanged.1*.json")]
    assert files
    for file in files:
        golden, event = decoded(file)
        facts = msgspec.to_builtins(event, str_keys=True)["facts"]
        said = golden.fields["facts"]
        assert isinstance(said, dict)
        assert {name: facts.get(name) for name in said if said[name]} == {
            name: said[name] for name in said if said[name]
        }
        assert facts.get("title") is None
        assert facts.get("keywords", ()) == ()
