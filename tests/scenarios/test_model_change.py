"""Another face model: every photo is looked at again, nothing that anybody decided is lost, and new photos go first."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select

from adapters.background.face_detection import DetectsFaces
from adapters.background.jobs import Job, JobBoard
from adapters.background.loops import FollowsLog
from adapters.background.tag_binding import BindsByTag
from adapters.face_engines.embedded import EmbeddedEngine
from adapters.store.database import Database
from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from adapters.vectors.similarity import Similarity, likeness
from domain.base.actor import CLI
from domain.base.geometry import Box
from domain.commands.faces import FaceChanges, change_face, delete_face, draw_face, reject_person
from domain.commands.persons import PersonChanges, change_person, create_person, merge_persons
from domain.commands.tags import tag_contents
from domain.events.face import ContentMarked, Face, FaceDetected, FaceEmbedded, FaceRedetected
from domain.ports.face_engine import Embedding, FaceEngine, dimensions_of
from domain.undo.operations import undo
from tests.fakes import Renamed
from tests.http.painted import PaintedFaces, paint
from tests.scenarios.conftest import Place
from tests.scenarios.faces import content_of, detect, faces_on
from tests.scenarios.serving import imageapi
from tests.scenarios.test_kill import end, make_photos, start
from tests.waiting import until

OLD, NEW = "painted-1", "painted-2"
LEFT, RIGHT = ("red", 60, 100, 120), ("blue", 400, 100, 120)
EMPTY_CORNER = Box(0.7, 0.7, 0.2, 0.2)


class Standing(NamedTuple):
    """What is decided of a face: everything that is told of it but its model, vector and the engine's own box."""

    content: bytes
    status: str
    source: str
    person_id: int | None
    ignored: bool
    touched: bool
    rejected: frozenset[int]
    drawn_at: Box | None


def standing(place: Place) -> dict[int, Standing]:
    """Every face that any photo ever had, by its id."""
    found = {}
    with place.ledger.reading(CLI) as tables:
        media = tables.tables.media.table
        contents = {bytes(each) for each in tables.connection.execute(select(media.c.content_hash)).scalars()}
        for face in (face for content in contents for face in tables.faces.on_content(content)):
            found[face.id] = Standing(
                face.content_hash,
                face.status,
                face.source,
                face.person_id,
                face.ignored,
                face.touched,
                frozenset(tables.faces.rejections(face.id)),
                face.box if face.source == "manual" else None,
            )
    return found


def row(place: Place, face_id: int) -> Face:
    """A face, deleted ones too."""
    with place.ledger.reading(CLI) as tables:
        face = tables.faces.get(face_id)
    assert face is not None
    return face


def only_face(place: Place, path: str) -> int:
    """The one face on a photo."""
    (face,) = faces_on(place, path)
    return face.id


def person_of(place: Place, name: str, *faces: int) -> int:
    """A new person with these faces."""
    with place.ledger.transaction(CLI) as uow:
        person = create_person(uow, name)
    for face in faces:
        with place.ledger.transaction(CLI) as uow:
            change_face(uow, face, FaceChanges(person_id=person))
    return person


def last_operation(place: Place) -> int:
    """The operation that was last."""
    with place.ledger.reading(CLI) as tables:
        return tables.operations.latest(1)[0].id


