"""A file is what its first bytes say."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.media.magic import HEAD_BYTES, description_of, format_of, format_of_stray, kind_of_format, raw_format_of
from tests.adapters.media.material import encoded, quarters

FORMATS = {
    "JPEG": "jpeg",
    "PNG": "png",
    "WEBP": "webp",
    "GIF": "gif",
    "TIFF": "tiff",
    "BMP": "bmp",
    "HEIF": "heic",
    "AVIF": "avif",
    "JPEG2000": "jp2",
}


@pytest.mark.parametrize(("pillow", "name"), FORMATS.items())
def test_every_picture_format_is_recognised_by_its_own_files(pillow: str, name: str) -> None:
    assert format_of(encoded(quarters(), pillow)[:HEAD_BYTES]) == name
    assert kind_of_format(name) == "photo"


@pytest.mark.ffmpeg
@pytest.mark.parametrize(
    ("extension", "name"),
    [
        ("mp4", "mp4"),
        ("mov", "mov"),
        ("m4v", "mp4"),
        ("3gp", "3gp"),
        ("mkv", "mkv"),
        ("webm", "webm"),
        ("avi", "avi"),
        ("flv", "flv"),
        ("wmv", "wmv"),
        ("mpg", "mpeg"),
        ("ts", "mpegts"),
        ("m2ts", "mpegts"),
    ],
)
def test_every_video_format_is_recognised_by_its_own_files(tmp_path: Path, extension: str, name: str) -> None:
    path = tmp_path / f"clip.{extension}"
    source = ["-f", "lavfi", "-i", "testsrc=size=176x144:rate=25:duration=0.4"]
    extra = {"3gp": ["-c:v", "mpeg4"], "m2ts": ["-mpegts_m2ts_mode", "1"]}.get(extension, [])
    subprocess.run(["ffmpeg", "-v", "error", *source, *extra, str(path)], check=True)
    assert format_of(path.read_bytes()[:HEAD_BYTES]) == name
    assert kind_of_format(name) == "video"


def tiff(order: str, *directories: dict[int, tuple[int, int]], make: bytes = b"") -> bytes:
    """A TIFF of directories alone: tag to (field type, value); all but the first are the first one's SubIFDs."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    sizes = [2 + 12 * (len(each) + (2 if not index else 0)) + 4 for index, each in enumerate(directories)]
    starts = [8 + sum(sizes[:index]) for index in range(len(directories))]
    after = 8 + sum(sizes)
    first: dict[int, tuple[int, int, bytes]] = {
        0x010F: (2, len(make), struct.pack(order + "I", after) if len(make) > 4 else make.ljust(4, b"\0")),
        0x014A: (4, len(starts) - 1, struct.pack(order + "I", starts[1] if len(starts) == 2 else after + len(make))),
    }
    body = b""
    for index, directory in enumerate(directories):
        entries = {
            tag: (kind, 1, struct.pack(order + ("H2x" if kind == 3 else "I"), value))
            for tag, (kind, value) in directory.items()
        }
        entries |= first if not index else {}
        body += struct.pack(order + "H", len(entries))
        for tag, (kind, count, value) in sorted(entries.items()):
            body += struct.pack(order + "HHI", tag, kind, count) + value
        body += struct.pack(order + "I", 0)
    offsets = b"".join(struct.pack(order + "I", start) for start in starts[1:])
    return head + body + make + offsets


PREVIEW, SENSOR = {0x0106: (3, 2), 0x0103: (3, 6)}, {0x0106: (3, 32803)}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (b"NIKON CORPORATION\0", "nef"),
        (b"SONY\0", "arw"),
        (b"PENTAX\0", "pef"),
        (b"SAMSUNG\0", "srw"),
        (b"Hasselblad\0", "raw"),
    ],
)
def test_a_tiff_with_sensor_readings_below_a_preview_is_a_raw_of_its_maker(order: str, make: bytes, name: str) -> None:
    content = tiff(order, PREVIEW, SENSOR, make=make)
    assert format_of(content) == "tiff"
    assert raw_format_of(content) == name
    assert raw_format_of(tiff(order, PREVIEW, PREVIEW, SENSOR, make=make)) == name


