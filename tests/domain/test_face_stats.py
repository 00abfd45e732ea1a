"""How far detection is: every visible photo content counts once, and the figures add up."""

from __future__ import annotations

import pytest

from domain.base.actor import WATCHER
from domain.base.geometry import Box
from domain.commands.detection import mark_failed
from domain.commands.faces import FaceChanges, change_face, delete_face, draw_face
from domain.commands.media import ReadFile
from domain.events.media import FileFacts
from domain.ports.face_engine import Embedding
from projections.queries.faces import FaceStats
from tests.domain.world import BELOW, LEFT, MODEL, ONE_LIBRARY, OTHER_MODEL, RIGHT, World, content, found, photo, vector


def stats(world: World, model: str | None = MODEL) -> FaceStats:
    """The figures, which add up whatever they are."""
    with world.reading() as tables:
        counted = tables.faces.stats(model)
    assert counted.photos == counted.scanned + counted.pending
    assert counted.scanned == counted.with_faces + counted.no_faces + counted.failed
    return counted


def outcomes(world: World, model: str | None = MODEL) -> tuple[int, int, int, int]:
    """With faces, without, failed, pending."""
    counted = stats(world, model)
    return counted.with_faces, counted.no_faces, counted.failed, counted.pending


def unreadable(path: str, kind: str = "photo") -> ReadFile:
    """A file that nothing can decode."""
    return ReadFile(path, content(path), FileFacts(9, 1, kind, problem="the picture is cut off"))


def test_three_unreadable_photos_among_twenty_failed_and_say_why(world: World) -> None:
    world.scan(*(photo(f"{number}.jpg") for number in range(17)), *(unreadable(f"broken {n}.jpg") for n in range(3)))
    assert outcomes(world) == (0, 0, 3, 17)
    for number in range(17):
        world.detect(f"{number}.jpg", *([found(LEFT)] if number % 2 else []))
    assert outcomes(world) == (8, 9, 3, 0)
    with world.reading() as tables:
        problems = tables.media.problems(10)
    assert {row["problem"] for row in problems} == {"the picture is cut off"}
    assert len(problems) == 3


def test_each_content_counts_once_and_videos_do_not(world: World) -> None:
    world.library("Work")
    world.scan(photo("a.jpg"), photo("copy.jpg", "a.jpg"), unreadable("clip.mp4", "video"), unreadable("b.jpg"))
    world.scan(photo("other.jpg", "a.jpg"), unreadable("copy of b.jpg"), photo("theirs.jpg"), library=2)
    assert outcomes(world) == (0, 0, 2, 2)
    with world.reading(ONE_LIBRARY) as tables:
        assert (tables.faces.stats(MODEL).photos, tables.faces.stats(MODEL).failed) == (2, 1)


def test_a_photo_all_of_whose_faces_were_deleted_has_none_and_one_of_strangers_has_some(world: World) -> None:
    gone, stranger = world.a_face("gone.jpg"), world.a_face("strangers.jpg")
    assert outcomes(world) == (2, 0, 0, 0)
    world.do(delete_face, gone)
    world.do(change_face, stranger, FaceChanges(ignored=True))
    assert outcomes(world) == (1, 1, 0, 0)
    assert (stats(world).faces, stats(world).unassigned) == (1, 0)


def test_what_the_engine_can_never_use_failed_until_a_face_is_drawn_there(world: World) -> None:
    world.scan(photo("odd.jpg"))
    with world.uow(WATCHER) as uow:
        uow.begin("detect", "looked for faces")
        mark_failed(uow, content("odd.jpg"), MODEL, "too strange")
    assert outcomes(world) == (0, 0, 1, 0)
    world.do(draw_face, content("odd.jpg"), Box(0.1, 0.1, 0.3, 0.3), Embedding(MODEL, vector()))
    assert outcomes(world) == (1, 0, 0, 0)


@pytest.mark.parametrize("faces", [[], [found(LEFT)], [found(LEFT), found(RIGHT), found(BELOW)]])
def test_a_new_model_has_everything_before_it_but_what_it_can_never_see(world: World, faces: list[object]) -> None:
    world.scan(photo("a.jpg"), unreadable("b.jpg"))
    world.detect("a.jpg", *faces)  # type: ignore[arg-type]  # parametrised
    assert outcomes(world, OTHER_MODEL) == (0, 0, 1, 1)
    assert stats(world, OTHER_MODEL).faces == len(faces)
    assert outcomes(world, None) == (bool(faces), not faces, 1, 0)


def test_a_photo_on_which_a_face_was_drawn_is_pending_until_the_model_looked_at_the_rest(world: World) -> None:
    world.scan(photo("a.jpg"))
    world.do(draw_face, content("a.jpg"), LEFT, Embedding(MODEL, vector()))
    assert (outcomes(world), stats(world).faces) == ((0, 0, 0, 1), 1)
    world.detect("a.jpg", found(RIGHT))
    assert (outcomes(world), stats(world).faces) == ((1, 0, 0, 0), 2)
