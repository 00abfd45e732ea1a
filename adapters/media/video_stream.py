"""Videos as HLS while they are watched: parts are made when they are wanted, some ahead of that, and no more.

One ffmpeg makes a run of parts and ends. A player that comes near the end of what is there starts the next run; one
that jumps starts another there, and the run that nobody waits for any more is ended, as it is when nobody asks for a
part for a while. So nothing goes on encoding for a closed window, and there are never more than `at_once` ffmpegs.
"""

from __future__ import annotations

import logging
import os
import selectors
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, cast

from adapters.media.ffmpeg import contained, reason_of
from adapters.media.video_cache import PartCache
from adapters.media.video_plan import Plan, command, part_begun_at, plan_of, playlist
from domain.base.errors import ImageApiError, NotFound, Unavailable, Unreadable
from domain.events.media import NEEDS_FFMPEG, NOT_IN_TIME, Media

COPIED_AHEAD: Final = 8
ENCODED_AHEAD: Final = 8
"""Parts of one run: half a minute of what is copied, a quarter of a minute of what is encoded."""
LOOK_AHEAD: Final = 4
"""Parts that are to be there beyond the one that was asked for."""
_NEAR: Final = 2
"""Parts that a player rather waits for than has another ffmpeg begin at the one it wants."""
WAIT_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.2
"""How often a request that waits looks whether its client is still there."""
RUN_SECONDS: Final = 300.0
UNWATCHED_SECONDS: Final = 15.0
MOST_WAITING: Final = 12
"""Requests that may wait at once: the others of this server must go on."""
_PLANS_KEPT: Final = 64
_LAST_WORDS: Final = 4096

_MAY_PASS: Final = frozenset({None, NEEDS_FFMPEG, NOT_IN_TIME})
"""Problems of a video that are not its own."""

log = logging.getLogger(__name__)


class _FfmpegRun:
    """One ffmpeg at work on parts `first` to `end`, the latter excluded; `next` is the first that is not there yet."""

    def __init__(self, content: bytes, plan: Plan, first: int, end: int, source: int) -> None:
        self.content, self.plan, self.first, self.end, self.source = content, plan, first, end, source
        self.next = first
        self.waiting = 0
        self.is_stopped = self.is_over = False
        self.trouble: ImageApiError | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """End it soon."""
        self.is_stopped = True
        if self.process is not None:
            self.process.kill()

    def covers(self, content: bytes, number: int) -> bool:
        """Whether the part will soon be there by this run."""
        near = self.end if self.plan.copies_picture else self.next + _NEAR
        return not self.is_stopped and self.content == content and self.next <= number < min(self.end, near)