def test_sensor_readings_in_the_first_directory_and_makers_compressions_are_raw_too() -> None:
    assert raw_format_of(tiff("<", SENSOR, make=b"PENTAX Corporation\0")) == "pef"
    assert raw_format_of(tiff("<", {0x0106: (3, 2), 0x0103: (3, 34713)}, make=b"NIKON\0")) == "nef"


def test_a_dng_names_itself() -> None:
    assert raw_format_of(tiff("<", {0xC612: (4, 0x00000401)})) == "dng"


def test_an_ordinary_tiff_of_a_camera_maker_is_no_raw() -> None:
    assert raw_format_of(tiff("<", PREVIEW, PREVIEW, make=b"NIKON\0")) is None
    assert raw_format_of(encoded(quarters(), "TIFF")) is None


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"II*\0\x10\0\0\0CR\x02\0", "cr2"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "cr3"),
        (b"FUJIFILMCCD-RAW 0201", "raf"),
        (b"IIRO\x08\0\0\0", "orf"),
        (b"IIU\0\x18\0\0\0", "rw2"),
        (b"\xff\x0a\xfa\x7f", "jxl"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
        (b"\xff\x4f\xff\x51\0\x2f", "jp2"),
        (b"FOVb\1\0\2\0", "raw"),
        (b"\0MRM\0\1\0\0", "raw"),
        (b"II\x1a\0\0\0HEAPCCDR", "raw"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic", "heic"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "avif"),
        (b"\0\0\0\x1cftypM4A \0\0\0\0mp42isom", None),
    ],
)
def test_formats_that_no_encoder_here_writes_are_recognised_by_their_magic(head: bytes, name: str | None) -> None:
    assert format_of(head) == name


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"hello\nworld", "text"),
        ("grüße".encode(), "text"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04", "a zip archive"),
        (bytes(100), "zero bytes alone"),
        (b"\x01\x02\x03\x99", "no known format"),
    ],
)
def test_what_is_no_media_is_described_to_its_owner(head: bytes, words: str) -> None:
    assert format_of(head) is None
    assert description_of(head) == words


@given(
    st.one_of(
        st.binary(max_size=300), st.tuples(st.sampled_from([b"II*\0", b"MM\0*"]), st.binary(max_size=200)).map(b"".join)
    )
)
def test_no_bytes_whatever_confuse_the_recognition(content: bytes) -> None:
    assert format_of(content) is None or kind_of_format(format_of(content)) in ("photo", "video")
    assert raw_format_of(content) is None or kind_of_format(raw_format_of(content)) == "photo"
    assert description_of(content)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (encoded(quarters(), "BMP")[14:], "bmp"),
        (b"\x28\0\0\0" + bytes(40), None),
        (b"\x1f\x07\0\x3f" + bytes(40), "dv"),
        (b"\x1f\x8b\x08\0" + bytes(40), None),
        (bytes.fromhex("060e2b34020501010d0102010102") + bytes(40), "mxf"),
        (encoded(quarters(), "JPEG2000", no_jp2=True), "jp2"),
    ],
    ids=["a bitmap without its first header", "a length alone", "DV", "gzip", "MXF", "a bare code stream"],
)
def test_formats_of_rare_extensions_are_known_by_their_first_bytes(content: bytes, name: str | None) -> None:
    assert format_of(content[:32]) == name


def test_words_are_no_boxes_where_the_name_of_a_file_says_nothing() -> None:
    assert format_of_stray(b"The free world") is None
    assert format_of_stray(b"\0\0\0\x14moov" + bytes(20)) == "mov"
    assert format_of_stray(b"\0\0\0\x18ftypM4A " + bytes(16)) is None
