"""Files of the corpus that are large, deep or cut off: shown all the same within the limits, or named; and told of
without a pixel being decoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from bench.corpus_colours import deep_png, png_chunk, tagged, through
from bench.corpus_files import CHART, CorpusFile, Samples, Told, chart, eight_bits, saved, writes
from tests.adapters.media.tiffs import tiff

_TIMES: Final = 16
"""By how much the chart is enlarged: to 3,840 x 2,880 pixels."""


def limit_files() -> Iterator[CorpusFile]:
    """Every file of this line of the table."""
    row, large = "9 limits: large", _large()
    picture = eight_bits(large)
    size: dict[str, Told] = {"width": picture.width, "height": picture.height}
    png = saved(picture, "PNG", compress_level=1)
    contents = {
        "large.jxl": through(png, "png", "jxl", "cjxl", "{in}", "{out}", "-d", "0.5", "-e", "3", "--quiet"),
        "progressive.jpg": saved(picture, "JPEG", quality=95, subsampling=0, progressive=True),
        "large.heic": saved(picture, "HEIF", quality=95, chroma=444),
        "large.png": png,
        "large deep planes.tif": tiff(large, planar=True),
        "large deep.png": deep_png(large, None),
        "large.webp": saved(picture, "WEBP", quality=95),
        "large.jp2": saved(picture, "JPEG2000"),
    }
    for name, content in contents.items():
        yield CorpusFile(name=name, row=row, make=writes(content), colours=CHART, metadata=size)
    row = "9 limits: EXIF without pixels"
    small = saved(eight_bits(chart()), "PNG")
    content = tagged(small, "png", "-Make=Maker", "-ISO=800")
    told: dict[str, Told] = {"make": "Maker", "iso": 800, "width": 240, "height": 180}
    yield CorpusFile(name="exif.png", row=row, make=writes(content), colours=CHART, metadata=told)
    jxl = through(small, "png", "jxl", "cjxl", "{in}", "{out}", "-d", "0", "--container", "1", "--quiet")
    content = tagged(jxl, "jxl", "-Make=Maker", "-ISO=800")
    yield CorpusFile(name="exif.jxl", row=row, make=writes(content), colours=CHART, metadata=told)
    yield from _broken()


def _large() -> Samples:
    return np.asarray(chart().repeat(_TIMES, axis=0).repeat(_TIMES, axis=1))


def _broken() -> Iterator[CorpusFile]:
    row = "9 limits: named"
    header = (20_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    bomb = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")
    yield CorpusFile(name="400 megapixels.png", row=row, make=writes(bomb), is_shown=False)
    jxl = through(saved(eight_bits(chart()), "PNG"), "png", "jxl", "cjxl", "{in}", "{out}", "-d", "0", "--quiet")
    yield CorpusFile(name="cut off.jxl", row=row, make=writes(jxl[: len(jxl) // 3]), is_shown=False)
    deep = tiff(chart(), planar=True)
    yield CorpusFile(name="cut off.tif", row=row, make=writes(deep[: len(deep) // 3]), is_shown=False)
