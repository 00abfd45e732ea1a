"""Parts of videos are made when they are wanted, whole, by few ffmpegs, which end with whoever wanted them."""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from adapters.media import video_plan
from adapters.media.ffmpeg import Word, contained, ffmpeg_command
from adapters.media.video_cache import PartCache
from adapters.media.video_stream import COPIED_AHEAD, MOST_WAITING, UNWATCHED_SECONDS, WAIT_SECONDS, VideoStreams
from domain.base.errors import NotFound, Unavailable, Unreadable
from domain.events.media import Media
from tests.footage import AAC, H264, HEVC, footage
from tests.waiting import until

pytestmark = pytest.mark.ffmpeg

ROOT = Path(__file__).resolve().parents[3]


def media(path: Path) -> list[Media]:
    """The one file of a content, as the tables know it."""
    facts, content = path.stat(), hashlib.sha256(path.read_bytes()).digest()
    return [Media(1, 1, path.name, content, facts.st_size, facts.st_mtime_ns, "video", None, True)]


def read(descriptor: int) -> bytes:
    """All of a file, which is closed."""
    with open(descriptor, "rb") as file:
        return file.read()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds of HEVC: twenty parts that are encoded."""
    return footage(tmp_path_factory.mktemp("film") / "a.mp4", 40, *HEVC, *AAC)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty seconds of H.264: fifteen parts that are copied."""
    return footage(tmp_path_factory.mktemp("plain") / "a.mp4", 60, *H264, "-g", "20", *AAC)


@pytest.fixture
def streams(tmp_path: Path, film: Path, plain: Path) -> Iterator[VideoStreams]:
    """Streams of these two, by their names."""
    made = opened(tmp_path / "parts", film, plain)
    yield made
    made.close()


def opened(
    folder: Path,
    *files: Path,
    most_bytes: int = 10**9,
    at_once: int = 2,
    wait_seconds: float = WAIT_SECONDS,
    unwatched_seconds: float = UNWATCHED_SECONDS,
    most_waiting: int = MOST_WAITING,
) -> VideoStreams:
    """Streams that open the file of the library's number."""

    def open_original(library_id: int, path: str) -> int:
        if library_id > len(files):
            raise NotFound("no such library")
        return os.open(files[library_id - 1], os.O_RDONLY)

    return VideoStreams(
        folder,
        open_original,
        at_once=at_once,
        most_bytes=most_bytes,
        wait_seconds=wait_seconds,
        unwatched_seconds=unwatched_seconds,
        most_waiting=most_waiting,
    )


def of(path: Path, library: int = 1) -> list[Media]:
    """A file as it is known in a library."""
    (known,) = media(path)
    return [Media(1, library, "a.mp4", known.content_hash, known.size, known.mtime_ns, "video", None, True)]


@pytest.fixture
def sleeping(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Word]]:
    """In place of each ffmpeg a program that never ends; the command lines."""
    commands: list[Sequence[Word]] = []

    def command(*words: Word) -> list[Word]:
        commands.append(words)
        return ["sleep", "600"]

    monkeypatch.setattr(video_plan, "ffmpeg_command", command)
    return commands


def times_of(content: bytes, tmp_path: Path, stream: str = "v") -> list[float]:
    """The times in a part, in order."""
    path = tmp_path / "one.ts"
    path.write_bytes(content)
    words = ["-v", "error", "-select_streams", stream, "-show_entries", "packet=pts_time", "-of", "csv=p=0"]
    listed = subprocess.run(["ffprobe", *words, str(path)], check=True, capture_output=True, text=True).stdout
    return sorted({float(line.strip(",")) for line in listed.split()})


def test_parts_follow_each_other_without_a_gap_whichever_is_asked_for_first(
    streams: VideoStreams, film: Path, plain: Path, tmp_path: Path
) -> None:
    for path, library in ((film, 1), (plain, 2)):
        parts = range(15 if path is plain else 20)
        order = [7, 0, 12, *parts]
        pictures = {number: times_of(read(streams.part(of(path, library), number)), tmp_path) for number in order}
        times = [time for number in parts for time in pictures[number]]
        assert times == sorted(set(times))
        assert len(times) == (600 if path is plain else 400)
        steps = [after - before for before, after in itertools.pairwise(times)]
        assert max(steps) == pytest.approx(0.1, abs=0.002)