def test_from_facenet_to_sface_and_back_every_decision_stands_and_no_two_models_are_compared(
    place: Place, sample_photos: Path, engine: EmbeddedEngine, facenet: EmbeddedEngine
) -> None:
    for name in ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png", "coffee.png"):
        shutil.copy(sample_photos / name, place.root / name)
    place.scan()
    detect(place, facenet)
    barack = person_of(place, "Barack", only_face(place, "obama.jpg"))
    naming = last_operation(place)
    other = person_of(place, "B.", only_face(place, "obama2.jpg"))
    with place.ledger.transaction(CLI) as uow:
        merge_persons(uow, other, barack)
    with place.ledger.transaction(CLI) as uow:
        reject_person(uow, only_face(place, "obama3.jpg"), barack)
    gone = only_face(place, "biden.jpg")
    with place.ledger.transaction(CLI) as uow:
        delete_face(uow, gone)
    deletion = last_operation(place)
    with place.ledger.transaction(CLI) as uow:
        change_face(uow, only_face(place, "astronaut.png"), FaceChanges(ignored=True))
    cup = content_of(place, "coffee.png")
    with place.ledger.transaction(CLI) as uow:
        drawn = draw_face(uow, cup, Box(0.1, 0.1, 0.3, 0.3), _embedded(place, facenet, "coffee.png"), barack)
    with place.ledger.transaction(CLI) as uow:
        change_person(uow, barack, PersonChanges(cover_face_id=only_face(place, "obama2.jpg")))
    before, persons = standing(place), _persons(place)

    detect(place, engine)
    assert standing(place) == before
    assert _persons(place) == persons
    models = {face: row(place, face).model_version for face in before}
    assert models == dict.fromkeys(before, engine.model_version) | {drawn: facenet.model_version}
    assert {_dimensions(place, face) for face in before if face != drawn} == {128}
    assert _dimensions(place, drawn) == 512, "what the new model cannot use keeps what it had"
    with place.ledger.reading(CLI) as tables:
        third = row(place, only_face(place, "obama3.jpg"))
        assert Similarity().suggest(tables, third, 5, engine.thresholds) == {}, "refused once is refused for good"
    head = place.ledger.head()
    detect(place, engine)
    assert place.ledger.head() == head

    for operation, face in ((deletion, gone), (naming, only_face(place, "obama.jpg"))):
        with place.ledger.transaction(CLI) as uow:
            undo(uow, operation)
        assert row(place, face).model_version == engine.model_version
    assert (row(place, gone).status, row(place, only_face(place, "obama.jpg")).person_id) == ("detected", None)

    after = standing(place)
    detect(place, facenet)
    assert standing(place) == after
    assert {row(place, face).model_version for face in after} == {facenet.model_version}


def _embedded(place: Place, engine: FaceEngine, name: str) -> Embedding:
    return engine.embed((place.root / name).read_bytes(), Box(0.1, 0.1, 0.3, 0.3))


def _persons(place: Place) -> list[tuple[object, ...]]:
    with place.ledger.reading(CLI) as tables:
        persons = tables.tables.persons.table
        return [tuple(each) for each in tables.connection.execute(select(persons).order_by(persons.c.id))]


def _dimensions(place: Place, face_id: int) -> int:
    embedding_id = row(place, face_id).embedding_id
    assert embedding_id is not None
    with place.ledger.reading(CLI) as tables:
        return dimensions_of(tables.faces.vectors([embedding_id])[embedding_id])


def looks(place: Place, engine: FaceEngine, board: JobBoard | None = None, **more: object) -> DetectsFaces:
    """A detection that a test steps through, a photo at a time."""
    words = {"at_once": 1, "likeness": likeness, "batch": 1, **more}
    return DetectsFaces(place.ledger, engine, place.gallery, board or JobBoard(), **words)  # type: ignore[arg-type]  # as the words say


def run(detects: DetectsFaces, steps: int = 1000) -> None:
    """Some steps, or all."""
    while steps and detects.step():
        steps -= 1


def looked_at(place: Place, since: int) -> list[str]:
    """The paths of the photos that were looked at, in that order."""
    paths = {media.content_hash: path for path, media in place.files().items()}
    order = []
    for recorded in place.ledger.events(since, 10_000):
        event = recorded.event
        if isinstance(event, (FaceDetected, ContentMarked)):
            order.append(paths[event.content_hash])
        elif isinstance(event, (FaceRedetected, FaceEmbedded)):
            order.append(paths[row(place, event.face_id).content_hash])
    return order


@pytest.fixture
def three_photos(place: Place) -> Place:
    """Three photos that the model of before looked at, two of them with a face."""
    for number, faces in enumerate([[LEFT], [], [LEFT]], start=1):
        path = paint(place.root / f"{number}.jpg", *faces, shade=100 + number)
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
    place.scan()
    detect(place, PaintedFaces(OLD))
    return place


def test_photos_that_come_while_the_model_changes_are_looked_at_before_the_old_ones(three_photos: Place) -> None:
    since = three_photos.ledger.head()
    detects = looks(three_photos, PaintedFaces(NEW))
    run(detects, 2)
    paint(three_photos.root / "4.jpg", RIGHT, shade=104)
    three_photos.scan()
    run(detects)
    detects.close()
    assert looked_at(three_photos, since) == ["3.jpg", "2.jpg", "4.jpg", "1.jpg"]


