"""What an editor does to a named, tagged portrait, and what is left of name, tag and id afterwards.

    python -m bench.edits

One photo an edit, in a library that a real server serves; each is named and tagged, edited in its place, and looked at
again once detection has settled.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from bench.corpus_files import run
from tests.scenarios.serving import Served, serving
from tests.waiting import until

Edit = Callable[[Image.Image], Image.Image]
SAMPLES: Final = Path(".cache/samples")
PATIENCE_SECONDS: Final = 300.0


def _crop(left: float, top: float, right: float, bottom: float) -> Edit:
    def crop(picture: Image.Image) -> Image.Image:
        w, h = picture.size
        return picture.crop((round(left * w), round(top * h), round(w - right * w), round(h - bottom * h)))

    return crop


def _turn(how: Image.Transpose) -> Edit:
    return lambda picture: picture.transpose(how)


def _smaller(part: float) -> Edit:
    return lambda picture: picture.resize((round(picture.width * part), round(picture.height * part)))


EDITS: Final[dict[str, Edit]] = {
    "saved anew": lambda picture: picture,
    "a fifth off the left": _crop(0.2, 0, 0, 0),
    "a fifth off the right": _crop(0, 0, 0.2, 0),
    "a fifth off the bottom": _crop(0, 0, 0, 0.2),
    "a tenth off all sides": _crop(0.1, 0.1, 0.1, 0.1),
    "15 % off all sides": _crop(0.15, 0.15, 0.15, 0.15),
    "a quarter off left and bottom": _crop(0.25, 0, 0, 0.25),
    "cut square": lambda picture: ImageOps.fit(picture, (min(picture.size),) * 2),
    "turned by 90 degrees": _turn(Image.Transpose.ROTATE_270),
    "turned by 180 degrees": _turn(Image.Transpose.ROTATE_180),
    "turned by 270 degrees": _turn(Image.Transpose.ROTATE_90),
    "mirrored": _turn(Image.Transpose.FLIP_LEFT_RIGHT),
    "cropped and turned": lambda picture: _crop(0.1, 0, 0.1, 0.1)(picture).transpose(Image.Transpose.ROTATE_270),
    "levelled by 3 degrees": lambda picture: _crop(0.06, 0.06, 0.06, 0.06)(picture.rotate(3, Image.Resampling.BICUBIC)),
    "black and white": lambda picture: picture.convert("L"),
    "sepia": lambda picture: ImageOps.colorize(picture.convert("L"), "#331100", "#ffeecc"),
    "lighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.4),
    "darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.6),
    "more contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(1.6),
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(3)),
    "half the size": _smaller(0.5),
    "a white border": lambda picture: ImageOps.expand(picture, picture.width // 20, "white"),
    "rated by exiftool": lambda picture: picture,
}
"""Each with what it does; the last one leaves the picture as it is."""


def main() -> None:
    """Print what stands after each edit."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "photos")
        root.mkdir()
        names = {how: f"{number:02}.jpg" for number, how in enumerate(EDITS)}
        with Image.open(SAMPLES / "obama.jpg") as picture:
            for number, name in enumerate(names.values()):
                picture.save(root / name, quality=95 - number)
        with serving(Path(folder, "data"), root) as server:
            _settled(server, len(EDITS))
            before = {how: _named(server, name) for how, name in names.items()}
            for how, name in names.items():
                _apply(how, root / name)
            time.sleep(PATIENCE_SECONDS / 20)
            _settled(server, len(EDITS))
            kept = {how: _stands(server, name, before[how]) for how, name in names.items()}
    print("| edit | name | id | tag |\n| --- | --- | --- | --- |")
    for how, stands in kept.items():
        print(f"| {how} | " + " | ".join("yes" if each else "**no**" for each in stands) + " |")
    totals = [sum(column) for column in zip(*kept.values(), strict=True)]
    print(f"| **of {len(kept)}** | " + " | ".join(map(str, totals)) + " |")


def _settled(server: Served, photos: int) -> None:
    def is_done() -> bool:
        stats = server.client.get("/faces/stats").json()
        return bool(stats["scanned"] == photos and not stats["pending"])

    until(is_done, "detection did not settle", seconds=PATIENCE_SECONDS, interval=0.5)


def _faces(server: Served, name: str) -> list[tuple[int, str | None]]:
    found = server.client.get("/image/faces", params={"path": name}).json()["items"]
    return [(face["id"], face["person_name"]) for face in found]


def _named(server: Served, name: str) -> int:
    face = _faces(server, name)[0][0]
    server.client.post("/image/faces/batch", json={"ids": [face], "action": "assign", "name": f"Person {name}"})
    server.client.post("/image/tags", json={"path": name, "name": f"tag {name}"})
    return face


def _apply(how: str, path: Path) -> None:
    if how == "rated by exiftool":
        if shutil.which("exiftool"):
            run("exiftool", "-q", "-overwrite_original", "-XMP:Rating=4", str(path))
        return
    with Image.open(path) as picture:
        edited = EDITS[how](picture.convert("RGB"))
    edited.save(path, quality=92)


def _stands(server: Served, name: str, face: int) -> tuple[bool, bool, bool]:
    found = _faces(server, name)
    tags = [tag["name"] for tag in server.client.get("/image/tags", params={"path": name}).json()["items"]]
    return f"Person {name}" in [who for _, who in found], face in [id_ for id_, _ in found], f"tag {name}" in tags


if __name__ == "__main__":
    main()