class VideoStreams:
    """HLS playlists and parts by content. Blocking; safe from any thread."""

    def __init__(
        self,
        folder: Path,
        open_original: Callable[[int, str], int],
        *,
        at_once: int,
        most_bytes: int,
        wait_seconds: float = WAIT_SECONDS,
        unwatched_seconds: float = UNWATCHED_SECONDS,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """`open_original` gives a descriptor of the file at a path text of a library, by its id; `most_bytes` is what
        all parts may take on the disk. A request waits for `wait_seconds` at most, `most_waiting` of them at once, and
        work ends that nobody watched for `unwatched_seconds`."""
        self._cache = PartCache(folder, most_bytes)
        self._open_original = open_original
        self._at_once, self._most_waiting = at_once, most_waiting
        self._wait_seconds, self._unwatched_seconds = wait_seconds, unwatched_seconds
        self._probing = threading.BoundedSemaphore(at_once)
        self._changed = threading.Condition()
        self._runs: list[_FfmpegRun] = []
        self._threads: list[threading.Thread] = []
        self._watched: dict[bytes, float] = {}
        self._plans: dict[bytes, Plan] = {}
        self._waiting = 0
        self._closed = False

    def playlist(self, copies: Sequence[Media]) -> str:
        """The playlist of a video, of which `copies` are the present files that the user may see.

        Raises:
            Unreadable: it cannot be decoded.
            NotFound, Unavailable: no file of it is to be had now, or ffmpeg is not installed.
        """
        return playlist(self._plan(_playable(copies)))

    def part(self, copies: Sequence[Media], number: int, is_left: Callable[[], bool] = lambda: False) -> int:
        """A descriptor of one part, which the caller closes; `is_left` says whether nobody waits for it any more.

        Raises:
        as `playlist`, `NotFound` past the last part."""
        content, plan = _content(copies), self._plan(_playable(copies))
        if number >= plan.parts:
            raise NotFound(f"the video has {plan.parts} parts, from 0 on")
        self._watched[content] = time.monotonic()
        descriptor = self._cache.opened(content, number)
        if descriptor is None:
            descriptor = self._made(copies, plan, number, is_left)
        try:
            self._look_ahead(copies, plan, number)
        except ImageApiError as error:
            log.info("no parts are made ahead: %s", error)  # who asks for them is told
        return descriptor

    def close(self) -> None:
        """End all work; whoever waits is told that the server stops."""
        with self._changed:
            self._closed = True
            for run in self._runs:
                run.stop()
            self._changed.notify_all()
            threads = [*self._threads]
        for thread in threads:
            thread.join()

    # Plans

    def _plan(self, copies: Sequence[Media]) -> Plan:
        content = _content(copies)
        plan = self._plans.get(content) or self._cache.plan(content)
        if plan is None:
            with self._source(copies) as source, self._probing:
                plan = plan_of(_path_of(source), (source,))
            self._cache.keep_plan(content, plan)
        self._plans[content] = plan
        while len(self._plans) > _PLANS_KEPT:
            self._plans.pop(next(iter(self._plans)), None)
        return plan

    @contextmanager
    def _source(self, copies: Sequence[Media]) -> Iterator[int]:
        """A descriptor of a file with this content: one that is still as it was indexed."""
        trouble: ImageApiError = NotFound("the video is not there any more")
        for media in copies:
            try:
                descriptor = self._open_original(media.library_id, media.path)
            except (NotFound, Unavailable) as error:
                trouble = error
                continue
            try:
                facts = os.fstat(descriptor)
                if (facts.st_size, facts.st_mtime_ns) == (media.size, media.mtime_ns):
                    with self._cache.alone(descriptor, media) as source:
                        yield source
                    return
            finally:
                os.close(descriptor)
            trouble = Unavailable("the file was replaced: the next scan will say by what")
        raise trouble

    # Runs

    def _made(self, copies: Sequence[Media], plan: Plan, number: int, is_left: Callable[[], bool]) -> int:
        """A descriptor of a part that is not there yet, when it is."""
        content, until = _content(copies), time.monotonic() + self._wait_seconds
        with self._source(copies) as source, self._changed:
            if self._waiting >= self._most_waiting:
                raise Unavailable("too many wait for parts of videos: try again")
            self._waiting += 1
            try:
                return self._waited_for(content, plan, number, source, until=until, is_left=is_left)
            finally:
                self._waiting -= 1

    def _waited_for(
        self, content: bytes, plan: Plan, number: int, source: int, *, until: float, is_left: Callable[[], bool]
    ) -> int:
        run: _FfmpegRun | None = None
        while (descriptor := self._cache.opened(content, number)) is None:
            if self._closed:
                raise Unavailable("the server stops")
            if run is not None and run.is_over and run.trouble is not None:
                raise run.trouble
            if is_left():
                if run is not None and run.waiting == 0:
                    run.stop()  # who jumps elsewhere leaves the place at once
                raise Unavailable("whoever asked for the part left")
            if (left := until - time.monotonic()) <= 0:
                raise Unavailable("the part was not ready in time: try again")
            run = self._covering(content, number) or self._begun(content, plan, number, source, is_wanted=True)
            if run is not None:
                run.waiting += 1
            self._changed.wait(min(left, _LOOK_SECONDS))
            if run is not None:
                run.waiting -= 1
        return descriptor

    def _covering(self, content: bytes, number: int) -> _FfmpegRun | None:
        return next((run for run in self._runs if run.covers(content, number)), None)

    def _begun(self, content: bytes, plan: Plan, number: int, source: int, *, is_wanted: bool) -> _FfmpegRun | None:
        """A new run from a part on, None where as many as there may be are at work. One that is wanted ends those that
        nobody waits for: of the same video, and of others where there is no room."""
        if is_wanted:
            for run in self._runs:
                if run.waiting == 0 and (run.content == content or len(self._runs) >= self._at_once):
                    run.stop()
        if len(self._runs) >= self._at_once or self._closed:
            return None
        most = COPIED_AHEAD if plan.copies_picture else ENCODED_AHEAD
        end = number + 1
        while end < min(number + most, plan.parts) and not self._cache.holds(content, end):
            end += 1
        run = _FfmpegRun(content, plan, number, end, os.dup(source))
        self._runs.append(run)
        thread = threading.Thread(target=self._work, args=(run,), name=f"video-{number}", daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()
        return run

    def _look_ahead(self, copies: Sequence[Media], plan: Plan, number: int) -> None:
        """Begin with the parts after one that was asked for, where nobody does yet and there is room."""
        content = _content(copies)
        ahead = range(number + 1, min(number + 1 + LOOK_AHEAD, plan.parts))
        missing = next((each for each in ahead if not self._cache.holds(content, each)), None)
        if missing is None:
            return
        with self._changed:
            if any(run.content == content for run in self._runs) or len(self._runs) >= self._at_once:
                return
        with self._source(copies) as source, self._changed:
            if not any(run.content == content for run in self._runs):
                self._begun(content, plan, missing, source, is_wanted=False)

    def _work(self, run: _FfmpegRun) -> None:
        """One run from its beginning to its end, in a thread of its own, which ffmpeg dies with."""
        try:
            with self._cache.scratch(run.content) as folder:
                self._run_ffmpeg(run, folder)
        except ImageApiError as error:
            run.trouble = error
        except OSError as error:
            run.trouble = Unavailable(f"parts of videos cannot be made now: {error.strerror}")
        finally:
            os.close(run.source)
            with self._changed:
                run.is_over = True
                self._runs.remove(run)
                self._changed.notify_all()
        self._cache.make_room()

    def _run_ffmpeg(self, run: _FfmpegRun, folder: Path) -> None:
        words = command(run.plan, _path_of(run.source), run.first, run.end - run.first, os.fspath(folder))
        process = run.process = subprocess.Popen(
            contained(words),
            pass_fds=(run.source,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            last_words = self._followed(run, process, folder)
            failed = process.wait(10) != 0
        except subprocess.TimeoutExpired:
            failed, last_words = True, b"it did not end"
        finally:
            process.kill()
            process.communicate()
        if run.next >= run.end or run.is_stopped:
            return
        reason = reason_of(last_words) if failed else "the video ends before"
        log.warning("part %s of %s cannot be made: %s", run.next, run.content.hex()[:12], reason)
        run.trouble = (
            Unavailable(reason) if b"No space left" in last_words else Unreadable(f"cannot be played: {reason}")
        )

    def _followed(self, run: _FfmpegRun, process: subprocess.Popen[bytes], folder: Path) -> bytes:
        """Take the parts as ffmpeg says that they are whole, until all are there or the run is to end; its last
        complaints."""
        out, complaints = cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr)  # both are pipes
        until, lines, last_words = time.monotonic() + RUN_SECONDS, b"", b""
        with selectors.DefaultSelector() as ready:
            ready.register(out, selectors.EVENT_READ)
            ready.register(complaints, selectors.EVENT_READ)
            while ready.get_map() and run.next < run.end:
                if run.is_stopped or time.monotonic() > until or self._is_unwatched(run):
                    run.stop()
                    return last_words
                for key, _ in ready.select(0.5):
                    chunk = os.read(key.fd, 65536)
                    if not chunk:
                        ready.unregister(key.fileobj)
                    elif key.fileobj is out:
                        *whole, lines = (lines + chunk).split(b"\n")
                        for line in whole:
                            self._take(run, line.decode("utf-8", "replace"), folder)
                    else:
                        last_words = (last_words + chunk)[-_LAST_WORDS:]
        if run.next >= run.end:
            process.kill()
        return last_words

    def _is_unwatched(self, run: _FfmpegRun) -> bool:
        unwatched = time.monotonic() - self._watched.get(run.content, 0.0)
        return run.waiting == 0 and unwatched > self._unwatched_seconds

    def _take(self, run: _FfmpegRun, line: str, folder: Path) -> None:
        begun = part_begun_at(run.plan, range(run.first, run.end), line)
        if begun is None:
            (folder / line.partition(",")[0]).unlink(missing_ok=True)
            return
        name, number = begun
        self._cache.take(run.content, number, folder / name)
        with self._changed:
            run.next = max(run.next, number + 1)
            self._changed.notify_all()


def _content(copies: Sequence[Media]) -> bytes:
    if not copies or copies[0].content_hash is None:
        raise NotFound("there is no such video")
    return copies[0].content_hash


def _playable(copies: Sequence[Media]) -> Sequence[Media]:
    """The same, where it is not known already that nothing can be made of them.

    Raises:
        Unreadable: it is; the text says why.
    """
    known = [each.problem for each in copies if each.kind == "video" and each.problem not in _MAY_PASS]
    if known and len(known) == len(copies):
        raise Unreadable(f"cannot be played: {known[0]}")
    return copies


def _path_of(descriptor: int) -> bytes:
    return b"/dev/fd/%d" % descriptor
