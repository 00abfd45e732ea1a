"""An erased person on real photos, looked at again by the real engine."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import select

from adapters.face_engines.embedded import EmbeddedEngine
from adapters.store.erase import erase
from adapters.store.generations import verify
from domain.base.actor import CLI
from domain.commands.faces import change_faces
from domain.commands.persons import create_person
from tests.fakes import Renamed
from tests.scenarios.conftest import Place
from tests.scenarios.faces import content_of, detect, faces_on


def test_neither_a_second_look_nor_another_model_finds_the_erased_person_again(
    place: Place, sample_photos: Path, engine: EmbeddedEngine
) -> None:
    theirs, others = ("obama.jpg", "obama2.jpg"), "biden.jpg"
    for name in (*theirs, others):
        shutil.copy(sample_photos / name, place.root / name)
    place.scan()
    detect(place, engine)
    with place.ledger.transaction(CLI) as uow:
        person = create_person(uow, "Barack")
    with place.ledger.transaction(CLI) as uow:
        change_faces(uow, [face.id for name in theirs for face in faces_on(place, name)], "assign", person)
    with place.ledger.reading(CLI) as tables:
        faces = [face for name in theirs for face in tables.faces.on_content(content_of(place, name))]
        e = tables.tables.embeddings
        theirs_alone = select(e.c.vector).where(e.c.id.in_([face.embedding_id for face in faces]))
        whole = [bytes(vector) for vector in tables.connection.execute(theirs_alone).scalars()]
    assert len(whole) == 2
    files = [path for path in place.data.rglob("*") if path.is_file()]
    assert all(any(vector[:64] in path.read_bytes() for path in files) for vector in whole)
    erase(place.ledger, CLI, person)
    for looked in (engine, Renamed(engine, "another model"), engine):
        detect(place, looked)
        assert [len(faces_on(place, name)) for name in (*theirs, others)] == [0, 0, 1]
    held = b"".join(path.read_bytes() for path in place.data.rglob("*") if path.is_file())
    parts = {vector[start : start + 64] for vector in whole for start in range(0, len(vector) - 63, 64)}
    assert [part for part in parts if part in held] == []
    assert verify(place.ledger) == []
