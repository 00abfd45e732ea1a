"""What every face engine promises, asked of the nets directly and of the same nets behind HTTP."""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adapters.face_engines.model_card import SFACE
from domain.base.errors import Unreadable
from domain.base.geometry import Box, intersection_over_union
from domain.ports.face_engine import DetectedFace, FaceEngine
from tests.adapters.face_engines.material import cosine, encoded, vector

Photo = Callable[[str], bytes]

# Boxes round the face from hairline to chin, read off the photos by eye.
FACE_BY_EYE = {
    "obama.jpg": Box(0.40, 0.06, 0.28, 0.33),
    "biden.jpg": Box(0.44, 0.08, 0.30, 0.19),
    "astronaut.png": Box(0.35, 0.12, 0.18, 0.23),
}
ONE_PERSON = ("obama.jpg", "obama2.jpg", "obama3.jpg")


def _only_face(engine: FaceEngine, picture: bytes) -> DetectedFace:
    (face,) = engine.detect(picture).faces
    return face


@pytest.mark.parametrize("name", FACE_BY_EYE)
def test_a_portrait_has_one_face_where_a_person_sees_it(engine: FaceEngine, photo: Photo, name: str) -> None:
    face = _only_face(engine, photo(name))
    assert intersection_over_union(face.box, FACE_BY_EYE[name]) > 0.6
    assert 0.5 < face.confidence <= 1


def test_one_person_on_three_photos_would_be_bound_and_two_other_people_not_even_suggested(
    engine: FaceEngine, photo: Photo
) -> None:
    same = [_only_face(engine, photo(name)) for name in ONE_PERSON]
    others = [_only_face(engine, photo(name)) for name in ("biden.jpg", "astronaut.png")]
    assert min(cosine(a, b) for a, b in itertools.combinations(same, 2)) > engine.thresholds.autobind
    assert max(cosine(a, b) for a, b in itertools.product(same, others)) < engine.thresholds.offer
    assert cosine(*others) < engine.thresholds.offer


def test_a_vector_is_as_many_float32_as_the_model_gives_of_length_1(engine: FaceEngine, photo: Photo) -> None:
    face = _only_face(engine, photo("obama.jpg"))
    assert len(face.vector) == 4 * 128
    assert np.linalg.norm(vector(face)) == pytest.approx(1.0, abs=1e-5)


def test_every_person_on_a_group_photo_is_found_at_their_place_and_recognised(
    engine: FaceEngine, photo: Photo, sheet: bytes
) -> None:
    faces = sorted(engine.detect(sheet).faces, key=lambda face: face.box.x)
    assert [int(3 * (face.box.x + face.box.w / 2)) for face in faces] == [0, 1, 2]
    for face, name in zip(faces, ("obama.jpg", "biden.jpg", "astronaut.png"), strict=True):
        assert cosine(face, _only_face(engine, photo(name))) > engine.thresholds.autobind


def test_six_people_on_one_photo_are_six_faces_and_no_two_of_them_one_person(
    engine: FaceEngine, six_people: Path
) -> None:
    faces = engine.detect(six_people.read_bytes()).faces
    assert len(faces) == 6
    assert max(cosine(a, b) for a, b in itertools.combinations(faces, 2)) < engine.thresholds.autobind


def test_faces_come_the_surest_first(engine: FaceEngine, sheet: bytes) -> None:
    confidences = [face.confidence for face in engine.detect(sheet).faces]
    assert confidences == sorted(confidences, reverse=True)


@pytest.mark.parametrize("name", ["coffee.png", "rocket.jpg"])
def test_a_picture_without_a_face_is_answered_with_none(engine: FaceEngine, photo: Photo, name: str) -> None:
    detection = engine.detect(photo(name))
    assert detection.faces == ()
    assert detection.model_version == engine.model_version


def test_a_picture_of_one_pixel_has_no_face(engine: FaceEngine) -> None:
    assert engine.detect(encoded(Image.new("RGB", (1, 1)), "PNG")).faces == ()


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "I;16"])
def test_pictures_of_every_colour_kind_are_read(engine: FaceEngine, mode: str) -> None:
    assert engine.detect(encoded(Image.new(mode, (40, 30)), "PNG")).faces == ()


@pytest.mark.parametrize(("kind", "least"), [("JPEG", 0.95), ("WEBP", 0.95), ("PNG", 0.999)])
def test_the_file_format_does_not_change_who_it_is(engine: FaceEngine, photo: Photo, kind: str, least: float) -> None:
    with Image.open(BytesIO(photo("astronaut.png"))) as original:
        again = encoded(original.convert("RGB"), kind)
    assert cosine(_only_face(engine, again), _only_face(engine, photo("astronaut.png"))) > least


def test_an_orientation_tag_is_obeyed(engine: FaceEngine, photo: Photo) -> None:
    with Image.open(BytesIO(photo("obama.jpg"))) as upright:
        exif = Image.Exif()
        exif[0x0112] = 6
        lying = encoded(upright.transpose(Image.Transpose.ROTATE_90), exif=exif)
    assert intersection_over_union(_only_face(engine, lying).box, FACE_BY_EYE["obama.jpg"]) > 0.6


def test_a_turned_head_keeps_its_identity(engine: FaceEngine, photo: Photo) -> None:
    with Image.open(BytesIO(photo("obama.jpg"))) as upright:
        turned = encoded(upright.rotate(20, resample=Image.Resampling.BICUBIC))
    assert cosine(_only_face(engine, turned), _only_face(engine, photo("obama.jpg"))) > 0.8


