"""A video is planned as HLS in a moment: copied where that is right, with parts that begin at keyframes."""

from __future__ import annotations

import os
import subprocess
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from adapters.media.video_plan import COPIED_SECONDS, ENCODED_SECONDS, Plan, part_begun_at, plan_of, playlist
from domain.base.errors import Unreadable
from tests.footage import AAC, H264, HEVC, footage, turned

pytestmark = pytest.mark.ffmpeg


def planned(path: Path) -> Plan:
    """The plan of a video."""
    return plan_of(os.fsencode(path))


def keyframes(path: Path) -> list[float]:
    """The seconds of a video's keyframes from its beginning, by a whole reading."""
    words = [
        "ffprobe",
        "-v",
        "error",
        "-select_streams",
        "v:0",
        "-show_entries",
        "packet=pts_time,flags",
        "-of",
        "csv=p=0",
    ]
    listed = subprocess.run([*words, str(path)], check=True, capture_output=True, text=True).stdout
    times = [float(line.split(",")[0]) for line in listed.split() if "K" in line]
    return [time - min(times) for time in times]


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.flv", "a.ts"])
def test_h264_with_aac_is_copied_in_parts_that_begin_at_keyframes(tmp_path: Path, name: str) -> None:
    path = footage(tmp_path / name, 20, *H264, "-g", "15", *AAC)
    plan = planned(path)
    assert (plan.copies_picture, plan.copies_sound) == (True, True)
    real = keyframes(path)
    for time in plan.times[:-1]:
        assert min(abs(time - each) for each in real) < 0.05
    lengths = [after - before for before, after in pairwise(plan.times)]
    assert min(lengths[:-1]) > COPIED_SECONDS - 0.2
    assert max(lengths) < 2 * COPIED_SECONDS + 1.6
    assert plan.times[-1] == pytest.approx(20, abs=0.2)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hevc.mp4", (*HEVC, *AAC)),
        ("ten-bits.mp4", ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", *AAC)),
        ("4:4:4.mp4", ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p", *AAC)),
        ("fields.mp4", (*H264, "-flags", "+ildct+ilme", "-x264opts", "tff=1", *AAC)),
        ("vp9.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus")),
    ],
)
def test_what_browsers_do_not_all_play_is_encoded_in_even_parts(
    tmp_path: Path, name: str, words: tuple[str, ...]
) -> None:
    plan = planned(footage(tmp_path / name, 8, *words))
    assert (plan.copies_picture, plan.copies_sound) == (False, False)
    assert plan.times[:3] == (0, 1, 1 + ENCODED_SECONDS)
    assert plan.times[-1] - plan.times[-2] >= 1.5


def test_a_turned_picture_is_encoded_as_parts_cannot_say_that_it_is_turned(tmp_path: Path) -> None:
    assert not planned(turned(footage(tmp_path / "a.mp4"))).copies_picture


def test_sound_that_is_not_aac_is_encoded_beside_a_picture_that_is_copied(tmp_path: Path) -> None:
    plan = planned(footage(tmp_path / "a.mkv", 6, *H264, "-c:a", "libopus"))
    assert (plan.copies_picture, plan.copies_sound) == (True, False)


def test_a_video_with_one_keyframe_in_minutes_is_encoded(tmp_path: Path) -> None:
    plan = planned(footage(tmp_path / "a.mp4", 70, *H264, "-g", "9999", "-sc_threshold", "0", rate=2, sound=False))
    assert not plan.copies_picture


def test_a_video_that_does_not_tell_its_length_is_measured(tmp_path: Path) -> None:
    whole = footage(tmp_path / "a.webm", 5, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-live", "1", sound=False)
    plan = planned(whole)
    assert plan.film.duration is None
    assert plan.times[-1] == pytest.approx(5, abs=0.3)


def test_sound_that_goes_on_after_the_picture_makes_no_parts_without_one(tmp_path: Path) -> None:
    sound = footage(tmp_path / "sound.mp4", 9, *HEVC, *AAC)
    picture = footage(tmp_path / "picture.mp4", 3, *HEVC, sound=False)
    both = tmp_path / "both.mp4"
    inputs = ["-i", str(picture), "-i", str(sound), "-map", "0:v", "-map", "1:a", "-c", "copy"]
    subprocess.run(["ffmpeg", "-v", "error", *inputs, str(both)], check=True)
    assert planned(both).times[-1] == pytest.approx(3, abs=0.2)


def test_the_playlist_is_whole_and_its_parts_are_relative(tmp_path: Path) -> None:
    plan = planned(footage(tmp_path / "a.mp4", 10))
    lines = playlist(plan).splitlines()
    assert lines[0] == "#EXTM3U"
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in lines
    assert lines[-1] == "#EXT-X-ENDLIST"
    assert [line for line in lines if not line.startswith("#")] == [f"{number}.ts" for number in range(plan.parts)]
    lengths = [float(line[8:-1]) for line in lines if line.startswith("#EXTINF:")]
    assert sum(lengths) == pytest.approx(plan.times[-1], abs=0.001)
    target = next(int(line.partition(":")[2]) for line in lines if line.startswith("#EXT-X-TARGETDURATION"))
    assert max(lengths) <= target < max(lengths) + 1


def test_a_line_of_ffmpeg_tells_which_part_is_whole(tmp_path: Path) -> None:
    plan = planned(footage(tmp_path / "a.mp4", 2))
    plan = msgspec.structs.replace(plan, times=(0.0, 4.0, 8.0, 12.0))
    assert part_begun_at(plan, range(3), "0.ts,0.000000,4.000000\n") == ("0.ts", 0)
    assert part_begun_at(plan, range(1, 3), "0.ts,0.000000,4.000000") is None
    assert part_begun_at(plan, range(1, 3), "2.ts,8.020000,12.000000") == ("2.ts", 2)
    assert part_begun_at(plan, range(3), "2.ts,6.000000,12.000000") is None
    assert part_begun_at(plan, range(2), "2.ts,8.000000,8.300000") is None
    assert part_begun_at(plan, range(3), "") is None


def test_what_is_no_video_has_no_plan(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(1000))
    with pytest.raises(Unreadable):
        planned(tmp_path / "a.mp4")
