"""Files of the corpus whose colours are stated in every way that there is: by profiles, by EXIF, by numbers, with
transparency, in more than eight bits, and in planes."""

from __future__ import annotations

import subprocess
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from adapters.media.profiles import ADOBE_PRIMARIES, D65, SRGB_PRIMARIES, adobe_rgb, matrix_profile
from bench.corpus_files import (
    CHART,
    GREYS,
    Colour,
    CorpusFile,
    Samples,
    chart,
    eight_bits,
    rendered,
    run,
    saved,
    srgb_profile,
    writes,
)
from tests.adapters.media.tiffs import tiff

P3: Final = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
REC2020: Final = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
PROPHOTO: Final = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))
D50: Final = (0.3457, 0.3585)
_LEVELS: Final = np.linspace(0, 1, 1024)
SRGB_CURVE: Final[Sequence[float]] = np.where(
    _LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4
).tolist()

PROFILES: Final = {
    "sRGB": srgb_profile(),
    "sRGB by another name": matrix_profile("Camera RGB", SRGB_PRIMARIES, D65, SRGB_CURVE),
    "Display P3": matrix_profile("Display P3", P3, D65, SRGB_CURVE),
    "P3 that says sRGB": matrix_profile("DCI-P3 D65 Gamut with sRGB Transfer", P3, D65, SRGB_CURVE),
    "linear sRGB": matrix_profile("Linear sRGB", SRGB_PRIMARIES, D65, [1.0]),
    "linear of GIMP": matrix_profile("GIMP built-in sRGB (Linear RGB Profile)", SRGB_PRIMARIES, D65, [1.0]),
    "sRGB with gamma 1.8": matrix_profile("sRGB gamma 1.8", SRGB_PRIMARIES, D65, [1.8]),
    "Adobe RGB": adobe_rgb(),
    "ProPhoto": matrix_profile("ProPhoto RGB", PROPHOTO, D50, [1.8]),
    "Rec. 2020": matrix_profile("Rec2020-elle-V2-srgbtrc", REC2020, D65, SRGB_CURVE),
}
HEIF_ENC: Final = ("heif-enc", "-q", "98", "-p", "chroma=444")
AVIFENC: Final = ("avifenc", "-y", "444", "--min", "0", "--max", "2")
EVERYWHERE: Final = ("Display P3", "P3 that says sRGB", "linear sRGB", "Adobe RGB", "sRGB by another name")
"""Profiles that are tried in every format, the others in PNG and JPEG alone."""


def colour_files() -> Iterator[CorpusFile]:
    """Every file of this line of the table."""
    yield from _profiled()
    yield from _jxl()
    yield from _jp2()
    yield from _stated_by_exif()
    yield from _stated_by_numbers()
    yield from _grey()
    yield from _transparent()
    yield from _deep()


def _profiled() -> Iterator[CorpusFile]:
    formats: dict[str, tuple[str, dict[str, Any]]] = {
        "png": ("PNG", {}),
        "jpg": ("JPEG", {"quality": 97, "subsampling": 0}),
        "tif": ("TIFF", {}),
        "webp": ("WEBP", {"lossless": True}),
        "heic": ("HEIF", {"quality": 98, "chroma": 444}),
        "avif": ("AVIF", {"quality": 98, "subsampling": "4:4:4"}),
    }
    for ending, (format_name, options) in formats.items():
        for name in PROFILES if ending in {"png", "jpg"} else EVERYWHERE:
            content = saved(eight_bits(chart()), format_name, icc_profile=PROFILES[name], **options)
            yield _coloured(f"{name}.{ending}", "profile", content, rendered(CHART, PROFILES[name]))


def _coloured(name: str, line: str, content: bytes, colours: Sequence[Colour]) -> CorpusFile:
    return CorpusFile(name=name, row=f"6 colours: {line}", make=writes(content), colours=colours)


def _jxl() -> Iterator[CorpusFile]:
    """By cjxl: an original with its profile, and one that was taken apart into JPEG XL's own colours."""
    for name in EVERYWHERE:
        png = saved(eight_bits(chart()), "PNG", icc_profile=PROFILES[name])
        for distance in ("0", "0.5"):
            content = through(png, "png", "jxl", "cjxl", "{in}", "{out}", "-d", distance, "--quiet")
            yield _coloured(f"{name} {distance}.jxl", "profile", content, rendered(CHART, PROFILES[name]))
    jpeg = saved(eight_bits(chart()), "JPEG", icc_profile=PROFILES["Display P3"], quality=97, subsampling=0)
    content = through(jpeg, "jpg", "jxl", "cjxl", "{in}", "{out}", "-j", "1", "--quiet")
    yield _coloured("a JPEG inside.jxl", "profile", content, rendered(CHART, PROFILES["Display P3"]))


