"""Which faces the detectors find together: small ones, turned ones, and nobody where nobody is."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from adapters.face_engines.centerface import SURE, FoundFace, Points
from adapters.face_engines.closer_look import LookedAt
from adapters.face_engines.decoding import Pixels, decoded
from adapters.face_engines.face_search import FaceSearch, chosen, may_hold_small_faces, merged, overlap
from adapters.face_engines.model_card import FaceModel
from tests.adapters.face_engines.material import encoded

_HEAD = np.array([[-0.4, 0.0], [0.0, -0.3], [1.4, 0.0], [0.0, 1.3]])
Photo = Callable[[str], bytes]

PREVIEW = (1440, 1080)
PORTRAITS = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")
SCENES = ("coffee.png", "rocket.jpg", "chelsea.png", "hubble_deep_field.jpg")
# How a picture is turned clockwise, and how a point on it goes back: (x, y) of a picture of (width, height) before.
TURNS: dict[int, tuple[int, Callable[[float, float, float, float], tuple[float, float]]]] = {
    90: (cv2.ROTATE_90_CLOCKWISE, lambda x, y, width, height: (y, height - x)),
    180: (cv2.ROTATE_180, lambda x, y, width, height: (width - x, height - y)),
    270: (cv2.ROTATE_90_COUNTERCLOCKWISE, lambda x, y, width, height: (width - y, x)),
}


@pytest.fixture(scope="module")
def search(packaged_model: FaceModel) -> FaceSearch:
    cv2.setNumThreads(1)
    return FaceSearch(packaged_model.detector, packaged_model.proposer)


@pytest.fixture(scope="module")
def group(six_people: Path) -> Pixels:
    """Six people side by side."""
    return decoded(six_people.read_bytes())


def _scene(photo: Photo, name: str) -> Image.Image:
    with Image.open(io.BytesIO(photo(name))) as picture:
        return picture.convert("RGB").resize(PREVIEW, Image.Resampling.BICUBIC)


def _with_a_small_face(photo: Photo, search: FaceSearch, name: str, scene: str, width: int) -> tuple[Pixels, Points]:
    """A preview of a scene with a person far off, whose face is `width` pixels wide, and where that is."""
    (face,) = search.faces(decoded(photo(name)))
    with Image.open(io.BytesIO(photo(name))) as portrait:
        across, down = face.box[2:] * 1.5
        left, top = (int(max(side, 0)) for side in face.box[:2] - (across, down))
        right, bottom = (int(side) for side in face.box[:2] + face.box[2:] + (across, down))
        part = portrait.convert("RGB").crop((left, top, min(right, portrait.width), min(bottom, portrait.height)))
    zoom = width / face.box[2]
    page, place = _scene(photo, scene), np.array([900, 500])
    page.paste(part.resize((round(part.width * zoom), round(part.height * zoom)), Image.Resampling.BOX), tuple(place))
    where = np.concatenate([(face.box[:2] - (left, top)) * zoom + place, face.box[2:] * zoom])
    return decoded(encoded(page, quality=82)), where


def _hits(faces: list[FoundFace], where: Points) -> list[FoundFace]:
    return [face for face in faces if overlap(face.box, where) > 0.4]


def _turned(pixels: Pixels, turn: int) -> Pixels:
    return np.asarray(cv2.rotate(pixels, TURNS[turn][0]), np.uint8)


def _put_back(face: FoundFace, turn: int, pixels: Pixels) -> FoundFace:
    """A face of a picture that was turned, as it lies on the upright one."""
    height, width = pixels.shape[:2]
    back = TURNS[turn][1]
    corners = np.array([back(x, y, width, height) for x, y in (face.box[:2], face.box[:2] + face.box[2:])])
    landmarks = np.array([back(x, y, width, height) for x, y in face.landmarks])
    first = corners.min(axis=0)
    return FoundFace(np.concatenate([first, corners.max(axis=0) - first]), landmarks, face.confidence)


# Small faces


def test_faces_of_24_pixels_on_a_preview_are_found_and_nobody_else(search: FaceSearch, photo: Photo) -> None:
    coarse = 0
    for number, name in enumerate(PORTRAITS):
        pixels, where = _with_a_small_face(photo, search, name, SCENES[number % len(SCENES)], 24)
        faces = search.faces(pixels)
        assert len(_hits(faces, where)) == len(faces) == 1, name
        coarse += len(_hits(search.detector.faces(pixels), where))
    assert coarse <= 2, "the first look alone finds them: this test shows nothing"


def test_on_a_group_of_sixty_the_small_faces_are_found_too(search: FaceSearch, photo: Photo, group: Pixels) -> None:
    page = np.asarray(_scene(photo, "rocket.jpg"), np.uint8)[:, :, ::-1].copy()
    heads = []
    for face in search.faces(group):
        left, top, right, bottom = (int(side) for side in np.tile(face.box[:2], 2) + _HEAD @ face.box[2:])
        heads.append(
            cv2.resize(group[max(top, 0) : bottom, max(left, 0) : right], (54, 72), interpolation=cv2.INTER_AREA)
        )
    for number in range(60):
        left, top = 60 + number % 10 * 135, 60 + number // 10 * 170
        page[top : top + 72, left : left + 54] = heads[number % len(heads)]
    faces = search.faces(decoded(encoded(Image.fromarray(page[:, :, ::-1]), quality=85)))
    assert len(faces) == 60, "more than the room that doubtful places have"


def test_a_portrait_is_looked_at_once(search: FaceSearch, photo: Photo) -> None:
    pixels = np.asarray(cv2.resize(decoded(photo("obama.jpg")), PREVIEW), np.uint8)
    portrait = search.detector.faces(pixels)
    assert not may_hold_small_faces(pixels, portrait)
    assert may_hold_small_faces(pixels, [])
    far = [face._replace(box=face.box * 0.3) for face in portrait]
    assert may_hold_small_faces(pixels, far)
    assert not may_hold_small_faces(pixels[:500, :700], far)


# Nobody


@pytest.mark.parametrize("scene", [*SCENES, "text", "clocks", "leaves"])
def test_where_nobody_is_nobody_is_found(search: FaceSearch, photo: Photo, scene: str) -> None:
    drawings = {"text": _text, "clocks": _clocks, "leaves": _leaves}
    page = drawings[scene]() if scene in drawings else _scene(photo, scene)
    assert search.faces(decoded(encoded(page, quality=82))) == []


def _text() -> Image.Image:
    chance, page = np.random.default_rng(1), Image.new("RGB", PREVIEW, "white")
    for top in range(0, PREVIEW[1], 28):
        line = "".join(chr(code) for code in chance.integers(32, 126, 120))
        ImageDraw.Draw(page).text((8, top), line, fill="black", font=ImageFont.load_default(size=22))
    return page


def _clocks() -> Image.Image:
    chance, page = np.random.default_rng(2), Image.new("RGB", PREVIEW, "#b4967a")
    draw = ImageDraw.Draw(page)
    for _ in range(40):
        x, y, radius = (int(each) for each in chance.integers((60, 60, 10), (1380, 1020, 60)))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill="#f0f0e6", outline="black", width=3)
        draw.line((x, y, x + radius // 2, y - radius // 3), fill="black", width=3)
        draw.line((x, y, x, y - radius * 4 // 5), fill="black", width=2)
    return page


def _leaves() -> Image.Image:
    chance, page = np.random.default_rng(3), Image.new("RGB", PREVIEW, "#143c14")
    for _ in range(2000):
        x, y, side, green = (int(each) for each in chance.integers((0, 0, 4, 40), (*PREVIEW, 30, 200)))
        ImageDraw.Draw(page).ellipse((x, y, x + side, y + side // 2), fill=(green // 3, green, green // 4))
    return page


# Turned faces


@pytest.mark.parametrize("turn", TURNS)
def test_a_turned_photo_shows_the_same_faces_with_eyes_and_mouth_where_they_are(
    search: FaceSearch, group: Pixels, turn: int
) -> None:
    upright = search.faces(group)
    faces = [_put_back(face, turn, group) for face in search.faces(_turned(group, turn))]
    assert len(faces) == len(upright) == 6
    for face in upright:
        (same,) = _hits(faces, face.box)
        assert np.abs(same.landmarks - face.landmarks).max() < 0.15 * face.box[2]


def test_somebody_who_lies_among_upright_people_is_found_with_eyes_and_mouth(search: FaceSearch, group: Pixels) -> None:
    part = np.ascontiguousarray(group[40:440, 850:1080])
    lying, (left, top) = _turned(part, 90), (500, 900)
    page = np.asarray(cv2.copyMakeBorder(group, 0, 260, 0, 0, cv2.BORDER_CONSTANT, value=(90, 110, 120)), np.uint8)
    page[top : top + lying.shape[0], left : left + lying.shape[1]] = lying
    faces = search.faces(page)
    (below,) = [face for face in faces if face.box[1] > top - 20]
    assert len(faces) == 7
    assert below.turn == pytest.approx(90, abs=25)
    (upright,) = search.faces(part)
    origin = np.array([left, top])
    moved = below._replace(box=below.box - [left, top, 0, 0], landmarks=below.landmarks - origin)
    out = np.abs(_put_back(moved, 90, part).landmarks - upright.landmarks).mean() / upright.box[2]
    assert out < 0.05


def test_a_face_drawn_on_a_turned_photo_has_its_eyes_where_they_are(search: FaceSearch, group: Pixels) -> None:
    face = search.faces(group)[0]
    height, width = group.shape[:2]
    upside_down = np.concatenate([(width, height) - face.box[:2] - face.box[2:], face.box[2:]])
    seen = search.face_in(_turned(group, 180), upside_down)
    assert seen is not None
    assert np.abs(_put_back(seen, 180, group).landmarks - face.landmarks).max() < 0.15 * face.box[2]


def test_where_no_face_is_drawn_none_is_made_up(search: FaceSearch, photo: Photo) -> None:
    assert search.face_in(decoded(photo("coffee.png")), np.array([100.0, 100.0, 120.0, 160.0])) is None


# What is looked at closer, and what of it counts


def _face(left: float, confidence: float, side: float = 40.0) -> FoundFace:
    return FoundFace(np.array([left, 100.0, side, side]), np.full((5, 2), confidence), confidence)


def test_the_likeliest_places_are_looked_at_once_each_as_far_as_there_is_room() -> None:
    places = [LookedAt.of(_face(left, score), 0.0) for left, score in ((0, 0.2), (5, 0.4), (200, 0.3), (400, 0.1))]
    assert [place.score for place in chosen(places, [], 9.0)] == [0.4, 0.3, 0.1]
    assert [place.score for place in chosen(places, [_face(201, 0.9)], 9.0)] == [0.4, 0.1]
    assert [place.score for place in chosen(places, [], 2.0)] == [0.4, 0.3]
    large = LookedAt.of(_face(800, 0.9, side=200.0), 0.0)
    assert [place.score for place in chosen([*places, large], [], 4.0)] == [0.9, 0.4]


def test_a_face_that_was_found_stays_where_it_was_and_takes_landmarks_that_are_surer() -> None:
    first, surer, new = _face(0, SURE), _face(4, 0.9), _face(300, 0.7)
    kept, other = merged([first], [new, surer])
    assert (kept.box.tolist(), kept.confidence) == (first.box.tolist(), 0.9)
    assert kept.landmarks[0, 0] == 0.9
    assert other is new
    assert merged([_face(0, 0.95)], [surer])[0].landmarks[0, 0] == 0.95


def test_what_hardly_is_anything_but_a_face_is_looked_at_beyond_that_room_but_not_without_end() -> None:
    places = [LookedAt.of(_face(100.0 * number, 0.6), 0.0) for number in range(300)]
    doubtful = [LookedAt.of(_face(50_000 + 100.0 * number, 0.4), 0.0) for number in range(20)]
    assert len(chosen([*places[:30], *doubtful], [], 9.0)) == 30
    assert len(chosen([*places[:5], *doubtful], [], 9.0)) == 9
    assert len(chosen(places, [], 9.0)) == 240
