"""Clips for a wall of videos are short, silent and small, made once, and said to be impossible where they are."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from adapters.media.video_clips import MOST_WANTED, PREVIEW_SECONDS, ClipKind, VideoClips, make_clip
from adapters.workers.pool import WorkerPool
from domain.base.errors import NotFound, Unavailable, Unreadable
from domain.events.media import Media
from tests.footage import AAC, H264, footage, turned

pytestmark = pytest.mark.ffmpeg


@pytest.fixture(scope="module")
def workers() -> Iterator[WorkerPool]:
    """One worker process."""
    pool = WorkerPool(1)
    yield pool
    pool.close()


@pytest.fixture
def clips(tmp_path: Path, workers: WorkerPool) -> VideoClips:
    """Clips of the videos in the folder `videos`."""

    def locate(library_id: int, path: str) -> Path:
        if not (tmp_path / "videos" / path).exists():
            raise NotFound("gone")
        return tmp_path / "videos" / path

    return VideoClips(workers, tmp_path / "previews", tmp_path / "gifs", locate, most_bytes=2**30)


def media(path: Path) -> Media:
    """A file as the tables know it; its name stands for its content."""
    facts = path.stat()
    content = path.name.encode().ljust(32, b".")
    return Media(1, 1, path.name, content, facts.st_size, facts.st_mtime_ns, "video", None, True)


def streams_of(path: Path) -> list[dict[str, Any]]:
    """What ffprobe tells of a file's streams."""
    words = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
    probed = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    return [stream | {"seconds": float(probed["format"]["duration"])} for stream in probed["streams"]]


def test_a_preview_is_a_few_silent_seconds_of_at_most_480_lines(clips: VideoClips, tmp_path: Path) -> None:
    known = media(turned(footage(tmp_path / "videos" / "a.mp4", 12, *H264, *AAC, size="1280x720", rate=30)))
    assert clips.want(known, "preview").status == "pending"
    assert clips.make_next()
    assert clips.want(known, "preview").status == "ready"
    (stream,) = streams_of(clips.path(known, "preview"))
    assert (stream["codec_name"], stream["pix_fmt"]) == ("h264", "yuv420p")
    assert (stream["width"], stream["height"]) == (480, 852)
    assert stream["seconds"] == pytest.approx(PREVIEW_SECONDS, abs=0.2)
    content = clips.path(known, "preview").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert not clips.make_next()


def test_a_gif_loops_and_is_small(clips: VideoClips, tmp_path: Path) -> None:
    known = media(footage(tmp_path / "videos" / "a.mp4", 6, size="640x360"))
    clips.want(known, "gif")
    clips.make_next()
    with Image.open(clips.path(known, "gif")) as gif:
        assert (gif.format, gif.size, gif.info["loop"]) == ("GIF", (320, 180), 0)
        assert gif.n_frames > 10  # type: ignore[attr-defined]  # of GIFs alone


@pytest.mark.parametrize("kind", ["preview", "gif"])
def test_a_video_shorter_than_a_clip_is_wholly_in_it(tmp_path: Path, kind: ClipKind) -> None:
    path = footage(tmp_path / "a.mp4", 0.5, sound=False)
    make_clip(os.fsencode(path), kind, str(tmp_path / "clip"))
    (stream,) = streams_of(tmp_path / "clip")
    assert stream["seconds"] == pytest.approx(0.5, abs=0.15)


def test_a_video_without_a_clip_says_so_for_good(clips: VideoClips, tmp_path: Path) -> None:
    path = footage(tmp_path / "videos" / "a.mp4")
    path.write_bytes(path.read_bytes()[:2000])
    known = media(path)
    clips.want(known, "preview")
    clips.make_next()
    clip = clips.want(known, "preview")
    assert clip.status == "failed"
    assert "cannot be decoded" in (clip.detail or "")
    assert not clips.make_next()
    assert [file.name[64:] for file in (tmp_path / "previews").rglob("*.*")] == [".mp4.failed"]
    clips.path(known, "preview").with_name(clips.path(known, "preview").name + ".failed").unlink()
    assert clips.want(known, "preview").status == "pending"