def _jp2() -> Iterator[CorpusFile]:
    """With a profile in a box, as exiftool cannot write and Photoshop does."""
    plain = saved(eight_bits(chart()), "JPEG2000")
    for name in EVERYWHERE:
        yield _coloured(
            f"{name}.jp2", "profile", with_profile_box(plain, PROFILES[name]), rendered(CHART, PROFILES[name])
        )


def with_profile_box(jp2: bytes, profile: bytes) -> bytes:
    """A JPEG 2000 whose colours are told by a restricted profile (ISO 15444-1, I.5.3.3)."""
    at = jp2.index(b"colr") - 4
    length = int.from_bytes(jp2[at : at + 4], "big")
    box = (8 + 3 + len(profile)).to_bytes(4, "big") + b"colr\x02\0\0" + profile
    header = jp2.index(b"jp2h") - 4
    whole = int.from_bytes(jp2[header : header + 4], "big") + len(box) - length
    return jp2[:header] + whole.to_bytes(4, "big") + jp2[header + 4 : at] + box + jp2[at + length :]


def _stated_by_exif() -> Iterator[CorpusFile]:
    """By DCF's optional colour space: a camera that is set to Adobe RGB writes no profile."""
    right = rendered(CHART, adobe_rgb())
    for ending, format_name, options in (
        ("jpg", "JPEG", {"quality": 97, "subsampling": 0}),
        ("heic", "HEIF", {"quality": 98, "chroma": 444}),
        ("tif", "TIFF", {}),
    ):
        plain = saved(eight_bits(chart()), format_name, **options)
        content = tagged(plain, ending, "-InteropIndex=R03", "-ColorSpace#=65535")
        yield _coloured(f"R03.{ending}", "EXIF", content, right)
    plain = saved(eight_bits(chart()), "JPEG", quality=97, subsampling=0)
    yield _coloured("ColorSpace 2.jpg", "EXIF", tagged(plain, "jpg", "-ColorSpace#=2"), right)
    yield _coloured("R98.jpg", "EXIF", tagged(plain, "jpg", "-InteropIndex=R98", "-ColorSpace#=1"), CHART)
    own = saved(eight_bits(chart()), "JPEG", quality=97, subsampling=0, icc_profile=PROFILES["Display P3"])
    right = rendered(CHART, PROFILES["Display P3"])
    yield _coloured("R03 beside a profile.jpg", "EXIF", tagged(own, "jpg", "-InteropIndex=R03"), right)


def _stated_by_numbers() -> Iterator[CorpusFile]:
    """By CICP in AVIF and HEIC, by gAMA and cHRM in PNG."""
    p3, wide = rendered(CHART, PROFILES["Display P3"]), rendered(CHART, PROFILES["Rec. 2020"])
    png = saved(eight_bits(chart()), "PNG")
    for name, numbers, right in (("P3", "12/13/6", p3), ("2020", "9/13/9", wide), ("sRGB", "1/13/6", CHART)):
        content = through(png, "png", "avif", *AVIFENC, "--cicp", numbers, "-r", "full", "{in}", "{out}")
        yield _coloured(f"CICP {name}.avif", "numbers", content, right)
        primaries, transfer, matrix = map(int, numbers.split("/"))
        words = {"color_primaries": primaries, "transfer_characteristics": transfer, "matrix_coefficients": matrix}
        options = {"quality": 98, "chroma": 444, "full_range_flag": 1, **words}
        content = saved(eight_bits(chart()), "HEIF", **options)
        yield _coloured(f"CICP {name}.heic", "numbers", content, right)
    for name, gamma, points in (
        ("linear", 1.0, SRGB_PRIMARIES),
        ("gamma 1.8", 1 / 1.8, SRGB_PRIMARIES),
        ("Adobe", 256 / 563, ADOBE_PRIMARIES),
    ):
        profile = matrix_profile(name, points, D65, [1 / gamma])
        yield _coloured(f"gAMA {name}.png", "numbers", with_gamma(png, gamma, points), rendered(CHART, profile))


