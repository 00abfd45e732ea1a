"""The photos that recognition is measured on: whose they are, how they are altered, and what the engine makes of them.

70 of the 73 persons are in no set that a recogniser is trained on: 40 people of a laboratory on ten photos each, and 30
out of a college's yearbooks of the 1920s, years apart and often blurred; the others are public figures. requirements/
samples.py fetches the files, which are named after their persons.
"""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from adapters.face_engines.embedded import EmbeddedEngine, prepare
from adapters.face_engines.model_card import FaceModel
from adapters.workers.pool import WorkerPool
from domain.base.geometry import Box
from domain.ports.face_engine import DetectedFace

Matrix = npt.NDArray[np.float32]
Alteration = Callable[[Image.Image, Box], Image.Image]
CACHE: Final = Path(__file__).resolve().parent.parent / ".cache"
PUBLIC: Final = {
    "obama.jpg": "obama",
    "obama2.jpg": "obama",
    "obama3.jpg": "obama",
    "obama_partial_face.jpg": "obama",
    "obama_partial_face2.jpg": "obama",
    "biden.jpg": "biden",
    "astronaut.png": "astronaut",
}
"""Portraits in `.cache/samples`, and who is on each."""
MISLABELLED: Final = frozenset({"yearbook-00027_aa.pgm"})
"""Another person than on the four others of that name: other ears, hair and chin; no recogniser finds them alike."""
LONG_SIDE: Final = 256
"""Pixels to which the smaller photos are enlarged, as a face on a preview would be."""
GROUND: Final = (110, 110, 110)


class Portrait(NamedTuple):
    """A photo of one person: `collection` tells where it is from."""

    path: Path
    person: str
    collection: str

    def picture(self) -> Image.Image:
        """The photo in colours, at least `LONG_SIDE` pixels long."""
        with Image.open(self.path) as image:
            plain = image.convert("RGB")
        ratio = LONG_SIDE / max(plain.size)
        if ratio <= 1:
            return plain
        return plain.resize((round(plain.width * ratio), round(plain.height * ratio)), Image.Resampling.BICUBIC)


def portraits() -> list[Portrait]:
    """All of them, by person."""
    files = sorted(path for path in (CACHE / "portraits").glob("*.pgm") if path.name not in MISLABELLED)
    private = [Portrait(path, path.stem.partition("_")[0], path.stem.partition("-")[0]) for path in files]
    public = [Portrait(CACHE / "samples" / name, person, "public") for name, person in PUBLIC.items()]
    return private + public


def jpeg(picture: Image.Image, quality: int = 92) -> bytes:
    """The bytes that the engine is given."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def faces_seen(model: FaceModel, pictures: Sequence[bytes]) -> list[DetectedFace | None]:
    """The largest face that the engine finds on each, with its vector: one worker process a core."""
    cores = len(os.sched_getaffinity(0))
    with closing(WorkerPool(cores, initializer=functools.partial(prepare, model), niceness=0)) as pool:
        engine = EmbeddedEngine(pool, model, seconds=300.0)

        def largest(picture: bytes) -> DetectedFace | None:
            faces = engine.detect(picture).faces
            return max(faces, key=lambda face: face.box.w * face.box.h, default=None)

        with ThreadPoolExecutor(cores) as threads:
            return list(threads.map(largest, pictures))


def vectors_of(faces: Sequence[DetectedFace]) -> Matrix:
    """Their vectors as rows."""
    return np.array([np.frombuffer(face.vector, dtype="<f4") for face in faces])


# Alterations: what happens to faces on the photos of a family


def _turned(degrees: float) -> Alteration:
    return lambda picture, _: picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=GROUND)


def _lit(brightness: float) -> Alteration:
    return lambda picture, _: ImageEnhance.Brightness(picture).enhance(brightness)


def _blurred(share: float) -> Alteration:
    """Out of focus: a radius of this share of the face's width."""
    return lambda picture, box: picture.filter(ImageFilter.GaussianBlur(share * box.w * picture.width))


def _covered(top: float, bottom: float, colour: tuple[int, int, int]) -> Alteration:
    """A bar over the face between two heights of its box: a mask, or sunglasses."""

    def covered(picture: Image.Image, box: Box) -> Image.Image:
        altered = picture.copy()
        left, right = box.x * picture.width, (box.x + box.w) * picture.width
        first, last = ((box.y + box.h * part) * picture.height for part in (top, bottom))
        ImageDraw.Draw(altered).rectangle((left, first, right, last), fill=colour)
        return altered

    return covered


def _small(width: int) -> Alteration:
    """The face so many pixels wide, on a picture of 320."""

    def small(picture: Image.Image, box: Box) -> Image.Image:
        ratio = width / (box.w * picture.width)
        tiny = picture.resize(
            (max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio))), Image.Resampling.LANCZOS
        )
        ground = Image.new("RGB", (320, 320), GROUND)
        ground.paste(tiny, ((320 - tiny.width) // 2, (320 - tiny.height) // 2))
        return ground

    return small


def _saved_at(quality: int) -> Alteration:
    def saved(picture: Image.Image, _: Box) -> Image.Image:
        with Image.open(io.BytesIO(jpeg(picture, quality))) as image:
            return image.convert("RGB")

    return saved


def _tinted(picture: Image.Image, _: Box) -> Image.Image:
    return ImageOps.colorize(ImageOps.grayscale(picture), (20, 0, 0), (255, 210, 130))


def _cropped(picture: Image.Image, box: Box) -> Image.Image:
    across, down = box.w * picture.width * 0.15, box.h * picture.height * 0.15
    left, top = max(0, int(box.x * picture.width - across)), max(0, int(box.y * picture.height - down))
    right, bottom = (box.x + box.w) * picture.width + across, (box.y + box.h) * picture.height + down
    return picture.crop((left, top, min(picture.width, int(right)), min(picture.height, int(bottom))))


def _mirrored(picture: Image.Image, _: Box) -> Image.Image:
    return ImageOps.mirror(picture)


ALTERED: Final[Mapping[str, Alteration]] = {
    "turned by 15°": _turned(15),
    "dark (a quarter of the light)": _lit(0.25),
    "out of focus": _blurred(0.04),
    "masked mouth": _covered(0.58, 1.0, (200, 220, 230)),
    "sunglasses": _covered(0.26, 0.50, (15, 15, 15)),
    "40 pixels wide": _small(40),
    "24 pixels wide": _small(24),
    "JPEG at quality 20": _saved_at(20),
    "tinted": _tinted,
}
"""How another photo of the person might look."""
VERSIONS: Final[Mapping[str, Alteration]] = {
    "cropped": _cropped,
    "JPEG at quality 50": _saved_at(50),
    "brighter": _lit(1.3),
    "darker": _lit(0.7),
    "mirrored": _mirrored,
    "turned by 5°": _turned(5),
    "half as wide": _small(60),
}
"""What programs make of one and the same photo."""


def altered_by(alter: Alteration, shown: Sequence[Portrait], seen: Sequence[DetectedFace]) -> Iterator[bytes]:
    """These photos with the face that the engine saw on each altered."""
    return (jpeg(alter(one.picture(), face.box)) for one, face in zip(shown, seen, strict=True))