def test_sound_has_no_hole_where_one_run_ends_and_the_next_begins(
    streams: VideoStreams, film: Path, tmp_path: Path
) -> None:
    for number in (2, 8):
        read(streams.part(of(film), number))
    first = times_of(read(streams.part(of(film), 7)), tmp_path, "a")
    second = times_of(read(streams.part(of(film), 8)), tmp_path, "a")
    assert second[0] - first[-1] < 2 * 1024 / 48000


def test_a_part_is_made_once_and_some_after_it_too(streams: VideoStreams, plain: Path, tmp_path: Path) -> None:
    first = read(streams.part(of(plain, 2), 0))
    made = tmp_path / "parts"
    until(lambda: len(list(made.rglob("*.ts"))) >= COPIED_AHEAD)
    assert read(streams.part(of(plain, 2), 0)) == first
    until(lambda: not list(made.rglob("run-*")))
    assert len(list(made.rglob("*.ts"))) < 15


def test_many_who_want_one_part_share_one_ffmpeg(
    streams: VideoStreams, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Sequence[Word]] = []

    def command(*words: Word) -> list[Word]:
        begun.append(words)
        return ffmpeg_command(*words)

    monkeypatch.setattr(video_plan, "ffmpeg_command", command)
    streams.playlist(of(film))
    with ThreadPoolExecutor(8) as many:
        parts = list(many.map(lambda _: read(streams.part(of(film), 2)), range(8)))
    assert len({hashlib.sha256(part).digest() for part in parts}) == 1
    assert sum("2.700000" in words or "3.700000" in words for words in begun) == 1


def test_a_part_past_the_end_is_not_found(streams: VideoStreams, film: Path) -> None:
    with pytest.raises(NotFound, match="20 parts"):
        streams.part(of(film), 20)


def test_there_are_never_more_ffmpegs_than_allowed_and_who_waits_in_vain_is_told(
    tmp_path: Path, film: Path, plain: Path, sleeping: list[Sequence[Word]]
) -> None:
    streams = opened(tmp_path / "parts", film, plain, at_once=1, wait_seconds=1.0)
    streams.playlist(of(film))
    streams.playlist(of(plain, 2))

    def want(path: Path, library: int) -> str:
        with pytest.raises(Unavailable) as refusal:
            streams.part(of(path, library), 3)
        return str(refusal.value)

    with ThreadPoolExecutor(2) as both:
        reasons = list(both.map(want, (film, plain), (1, 2)))
        assert reasons == ["the part was not ready in time: try again"] * 2
    assert len(sleeping) == 1
    streams.close()


def test_a_crowd_that_waits_leaves_room_for_others(tmp_path: Path, film: Path, sleeping: list[Sequence[Word]]) -> None:
    streams = opened(tmp_path / "parts", film, most_waiting=1)
    streams.playlist(of(film))

    def want() -> None:
        with pytest.raises(Unavailable):
            streams.part(of(film), 0)

    waiting = threading.Thread(target=want)
    waiting.start()
    until(lambda: bool(sleeping))
    with pytest.raises(Unavailable, match="too many"):
        streams.part(of(film), 0)
    streams.close()
    waiting.join()


def test_work_that_nobody_watches_any_more_ends(tmp_path: Path, film: Path, sleeping: list[Sequence[Word]]) -> None:
    with closing(opened(tmp_path / "parts", film, wait_seconds=0.3, unwatched_seconds=0.5)) as streams:
        with pytest.raises(Unavailable):
            streams.part(of(film), 0)
        assert len(streams._runs) == 1
        until(lambda: not streams._runs)


def test_a_jump_ends_the_work_at_the_place_that_was_left(
    tmp_path: Path, film: Path, sleeping: list[Sequence[Word]]
) -> None:
    with closing(opened(tmp_path / "parts", film, wait_seconds=0.3)) as streams:
        for number in (0, 9):
            with pytest.raises(Unavailable):
                streams.part(of(film), number)
        until(lambda: [run.first for run in streams._runs] == [9])
        assert len(sleeping) == 2


def test_who_leaves_ends_the_work_that_was_for_them_alone(
    streams: VideoStreams, film: Path, sleeping: list[Sequence[Word]]
) -> None:
    left = threading.Event()
    reasons: list[str] = []

    def want(number: int, is_left: Callable[[], bool]) -> None:
        try:
            streams.part(of(film), number, is_left)
        except Unavailable as error:
            reasons.append(str(error))

    staying = threading.Thread(target=want, args=(0, lambda: False))
    leaving = [threading.Thread(target=want, args=(number, left.is_set)) for number in (0, 9)]
    staying.start()
    until(lambda: bool(streams._runs))
    for thread in leaving:
        thread.start()
    until(lambda: [run.first for run in streams._runs] == [0, 9])
    left.set()
    for thread in leaving:
        thread.join(10)
    until(lambda: [run.first for run in streams._runs] == [0])
    assert reasons == ["whoever asked for the part left"] * 2
    streams.close()
    staying.join(10)


