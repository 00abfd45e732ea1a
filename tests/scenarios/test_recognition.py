"""Photos of real people through the real engine: found, named, suggested, bound, detected again."""

from __future__ import annotations

import errno
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from adapters.background.face_detection import DetectsFaces
from adapters.background.jobs import JobBoard
from adapters.background.loops import FollowsLog, Loop
from adapters.background.tag_binding import BindsByTag
from adapters.background.thumbnail_mirror import MirrorsThumbnails
from adapters.face_engines.apollo_faces import ApolloEngine
from adapters.face_engines.cropping import cropping_a_face
from adapters.face_engines.embedded import EmbeddedEngine
from adapters.vectors.similarity import Similarity, likeness
from domain.base.actor import CLI
from domain.base.errors import Unavailable, Unreadable
from domain.base.geometry import Box, intersection_over_union
from domain.commands.faces import FaceChanges, change_face, delete_face, draw_face, reject_person
from domain.commands.persons import create_person
from domain.commands.tags import tag_contents
from domain.events.face import AUTO, MANUAL, SAME_FACE_IOU, Face
from domain.ports.face_engine import FaceEngine, Thresholds
from domain.undo.operations import undo
from tests.adapters.media.raws import BUILDERS
from tests.fakes import Failing, Renamed
from tests.scenarios.conftest import Place, jpeg
from tests.scenarios.faces import content_of, detect, faces_on

EVERYBODY = Thresholds(autobind=0, offer=0, preselect=0, cluster=0)
PHOTOS = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg")


@pytest.fixture
def portraits(place: Place, sample_photos: Path) -> Place:
    """Three photos of one person, one of another, and one of nobody, scanned."""
    for name in PHOTOS:
        shutil.copy(sample_photos / name, place.root / name)
    shutil.copy(sample_photos / "coffee.png", place.root / "coffee.png")
    place.scan()
    return place


def bind(place: Place, engine: FaceEngine) -> None:
    """Let autobind answer everything in the log."""
    binds = BindsByTag(place.ledger, engine, Similarity(), None)
    follow = FollowsLog(place.ledger, "autobind", binds.TOPICS, binds.answer)
    while follow.step():
        pass


def face_row(place: Place, face_id: int) -> Face:
    with place.ledger.reading(CLI) as tables:
        face = tables.faces.get(face_id)
    assert face is not None
    return face


def test_every_portrait_has_its_face_and_the_cup_of_coffee_a_marker(portraits: Place, engine: EmbeddedEngine) -> None:
    detect(portraits, engine)
    assert [len(faces_on(portraits, name)) for name in PHOTOS] == [1, 1, 1, 1]
    with portraits.ledger.reading(CLI) as tables:
        stats = tables.faces.stats(engine.model_version)
        last = tables.operations.latest(1)[0]
    assert (stats.photos, stats.with_faces, stats.no_faces, stats.pending, stats.unassigned) == (5, 4, 1, 0, 4)
    assert (last.kind, last.text) == ("detect", "found 4 faces on 5 photos")
    head = portraits.ledger.head()
    detect(portraits, engine)
    assert portraits.ledger.head() == head, "what was looked at is not looked at again"


@pytest.mark.parametrize("name", ["arw", "cr3", "orf"])
def test_a_raw_photo_has_the_faces_of_the_picture_in_it(
    place: Place, engine: EmbeddedEngine, sample_photos: Path, name: str
) -> None:
    shutil.copy(sample_photos / "obama.jpg", place.root / "obama.jpg")
    (place.root / f"obama.{name}").write_bytes(BUILDERS[name]((sample_photos / "obama.jpg").read_bytes(), 1))
    place.scan()
    detect(place, engine)
    (found,), (same,) = faces_on(place, f"obama.{name}"), faces_on(place, "obama.jpg")
    assert found.box == same.box


def test_naming_one_face_suggests_that_person_for_the_others_and_for_nobody_else(
    portraits: Place, engine: EmbeddedEngine
) -> None:
    detect(portraits, engine)
    named = faces_on(portraits, "obama.jpg")[0]
    with portraits.ledger.transaction(CLI) as uow:
        person = create_person(uow, "Barack")
    with portraits.ledger.transaction(CLI) as uow:
        change_face(uow, named.id, FaceChanges(person_id=person))
    similarity = Similarity()
    with portraits.ledger.reading(CLI) as tables:
        alike = similarity.similar(tables, face_row(portraits, named.id), 10, engine.thresholds)
        expected = {faces_on(portraits, name)[0].id for name in ("obama2.jpg", "obama3.jpg")}
        assert set(alike) == expected
        other = face_row(portraits, faces_on(portraits, "biden.jpg")[0].id)
        assert similarity.suggest(tables, other, 5, engine.thresholds) == {}
        same = face_row(portraits, faces_on(portraits, "obama2.jpg")[0].id)
        [(suggested, likely)] = similarity.suggest(tables, same, 5, engine.thresholds).items()
    assert suggested == person
    assert likely.similarity >= engine.thresholds.offer


