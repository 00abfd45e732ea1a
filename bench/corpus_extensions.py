"""Files of the corpus of formats by all their extensions, of layouts that few programs read, and of pictures and videos
under names that say nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from bench.corpus_colours import AVIFENC, HEIF_ENC, through
from bench.corpus_files import CHART, GREYS, CorpusFile, chart, eight_bits, saved, writes
from tests.adapters.media.bitmaps import bitmap
from tests.adapters.media.raws import BUILDERS, READINGS_BEGIN, dng_of_readings
from tests.adapters.media.tiffs import tiff
from tests.footage import AAC, H264, footage

_JPEG: Final = {"quality": 97, "subsampling": 0}
_JPEG_LS: Final = ("-c:v", "jpegls", "-f", "image2")
_DV: Final = ("-c:v", "dvvideo", "-s", "720x576", "-r", "25", "-pix_fmt", "yuv420p", "-ar", "48000", "-ac", "2")
VIDEOS: Final = {
    "mp4": (),
    "mov": (),
    "m4v": (*H264, *AAC, "-f", "mp4"),
    "insv": (*H264, *AAC, "-f", "mp4"),
    "f4v": (*H264, *AAC, "-f", "f4v"),
    "ts": (*H264, *AAC, "-f", "mpegts"),
    "m2ts": (*H264, *AAC, "-mpegts_m2ts_mode", "1"),
    "mts": (*H264, *AAC, "-f", "mpegts", "-mpegts_m2ts_mode", "1"),
    "m2v": ("-c:v", "mpeg2video", "-r", "25", "-an", "-f", "mpeg2video"),
    "mpg": ("-c:v", "mpeg2video", "-r", "25", "-c:a", "mp2"),
    "vob": ("-c:v", "mpeg2video", "-r", "25", "-c:a", "mp2", "-f", "vob"),
    "mxf": ("-c:v", "mpeg2video", "-r", "25", "-c:a", "pcm_s16le", "-ar", "48000"),
    "dv": _DV,
    "avi": ("-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "mkv": (*H264, *AAC),
    "webm": ("-c:v", "libvpx", "-b:v", "200k", "-c:a", "libopus"),
    "wmv": ("-c:v", "wmv2", "-c:a", "wmav2"),
    "flv": ("-c:v", "flv1", "-c:a", "libmp3lame"),
    "ogv": ("-c:v", "libtheora", "-c:a", "libvorbis"),
    "3gp": ("-c:v", "mpeg4", *AAC),
}
"""How ffmpeg writes a video of each extension."""
MASKS: Final = {
    "16 bits 444": (16, (0xF00, 0xF0, 0xF)),
    "16 bits 655": (16, (0xFC00, 0x3E0, 0x1F)),
    "16 bits BGR": (16, (0x1F, 0x7E0, 0xF800)),
    "32 bits 10-10-10": (32, (0x3FF00000, 0xFFC00, 0x3FF)),
    "32 bits BGR": (32, (0xFF, 0xFF00, 0xFF0000)),
}
"""Bits a pixel, and which of them are red, green and blue."""


def extension_files() -> Iterator[CorpusFile]:
    """Every file of this line of the table."""
    yield from _pictures()
    yield from _videos()
    yield from _raws()
    yield from _layouts()
    yield from _under_other_names()


def _pictures() -> Iterator[CorpusFile]:
    picture = eight_bits(chart())
    png = saved(picture, "PNG")
    heic = through(png, "png", "heic", *HEIF_ENC, "-o", "{out}", "{in}")
    avif = through(png, "png", "avif", *AVIFENC, "{in}", "{out}")
    jp2, codestream = saved(picture, "JPEG2000"), saved(picture, "JPEG2000", no_jp2=True)
    bmp, jpeg = saved(picture, "BMP"), saved(picture, "JPEG", **_JPEG)
    contents = {
        **dict.fromkeys(("heic", "heif", "hif", "HIF"), heic),
        **dict.fromkeys(("avif", "avifs"), avif),
        **dict.fromkeys(("jp2", "jpf", "jpx"), jp2),
        **dict.fromkeys(("j2k", "j2c"), codestream),
        **dict.fromkeys(("jpg", "jpe", "jfif", "insp", "mpo"), jpeg),
        "jls": through(
            png, "png", "jls", "ffmpeg", "-v", "error", "-i", "{in}", "-c:v", "jpegls", "-f", "image2", "{out}"
        ),
        "jxl": through(png, "png", "jxl", "cjxl", "{in}", "{out}", "-d", "0", "--quiet"),
        "png": png,
        "apng": saved(picture, "PNG", save_all=True, append_images=[Image.new("RGB", picture.size)]),
        "bmp": bmp,
        "dib": bmp[14:],
        "webp": saved(picture, "WEBP", lossless=True),
        "tiff": saved(picture, "TIFF"),
    }
    for ending, content in contents.items():
        yield CorpusFile(name=f"a.{ending}", row="7 extensions: photos", make=writes(content), colours=CHART)
    moving = saved(picture, "AVIF", save_all=True, append_images=[Image.new("RGB", picture.size)], quality=98)
    yield CorpusFile(name="moving.avifs", row="7 extensions: photos", make=writes(moving))
    bmp_called_dib = CorpusFile(name="whole.dib", row="7 extensions: photos", make=writes(bmp), colours=CHART)
    yield bmp_called_dib


def _videos() -> Iterator[CorpusFile]:
    for ending, words in VIDEOS.items():
        make = partial(_film, words=words)
        yield CorpusFile(name=f"a.{ending}", row="7 extensions: videos", make=make, kind="video")


def _film(path: Path, words: tuple[str, ...]) -> None:
    footage(path, 1, *words, rate=25)


def _raws() -> Iterator[CorpusFile]:
    preview = saved(eight_bits(np.asarray(chart()).repeat(5, axis=0).repeat(5, axis=1)), "JPEG", **_JPEG)
    for ending, build in BUILDERS.items():
        content = build(preview, 1)
        yield CorpusFile(name=f"a.{ending}", row="7 extensions: RAW", make=writes(content), colours=CHART)
    whole = dng_of_readings()
    begin = whole.index(READINGS_BEGIN)
    row = "6 colours: RAW without image data"
    yield CorpusFile(name="with readings.dng", row=row, make=writes(whole))
    for name, content in (
        ("without.dng", whole[:begin]),
        ("cut off.dng", whole[: begin + 200_000]),
        ("zeros.dng", whole[:begin] + bytes(len(whole) - begin)),
    ):
        yield CorpusFile(name=name, row=row, make=writes(content), is_shown=False)


def _layouts() -> Iterator[CorpusFile]:
    row = "7 layouts: TIFF"
    for depth in (10, 12, 14):
        yield CorpusFile(name=f"{depth} bits.tif", row=row, make=writes(tiff(chart(), depth=depth)), colours=CHART)
    grey = chart(GREYS)[:, :, :1]
    for depth in (12, 16, 32):
        content = tiff(1 - grey, depth=depth, photometric=0)
        yield CorpusFile(name=f"white is zero {depth}.tif", row=row, make=writes(content), colours=GREYS)
    for depth in (16, 32, 64):
        content = tiff(chart(), depth=depth, real=True, planar=depth == 32)
        yield CorpusFile(name=f"floating {depth}.tif", row=row, make=writes(content), colours=CHART)
    for order in "<>":
        for planar in (False, True):
            content = tiff(chart(), depth=16, order=order, big=True, planar=planar)
            name = f"big {'MM' if order == '>' else 'II'}{' planes' if planar else ''}.tif"
            yield CorpusFile(name=name, row=row, make=writes(content), colours=CHART)
    yield CorpusFile(name="24 bits.tif", row=row, make=writes(tiff(chart(), depth=24)), is_shown=False)
    for packing in ("lzw", "zip", "packbits"):
        for planar in (False, True):
            content = through(tiff(chart(), planar=planar), "tif", "tif", "tiffcp", "-c", packing, "{in}", "{out}")
            name = f"16 bits {packing}{' planes' if planar else ''}.tif"
            yield CorpusFile(name=name, row=row, make=writes(content), colours=CHART)
    for name, (bits, masks) in MASKS.items():
        for header in (40, 124):
            content = bitmap(chart(), bits, masks, header=header)
            right = CHART if "444" not in name else _coarse()
            label = f"{name} {header}.bmp"
            yield CorpusFile(name=label, row="7 layouts: BMP masks", make=writes(content), colours=right)


def _coarse() -> list[tuple[int, int, int]]:
    """The chart in four bits a colour."""
    coarse = (np.array(CHART) / 17).round().astype(int) * 17
    return [(red, green, blue) for red, green, blue in coarse.tolist()]


def _under_other_names() -> Iterator[CorpusFile]:
    """Named with the reason, and not shown: a library takes files by their extensions."""
    row = "7 unknown extensions"
    picture = eight_bits(chart())
    contents = {
        "IMG_1.thm": saved(picture, "JPEG"),
        "no extension": saved(picture, "PNG"),
        "IMG_2.heics": saved(picture, "HEIF"),
        "scan.jpg_original": saved(picture, "JPEG"),
        "photo.webp_1": saved(picture, "WEBP"),
        "anim.gifv": saved(picture, "GIF"),
        "scan.tf8": tiff(chart(), big=True),
    }
    for name, content in contents.items():
        yield CorpusFile(name=name, row=row, make=writes(content), is_shown=False)
    for name, words in (("GX010001.LRV", (*H264, *AAC, "-f", "mp4")), ("clip.matroska", (*H264, "-f", "matroska"))):
        yield CorpusFile(name=name, row=row, make=partial(_film, words=words), is_shown=False, kind="video")