@pytest.mark.parametrize("off", [(0, 0, 0, 0), (-0.1, 0.05, 0.2, 0.1), (0.08, 0.1, -0.12, -0.12)])
def test_a_hand_drawn_face_compares_with_the_detected_one(
    engine: FaceEngine, photo: Photo, off: tuple[float, float, float, float]
) -> None:
    picture = photo("biden.jpg")
    face = _only_face(engine, picture)
    box, (x, y, w, h) = face.box, off
    drawn = Box(box.x + x * box.w, box.y + y * box.h, box.w * (1 + w), box.h * (1 + h))
    embedding = engine.embed(picture, drawn)
    assert embedding.model_version == engine.model_version
    assert cosine(embedding, face) > 0.9


def test_a_box_drawn_on_a_group_photo_measures_the_face_inside_it(
    engine: FaceEngine, photo: Photo, sheet: bytes
) -> None:
    box = Box(0.46, 0.04, 0.13, 0.5)
    assert cosine(engine.embed(sheet, box), _only_face(engine, photo("biden.jpg"))) > engine.thresholds.autobind
    assert cosine(engine.embed(sheet, box), _only_face(engine, photo("obama.jpg"))) < engine.thresholds.offer


def test_a_box_where_no_eyes_nose_and_mouth_are_seen_cannot_be_embedded(engine: FaceEngine, photo: Photo) -> None:
    with pytest.raises(Unreadable, match="no eyes, nose and mouth"):
        engine.embed(photo("coffee.png"), Box(0.1, 0.3, 0.3, 0.4))


def test_a_model_that_takes_faces_as_they_lie_measures_a_box_where_no_face_is_seen_as_it_was_drawn(
    facenet: FaceEngine, photo: Photo
) -> None:
    first, second = (facenet.embed(photo("coffee.png"), Box(x, 0.3, 0.3, 0.4)) for x in (0.1, 0.5))
    assert np.linalg.norm(vector(first)) == pytest.approx(1.0, abs=1e-5)
    assert cosine(first, second) < 0.99
    picture = photo("obama.jpg")
    assert facenet.embed(picture, Box(0.5, 0.5, 2.0, 2.0)) == facenet.embed(picture, Box(0.5, 0.5, 0.5, 0.5))


def test_a_box_over_the_edge_is_cut_to_the_picture(engine: FaceEngine, photo: Photo) -> None:
    with Image.open(BytesIO(photo("obama.jpg"))) as portrait:
        picture = encoded(portrait.crop((int(0.38 * portrait.width), 0, portrait.width, portrait.height // 2)))
    over, cut = Box(-0.4, -0.5, 0.9, 1.3), Box(0.0, 0.0, 0.5, 0.8)
    assert engine.embed(picture, over) == engine.embed(picture, cut)


@pytest.mark.parametrize("box", [Box(1.2, 0.1, 0.2, 0.2), Box(0.5, 0.5, 0.0, 0.2), Box(0.5, 0.5, 0.001, 0.001)])
def test_a_box_off_the_picture_or_without_pixels_cannot_be_embedded(engine: FaceEngine, photo: Photo, box: Box) -> None:
    with pytest.raises(Unreadable, match="8 pixels"):
        engine.embed(photo("obama.jpg"), box)


def _png_that_claims(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"\0" * 100)
    chunks = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, body, b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda _: b"", "no JPEG, PNG or WebP"),
        (lambda _: b"not a picture at all", "no JPEG, PNG or WebP"),
        (lambda _: encoded(Image.new("RGB", (50, 50)), "GIF"), "no JPEG, PNG or WebP"),
        (lambda jpeg: jpeg[: len(jpeg) // 2], "truncated"),
        (lambda _: encoded(Image.effect_noise((200, 200), 50), "PNG")[:9000], "truncated"),
        (lambda _: _png_that_claims(12_000, 12_000), "100 million"),
        (lambda _: _png_that_claims(60_000, 60_000), "too large"),
    ],
    ids=["empty", "text", "gif", "half a jpeg", "half a png", "144 megapixels", "3600 megapixels"],
)
def test_what_cannot_be_decoded_is_unreadable_with_its_reason(
    engine: FaceEngine, photo: Photo, spoil: Callable[[bytes], bytes], reason: str
) -> None:
    picture = spoil(photo("obama.jpg"))
    with pytest.raises(Unreadable, match=reason):
        engine.detect(picture)
    with pytest.raises(Unreadable, match=reason):
        engine.embed(picture, Box(0.1, 0.1, 0.5, 0.5))


def test_many_threads_at_once_get_the_answers_that_each_would_get_alone(engine: FaceEngine, photo: Photo) -> None:
    pictures = [photo(name) for name in ("obama2.jpg", "astronaut.png", "coffee.png")] * 3
    alone = [engine.detect(picture) for picture in pictures[:3]] * 3
    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(engine.detect, pictures)) == alone


def test_the_engine_names_its_model_and_the_models_thresholds(engine: FaceEngine) -> None:
    assert engine.model_version == "centerface-2+sface-2021dec"
    assert engine.thresholds == SFACE.thresholds.resolved()


def test_both_engines_give_the_same_faces(embedded: FaceEngine, remote: FaceEngine, sheet: bytes) -> None:
    here, there = embedded.detect(sheet), remote.detect(sheet)
    assert [(face.box, face.confidence) for face in here.faces] == [(face.box, face.confidence) for face in there.faces]
    for a, b in zip(here.faces, there.faces, strict=True):
        np.testing.assert_allclose(vector(a), vector(b), atol=1e-6)
    box = here.faces[0].box
    np.testing.assert_allclose(vector(embedded.embed(sheet, box)), vector(remote.embed(sheet, box)), atol=1e-6)