def test_a_tag_with_a_persons_name_binds_the_face_that_is_like_them_and_says_why(
    portraits: Place, engine: EmbeddedEngine
) -> None:
    detect(portraits, engine)
    with portraits.ledger.transaction(CLI) as uow:
        person = create_person(uow, "Barack")
    with portraits.ledger.transaction(CLI) as uow:
        change_face(uow, faces_on(portraits, "obama.jpg")[0].id, FaceChanges(person_id=person))
    with portraits.ledger.transaction(CLI) as uow:
        tag_contents(uow, [content_of(portraits, name) for name in ("obama2.jpg", "biden.jpg")], "BARACK")
    bind(portraits, engine)
    bound = faces_on(portraits, "obama2.jpg")[0]
    assert bound.person_name == "Barack"
    assert faces_on(portraits, "biden.jpg")[0].person_id is None
    assert faces_on(portraits, "obama3.jpg")[0].person_id is None, "no tag, no binding"
    events = portraits.ledger.events(0, 10_000)
    why = next(r for r in events if r.actor == "autobind" and r.event.topic.startswith("FaceAssigned"))
    assert why.causation is not None
    assert why.event.why.rule == "tag"  # type: ignore[attr-defined]  # it is a FaceAssigned
    assert why.event.why.similarity >= why.event.why.threshold == engine.thresholds.autobind  # type: ignore[attr-defined]  # the same


def test_a_whole_run_of_binding_is_one_operation_and_one_undo(portraits: Place, engine: EmbeddedEngine) -> None:
    detect(portraits, engine)
    with portraits.ledger.transaction(CLI) as uow:
        person = create_person(uow, "Barack")
    with portraits.ledger.transaction(CLI) as uow:
        change_face(uow, faces_on(portraits, "obama.jpg")[0].id, FaceChanges(person_id=person))
    two = ("obama2.jpg", "obama3.jpg")
    with portraits.ledger.transaction(CLI) as uow:
        tag_contents(uow, [content_of(portraits, name) for name in two], "Barack")
    bind(portraits, engine)
    assert [faces_on(portraits, name)[0].person_id for name in two] == [person, person]
    with portraits.ledger.reading(CLI) as tables:
        (run, tagging) = tables.operations.latest(2)
    assert (run.kind, run.text) == ("autobind", "recognised Barack on 2 photos with their tags")
    assert tagging.kind == "tag.add"
    with portraits.ledger.transaction(CLI) as uow:
        undo(uow, run.id)
    assert [faces_on(portraits, name)[0].person_id for name in two] == [None, None]
    bind(portraits, engine)
    assert [faces_on(portraits, name)[0].person_id for name in two] == [None, None], "what was taken back stays so"


def test_a_person_without_faces_takes_the_only_face_of_a_photo_with_that_tag(
    portraits: Place, engine: EmbeddedEngine
) -> None:
    detect(portraits, engine)
    with portraits.ledger.transaction(CLI) as uow:
        create_person(uow, "Joe")
    with portraits.ledger.transaction(CLI) as uow:
        tag_contents(uow, [content_of(portraits, "biden.jpg")], "joe")
    bind(portraits, engine)
    assert faces_on(portraits, "biden.jpg")[0].person_name == "Joe"


def test_a_face_that_was_taken_from_a_person_is_not_bound_to_them_again(
    portraits: Place, engine: EmbeddedEngine
) -> None:
    detect(portraits, engine)
    with portraits.ledger.transaction(CLI) as uow:
        person = create_person(uow, "Barack")
    for name in ("obama.jpg", "obama2.jpg"):
        with portraits.ledger.transaction(CLI) as uow:
            change_face(uow, faces_on(portraits, name)[0].id, FaceChanges(person_id=person))
    with portraits.ledger.transaction(CLI) as uow:
        change_face(uow, faces_on(portraits, "obama2.jpg")[0].id, FaceChanges(person_id=None))
    with portraits.ledger.transaction(CLI) as uow:
        tag_contents(uow, [content_of(portraits, "obama2.jpg"), content_of(portraits, "obama3.jpg")], "Barack")
    bind(portraits, engine)
    assert faces_on(portraits, "obama2.jpg")[0].person_id is None
    assert faces_on(portraits, "obama3.jpg")[0].person_name == "Barack"


