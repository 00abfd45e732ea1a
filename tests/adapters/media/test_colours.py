"""A photo is shown in the colours that it states, whichever way it states them, as LittleCMS renders them."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import ExifTags, Image, ImageCms

from adapters.media.deep_pictures import DeepTiff
from adapters.media.magic import HEAD_BYTES, format_of
from adapters.media.opening import open_photo
from adapters.media.pictures import open_picture
from adapters.media.profiles import ADOBE_PRIMARIES, D65, SRGB_PRIMARIES, adobe_rgb, matrix_profile
from bench.corpus_colours import P3, REC2020, SRGB_CURVE, deep_png, with_gamma, with_profile_box
from bench.corpus_files import CHART, GREYS, chart, eight_bits, fields_of, saved
from domain.base.errors import Unreadable
from tests.adapters.media.material import encoded, jxl, scene
from tests.adapters.media.raws import READINGS_BEGIN, dng_of_readings
from tests.adapters.media.tiffs import tiff

NEAR = 6
"""Of 255: what lossy formats and rounding take."""
LINEAR = matrix_profile("Linear sRGB", SRGB_PRIMARIES, D65, [1.0])
MISNAMED_P3 = matrix_profile("DCI-P3 D65 Gamut with sRGB Transfer", P3, D65, SRGB_CURVE)
WIDE = matrix_profile("Rec2020", REC2020, D65, SRGB_CURVE)
LOSSLESS: dict[str, dict[str, object]] = {
    "PNG": {},
    "JPEG": {"quality": 97, "subsampling": 0},
    "TIFF": {},
    "WEBP": {"lossless": True},
    "HEIF": {"quality": 98, "chroma": 444},
    "AVIF": {"quality": 98, "subsampling": "4:4:4"},
}


def littlecms(values: Sequence[tuple[int, int, int]], profile: bytes) -> npt.NDArray[np.int64]:
    """Stored colours in sRGB."""
    given = Image.fromarray(np.array([values], np.uint8))
    target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    made = ImageCms.profileToProfile(given, source, target, intent, outputMode="RGB", flags=flags)
    colours: npt.NDArray[np.int64] = np.asarray(made, np.int64)[0]
    return colours


def off(content: bytes, right: object) -> int:
    """By how much the worst field of a chart is shown in another colour than the right one."""
    name = format_of(content[:HEAD_BYTES])
    assert name is not None
    shown = open_photo(content, name).decoded(1440)
    assert shown.problem is None
    found = np.array(fields_of(Image.fromarray(shown.pixels), len(CHART)))
    return int(np.abs(found - np.array(right)).max())


@pytest.mark.parametrize("profile", [LINEAR, MISNAMED_P3], ids=["Linear sRGB", "P3 that says sRGB"])
@pytest.mark.parametrize("format_name", LOSSLESS)
def test_a_profile_counts_for_what_it_does_and_not_for_its_name(format_name: str, profile: bytes) -> None:
    content = saved(eight_bits(chart()), format_name, icc_profile=profile, **LOSSLESS[format_name])
    assert off(content, littlecms(CHART, profile)) <= NEAR


def test_a_grey_of_a_linear_profile_is_lighter_than_it_is_stored() -> None:
    content = encoded(Image.new("RGB", (60, 60), (60, 60, 60)), "PNG", icc_profile=LINEAR)
    assert open_photo(content, "png").decoded(512).pixels[30, 30].tolist() == [133, 133, 133]


def test_srgb_by_another_name_costs_no_conversion_and_changes_nothing() -> None:
    profile = matrix_profile("Camera RGB", SRGB_PRIMARIES, D65, SRGB_CURVE)
    assert off(saved(eight_bits(chart()), "PNG", icc_profile=profile), CHART) == 0


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "TIFF"])
def test_a_grey_picture_may_have_a_profile_of_colours(format_name: str) -> None:
    content = saved(eight_bits(chart(GREYS)[:, :, :1]), format_name, icc_profile=LINEAR)
    assert off(content, littlecms(GREYS, LINEAR)) <= NEAR


def test_a_jpeg_2000_has_its_profile_in_a_box() -> None:
    content = with_profile_box(saved(eight_bits(chart()), "JPEG2000"), MISNAMED_P3)
    assert off(content, littlecms(CHART, MISNAMED_P3)) <= NEAR


@pytest.mark.parametrize("numbers", [(12, MISNAMED_P3), (9, WIDE), (1, None)], ids=["P3", "2020", "sRGB"])
def test_a_heic_may_state_its_colours_by_numbers(numbers: tuple[int, bytes | None]) -> None:
    primaries, profile = numbers
    stated = {"color_primaries": primaries, "transfer_characteristics": 13, "matrix_coefficients": 6}
    content = saved(eight_bits(chart()), "HEIF", quality=98, chroma=444, full_range_flag=1, **stated)
    assert off(content, littlecms(CHART, profile) if profile else CHART) <= NEAR


@pytest.mark.parametrize(
    ("gamma", "primaries"), [(1.0, SRGB_PRIMARIES), (1 / 1.8, SRGB_PRIMARIES), (256 / 563, ADOBE_PRIMARIES)]
)
def test_a_png_may_state_its_colours_by_gamma_and_primaries(
    gamma: float, primaries: Sequence[tuple[float, float]]
) -> None:
    profile = matrix_profile("the same", primaries, D65, [1 / gamma])
    content = with_gamma(saved(eight_bits(chart()), "PNG"), gamma, primaries)
    assert off(content, littlecms(CHART, profile)) <= NEAR


def test_the_gamma_that_programs_write_into_every_png_is_that_of_srgb() -> None:
    assert off(with_gamma(saved(eight_bits(chart()), "PNG"), 0.45455, SRGB_PRIMARIES), CHART) == 0


@pytest.mark.parametrize("points", [(0.3, 0.0) * 4, (0.3, 0.3) * 4], ids=["no light", "one point"])
def test_primaries_that_cannot_be_are_left_alone(points: tuple[float, ...]) -> None:
    white, *primaries = zip(points[::2], points[1::2], strict=True)
    chunk = b"".join(round(part * 100_000).to_bytes(4, "big") for point in (white, *primaries) for part in point)
    png = saved(eight_bits(chart()), "PNG")
    checked = struct.pack(">I", len(chunk)) + b"cHRM" + chunk + struct.pack(">I", zlib.crc32(b"cHRM" + chunk))
    shown = open_picture(png[:33] + checked + png[33:], "png").decoded(1440)
    assert fields_of(Image.fromarray(shown.pixels), len(CHART)) == [*CHART]


def in_adobe_rgb(index: str | None = "R03", space: int = 65535) -> Image.Exif:
    """The EXIF of a camera that is set to Adobe RGB, which writes no profile."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] = space
    if index is not None:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.IFD.Interop] = {1: index}
    return exif


