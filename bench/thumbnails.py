"""What a photo's renditions cost, in CPU-seconds, against the least that any program must do: decode the JPEG.

Makes photo-like JPEGs of 12 to 24 megapixels (noise of every scale, as textures have it), and times, interleaved so
that a busy machine disturbs all alike:

- libjpeg-turbo's scaled decode alone, to thumbnail size and to preview size, through simplejpeg;
- making preview and thumbnail from one decode, without reading or writing files;
- all of `index_file`: reading, hashing, EXIF, both renditions, placeholder, writing;
- `index_file` of a copy, whose renditions are there.

Run it from the checkout: `python -m bench.thumbnails`.
"""

from __future__ import annotations

import argparse
import io
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import simplejpeg  # type: ignore[import-untyped]  # it brings stubs but not the py.typed that makes them count
from PIL import Image

from adapters.media.indexing import index_file
from adapters.media.pictures import open_picture, shrunk
from adapters.media.renditions import QUALITIES, SIDES, encoded
from adapters.media.worker import prepare

SIZES = ((4000, 3000), (3024, 4032), (4624, 3472), (6000, 4000))


def photo(width: int, height: int, seed: int) -> bytes:
    """A JPEG of about 0.28 bytes a pixel, as cameras write: noise of every wavelength, the shorter the fainter."""
    chance = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), 118, np.float32)
    cells = 2
    while cells <= max(width, height):
        noise = chance.normal(size=(max(2, cells * height // width), cells, 3)).astype(np.float32)
        noise = 0.25 * noise + 0.75 * noise.mean(axis=2, keepdims=True)  # colours vary less than light does
        strength = 55 * (2 / cells) ** 0.42
        for channel in range(3):
            layer = Image.fromarray(noise[:, :, channel]).resize((width, height), Image.Resampling.BICUBIC)
            pixels[:, :, channel] += strength * np.asarray(layer)
        cells *= 2
    pixels += chance.normal(size=(height, width, 1)).astype(np.float32) * 4  # the sensor's own
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=92)
    return file.getvalue()


def decode_alone(content: bytes, long_side: int) -> None:
    """The yardstick: the smallest scaled decode that is large enough."""
    height, width, _, _ = simplejpeg.decode_jpeg_header(content)
    scale = long_side / max(height, width)
    simplejpeg.decode_jpeg(content, min_width=int(width * scale), min_height=int(height * scale))


def render_alone(content: bytes) -> None:
    """Preview and thumbnail from one decode, as bytes."""
    preview = open_picture(content, "jpeg").decoded(SIDES["preview"]).pixels
    encoded(preview, QUALITIES["preview"])
    encoded(shrunk(preview, SIDES["thumb"]), QUALITIES["thumb"])


def cpu_milliseconds(work: Callable[[], object]) -> float:
    """The CPU time of all threads of this process that one run takes."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def measured(folder: Path, rounds: int) -> dict[str, list[float]]:
    """The median CPU-milliseconds of each kind of work on each photo, in the order of `SIZES`."""
    renditions = folder / "renditions"
    medians: dict[str, list[float]] = {}
    for seed, (width, height) in enumerate(SIZES):
        content = photo(width, height, seed)
        path = folder / f"{seed}.jpg"
        path.write_bytes(content)

        def index(path: Path = path) -> None:
            assert index_file(bytes(path), str(renditions), "photo").has_renditions

        works: dict[str, Callable[[], object]] = {
            "scaled decode alone, to 512": lambda content=content: decode_alone(content, SIDES["thumb"]),  # type: ignore[misc]  # bound now, for this photo
            "scaled decode alone, to 1440": lambda content=content: decode_alone(content, SIDES["preview"]),  # type: ignore[misc]  # the same
            "preview and thumbnail": lambda content=content: render_alone(content),  # type: ignore[misc]  # the same
            "index_file": index,
            "index_file of a copy": index,
        }
        times: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(rounds):
            shutil.rmtree(renditions, ignore_errors=True)
            for name, work in works.items():
                times[name].append(cpu_milliseconds(work))
        for name, each in times.items():
            medians.setdefault(name, []).append(statistics.median(each))
    return medians


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7, help="runs of each work on each photo; the median counts")
    rounds = parser.parse_args().rounds
    prepare()
    with tempfile.TemporaryDirectory() as folder:
        medians = measured(Path(folder), rounds)
    to_thumb, to_preview = (medians[f"scaled decode alone, to {SIDES[which]}"] for which in ("thumb", "preview"))
    columns = "".join(f"{width}x{height}".rjust(11) for width, height in SIZES)
    print(f"{'CPU-milliseconds an image':30}{columns}{'mean':>9}{'/ to 512':>10}{'/ to 1440':>10}")
    for name, each in medians.items():
        mean = statistics.mean(each)
        ratios = mean / statistics.mean(to_thumb), mean / statistics.mean(to_preview)
        print(f"{name:30}" + "".join(f"{ms:11.1f}" for ms in each) + f"{mean:9.1f}{ratios[0]:10.2f}{ratios[1]:10.2f}")


if __name__ == "__main__":
    main()
