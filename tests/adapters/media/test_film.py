"""A video is described by what ffprobe reads in it, shown by a frame, and never leads to another file."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adapters.media import ffmpeg as tools
from adapters.media import film, indexing
from adapters.media.film import Film, film_of
from adapters.media.indexing import IndexedFile, index_file, metadata
from adapters.media.renditions import rendition_path
from domain.base.errors import NotInTime, Unavailable, Unreadable
from domain.events.media import NEEDS_FFMPEG
from tests.footage import AAC, H264, HEVC, ffmpeg, footage, turned

pytestmark = pytest.mark.ffmpeg


def indexed(path: Path) -> IndexedFile:
    """Index a video, with renditions in a folder beside it."""
    return index_file(os.fsencode(path), str(path.parent / "renditions"), "video")


def poster(path: Path, file: IndexedFile) -> Image.Image:
    """The preview that was made of a video."""
    assert file.content_hash is not None
    with Image.open(rendition_path(str(path.parent / "renditions"), file.content_hash, "preview")) as picture:
        picture.load()
        return picture.copy()


def test_a_video_is_indexed_with_its_facts_and_a_poster(tmp_path: Path) -> None:
    file = indexed(path := footage(tmp_path / "a.mp4"))
    assert (file.kind, file.format, file.problem, file.has_renditions) == ("video", "mp4", None, True)
    assert (file.width, file.height, file.video_codec, file.audio_codec) == (160, 120, "h264", "aac")
    assert file.duration == pytest.approx(2, abs=0.1)
    assert file.frame_rate == 10
    assert file.bit_rate is not None
    assert file.placeholder is not None
    assert poster(path, file).size == (160, 120)


def test_a_turned_video_is_told_and_shown_upright(tmp_path: Path) -> None:
    file = indexed(path := turned(footage(tmp_path / "a.mp4")))
    assert (file.width, file.height) == (120, 160)
    assert poster(path, file).size == (120, 160)
    assert film_of(os.fsencode(path), "a.mp4").rotation == 90


def test_pixels_that_are_not_square_are_counted_as_they_are_seen(tmp_path: Path) -> None:
    path = footage(tmp_path / "a.mp4", 1, *H264, "-vf", "setsar=2/1", sound=False)
    file = indexed(path)
    assert (file.width, file.height) == (320, 120)
    assert poster(path, file).size == (320, 120)


@pytest.mark.parametrize(("seconds", "is_later"), [(1.2, False), (3.2, False), (6.0, True)])
def test_a_poster_is_the_frame_at_three_seconds_or_the_first_of_a_shorter_video(
    tmp_path: Path, seconds: float, is_later: bool
) -> None:
    red_then_blue = "color=red:size=160x120:rate=10:d=2[a];color=blue:size=160x120:rate=10:d=9[b];[a][b]concat"
    ffmpeg("-f", "lavfi", "-i", red_then_blue, "-t", str(seconds), *H264, str(path := tmp_path / "a.mp4"))
    red, _, blue = np.asarray(poster(path, indexed(path))).mean(axis=(0, 1))
    assert (blue > red) == is_later


def test_a_container_that_says_it_is_longer_than_it_is_is_shown_by_its_first_frame(tmp_path: Path) -> None:
    whole = footage(tmp_path / "whole.mkv", 10)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 5])
    file = indexed(cut)
    assert file.duration == pytest.approx(10, abs=0.1)
    assert file.has_renditions


@pytest.mark.parametrize(
    ("name", "words", "codecs"),
    [
        ("a.mov", (*HEVC, *AAC), ("hevc", "aac")),
        ("a.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"), ("vp9", "opus")),
        ("a.avi", ("-c:v", "mpeg4", "-c:a", "libmp3lame"), ("mpeg4", "mp3")),
        ("a.mpg", ("-c:v", "mpeg2video", "-r", "25", "-c:a", "mp2"), ("mpeg2video", "mp2")),
        ("a.ts", (*H264, *AAC), ("h264", "aac")),
        ("a.wmv", ("-c:v", "wmv2", "-c:a", "wmav2"), ("wmv2", "wmav2")),
        ("a.flv", (*H264, *AAC), ("h264", "aac")),
        ("a.3gp", ("-c:v", "h263", "-s", "176x144", *AAC), ("h263", "aac")),
    ],
)
def test_every_container_is_described_and_shown(
    tmp_path: Path, name: str, words: tuple[str, ...], codecs: tuple[str, str]
) -> None:
    file = indexed(footage(tmp_path / name, 1.0, *words))
    assert (file.problem, file.has_renditions) == (None, True)
    assert (file.video_codec, file.audio_codec) == codecs


def test_place_camera_and_quicktimes_own_date_are_read(tmp_path: Path) -> None:
    tags = {
        "com.apple.quicktime.creationdate": "2024-05-01T12:00:05+0200",
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.model": "iPhone 15",
        "com.apple.quicktime.location.ISO6709": "+47.3769-008.5417+408.500/",
        "creation_time": "2024-05-02T10:00:00Z",
    }
    words = [word for name, value in tags.items() for word in ("-metadata", f"{name}={value}")]
    path = footage(tmp_path / "a.mov", 1, *H264, *AAC, "-movflags", "use_metadata_tags", *words)
    file = indexed(path)
    assert (file.make, file.model) == ("Apple", "iPhone 15")
    assert (file.latitude, file.longitude, file.altitude) == (47.3769, -8.5417, 408.5)
    assert (at(file.taken_at), file.taken_offset_minutes, file.taken_source) == ("2024-05-01T12:00:05", 120, "video")
    found_tags = metadata(os.fsencode(path), "video")["exif"]
    assert isinstance(found_tags, dict)
    assert found_tags["com.apple.quicktime.model"] == "iPhone 15"


def at(micros: int) -> str:
    """A wall clock as text."""
    return datetime.fromtimestamp(micros / 1e6, UTC).replace(tzinfo=None).isoformat()


APPLES = "com.apple.quicktime.creationdate"
UTC_TIME = {"creation_time": "2024-05-01T10:00:05.000000Z"}


@pytest.mark.parametrize(
    ("tags", "name", "duration", "taken"),
    [
        (UTC_TIME, "a.mp4", 9, ("2024-05-01T10:00:05", 0)),
        (UTC_TIME, "VID_20240501_120000.mp4", 9, ("2024-05-01T12:00:00", 120)),
        (UTC_TIME, "VID_20240501_120007.mp4", 9, ("2024-05-01T12:00:07", 120)),
        (UTC_TIME, "VID_20240501_033000.mp4", 9, ("2024-05-01T03:30:00", -390)),
        (UTC_TIME, "VID_20240501_114000.mp4", 1200, ("2024-05-01T11:40:00", 105)),
        (UTC_TIME, "VID_20240501_100000.mp4", 9, ("2024-05-01T10:00:00", None)),
        (UTC_TIME, "VID_20240501_120300.mp4", 9, ("2024-05-01T10:00:05", 0)),
        (UTC_TIME, "VID_20210101_120000.mp4", 9, ("2024-05-01T10:00:05", 0)),
        (UTC_TIME, "PXL_20240501_095950000.mp4", 9, ("2024-05-01T10:00:05", 0)),
        (UTC_TIME, "VID-20240501-WA0001.mp4", 9, ("2024-05-01T10:00:05", 0)),
        (UTC_TIME | {"handler_name": "GoPro AVC"}, "a.mp4", 9, ("2024-05-01T10:00:05", None)),
        (
            UTC_TIME | {"com.apple.quicktime.creationdate": "2024-05-01T12:00:05+0200"},
            "a",
            9,
            ("2024-05-01T12:00:05", 120),
        ),
        (UTC_TIME | {"com.apple.quicktime.creationdate": "soon"}, "a.mp4", 9, ("2024-05-01T10:00:05", 0)),
        ({"creation_time": "1904-01-01T00:00:00.000000Z"}, "a.mp4", 9, None),
        ({"creation_time": "1970-01-01T00:00:00.000000Z"}, "a.mp4", 9, None),
        ({"date": "2024"}, "a.mp4", 9, None),
        ({}, "VID_20240501_120000.mp4", 9, None),
    ],
)
def test_the_wall_clock_and_utc_are_kept_apart(
    tags: Mapping[str, str], name: str, duration: float, taken: tuple[str, int | None] | None
) -> None:
    found, _ = film._taken(tags, name, None, duration)
    assert (None if found is None else (at(found.micros), found.offset_minutes)) == taken


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("+47.3769+008.5417/", (47.3769, 8.5417, None)),
        ("-33.8568+151.2153+010.2/", (-33.8568, 151.2153, 10.2)),
        ("+47.3769+008.5417+408.5CRSWGS_84/", (47.3769, 8.5417, 408.5)),
        ("+4722.5-00832.25/", (47.375, -8.5375, None)),
        ("+472230+0083215.5/", (47.375, 8.53763889, None)),
        ("+00.0000+000.0000/", (None, None, None)),
        ("+97.0000+008.0000/", (None, None, None)),
        ("47.3, 8.5", (None, None, None)),
    ],
)
def test_a_position_is_read_in_every_form_of_iso_6709(text: str, place: tuple[float | None, ...]) -> None:
    assert film._place({"location": text}) == place


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_a_video_in_hdr_has_a_poster_in_ordinary_colours(tmp_path: Path, transfer: str) -> None:
    ten_bits = (*HEVC[:-1], "yuv420p10le", "-color_trc", transfer)
    file = indexed(path := footage(tmp_path / "a.mp4", 1, *ten_bits, sound=False))
    assert (file.problem, file.has_renditions) == (None, True)
    assert film_of(os.fsencode(path), "a.mp4").transfer == transfer
    plain = footage(tmp_path / "plain.mp4", 1, *HEVC, sound=False)
    same = np.asarray(poster(path, file)).mean() - np.asarray(poster(plain, indexed(plain))).mean()
    assert abs(same) > 5


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=440", "-t", "1", *AAC, str(path := tmp_path / "a.mp4"))
    assert indexed(path).problem == "no picture in it: sound alone"


@pytest.fixture
def requests() -> list[str]:
    """The paths that a web server on this machine was asked for; its port is `asked[0]`."""
    paths: list[str] = []

    class Listening(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base gives it
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Listening)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    paths.append(str(server.server_port))
    return paths


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.mkv"])
@pytest.mark.parametrize("kind", ["hls", "hls on the network", "concat", "sdp"])
def test_a_list_of_other_files_under_a_videos_name_opens_none_of_them(
    tmp_path: Path, requests: list[str], kind: str, name: str
) -> None:
    secret = footage(tmp_path / "secret.ts", 1.0, *H264, *AAC)
    lists = {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        "hls on the network": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{requests[0]}/a.ts\n",
        "concat": f"ffconcat version 1.0\nfile {secret}\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 33\n",
    }
    path = tmp_path / name
    path.write_text(lists[kind])
    with pytest.raises(Unreadable):
        film_of(os.fsencode(path), name)
    assert indexed(path).width is None
    assert requests[1:] == []


def test_a_video_whose_name_looks_like_an_option_or_an_address_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("-i.mp4", "http:a.mp4", "pipe:0.mp4", "%03d.mp4", "a|b'\".mp4"):
        footage(tmp_path / "a.mp4").rename(tmp_path / name)
        assert film_of(name.encode(), name).width == 160
        assert indexed(tmp_path / name).has_renditions


def test_a_decoder_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "ffprobe"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(tools, "tool", lambda name: str(tmp_path / name))
    with pytest.raises(NotInTime, match=r"ffprobe was not over after 0\.5 s"):
        tools.ffprobe(b"/a.mp4", seconds=0.1)


def test_a_video_that_was_not_looked_at_in_time_is_left_for_later_and_blamed_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: object) -> Film:
        raise NotInTime("ffprobe was not over")

    monkeypatch.setattr(indexing, "film_of", late)
    with pytest.raises(NotInTime):
        indexed(footage(tmp_path / "a.mp4"))


def test_a_video_is_listed_where_ffmpeg_is_missing_and_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = footage(tmp_path / "VID_20240501_120000.mp4")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    tools.tool.cache_clear()
    file = indexed(path)
    assert (file.kind, file.problem, file.taken_source) == ("video", NEEDS_FFMPEG, "filename")
    assert file.content_hash is not None
    with pytest.raises(Unavailable, match="make tools"):
        tools.tool("ffmpeg")


@pytest.mark.parametrize("seed", range(12))
def test_broken_videos_have_a_picture_or_a_problem(tmp_path: Path, seed: int) -> None:
    content = bytearray(footage(tmp_path / "whole.mp4", 1.0).read_bytes())
    chance = np.random.default_rng(seed)
    for place in chance.integers(0, len(content), 40):
        content[place] = chance.integers(0, 256)
    path = tmp_path / "a.mp4"
    path.write_bytes(content[: int(chance.integers(len(content) // 3, len(content)))])
    file = indexed(path)
    assert file.has_renditions or (file.problem or "").isprintable()
    assert file.has_renditions == (file.problem is None)