def test_stopping_ends_the_work_and_tells_who_waits(
    streams: VideoStreams, film: Path, sleeping: list[Sequence[Word]]
) -> None:
    reasons: list[str] = []

    def want() -> None:
        try:
            streams.part(of(film), 0)
        except Unavailable as error:
            reasons.append(str(error))

    waiting = threading.Thread(target=want)
    waiting.start()
    until(lambda: bool(streams._runs) and streams._runs[0].process is not None)
    process = streams._runs[0].process
    streams.close()
    waiting.join(10)
    assert reasons == ["the server stops"]
    assert process is not None
    assert process.returncode == -signal.SIGKILL


def test_ffmpeg_dies_with_a_server_that_is_killed() -> None:
    script = (
        "import subprocess, time; from adapters.media.ffmpeg import contained\n"
        "print(subprocess.Popen(contained(['sleep', '600'])).pid, flush=True); time.sleep(600)"
    )
    assert contained(["sleep"])[-1] == "sleep"
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        child = Path("/proc") / server.stdout.readline().strip()
        until(lambda: (child / "cmdline").read_bytes() == b"sleep\x00600\x00")
        server.kill()
    until(lambda: not child.exists() or "\nState:\tZ" in (child / "status").read_text())


def test_a_failing_ffmpeg_leaves_nothing_and_says_why(
    streams: VideoStreams, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams.playlist(of(film))
    half = "echo half > $0/0.ts; echo '[x @ 0x1] of no use' >&2; exit 1"
    monkeypatch.setattr(video_plan, "ffmpeg_command", lambda *words: ["sh", "-c", half, str(words[-1])[:-6]])
    with pytest.raises(Unreadable, match="of no use"):
        streams.part(of(film), 0)
    assert not [*(tmp_path / "parts").rglob("*.ts"), *(tmp_path / "parts").rglob("run-*")]


def test_a_full_disk_is_no_fault_of_the_video(
    streams: VideoStreams, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams.playlist(of(film))
    full = "echo 'av_interleaved_write_frame(): No space left on device' >&2; exit 1"
    monkeypatch.setattr(video_plan, "ffmpeg_command", lambda *_: ["sh", "-c", full])
    with pytest.raises(Unavailable, match="No space left"):
        streams.part(of(film), 0)


def test_a_file_that_was_replaced_is_never_played_under_its_old_hash(tmp_path: Path) -> None:
    path = footage(tmp_path / "a.mp4")
    known = of(path)
    footage(path, 3)
    streams = opened(tmp_path / "parts", path)
    with pytest.raises(Unavailable, match="replaced"):
        streams.playlist(known)
    with pytest.raises(NotFound):
        streams.playlist([Media(1, 7, "a.mp4", bytes(32), 1, 1, "video", None, True)])
    with pytest.raises(NotFound):
        streams.playlist([])
    assert read(streams.part([*known, *of(path)], 0))
    streams.close()


def test_parts_that_were_not_watched_for_the_longest_make_room(tmp_path: Path) -> None:
    cache = PartCache(tmp_path, 1254)
    for number in range(5):
        with cache.scratch(bytes(32)) as folder:
            (folder / "x.ts").write_bytes(bytes(376))
            cache.take(bytes(32), number, folder / "x.ts")
        os.utime(cache._part(bytes(32), number), (number + 1, number + 1))
    descriptor = cache.opened(bytes(32), 0)
    assert descriptor is not None
    cache.make_room()
    assert [number for number in range(5) if cache.holds(bytes(32), number)] == [0, 3, 4]
    assert len(read(descriptor)) == 376


def test_what_a_killed_server_left_half_made_goes_after_an_hour(tmp_path: Path) -> None:
    cache = PartCache(tmp_path, 10**9)
    with cache.scratch(bytes(32)) as young, cache.scratch(bytes(32)) as old:
        os.utime(old, (1, 1))
        cache.make_room()
        assert young.exists()
        assert not old.exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, film: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    streams = opened(tmp_path / "file" / "parts", film)
    with pytest.raises(Unavailable, match="cannot be written"):
        streams.playlist(of(film))
    streams.close()
