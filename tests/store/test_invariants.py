"""What the contract says of every row is held by the database itself, whoever writes."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import exc, insert

from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from domain.commands.entities import create_entity
from domain.commands.libraries import add_library
from domain.commands.persons import create_person
from domain.commands.tags import tag_contents
from domain.ports.face_engine import Embedding

HASH = b"h" * 32
FACE: dict[str, Any] = {
    "id": 1,
    "content_hash": HASH,
    "status": "detected",
    "x": 0.1,
    "y": 0.1,
    "w": 0.1,
    "h": 0.1,
    "confidence": 0.9,
    "source": "auto",
    "model_version": "m",
    "embedding_id": 1,
    "person_id": None,
    "ignored": False,
    "touched": False,
    "deleted_with": None,
    "reason": None,
    "version": 1,
}
BARE = {"x": None, "y": None, "w": None, "h": None, "confidence": None, "source": None, "embedding_id": None}
MARKER = FACE | BARE | {"status": "no_faces"}
PERSON: dict[str, Any] = {
    "id": 2,
    "name": "Bob",
    "name_key": "bob",
    "search_key": "bob",
    "made_by": "ed",
    "notes": "",
    "entity_id": None,
    "cover_face_id": None,
    "birth_date": None,
    "hidden": False,
    "merged_into": None,
    "canonical_id": 2,
    "deleted": False,
    "created_at": 1,
    "version": 1,
}
ENTITY: dict[str, Any] = {
    "id": 2,
    "name": "Lisbon",
    "name_key": "lisbon",
    "search_key": "lisbon",
    "made_by": "ed",
    "type": "place",
    "description": "",
    "description_hash": None,
    "aliases": "[]",
    "content_hash": None,
    "merged_into": None,
    "canonical_id": 2,
    "deleted": False,
    "created_at": 1,
    "version": 1,
}
FACT: dict[str, Any] = {
    "id": 1,
    "entity_id": 1,
    "text": "by the sea",
    "text_key": "by the sea",
    "first_key": "by the sea",
    "recorded_by": "ed",
    "recorded_at": 1,
    "erased": False,
    "deleted": False,
    "version": 1,
}
MEDIA: dict[str, Any] = {
    "id": 1,
    "library_id": 1,
    "path": "a.jpg",
    "folder": "",
    "name": "a.jpg",
    "content_hash": HASH,
    "size": 1,
    "mtime_ns": 1,
    "kind": "photo",
    "problem": None,
    "present": True,
    "discovered_at": 1,
    "path_key": "a.jpg",
    "words_key": "",
    "camera_key": "",
    "stack": 1,
    "stack_rank": 0,
    "reading": 1,
}


@pytest.fixture
def furnished(ledger: Ledger) -> Ledger:
    """A library 1, a person 1 called Anna, an embedding 1, a tag 1 and an entity 1, the place Lisbon."""
    with ledger.transaction(CLI) as uow:
        add_library(uow, "/photos")
        uow.attach([Embedding("m", bytes(2048))])
    with ledger.transaction(CLI) as uow:
        create_person(uow, "Anna")
    with ledger.transaction(CLI) as uow:
        tag_contents(uow, [HASH], "holiday")
    with ledger.transaction(CLI) as uow:
        create_entity(uow, "Lisbon", "place")
    return ledger


def write(ledger: Ledger, table: str, *rows: dict[str, Any]) -> None:
    with ledger.database.writing() as connection:
        target = getattr(ledger.live(connection).tables, table).table
        for row in rows:
            connection.execute(insert(target), row)


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("faces", [FACE]),
        ("faces", [FACE | {"embedding_id": None, "source": "manual"}]),
        ("faces", [FACE | {"status": "deleted", "embedding_id": None}]),
        ("faces", [MARKER]),
        ("faces", [MARKER, MARKER | {"id": 2, "model_version": "other"}]),
        ("persons", [PERSON]),
        ("persons", [PERSON | {"name": "ANNA", "name_key": "anna", "merged_into": 1}]),
        ("persons", [PERSON | {"name": "ANNA", "name_key": "anna", "deleted": True}]),
        ("entities", [ENTITY | {"type": "thing"}]),
        ("entities", [ENTITY | {"merged_into": 1}]),
        ("entities", [ENTITY | {"deleted": True}]),
        ("facts", [FACT | {"object_id": 1}]),
        ("media", [MEDIA]),
        ("media", [MEDIA | {"content_hash": None, "problem": "permission denied"}]),
    ],
)
def test_what_the_contract_allows_is_taken(furnished: Ledger, table: str, rows: list[dict[str, Any]]) -> None:
    write(furnished, table, *rows)


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("faces", [FACE | {"x": None}]),
        ("faces", [FACE | {"w": 0.0}]),
        ("faces", [FACE | {"embedding_id": None}]),
        ("faces", [FACE | {"embedding_id": 99}]),
        ("faces", [FACE | {"person_id": 99}]),
        ("faces", [FACE | {"source": "guess"}]),
        ("faces", [FACE | {"status": "maybe"}]),
        ("faces", [FACE | {"model_version": None}]),
        ("faces", [MARKER | {"x": 0.1, "y": 0.1, "w": 0.1, "h": 0.1}]),
        ("faces", [MARKER | {"embedding_id": 1}]),
        ("faces", [MARKER | {"confidence": 0.5}]),
        ("faces", [MARKER | {"person_id": 1}]),
        ("faces", [MARKER, MARKER | {"id": 2}]),
        ("faces", [MARKER, MARKER | {"id": 2, "status": "failed"}]),
        ("persons", [PERSON | {"name": "ANNA", "name_key": "anna"}]),
        ("persons", [PERSON | {"merged_into": 2}]),
        ("persons", [PERSON | {"merged_into": 99}]),
        ("persons", [PERSON | {"entity_id": 99}]),
        ("entities", [ENTITY]),
        ("entities", [ENTITY | {"name_key": "x", "type": "animal"}]),
        ("entities", [ENTITY | {"merged_into": 2}]),
        ("entities", [ENTITY | {"merged_into": 99}]),
        ("entity_aliases", [{"entity_id": 99, "name_key": "x", "search_key": "x"}]),
        ("facts", [FACT | {"entity_id": 99}]),
        ("facts", [FACT | {"object_id": 99}]),
        ("facts", [FACT | {"insight_id": 99}]),
        ("examinations", [{"insight_id": 99, "prompt_version": 1, "model": "m"}]),
        ("media", [MEDIA | {"content_hash": None}]),
        ("media", [MEDIA | {"kind": "sound"}]),
        ("media", [MEDIA | {"library_id": 99}]),
        ("media", [MEDIA, MEDIA | {"id": 2}]),
        ("tagged_media", [{"content_hash": b"x" * 32, "tag_id": 99}]),
        ("tagged_media", [{"content_hash": HASH, "tag_id": 1}]),
        ("tags", [{"id": 2, "name": "HOLIDAY", "name_key": "holiday", "deleted": False, "version": 1}]),
        (
            "libraries",
            [{"id": 2, "name": "Photos", "name_key": "photos", "root": "/b", "removed": False, "version": 1}],
        ),
    ],
)
def test_what_the_contract_forbids_is_refused_by_the_database(
    furnished: Ledger, table: str, rows: list[dict[str, Any]]
) -> None:
    with pytest.raises(exc.IntegrityError):
        write(furnished, table, *rows)