def test_a_rejected_person_is_neither_suggested_nor_bound(portraits: Place, engine: EmbeddedEngine) -> None:
    detect(portraits, engine)
    with portraits.ledger.transaction(CLI) as uow:
        person = create_person(uow, "Barack")
    with portraits.ledger.transaction(CLI) as uow:
        change_face(uow, faces_on(portraits, "obama.jpg")[0].id, FaceChanges(person_id=person))
    second = faces_on(portraits, "obama2.jpg")[0].id
    with portraits.ledger.transaction(CLI) as uow:
        reject_person(uow, second, person)
    with portraits.ledger.transaction(CLI) as uow:
        tag_contents(uow, [content_of(portraits, "obama2.jpg")], "Barack")
    bind(portraits, engine)
    assert faces_on(portraits, "obama2.jpg")[0].person_id is None
    with portraits.ledger.reading(CLI) as tables:
        assert Similarity().suggest(tables, face_row(portraits, second), 5, EVERYBODY) == {}


def test_another_model_keeps_ids_names_drawn_and_deleted_faces_and_mixes_no_vectors(
    portraits: Place, engine: EmbeddedEngine
) -> None:
    detect(portraits, engine)
    with portraits.ledger.transaction(CLI) as uow:
        person = create_person(uow, "Barack")
    named, deleted = faces_on(portraits, "obama.jpg")[0], faces_on(portraits, "biden.jpg")[0]
    with portraits.ledger.transaction(CLI) as uow:
        change_face(uow, named.id, FaceChanges(person_id=person))
    with portraits.ledger.transaction(CLI) as uow:
        delete_face(uow, deleted.id)
    box = Box(0.1, 0.1, 0.3, 0.3)
    cup = content_of(portraits, "coffee.png")
    with portraits.ledger.transaction(CLI) as uow:
        drawn = draw_face(uow, cup, box, None, person)
    newer = Renamed(engine, "another-model")
    detect(portraits, newer)
    again = faces_on(portraits, "obama.jpg")[0]
    assert (again.id, again.person_name, again.model_version) == (named.id, "Barack", "another-model")
    assert faces_on(portraits, "biden.jpg") == []
    assert [(face.id, face.box, face.person_name) for face in faces_on(portraits, "coffee.png")] == [
        (drawn, box, "Barack")
    ]
    with portraits.ledger.reading(CLI) as tables:
        assert tables.exemplars.of([person], engine.model_version) == {}


def test_a_photo_that_was_drawn_on_before_it_was_looked_at_has_all_its_faces_and_vectors(
    portraits: Place, facenet: EmbeddedEngine
) -> None:
    content, box = content_of(portraits, "obama.jpg"), Box(0.02, 0.02, 0.1, 0.1)
    picture = (portraits.root / "obama.jpg").read_bytes()
    with portraits.ledger.transaction(CLI) as uow:
        drawn = draw_face(uow, content, box, facenet.embed(picture, box))
    assert face_row(portraits, drawn).embedding_id is None
    detect(portraits, facenet)
    faces = [face_row(portraits, face.id) for face in faces_on(portraits, "obama.jpg")]
    assert [face.source for face in faces] == [MANUAL, AUTO]
    assert [face.model_version for face in faces] == [facenet.model_version] * 2
    assert None not in [face.embedding_id for face in faces]


def test_a_face_that_is_drawn_again_on_a_photo_saved_anew_has_a_vector_of_the_model_that_looks(
    portraits: Place, facenet: EmbeddedEngine
) -> None:
    detect(portraits, facenet)
    box = Box(0.02, 0.02, 0.1, 0.1)
    with portraits.ledger.transaction(CLI) as uow:
        draw_face(uow, content_of(portraits, "obama.jpg"), box, None)
    with portraits.ledger.transaction(CLI) as uow:
        change_face(uow, faces_on(portraits, "obama.jpg")[0].id, FaceChanges(ignored=True))
    with Image.open(portraits.root / "obama.jpg") as picture:
        picture.save(portraits.root / "obama.jpg", "JPEG", quality=90)
    portraits.scan()
    detect(portraits, facenet)
    again = face_row(portraits, next(face.id for face in faces_on(portraits, "obama.jpg") if face.box == box))
    assert again.model_version == facenet.model_version
    assert again.embedding_id is not None
    head = portraits.ledger.head()
    detect(portraits, facenet)
    assert portraits.ledger.head() == head, "it is looked at once"


