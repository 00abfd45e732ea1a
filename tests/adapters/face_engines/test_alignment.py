"""The geometry between a face on a picture and the input of an embedder."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.face_engines.alignment import ARCFACE_TEMPLATE, five_point_face, level_face, similarity
from adapters.face_engines.centerface import Points, net_size
from adapters.face_engines.decoding import Pixels


def _moved(points: Points, degrees: float, scale: float, shift: tuple[float, float]) -> Points:
    turn = np.radians(degrees)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray(scale * points @ rotation.T + np.array(shift))


def _dotted(points: Points, side: int = 400) -> Pixels:
    """A black picture with a white dot of 9 pixels across at each point."""
    rows, columns = np.mgrid[:side, :side]
    near = [np.hypot(columns - x, rows - y) < 4.5 for x, y in points]
    return np.repeat(np.any(near, axis=0)[:, :, None].astype(np.uint8) * 255, 3, axis=2)


def _centre(pixels: Pixels, x: float, y: float, reach: int = 8) -> Points:
    """Centre of brightness within `reach` pixels of (x, y)."""
    left, top = round(x) - reach, round(y) - reach
    patch = pixels[top : top + 2 * reach + 1, left : left + 2 * reach + 1, 0].astype(float)
    rows, columns = np.mgrid[: patch.shape[0], : patch.shape[1]]
    return np.asarray(np.array([(columns * patch).sum(), (rows * patch).sum()]) / patch.sum() + [left, top])


@given(degrees=st.floats(-180, 180), scale=st.floats(0.1, 20), across=st.floats(-500, 500), down=st.floats(-500, 500))
def test_a_turned_scaled_and_shifted_face_comes_back_onto_the_template(
    degrees: float, scale: float, across: float, down: float
) -> None:
    landmarks = _moved(ARCFACE_TEMPLATE, degrees, scale, (across, down))
    back = similarity(landmarks, ARCFACE_TEMPLATE)
    np.testing.assert_allclose(landmarks @ back[:, :2].T + back[:, 2], ARCFACE_TEMPLATE, atol=1e-6)


def test_a_mirrored_face_is_never_flipped_to_fit() -> None:
    mirrored = ARCFACE_TEMPLATE * [-1, 1]
    assert np.linalg.det(similarity(mirrored, ARCFACE_TEMPLATE)[:, :2]) > 0


def test_no_other_similarity_brings_five_noisy_points_closer() -> None:
    noisy = _moved(ARCFACE_TEMPLATE, 30, 2, (50, 60)) + np.random.default_rng(3).normal(0, 3, (5, 2))
    best = similarity(noisy, ARCFACE_TEMPLATE)

    def miss(transform: Points) -> float:
        return float(np.square(noisy @ transform[:, :2].T + transform[:, 2] - ARCFACE_TEMPLATE).sum())

    for degrees, scale, shift in [(1, 1, 0), (-1, 1, 0), (0, 1.02, 0), (0, 0.98, 0), (0, 1, 0.5), (0, 1, -0.5)]:
        other = _moved(best[:, :2].T, degrees, scale, (0, 0)).T
        assert miss(np.column_stack([other, best[:, 2] + shift])) > miss(best)


@pytest.mark.parametrize("degrees", [-70, 0, 35])
def test_a_five_point_face_has_eyes_nose_and_mouth_where_arcface_wants_them(degrees: float) -> None:
    landmarks = _moved(ARCFACE_TEMPLATE - 56, degrees, 1.6, (200, 200))
    face = five_point_face(_dotted(landmarks), landmarks, 112)
    assert face.shape == (112, 112, 3)
    for x, y in ARCFACE_TEMPLATE:
        np.testing.assert_allclose(_centre(face, x, y), (x, y), atol=0.7)


def test_a_level_face_has_its_eyes_on_one_row_and_its_box_in_the_middle() -> None:
    eyes = _moved(np.array([[-30.0, -20.0], [30.0, -20.0]]), 25, 1, (200, 200))
    box = np.array([140.0, 120.0, 120.0, 160.0])
    face = level_face(_dotted(eyes), box, np.vstack([eyes, np.zeros((3, 2))]), 0.25, 160)
    assert face.shape == (160, 160, 3)
    # The grown box is 180 x 240: 30 pixels to each side become 160 / 180 of that, 20 up 160 / 240.
    expected = [(80 - 30 * 160 / 180, 80 - 20 * 160 / 240), (80 + 30 * 160 / 180, 80 - 20 * 160 / 240)]
    for x, y in expected:
        np.testing.assert_allclose(_centre(face, x, y, 12), (x, y), atol=1.0)


def test_a_face_without_landmarks_is_cut_as_its_box_stands() -> None:
    pixels = _dotted(np.array([[180.0, 200.0]]))
    face = level_face(pixels, np.array([100.0, 100.0, 200.0, 200.0]), None, 0.0, 160)
    np.testing.assert_allclose(_centre(face, 64, 80), (64, 80), atol=0.7)


def test_what_lies_off_the_picture_repeats_its_border() -> None:
    grey = np.full((50, 50, 3), 90, np.uint8)
    assert (level_face(grey, np.array([-40.0, -40.0, 100.0, 100.0]), None, 0.2, 160) == 90).all()


@pytest.mark.parametrize(
    ("picture", "net"),
    [
        ((576, 576), (576, 576)),
        ((4000, 3000), (576, 448)),
        ((300, 200), (320, 224)),
        ((1, 1), (32, 32)),
        ((9000, 1), (576, 32)),
    ],
)
def test_the_nets_input_is_at_most_576_and_a_multiple_of_32(picture: tuple[int, int], net: tuple[int, int]) -> None:
    assert net_size(*picture) == net
