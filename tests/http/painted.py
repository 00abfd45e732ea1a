"""Pictures with painted faces, and the one fake of these tests: an engine at the port that recognises them.

A face is a square of a strong colour on grey; whose it is, is the colour. The engine really looks at the pixels of the
preview that it is given, so a wrong picture or box shows.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from domain.base.errors import Unreadable
from domain.base.geometry import Box
from domain.ports.face_engine import DetectedFace, Detection, Embedding, Thresholds

COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (30, 200, 30), "pink": (230, 60, 60)}
"""`pink` is close enough to `red` to be suggested as the same person, and far enough to be no copy."""
SIZE = (600, 400)
DIMENSIONS = 128
"""Of the vectors: fewer than clients are answered."""
Square = tuple[str, int, int, int]
"""A painted face: colour, left, top and side in pixels."""


def paint(path: Path, *squares: Square, shade: int = 128, exif: Image.Exif | None = None) -> Path:
    """A JPEG with these faces; `shade` of the grey ground makes two pictures differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", SIZE, (shade, shade, shade))
    draw = ImageDraw.Draw(picture)
    for colour, left, top, side in squares:
        draw.rectangle((left, top, left + side - 1, top + side - 1), fill=COLOURS[colour])
    picture.save(path, "JPEG", quality=92, **({} if exif is None else {"exif": exif}))
    return path


class PaintedFaces:
    """An engine for painted faces: its vectors are colours, so its cosines are those of colours."""

    def __init__(self, model_version: str = "painted-1") -> None:
        self.model_version = model_version
        self.error: Exception | None = None
        self.asked = 0

    @property
    def thresholds(self) -> Thresholds:
        """As the port says."""
        return Thresholds(autobind=0.95, offer=0.9, preselect=0.95, cluster=0.9)

    def detect(self, picture: bytes) -> Detection:
        """As the port says."""
        pixels = self._pixels(picture)
        height, width = pixels.shape[:2]
        strong = (pixels.max(axis=2).astype(int) - pixels.min(axis=2) > 90).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(strong)
        faces = []
        for left, top, w, h, area in stats[1:count].tolist():
            if area >= 100:
                box = Box(left / width, top / height, w / width, h / height)
                faces.append(DetectedFace(box, 0.9, _vector(pixels, box)))
        return Detection(self.model_version, tuple(sorted(faces, key=lambda face: face.box.x)))

    def embed(self, picture: bytes, box: Box) -> Embedding:
        """As the port says; grey is no face."""
        pixels = self._pixels(picture)
        colour = _colour(pixels, box)
        if colour.max() - colour.min() < 90:
            raise Unreadable("there is no face in this crop")
        return Embedding(self.model_version, _vector(pixels, box))

    def close(self) -> None:
        """Nothing to give back."""

    def _pixels(self, picture: bytes) -> npt.NDArray[np.uint8]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        with Image.open(io.BytesIO(picture)) as image:
            return np.asarray(image.convert("RGB"))


def _colour(pixels: npt.NDArray[np.uint8], box: Box) -> npt.NDArray[np.float32]:
    height, width = pixels.shape[:2]
    x, y = int((box.x + box.w / 2) * width), int((box.y + box.h / 2) * height)
    around = pixels[max(0, y - 4) : y + 5, max(0, x - 4) : x + 5]
    return np.asarray(around.reshape(-1, 3).mean(axis=0), np.float32)


def _vector(pixels: npt.NDArray[np.uint8], box: Box) -> bytes:
    vector = np.zeros(DIMENSIONS, "<f4")
    vector[:3] = _colour(pixels, box)
    return bytes((vector / np.linalg.norm(vector)).tobytes())
