"""How well a face is seen, as the engine measures it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from adapters.face_engines.centerface import CenterFace, FoundFace
from adapters.face_engines.decoding import Pixels, decoded
from adapters.face_engines.measuring import face_quality, yaw
from adapters.face_engines.model_card import FaceModel
from domain.ports.face_engine import FaceEngine

Photo = Callable[[str], bytes]


@pytest.fixture(scope="module")
def detector(packaged_model: FaceModel) -> CenterFace:
    return CenterFace(packaged_model.detector)


def _face(detector: CenterFace, pixels: Pixels) -> FoundFace:
    (face,) = detector.faces(pixels)
    return face


@pytest.mark.parametrize("name", ["obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png"])
def test_the_more_a_face_is_blurred_the_less_sharp_it_is_however_bright(
    detector: CenterFace, photo: Photo, name: str
) -> None:
    pixels = decoded(photo(name))
    face = _face(detector, pixels)
    blur = float(face.box[2]) / 40
    blurred = [np.asarray(cv2.GaussianBlur(pixels, (0, 0), each), np.uint8) for each in (blur, 2 * blur)]
    sharp, soft, softer = (face_quality(each, face.box, face.landmarks).sharpness for each in (pixels, *blurred))
    assert sharp > 0.4 > soft > softer
    assert softer < 0.15
    dim = face_quality((pixels // 2).astype(np.uint8), face.box, face.landmarks).sharpness
    assert dim == pytest.approx(sharp, abs=0.1)


def test_a_small_face_is_small_and_not_sharp(detector: CenterFace, photo: Photo) -> None:
    pixels = decoded(photo("biden.jpg"))
    face = _face(detector, pixels)
    zoom = 24 / float(face.box[2])
    small = np.asarray(cv2.resize(pixels, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8)
    far = face_quality(small, face.box * zoom, face.landmarks * zoom)
    near = face_quality(pixels, face.box, face.landmarks)
    assert far.size == pytest.approx(24, abs=0.1)
    assert far.sharpness < 0.5 * near.sharpness
    assert far.clarity < 0.2 < near.clarity


def test_a_head_that_is_turned_one_way_is_turned_the_other_way_in_the_mirror(
    detector: CenterFace, photo: Photo
) -> None:
    pixels = decoded(photo("obama2.jpg"))
    turned = yaw(_face(detector, pixels).landmarks)
    mirrored = yaw(_face(detector, np.ascontiguousarray(pixels[:, ::-1])).landmarks)
    assert turned is not None
    assert mirrored is not None
    assert abs(turned) > 12
    assert mirrored == pytest.approx(-turned, abs=8)


def test_yaw_does_not_depend_on_how_a_head_is_inclined_and_is_none_where_eyes_lie_on_each_other() -> None:
    front = np.array([[-10.0, -10.0], [10.0, -10.0], [0.0, 0.0], [-8.0, 10.0], [8.0, 10.0]])
    aside = front + np.array([[0, 0], [0, 0], [10.0, 0], [0, 0], [0, 0]])
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    assert (yaw(front), yaw(aside), yaw(aside @ turn)) == (0.0, 45.0, 45.0)
    assert yaw(np.zeros((5, 2))) is None


def test_engines_say_how_well_each_face_is_seen_a_drawn_one_too(engine: FaceEngine, photo: Photo) -> None:
    (face,) = engine.detect(photo("obama.jpg")).faces
    assert face.quality is not None
    assert face.quality.sharpness > 0.4
    assert face.quality.size > 200
    assert face.quality.yaw == pytest.approx(0, abs=15)
    drawn = engine.embed(photo("obama.jpg"), face.box).quality
    assert drawn is not None
    assert drawn.sharpness == pytest.approx(face.quality.sharpness, abs=0.15)


def test_a_drawn_box_without_a_face_has_a_sharpness_and_no_yaw(photo: Photo) -> None:
    pixels = decoded(photo("coffee.png"))
    quality = face_quality(pixels, np.array([100.0, 100.0, 80.0, 120.0]), None)
    assert quality.yaw is None
    assert quality.size == 80
    assert 0 <= quality.sharpness <= 1
    beside = face_quality(pixels, np.array([-30.0, -20.0, 80.0, 120.0]), None)
    assert beside.size == 80