def test_a_photo_saved_anew_by_an_editor_keeps_names_deletions_drawn_faces_and_tags(
    portraits: Place, engine: EmbeddedEngine
) -> None:
    detect(portraits, engine)
    with portraits.ledger.transaction(CLI) as uow:
        person = create_person(uow, "Barack")
    with portraits.ledger.transaction(CLI) as uow:
        change_face(uow, faces_on(portraits, "obama.jpg")[0].id, FaceChanges(person_id=person))
    box = Box(0.02, 0.02, 0.1, 0.1)
    with portraits.ledger.transaction(CLI) as uow:
        draw_face(uow, content_of(portraits, "obama.jpg"), box, None, person)
    with portraits.ledger.transaction(CLI) as uow:
        delete_face(uow, faces_on(portraits, "biden.jpg")[0].id)
    with portraits.ledger.transaction(CLI) as uow:
        tag_contents(uow, [content_of(portraits, "obama.jpg")], "portrait")
    for name in ("obama.jpg", "biden.jpg"):
        with Image.open(portraits.root / name) as picture:
            picture.convert("RGB").save(portraits.root / name, "JPEG", quality=90)
    portraits.scan()
    detect(portraits, engine)
    named = faces_on(portraits, "obama.jpg")
    assert [face.person_name for face in named] == ["Barack", "Barack"]
    assert named[1].box == box
    assert faces_on(portraits, "biden.jpg") == []
    with portraits.ledger.reading(CLI) as tables:
        tags = tables.tagged.of_content(content_of(portraits, "obama.jpg"))
    assert [tag.name for tag in tags] == ["portrait"]


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "in grey": ImageOps.grayscale,
    "much brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.8),
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(3)),
    "small": lambda picture: picture.resize((picture.width // 4, picture.height // 4)),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_strong_edit_of_a_photo_keeps_its_names_and_another_photo_in_its_place_does_not(
    portraits: Place, engine: EmbeddedEngine, edit: Callable[[Image.Image], Image.Image]
) -> None:
    detect(portraits, engine)
    (face,) = faces_on(portraits, "obama.jpg")
    (other,) = faces_on(portraits, "biden.jpg")
    with portraits.ledger.transaction(CLI) as uow:
        person = create_person(uow, "Barack")
    with portraits.ledger.transaction(CLI) as uow:
        change_face(uow, face.id, FaceChanges(person_id=person))
    with Image.open(portraits.root / "obama.jpg") as photo, Image.open(portraits.root / "biden.jpg") as stranger:
        edited, put_in_place = edit(photo), _with_face_of(photo, face.box, stranger, other.box)
    edited.convert("RGB").save(portraits.root / "obama.jpg")
    portraits.scan()
    detect(portraits, engine)
    assert [each.person_name for each in faces_on(portraits, "obama.jpg")] == ["Barack"]
    put_in_place.save(portraits.root / "obama.jpg")
    portraits.scan()
    detect(portraits, engine)
    (found,) = faces_on(portraits, "obama.jpg")
    assert intersection_over_union(found.box, face.box) > SAME_FACE_IOU
    assert found.person_name is None


def _with_face_of(photo: Image.Image, box: Box, stranger: Image.Image, face: Box) -> Image.Image:
    """A photo of the stranger alone, whose face stands where the photo has one."""
    scale = box.h * photo.height / (face.h * stranger.height)
    moved = stranger.convert("RGB").resize((round(stranger.width * scale), round(stranger.height * scale)))
    canvas = Image.new("RGB", photo.size, "grey")
    left, top = box.x * photo.width - face.x * moved.width, box.y * photo.height - face.y * moved.height
    canvas.paste(moved, (round(left), round(top)))
    return canvas


def test_an_engine_that_cannot_answer_defers_marks_nothing_and_says_so(
    portraits: Place, engine: EmbeddedEngine
) -> None:
    board = JobBoard()
    flaky = Failing(engine, Unavailable("the face service refuses connections"))
    detects = DetectsFaces(portraits.ledger, flaky, portraits.gallery, board, at_once=1, likeness=likeness)
    head = portraits.ledger.head()
    with pytest.raises(Unavailable):
        detects.step()
    assert portraits.ledger.head() == head
    assert (board.progress()[0].state, board.progress()[0].note) == ("waiting", "the face service refuses connections")
    flaky.error = None
    while detects.step():
        pass
    detects.close()
    assert [len(faces_on(portraits, name)) for name in PHOTOS] == [1, 1, 1, 1]


def test_stopping_does_not_wait_for_a_face_service_that_never_answers(place: Place) -> None:
    place.picture("photo.jpg")
    place.scan()
    with socket.create_server(("127.0.0.1", 0)) as service:
        engine = ApolloEngine(f"http://127.0.0.1:{service.getsockname()[1]}", cropping_a_face, seconds=3600)
        detects = DetectsFaces(place.ledger, engine, place.gallery, JobBoard(), at_once=1, likeness=likeness)
        loop = Loop("detection", detects.step, idle_seconds=3600, on_stop=detects.ask_to_stop)
        loop.start()
        with service.accept()[0]:
            loop.stop()
        detects.close()
    with place.ledger.reading(CLI) as tables:
        assert tables.faces.stats("any").failed == 0


def test_a_photo_that_the_engine_can_never_use_is_marked_failed_with_the_reason(place: Place) -> None:
    place.picture("photo.jpg")
    place.scan()
    detect(place, Failing(None, Unreadable("too strange")))
    with place.ledger.reading(CLI) as tables:
        stats = tables.faces.stats("failing")
    assert (stats.failed, stats.pending) == (1, 0)


def test_a_deferred_photo_whose_file_is_gone_does_not_hold_up_the_others(
    place: Place, engine: EmbeddedEngine, sample_photos: Path
) -> None:
    gone = place.picture("gone.jpg")
    shutil.copy(sample_photos / "obama.jpg", place.root / "obama.jpg")
    place.scan()
    gone.unlink()
    shutil.rmtree(place.data / "renditions")
    detect(place, engine)
    assert len(faces_on(place, "obama.jpg")) == 1


def test_the_mirror_follows_a_folder_that_becomes_a_file_and_a_file_that_becomes_a_folder(place: Place) -> None:
    place.picture("d.jpg/in.jpg")
    place.picture("x.jpg", "red")
    mirror = MirrorsThumbnails(place.ledger, place.gallery)
    follow = FollowsLog(place.ledger, "thumbnails", mirror.TOPICS, mirror.answer)
    place.scan()
    follow.step()
    shutil.rmtree(place.root / "d.jpg")
    (place.root / "x.jpg").unlink()
    place.picture("d.jpg", "blue")
    place.picture("x.jpg/b.jpg", "green")
    place.scan()
    follow.step()
    tree = place.data / "thumbnails" / str(place.library.id)
    assert sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()) == [
        "d.jpg",
        "x.jpg/b.jpg",
    ]