def with_gamma(png: bytes, gamma: float, primaries: Sequence[tuple[float, float]]) -> bytes:
    """A PNG whose colours are told by its chunks gAMA and cHRM."""
    points = [round(part * 100_000) for point in (D65, *primaries) for part in point]
    chunks = png_chunk(b"gAMA", round(gamma * 100_000).to_bytes(4, "big"))
    chunks += png_chunk(b"cHRM", b"".join(part.to_bytes(4, "big") for part in points))
    return png[:33] + chunks + png[33:]


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk with its checksum."""
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def _grey() -> Iterator[CorpusFile]:
    """Grey pictures with a profile of grey, and with one of colours."""
    grey = eight_bits(chart(GREYS)[:, :, :1])
    for name in ("linear sRGB", "sRGB with gamma 1.8", "sRGB by another name"):
        right = rendered(GREYS, PROFILES[name])
        for ending, format_name, options in (("png", "PNG", {}), ("jpg", "JPEG", {"quality": 97}), ("tif", "TIFF", {})):
            content = saved(grey, format_name, icc_profile=PROFILES[name], **options)
            yield _coloured(f"grey {name}.{ending}", "grey", content, right)


def _transparent() -> Iterator[CorpusFile]:
    """Black text on nothing, and half-transparent colours, which are to stand on white."""
    half = np.dstack([chart(), np.full(chart().shape[:2], 0.5)])
    half[:60] = (0, 0, 0, 0)
    over = [(255, 255, 255)] * 4 + [tuple(round((each + 255) / 2) for each in colour) for colour in CHART[4:]]
    right = [(red, green, blue) for red, green, blue in over]
    picture = eight_bits(half)
    for ending, format_name, options in (
        ("png", "PNG", {}),
        ("webp", "WEBP", {"lossless": True, "exact": True}),
        ("tif", "TIFF", {}),
        ("avif", "AVIF", {"quality": 98, "subsampling": "4:4:4"}),
        ("heic", "HEIF", {"quality": 98, "chroma": 444}),
        ("jp2", "JPEG2000", {}),
    ):
        yield _coloured(f"transparent.{ending}", "transparency", saved(picture, format_name, **options), right)
    png = saved(picture, "PNG")
    for distance in ("0", "0.3"):
        content = through(png, "png", "jxl", "cjxl", "{in}", "{out}", "-d", distance, "--quiet")
        yield _coloured(f"transparent {distance}.jxl", "transparency", content, right)
    indexed = Image.new("P", (240, 180), 0)
    indexed.putpalette([0, 0, 0, 60, 120, 200])
    indexed.paste(1, (0, 60, 240, 180))
    content = saved(indexed, "GIF", transparency=0)
    yield _coloured("transparent.gif", "transparency", content, [(255, 255, 255)] * 4 + [(60, 120, 200)] * 8)
    content = saved(indexed, "PNG", transparency=0)
    yield _coloured("transparent palette.png", "transparency", content, [(255, 255, 255)] * 4 + [(60, 120, 200)] * 8)


def _deep() -> Iterator[CorpusFile]:
    """Sixteen bits and more, in pixels and in planes, with and without a profile."""
    for name in (None, "Display P3", "linear sRGB"):
        profile = PROFILES[name] if name else None
        right = rendered(CHART, profile) if profile else CHART
        said = name or "no profile"
        for planar in (False, True):
            for depth in (8, 16, 32):
                for order in "<>" if depth == 16 else "<":
                    content = tiff(chart(), depth=depth, planar=planar, order=order, profile=profile)
                    label = f"{said} {depth} bits{' in planes' if planar else ''}{' MM' if order == '>' else ''}.tif"
                    yield _coloured(label, "deep and planar TIFF", content, right)
        yield _coloured(f"{said} 16 bits.png", "16 bits", deep_png(chart(), profile), right)
        png = deep_png(chart(), profile)
        content = through(png, "png", "jxl", "cjxl", "{in}", "{out}", "-d", "0", "--quiet")
        yield _coloured(f"{said} 16 bits.jxl", "16 bits", content, right)
    dark = [(level, level, level) for level in range(1, 37, 3)]
    right = rendered(dark, PROFILES["linear sRGB"])
    content = deep_png(chart(dark), PROFILES["linear sRGB"])
    yield _coloured("dark linear 16 bits.png", "16 bits", content, right)
    png = deep_png(chart(), None)
    content = through(png, "png", "heic", *HEIF_ENC, "-b", "10", "-o", "{out}", "{in}")
    yield _coloured("10 bits.heic", "16 bits", content, CHART)
    content = through(png, "png", "avif", *AVIFENC, "-d", "10", "{in}", "{out}")
    yield _coloured("10 bits.avif", "16 bits", content, CHART)


def deep_png(samples: Samples, profile: bytes | None) -> bytes:
    """A PNG of sixteen bits a channel."""
    height, width, _ = samples.shape
    values = (samples * 65535).round().astype(">u2").reshape(height, -1)
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x10\x02\0\0\0"
    chunks = png_chunk(b"IHDR", header)
    if profile is not None:
        chunks += png_chunk(b"iCCP", b"its colours\0\0" + zlib.compress(profile))
    return b"\x89PNG\r\n\x1a\n" + chunks + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")


def tagged(content: bytes, ending: str, *words: str) -> bytes:
    """A file with what exiftool writes into it."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, f"a.{ending}")
        path.write_bytes(content)
        run("exiftool", "-q", "-overwrite_original", *words, path)
        return path.read_bytes()


def through(content: bytes, ending: str, wanted: str, *words: str) -> bytes:
    """What a program makes of a file; `{in}` and `{out}` among its words stand for the two."""
    with tempfile.TemporaryDirectory() as scratch:
        given, made = Path(scratch, f"in.{ending}"), Path(scratch, f"out.{wanted}")
        given.write_bytes(content)
        names = {"{in}": str(given), "{out}": str(made)}
        try:
            run(*(names.get(word, word) for word in words))
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"{words[0]}: {error.stderr.decode(errors='replace')}") from error
        return made.read_bytes()