def test_the_job_says_why_all_photos_are_looked_at_again_and_how_far_that_is(three_photos: Place) -> None:
    paint(three_photos.root / "4.jpg", RIGHT, shade=104)
    three_photos.scan()
    board = JobBoard()
    detects = looks(three_photos, PaintedFaces(NEW), board)
    run(detects, 1)
    again, fresh = _told(board)
    assert (fresh.title, fresh.done, fresh.total) == ("recognising faces", 1, 1)
    assert (again.kind, again.state, again.done, again.total) == ("detect.again", "waiting", 0, 3)
    assert (again.title, again.note) == ("looking at all photos again: the face model changed", "new photos come first")
    run(detects, 2)
    again, fresh = _told(board)
    assert (fresh.state, fresh.note) == ("done", "found 1 face on 1 photo")
    assert (again.state, again.done, again.total, again.note) == ("running", 2, 3, None)
    run(detects)
    detects.close()
    ended = "looked at all photos again, since the face model changed: 3 photos, with 0 new faces"
    assert (_told(board)[0].state, _told(board)[0].note) == ("done", ended)
    with three_photos.ledger.reading(CLI) as tables:
        last, *_ = tables.operations.latest(1)
    assert (last.kind, last.text) == ("detect.again", ended)


def _told(board: JobBoard) -> list[Job]:
    return sorted(board.progress(), key=lambda job: job.kind, reverse=True)


def test_status_tells_how_many_photos_are_still_to_be_looked_at_again(three_photos: Place) -> None:
    said = imageapi(three_photos.data, "status")
    assert "face model changed: 3 of these photos are still to be looked at again" in said.stdout


def test_a_face_whose_file_is_away_keeps_its_vector_and_gets_the_new_one_when_it_is_back(three_photos: Place) -> None:
    face = only_face(three_photos, "3.jpg")
    board = JobBoard()
    shutil.rmtree(three_photos.data / "renditions")
    (three_photos.root / "3.jpg").rename(three_photos.root.parent / "elsewhere.jpg")
    detects = looks(three_photos, PaintedFaces(NEW), board, retry_seconds=0.3)
    run(detects)
    assert row(three_photos, face).model_version == OLD
    assert row(three_photos, only_face(three_photos, "1.jpg")).model_version == NEW
    assert (board.progress()[0].note or "").endswith("2 photos, with 0 new faces; 1 waits for its file")
    time.sleep(0.3)
    run(detects)
    assert len(board.progress()) == 1, "to ask for it again is no work that anybody need see"
    (three_photos.root.parent / "elsewhere.jpg").rename(three_photos.root / "3.jpg")
    time.sleep(0.3)
    run(detects)
    detects.close()
    assert row(three_photos, face).model_version == NEW
    assert board.progress()[0].done == 1


def test_a_library_whose_folder_is_away_is_not_asked_for_and_done_when_it_is_back(three_photos: Place) -> None:
    engine, away = PaintedFaces(NEW), [three_photos.library.id]
    detects = looks(three_photos, engine, away=lambda: away)
    run(detects)
    assert engine.asked == 0
    away.clear()
    run(detects)
    detects.close()
    assert engine.asked == 3


def test_a_drawn_face_that_the_new_model_cannot_use_is_tried_once(three_photos: Place) -> None:
    with three_photos.ledger.transaction(CLI) as uow:
        embedding = PaintedFaces(OLD).embed((three_photos.root / "1.jpg").read_bytes(), Box(0.1, 0.25, 0.2, 0.3))
        drawn = draw_face(uow, content_of(three_photos, "2.jpg"), EMPTY_CORNER, embedding)
    engine = PaintedFaces(NEW)
    detects = looks(three_photos, engine)
    run(detects)
    assert engine.asked == 4, "three photos are looked at, and the drawn face is tried"
    assert row(three_photos, drawn).model_version == OLD
    head = three_photos.ledger.head()
    paint(three_photos.root / "4.jpg", shade=104)
    three_photos.scan()
    run(detects)
    detects.close()
    assert engine.asked == 5
    assert looked_at(three_photos, head) == ["4.jpg"]


def test_a_service_whose_model_changes_while_it_works_begins_anew_and_compares_nothing_across(
    three_photos: Place,
) -> None:
    engine = PaintedFaces(NEW)
    detects = looks(three_photos, engine)
    run(detects, 2)
    engine.model_version = "painted-3"
    run(detects)
    detects.close()
    faces = [row(three_photos, only_face(three_photos, name)) for name in ("1.jpg", "3.jpg")]
    assert {face.model_version for face in faces} == {"painted-3"}