@pytest.mark.parametrize("format_name", ["JPEG", "HEIF", "WEBP", "PNG"])
def test_adobe_rgb_that_exif_alone_tells_of_is_shown_as_such(format_name: str) -> None:
    content = saved(eight_bits(chart()), format_name, exif=in_adobe_rgb(), **LOSSLESS[format_name])
    assert off(content, littlecms(CHART, adobe_rgb())) <= NEAR


@pytest.mark.parametrize(
    ("exif", "is_adobe"),
    [(in_adobe_rgb(None, 2), True), (in_adobe_rgb("R98", 1), False), (in_adobe_rgb(None), False)],
    ids=["ColorSpace 2", "R98", "uncalibrated alone"],
)
def test_exif_says_adobe_rgb_in_two_ways(exif: Image.Exif, is_adobe: bool) -> None:
    content = saved(eight_bits(chart()), "JPEG", exif=exif, **LOSSLESS["JPEG"])
    assert off(content, littlecms(CHART, adobe_rgb()) if is_adobe else CHART) <= NEAR


def test_a_profile_of_its_own_goes_before_what_exif_says() -> None:
    content = saved(eight_bits(chart()), "JPEG", exif=in_adobe_rgb(), icc_profile=LINEAR, **LOSSLESS["JPEG"])
    assert off(content, littlecms(CHART, LINEAR)) <= NEAR


def cjxl(png: bytes, folder: Path, *words: str) -> bytes:
    """A PNG as JPEG XL, with its profile and transparency."""
    (folder / "a.png").write_bytes(png)
    subprocess.run(["cjxl", "a.png", "a.jxl", "--quiet", *words], cwd=folder, check=True)
    return (folder / "a.jxl").read_bytes()


@pytest.mark.ffmpeg
@pytest.mark.cjxl
@pytest.mark.parametrize("distance", ["0", "0.5"])
def test_a_jpeg_xl_is_shown_in_the_colours_of_its_profile(tmp_path: Path, distance: str) -> None:
    png = saved(eight_bits(chart()), "PNG", icc_profile=MISNAMED_P3)
    content = cjxl(png, tmp_path, "-d", distance)
    assert off(content, littlecms(CHART, MISNAMED_P3)) <= NEAR


@pytest.mark.ffmpeg
def test_a_transparent_jpeg_xl_is_shown_on_white() -> None:
    """Black text on nothing: on black nobody could read it."""
    picture = Image.new("RGBA", (240, 180), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 60, 240, 120))
    right = [(255, 255, 255)] * 4 + [(0, 0, 0)] * 4 + [(255, 255, 255)] * 4
    assert off(jxl(picture), right) <= NEAR