def test_a_mirror_on_a_full_disk_waits_and_then_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.picture("a.jpg")
    place.scan()
    mirror = MirrorsThumbnails(place.ledger, place.gallery)
    follow = FollowsLog(place.ledger, "thumbnails", mirror.TOPICS, mirror.answer)

    def full(_rendition: Path, _target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("adapters.media.gallery.link_thumbnail", full)
        with pytest.raises(Unavailable, match=r"thumbnails cannot be written .* No space left"):
            follow.step()
    follow.step()
    assert (place.data / "thumbnails" / str(place.library.id) / "a.jpg").exists()


def test_thumbnails_mirror_the_tree_under_the_sources_own_names(place: Place) -> None:
    place.picture("a/b.jpg")
    (place.root / "bad.jpg").write_text("no picture")
    place.scan()
    mirror = MirrorsThumbnails(place.ledger, place.gallery)
    follow = FollowsLog(place.ledger, "thumbnails", mirror.TOPICS, mirror.answer)
    follow.step()
    tree = place.data / "thumbnails" / str(place.library.id)
    assert (tree / "a/b.jpg").read_bytes().startswith(b"\xff\xd8")
    assert (tree / "bad.jpg.unsupported").stat().st_size == 0
    (place.root / "a").rename(place.root / "c")
    (place.root / "bad.jpg").write_bytes(jpeg("red"))
    place.scan()
    follow.step()
    assert not (tree / "a/b.jpg").exists()
    assert (tree / "c/b.jpg").exists()
    assert (tree / "bad.jpg").exists()
    assert not (tree / "bad.jpg.unsupported").exists()