def test_who_goes_back_to_the_model_of_before_waits_for_no_photo_whose_vectors_are_still_there(
    three_photos: Place,
) -> None:
    run(looks(three_photos, PaintedFaces(NEW)))
    paint(three_photos.root / "4.jpg", RIGHT, shade=104)
    three_photos.scan()
    run(looks(three_photos, PaintedFaces(NEW)))
    engine, board = PaintedFaces(OLD), JobBoard()
    run(looks(three_photos, engine, board))
    assert engine.asked == 1, "it never saw the photo that came since"
    assert {row(three_photos, only_face(three_photos, f"{n}.jpg")).model_version for n in (1, 3, 4)} == {OLD}
    ended = "looked at all photos again, since the face model changed: 3 photos, with 0 new faces"
    assert board.progress()[0].note == ended


def test_a_tagged_photo_that_came_before_the_named_faces_had_new_vectors_is_bound_in_the_end(
    three_photos: Place,
) -> None:
    ann = person_of(three_photos, "Ann", only_face(three_photos, "1.jpg"))
    paint(three_photos.root / "4.jpg", LEFT, RIGHT, shade=104)
    three_photos.scan()
    with three_photos.ledger.transaction(CLI) as uow:
        tag_contents(uow, [content_of(three_photos, "4.jpg")], "ann")
    engine = PaintedFaces(NEW)
    binds = BindsByTag(three_photos.ledger, engine, Similarity(), None)
    follow = FollowsLog(three_photos.ledger, "autobind", binds.TOPICS, binds.answer)
    detects = looks(three_photos, engine)
    run(detects, 1)
    while follow.step():
        pass
    assert [face.person_id for face in faces_on(three_photos, "4.jpg")] == [None, None], "nobody can be compared with"
    run(detects)
    detects.close()
    while follow.step():
        pass
    assert [face.person_id for face in faces_on(three_photos, "4.jpg")] == [ann, None]


def test_killed_in_the_middle_of_a_change_it_goes_on_and_says_nothing_twice(
    place: Place, sample_photos: Path, engine: EmbeddedEngine
) -> None:
    shutil.rmtree(place.root)
    expected = make_photos(place.root, sample_photos)
    place.scan()
    earlier = Renamed(engine, "an-earlier-model")
    detect(place, earlier)
    named = {path: only_face(place, path) for path in sorted(expected)[:3]}
    barack = person_of(place, "Barack", *named.values())
    before, head = standing(place), place.ledger.head()
    place.ledger.close()
    ledger = Ledger(Database(f"sqlite:///{place.data}/imageapi.db"))
    done = 0
    for _ in range(2):
        server = start(place.root, place.data)
        until(lambda least=done: _done(ledger, engine) > least, "nothing is looked at", interval=0.05)  # type: ignore[misc]  # mypy knows no default of a lambda
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        done = _done(ledger, engine)
        assert done < len(place_paths(ledger)), "it was to be killed in the middle"
    server = start(place.root, place.data)
    try:
        until(lambda: _done(ledger, engine) == len(place_paths(ledger)), lambda: f"{_done(ledger, engine)} are done")
    finally:
        end(server)
    place.ledger = ledger
    try:
        assert verify(ledger) == []
        assert standing(place) == before
        assert {row(place, face).person_id for face in named.values()} == {barack}
        told = Counter(
            event.face_id if isinstance(event, FaceRedetected | FaceEmbedded) else event.content_hash
            for event in (recorded.event for recorded in ledger.events(head, 100_000))
            if isinstance(event, FaceRedetected | FaceEmbedded | ContentMarked)
        )
        assert set(told.values()) == {1}
        assert len(told) == len(place_paths(ledger))
        with ledger.reading(CLI) as tables:
            texts = [each.text for each in tables.operations.latest(100) if each.kind == "detect.again"]
        assert [text.endswith("and was interrupted") for text in texts] == [False, True, True]
    finally:
        ledger.close()


def _done(ledger: Ledger, engine: FaceEngine) -> int:
    with ledger.reading(CLI) as tables:
        return tables.faces.stats(engine.model_version).scanned


def place_paths(ledger: Ledger) -> list[str]:
    """The paths of all files."""
    with ledger.reading(CLI) as tables:
        return list(tables.connection.execute(select(tables.tables.media.table.c.path)).scalars())