def test_what_was_asked_for_last_is_made_first_and_the_oldest_wish_is_forgotten(
    workers: WorkerPool, tmp_path: Path
) -> None:
    clips = room_for(2**30, workers, tmp_path, most_wanted=2)
    known = [media(footage(tmp_path / "videos" / f"{name}.mp4", 1)) for name in "abc"]
    for each in known:
        clips.want(each, "preview")
    clips.make_next()
    assert [clips.path(each, "preview").exists() for each in known] == [False, False, True]
    assert clips.make_next()
    assert not clips.make_next()
    assert not clips.path(known[0], "preview").exists()


def test_clips_that_were_not_asked_for_the_longest_make_room_and_are_made_again(
    workers: WorkerPool, tmp_path: Path
) -> None:
    known = [media(footage(tmp_path / "videos" / f"{name}.mp4", 1)) for name in "abc"]
    clips = room_for(2**30, workers, tmp_path)
    for each in known[:2]:
        clips.want(each, "preview")
        clips.make_next()
    abandoned = clips.path(known[0], "preview").with_name(".killed.tmp")
    abandoned.write_bytes(b"half")
    os.utime(abandoned, (1, 1))
    first, second, third = (clips.path(each, "preview") for each in known)
    changed = first.stat().st_mtime_ns
    os.utime(first, ns=(2, changed))
    os.utime(second, ns=(3, second.stat().st_mtime_ns))
    assert clips.want(known[0], "preview").status == "ready"
    assert first.stat().st_mtime_ns == changed

    clips = room_for(first.stat().st_size * 5 // 2, workers, tmp_path)
    clips.want(known[2], "preview")
    clips.make_next()
    assert [path.exists() for path in (first, second, third, abandoned)] == [True, False, True, False]
    assert clips.want(known[1], "preview").status == "pending"
    assert clips.make_next()
    assert [path.exists() for path in (first, second, third)] == [False, True, True]


def room_for(most_bytes: int, workers: WorkerPool, folder: Path, most_wanted: int = MOST_WANTED) -> VideoClips:
    """Clips that take no more than so many bytes, of which so many may wait to be made."""
    previews, gifs, videos = folder / "previews", folder / "gifs", folder / "videos"
    return VideoClips(
        workers, previews, gifs, lambda _, name: videos / name, most_bytes=most_bytes, most_wanted=most_wanted
    )


def test_a_file_that_left_or_was_replaced_has_no_clip(clips: VideoClips, tmp_path: Path) -> None:
    gone, replaced = (media(footage(tmp_path / "videos" / name, 1)) for name in ("gone.mp4", "new.mp4"))
    clips.want(gone, "preview")
    clips.want(replaced, "preview")
    (tmp_path / "videos" / "gone.mp4").unlink()
    footage(tmp_path / "videos" / "new.mp4", 2)
    while clips.make_next():
        pass
    assert not (tmp_path / "previews").exists()


def test_a_folder_that_cannot_be_written_leaves_the_wish_for_later(clips: VideoClips, tmp_path: Path) -> None:
    known = media(footage(tmp_path / "videos" / "a.mp4", 1))
    (tmp_path / "previews").write_text("in the way")
    clips.want(known, "preview")
    with pytest.raises(Unavailable, match="cannot be written"):
        clips.make_next()
    (tmp_path / "previews").unlink()
    assert clips.make_next()
    assert clips.want(known, "preview").status == "ready"


def test_stopping_ends_the_clip_that_is_being_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "bin" / "ffprobe"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    path = footage(tmp_path / "a.mp4", 1)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=os.pathsep)
    clips = VideoClips(WorkerPool(1), tmp_path / "previews", tmp_path / "gifs", lambda *_: path, most_bytes=2**30)
    clips.want(media(path), "preview")
    threading.Timer(1.0, clips.close).start()
    with pytest.raises(Unavailable):
        clips.make_next()


def test_half_a_clip_is_never_there(tmp_path: Path) -> None:
    path = footage(tmp_path / "a.mp4", 3)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(Unreadable):
        make_clip(os.fsencode(path), "preview", str(tmp_path / "out" / "clip.mp4"))
    assert not list(tmp_path.glob("out/*"))
