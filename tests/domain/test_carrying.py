"""Every decision goes with the content: files that change places, pictures that are edited, and pictures that are not
the ones they took the place of."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from domain.base.geometry import Box, Placement
from domain.commands.faces import draw_face
from domain.commands.media import ReadFile, record_missing
from domain.commands.tags import tag_contents, untag_contents
from domain.events.event import Recorded
from domain.events.face import MANUAL
from domain.events.media import MediaDisplaced, SamePicture
from domain.events.operation import OperationBegan
from domain.ports.face_engine import Embedding
from tests.domain.world import BELOW, LEFT, MODEL, RIGHT, World, content, found, photo, vector

pytestmark = pytest.mark.usefixtures("replayed")
UNTOUCHED = SamePicture("data", Placement())
TAGS = {"a": "wedding", "b": "funeral", "c": "beach"}
NOT_ALIKE = 80.0


@pytest.fixture
def album(world: World) -> World:
    """Three photos a, b and c, each with its own tag."""
    for name, tag in TAGS.items():
        world.scan(photo(f"{name}.jpg", name))
        world.do(tag_contents, [content(name)], tag)
    return world


def at(world: World, *paths: str) -> dict[str, list[str]]:
    """The tags of what lies at each place."""
    return {path: world.tags_at(f"{path}.jpg") for path in paths}


def ids(world: World, *paths: str) -> list[int]:
    """The ids of the files at each place."""
    return [world.media(f"{path}.jpg").id for path in paths]


def carries(world: World, after: int = 0) -> list[Recorded]:
    """The operations that carried decisions over, as they began."""
    events = world.ledger.events(after, 10_000)
    return [each for each in events if isinstance(each.event, OperationBegan) and each.event.kind == "media.carry"]


# Files that change places


@pytest.mark.parametrize("order", ["bcd", "dcb", "cbd"])
def test_files_that_are_renumbered_keep_their_ids_and_tags_in_whatever_order_they_are_met(
    album: World, order: str
) -> None:
    a, b, c = ids(album, "a", "b", "c")
    shifted = {"b": "a", "c": "b", "d": "c"}
    files = [photo(f"{path}.jpg", shifted[path], mtime_ns=2) for path in order]
    album.scan(*files, vanished=[a])
    assert at(album, "b", "c", "d") == {"b": ["wedding"], "c": ["funeral"], "d": ["beach"]}
    assert ids(album, "b", "c", "d") == [a, b, c]
    assert carries(album) == []


def test_names_that_are_swapped_leave_to_each_content_its_own(album: World) -> None:
    a, b = ids(album, "a", "b")
    album.scan(photo("a.jpg", "b", mtime_ns=2), photo("b.jpg", "a", mtime_ns=2))
    assert at(album, "a", "b") == {"a": ["funeral"], "b": ["wedding"]}
    assert ids(album, "a", "b") == [b, a]


def test_three_that_take_each_others_places_and_one_beside_them(album: World) -> None:
    before = ids(album, "a", "b", "c")
    album.scan(*(photo(f"{to}.jpg", of, mtime_ns=2) for to, of in (("b", "a"), ("c", "b"), ("a", "c"), ("x", "x"))))
    assert ids(album, "b", "c", "a") == before
    assert at(album, "b", "c", "a", "x") == {"b": ["wedding"], "c": ["funeral"], "a": ["beach"], "x": []}


def test_a_photo_moved_onto_another_takes_none_of_its_tags_and_the_other_is_known_when_it_is_back(album: World) -> None:
    a, b = ids(album, "a", "b")
    before = album.head
    album.scan(photo("b.jpg", "a", mtime_ns=2), vanished=[a])
    assert at(album, "b") == {"b": ["wedding"]}
    assert ids(album, "b") == [a]
    assert [event for event in album.since(before) if isinstance(event, MediaDisplaced)] == [
        MediaDisplaced(b, 1, "b.jpg")
    ]
    album.scan(photo("restored.jpg", "b"))
    assert (ids(album, "restored"), at(album, "restored")) == ([b], {"restored": ["funeral"]})


def test_a_copy_saved_over_a_photo_brings_its_own_tags_and_takes_none(album: World) -> None:
    album.scan(photo("b.jpg", "a", mtime_ns=2))
    assert at(album, "a", "b") == {"a": ["wedding"], "b": ["wedding"]}
    album.scan(photo("b.jpg", "b", mtime_ns=3))
    assert at(album, "a", "b") == {"a": ["wedding"], "b": ["funeral"]}


def test_a_new_picture_under_the_name_of_a_missing_one_inherits_nothing(album: World) -> None:
    with album.uow() as uow:
        uow.begin("scan", "scanned")
        record_missing(uow, ids(album, "a"))
    album.scan(photo("a.jpg", "new", mtime_ns=2))
    assert at(album, "a") == {"a": []}
    assert album.tags("a") == ["wedding"]


def test_an_original_put_beside_the_edited_photo_keeps_its_tags_and_so_does_the_edited_one(album: World) -> None:
    (a,) = ids(album, "a")
    album.scan(photo("a original.jpg", "a"), photo("a.jpg", "edited", mtime_ns=2), likenesses={"a.jpg": UNTOUCHED})
    assert at(album, "a", "a original") == {"a": ["wedding"], "a original": ["wedding"]}
    assert ids(album, "a") == [a]


# Pictures that are edited


def rated(path: str, name: str, picture: str, mtime_ns: int = 2) -> ReadFile:
    """A photo whose coded picture is `picture`, whatever is written into the file."""
    read = photo(path, name, mtime_ns=mtime_ns)
    return replace(read, facts=replace(read.facts, picture_hash=picture))


def test_a_photo_renamed_and_rated_in_one_step_is_a_move_with_an_edit(world: World) -> None:
    world.scan(rated("x.jpg", "x", "sea", 1))
    (face,) = world.detect("x", found(LEFT))
    ann = world.a_person("Ann", face)
    world.do(tag_contents, [content("x")], "holiday")
    media = world.media("x.jpg").id
    world.scan(rated("2024.jpg", "x, rated", "sea"), vanished=[media], likenesses={"2024.jpg": UNTOUCHED})
    assert (world.media("2024.jpg").id, world.tags("x, rated")) == (media, ["holiday"])
    assert [(at.id, at.person_id) for at in world.faces("x, rated")] == [(face, ann)]


def test_a_photo_saved_with_another_rating_needs_no_look_at_its_faces(world: World) -> None:
    world.scan(photo("x.jpg", "x"), photo("blank.jpg", "blank"))
    faces = world.detect("x", found(LEFT), found(RIGHT))
    world.detect("blank")
    likenesses = {"x.jpg": UNTOUCHED, "blank.jpg": UNTOUCHED}
    world.scan(photo("x.jpg", "X", mtime_ns=2), photo("blank.jpg", "BLANK", mtime_ns=2), likenesses=likenesses)
    assert [face.id for face in world.faces("X")] == faces
    assert world.markers("BLANK") == [("no_faces", MODEL)]
    with world.reading() as tables:
        assert tables.detection_backlog.waiting(MODEL, 10) == []


CROPPED = Placement(Box(0.05, 0.05, 0.8, 0.8))
TURNED = Placement(orientation=6)


@pytest.mark.parametrize("placement", [CROPPED, TURNED, Placement(CROPPED.window, 3)])
def test_names_go_to_where_the_faces_are_on_a_picture_that_was_cropped_or_turned(
    world: World, placement: Placement
) -> None:
    left, right = world.shows("x", found(LEFT), found(RIGHT, NOT_ALIKE))
    ann, bob = world.a_person("Ann", left), world.a_person("Bob")
    drawn = world.do(draw_face, content("x"), BELOW, Embedding(MODEL, vector(40)), bob)
    world.scan(photo("x", "X", mtime_ns=2), likenesses={"x": SamePicture("picture", placement)})
    boxes = [placement.of(box) or LEFT for box in (LEFT, RIGHT, BELOW)]
    world.detect("X", found(boxes[0], 30), found(boxes[1], 60))
    faces = {face.id: face for face in world.faces("X")}
    assert (faces[left].person_id, faces[left].box) == (ann, boxes[0])
    assert faces[right].person_id is None
    assert (faces[drawn].person_id, faces[drawn].box, faces[drawn].source) == (bob, boxes[2], MANUAL)


def test_a_face_whose_vector_a_turn_changed_is_the_one_that_is_known_to_lie_there(world: World) -> None:
    (left,) = world.shows("x", found(LEFT))
    ann = world.a_person("Ann", left)
    world.scan(photo("x", "X", mtime_ns=2), likenesses={"x": SamePicture("picture", TURNED)})
    world.detect("X", found(TURNED.of(LEFT) or LEFT, NOT_ALIKE))
    assert [(face.id, face.person_id) for face in world.faces("X")] == [(left, ann)]


def test_a_drawn_face_is_not_lost_where_another_lies_on_the_turned_picture_as_it_lay_before(world: World) -> None:
    (other,) = world.shows("x", found(TURNED.inverse.of(BELOW) or LEFT))
    drawn = world.do(draw_face, content("x"), BELOW, Embedding(MODEL, vector(40)), world.a_person("Ann"))
    world.scan(photo("x", "X", mtime_ns=2), likenesses={"x": SamePicture("picture", TURNED)})
    world.detect("X", found(BELOW))
    assert {face.id: face.box for face in world.faces("X")} == {other: BELOW, drawn: TURNED.of(BELOW)}


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_where_nothing_tells_how_a_picture_was_turned_the_faces_do(world: World, orientation: int) -> None:
    left, right = world.shows("x", found(LEFT), found(RIGHT, NOT_ALIKE))
    ann = world.a_person("Ann", left)
    world.scan(photo("x", "X", mtime_ns=2))
    turn = Placement(orientation=orientation)
    world.detect("X", found(turn.of(LEFT) or LEFT, 50), found(turn.of(RIGHT) or LEFT, NOT_ALIKE - 40))
    assert {face.id: face.person_id for face in world.faces("X")} == {left: ann, right: None}


def test_a_face_that_is_surely_the_same_is_found_wherever_it_lies(world: World) -> None:
    (left,) = world.shows("x", found(LEFT))
    ann = world.a_person("Ann", left)
    world.scan(photo("x", "X", mtime_ns=2))
    world.detect("X", found(BELOW, 20), found(RIGHT, 15))
    assert [(face.id, face.box) for face in world.faces("X") if face.person_id == ann] == [(left, RIGHT)]


def test_a_face_that_may_be_the_same_is_not_taken_for_it_elsewhere_and_its_tags_stay_too(world: World) -> None:
    (left,) = world.shows("x", found(LEFT))
    ann = world.a_person("Ann", left)
    world.do(tag_contents, [content("x")], "holiday")
    world.scan(photo("x", "X", mtime_ns=2))
    world.detect("X", found(RIGHT, 40))
    assert ([face.person_id for face in world.faces("X")], world.tags("X")) == ([None], [])
    assert (world.face(left).person_id, world.tags("x")) == (ann, ["holiday"])


def test_where_only_faces_can_tell_tags_wait_for_the_look_and_come_with_it(world: World) -> None:
    world.shows("x", found(LEFT))
    world.do(tag_contents, [content("x")], "holiday")
    world.scan(photo("x", "X", mtime_ns=2))
    assert world.tags("X") == []
    world.detect("X", found(LEFT))
    assert world.tags("X") == ["holiday"]


def test_tags_do_not_wait_where_nobody_looks_for_faces(world: World) -> None:
    world.shows("x", found(LEFT))
    world.do(tag_contents, [content("x")], "holiday")
    world.scan(photo("x", "X", mtime_ns=2), faces_follow=False)
    assert world.tags("X") == ["holiday"]


def test_a_picture_that_nothing_says_is_the_same_takes_no_tags(album: World) -> None:
    album.scan(photo("a.jpg", "another", mtime_ns=2))
    assert album.tags("another") == []


# What was carried is an operation


def test_carrying_is_caused_by_the_change_and_taken_back_and_done_again(world: World) -> None:
    left, right = world.shows("x", found(LEFT), found(RIGHT))
    ann = world.a_person("Ann", left)
    world.do(tag_contents, [content("x")], "holiday")
    before = world.head
    world.scan(photo("x", "X", mtime_ns=2))
    world.detect("X", found(LEFT), found(RIGHT))
    (began,) = carries(world, before)
    assert began.causation == before + 2, "the event after the beginning of the scan says that the file changed"
    assert (
        world.operation(began.operation_id).text
        == "carried 1 name and 1 tag over to what was saved in place of a photo"
    )
    undone = world.undo(began.operation_id)
    assert (world.tags("X"), [face.person_id for face in world.faces("X")]) == ([], [None, None])
    assert (world.face(left).content_hash, world.face(left).person_id) == (content("x"), ann)
    world.detect("X", found(LEFT), found(RIGHT))
    assert world.tags("X") == [], "what was taken back is not carried once more"
    world.undo(undone)
    assert world.tags("X") == ["holiday"]
    assert {face.id: face.person_id for face in world.faces("X")} == {left: ann, right: None}


def test_a_drawn_face_that_was_sent_back_does_not_come_again_with_the_next_look(world: World) -> None:
    world.shows("x")
    drawn = world.do(draw_face, content("x"), BELOW, Embedding(MODEL, vector(40)), world.a_person("Ann"))
    world.scan(photo("x", "X", mtime_ns=2), likenesses={"x": SamePicture("picture", Placement())})
    world.detect("X")
    assert [face.id for face in world.faces("X")] == [drawn]
    world.undo(carries(world)[-1].operation_id)
    world.detect("X")
    assert (world.faces("X"), world.face(drawn).content_hash) == ([], content("x"))


def test_a_tag_put_on_before_is_taken_back_from_the_photo_saved_anew_as_well(world: World) -> None:
    world.scan(photo("x", "x"))
    tagged = world.operation_of(tag_contents, [content("x")], "holiday")
    world.scan(photo("x", "X", mtime_ns=2), likenesses={"x": UNTOUCHED})
    undone = world.undo(tagged)
    assert (world.tags("x"), world.tags("X")) == ([], [])
    world.undo(undone)
    assert (world.tags("x"), world.tags("X")) == (["holiday"], ["holiday"])


def test_a_tag_that_was_taken_off_before_comes_back_once_where_the_original_is_back(world: World) -> None:
    world.scan(photo("x", "x"))
    world.do(tag_contents, [content("x")], "holiday")
    untagged = world.operation_of(untag_contents, [content("x")], "holiday")
    world.scan(photo("x", "X", mtime_ns=2), likenesses={"x": UNTOUCHED})
    world.scan(photo("x", "x", mtime_ns=3))
    undone = world.undo(untagged)
    assert (world.tags("x"), world.tags("X")) == (["holiday"], ["holiday"])
    world.undo(undone)
    assert (world.tags("x"), world.tags("X")) == ([], [])


def test_a_photo_that_gets_its_old_bytes_back_has_what_was_decided_since(world: World) -> None:
    left, right = world.shows("x", found(LEFT), found(RIGHT, NOT_ALIKE))
    ann = world.a_person("Ann", left)
    world.do(tag_contents, [content("x")], "holiday")
    world.scan(photo("x", "X", mtime_ns=2), likenesses={"x": SamePicture("picture", TURNED)})
    world.detect("X", found(TURNED.of(LEFT) or LEFT), found(TURNED.of(RIGHT) or LEFT, NOT_ALIKE))
    bob = world.a_person("Bob", right)
    world.do(tag_contents, [content("X")], "sea")
    world.do(untag_contents, [content("X")], "holiday")
    world.scan(photo("x", "x", mtime_ns=3))
    assert [(face.id, face.box, face.person_id) for face in world.faces("x")] == [
        (left, LEFT, ann),
        (right, RIGHT, bob),
    ]
    assert world.tags("x") == ["holiday", "sea"]
