"""Pictures that the tests of media make: small, with a known corner, in every format and colour."""

from __future__ import annotations

import io
import random
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import ExifTags, Image

pillow_heif.register_heif_opener()

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 180, 60), (30, 60, 220), (230, 210, 40)
EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "TIFF": "tif", "BMP": "bmp", "HEIF": "heic"}
EXTENSIONS |= {"AVIF": "avif", "JPEG2000": "jp2"}


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """A picture whose quarters are red and green above, blue and yellow below."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image


def scene(width: int, height: int) -> Image.Image:
    """A picture with detail everywhere: gradients under waves of many lengths."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    waves = sum(np.sin(x / step + y / (step * 1.7)) for step in (3, 11, 37, 131))
    planes = [120 + 20 * waves + 60 * np.sin(turn + x / width * 3 + y / height * 2) for turn in (0, 2, 4)]
    return Image.fromarray(np.clip(np.stack(planes, 2), 0, 255).astype(np.uint8))


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    """A picture in a format, at a quality that keeps its colours."""
    if format_name in ("JPEG", "WEBP", "HEIF", "AVIF"):
        options = {"quality": 92, **options}
    file = io.BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


def jxl(image: Image.Image) -> bytes:
    """A picture as JPEG XL, which ffmpeg alone writes here."""
    way = ["-f", "png_pipe", "-i", "pipe:0", "-c:v", "libjxl", "-f", "image2pipe", "pipe:1"]
    png = encoded(image, "PNG")
    return subprocess.run(["ffmpeg", "-v", "error", *way], input=png, capture_output=True, check=True).stdout


def with_orientation(orientation: int, format_name: str = "JPEG") -> bytes:
    """`quarters`, stored as EXIF's orientation says, so that upright it is `quarters` again."""
    stored = quarters()
    for step in STORED_BY[orientation]:
        stored = stored.transpose(step)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return encoded(stored, format_name, exif=exif)


_T = Image.Transpose
STORED_BY: dict[int, tuple[Image.Transpose, ...]] = {
    1: (),
    2: (_T.FLIP_LEFT_RIGHT,),
    3: (_T.ROTATE_180,),
    4: (_T.FLIP_TOP_BOTTOM,),
    5: (_T.TRANSPOSE,),
    6: (_T.ROTATE_90,),
    7: (_T.TRANSVERSE,),
    8: (_T.ROTATE_270,),
}
"""What undoes each orientation: 6 is shown turned clockwise, so it is stored turned counter-clockwise."""


def corners(image: Image.Image) -> list[str]:
    """The names of the colours in the four corners, from upper left, by rows."""
    named = {"red": RED, "green": GREEN, "blue": BLUE, "yellow": YELLOW, "white": (255, 255, 255), "black": (0, 0, 0)}
    rgb = np.asarray(image.convert("RGB")).astype(int)
    height, width = rgb.shape[:2]
    found = []
    for y, x in ((0.15, 0.15), (0.15, 0.85), (0.85, 0.15), (0.85, 0.85)):
        pixel = rgb[int(y * height), int(x * width)]
        found.append(min(named, key=lambda name: int(np.abs(pixel - np.array(named[name])).sum())))
    return found


QUARTERS = ["red", "green", "blue", "yellow"]


def put(folder: Path, name: str, content: bytes) -> bytes:
    """Write a file and give its path as bytes."""
    path = folder / name
    path.write_bytes(content)
    return bytes(path)


VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("PNG", {}),
    ("GIF", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "jpeg"}),
    ("BMP", {}),
    ("HEIF", {}),
    ("AVIF", {}),
    ("JPEG2000", {}),
]


def with_exif() -> Image.Exif:
    """An EXIF block with all three directories."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Canon"
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2024:05:01 12:00:00"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (10.0, 20.0, 30.0)
    return exif


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The content with some of its bytes changed, and now and then a piece removed, repeated or cut off."""
    changed = bytearray(content)
    reach = len(changed) if chance.random() < 0.5 else min(400, len(changed))  # headers are the more tender part
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        changed[chance.randrange(reach)] = chance.choice([0, 255, 127, 128, chance.randrange(256)])
    at = chance.randrange(len(changed))
    piece = chance.randrange(1, 64)
    what = chance.random()
    if what < 0.15:
        del changed[at : at + piece]
    elif what < 0.3:
        changed[at:at] = changed[at : at + piece]
    elif what < 0.4:
        del changed[at:]
    return bytes(changed)