@pytest.mark.parametrize("format_name", ["PNG", "WEBP", "TIFF"])
def test_half_transparent_colours_are_laid_on_white_after_their_profile_was_applied(format_name: str) -> None:
    picture = eight_bits(np.dstack([chart(), np.full((180, 240), 0.5)]))
    content = saved(picture, format_name, icc_profile=LINEAR, **LOSSLESS[format_name])
    assert off(content, (littlecms(CHART, LINEAR) + 255) / 2) <= NEAR


DEEP = {
    "10 bits": {"depth": 10},
    "12 bits": {"depth": 12},
    "16 bits": {"depth": 16},
    "16 bits in planes": {"depth": 16, "planar": True},
    "16 bits in planes, other order": {"depth": 16, "planar": True, "order": ">"},
    "32 bits": {"depth": 32},
    "32 bits in planes": {"depth": 32, "planar": True},
    "16 bits of floating point": {"depth": 16, "real": True},
    "32 bits of floating point in planes": {"depth": 32, "real": True, "planar": True},
    "BigTIFF": {"depth": 16, "big": True},
    "BigTIFF, other order": {"depth": 8, "big": True, "order": ">"},
    "BigTIFF, other order, in planes": {"depth": 16, "big": True, "order": ">", "planar": True},
}


@pytest.mark.parametrize("profile", [None, MISNAMED_P3], ids=["no profile", "P3"])
@pytest.mark.parametrize("layout", DEEP)
def test_a_tiff_of_any_depth_and_order_is_right(layout: str, profile: bytes | None) -> None:
    content = tiff(chart(), profile=profile, **DEEP[layout])  # type: ignore[arg-type]  # each is a bool, int or str
    assert off(content, littlecms(CHART, profile) if profile else CHART) <= NEAR


@pytest.mark.parametrize("depth", [12, 16, 32])
def test_a_deep_grey_may_begin_with_white(depth: int) -> None:
    content = tiff(1 - chart(GREYS)[:, :, :1], depth=depth, photometric=0)
    assert off(content, GREYS) <= NEAR


def test_a_tiff_of_deep_inks_is_mixed() -> None:
    inks = np.dstack([1 - chart(), np.zeros((180, 240))])
    assert off(tiff(inks, depth=16, photometric=5), CHART) <= NEAR


def test_a_lamp_brighter_than_white_does_not_darken_the_rest() -> None:
    samples = chart()
    samples[:2, :2] = 40.0
    assert off(tiff(samples, depth=32, real=True), CHART) <= NEAR


def test_a_layout_that_nothing_reads_rightly_is_named() -> None:
    content = tiff(chart(), depth=24)
    with pytest.raises(Unreadable, match="a TIFF of 24 bits, rgb, none"):
        open_photo(content, "tiff").decoded(1440)


def test_a_deep_tiff_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(Unreadable, match="240 x 180: more than 0 million pixels"):
        DeepTiff(tiff(chart(), depth=16), max_pixels=40_000)


def test_dark_colours_of_a_linear_picture_keep_what_sixteen_bits_tell() -> None:
    """Of eight bits, the first would be 0 and the second 13."""
    dark = chart([(1, 1, 1)] * 12) / 2
    assert off(deep_png(dark, LINEAR), [(6, 6, 6)] * 12) <= 1


@pytest.mark.parametrize("cut", [0.5, 0.9])
def test_a_deep_picture_that_ends_too_early_is_shown_as_far_as_it_goes(cut: float) -> None:
    file = io.BytesIO(deep_png(np.asarray(scene(600, 400), np.float64) / 255, LINEAR))
    content = file.getvalue()
    shown = open_photo(content[: int(len(content) * cut)], "png").decoded(1440)
    assert shown.problem is not None


@pytest.mark.parametrize("kept", [0, 400_000], ids=["nothing", "most"])
def test_a_raw_without_all_of_its_sensors_readings_is_named(kept: int) -> None:
    content = dng_of_readings()
    assert open_photo(content, "dng").decoded(1440).problem is None
    begin = content.index(READINGS_BEGIN)
    with pytest.raises(Unreadable, match="no picture can be found in this DNG file, nor made of it"):
        open_photo(content[: begin + kept], "dng").decoded(1440)


def test_a_raw_whose_readings_were_taken_out_is_never_developed_to_noise() -> None:
    """LibRaw reads on beyond what the directory says, in whatever follows."""
    content = dng_of_readings()
    begin = content.index(READINGS_BEGIN)
    length = struct.pack("<I", len(content) - begin)
    content = content.replace(length, struct.pack("<I", 5000), 1)
    content = content[:begin] + random.Random(1).randbytes(len(content) - begin)
    with pytest.raises(Unreadable, match="nor made of it"):
        open_photo(content, "dng").decoded(1440)


def test_a_raw_whose_readings_are_all_one_number_is_named() -> None:
    content = dng_of_readings()
    begin = content.index(READINGS_BEGIN)
    with pytest.raises(Unreadable, match="nor made of it"):
        open_photo(content[:begin] + bytes(len(content) - begin), "dng").decoded(1440)
