"""How ffmpeg and ffprobe are run on a stranger's file: what they may open, how long they may take, how they end.

A video may be anything under its name, a playlist that points elsewhere among them: both tools open local files alone,
by absolute paths, and take no container that refers to other files for its content. On Linux they die with the thread
that started them and so with the server, whatever ends it.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from adapters.workers.limited_program import run_limited
from domain.base.errors import Unavailable, Unreadable
from domain.events.media import NEEDS_FFMPEG

CONTAINERS: Final = "mov,matroska,webm,avi,flv,asf,mpeg,mpegvideo,mpegts,ogg,mxf,dv"
"""The demuxers for `magic.VIDEOS`. Not among them: hls, concat, dash and whatever else opens further files."""
_ONLY_THIS_FILE: Final = ("-protocol_whitelist", "file", "-format_whitelist", CONTAINERS)
_MEMORY: Final = (f"--data={4 * 2**30}", "--")
"""What decoding 8K and encoding 1080 lines takes by far not. Worker processes have a limit of their own."""
_DIES_WITH_US: Final = ("--pdeathsig", "KILL", "--")
_LONGEST_REASON: Final = 160

Word = str | bytes


@functools.cache
def tool(name: str) -> str:
    """The program `ffmpeg` or `ffprobe`.

    Raises:
        Unavailable: it is not installed.
    """
    found = shutil.which(name)
    if found is None:
        tool.cache_clear()  # it may be installed while the server runs
        raise Unavailable(NEEDS_FFMPEG)
    return found


def opening(path: bytes) -> list[Word]:
    """The words that open the file at an absolute path, and nothing else."""
    return [*_ONLY_THIS_FILE, "-i", b"file:" + os.path.abspath(path)]


def ffprobe(path: bytes, *words: Word, seconds: float, fds: Sequence[int] = ()) -> bytes:
    """What ffprobe writes about a file, which may be `/dev/fd/N` of a descriptor in `fds`: then this is no worker, and
    ffprobe needs limits of its own. Raises as `_output`."""
    command = [tool("ffprobe"), "-v", "error", *words, *opening(path)]
    return _output(contained(command) if fds else command, seconds, fds)


def ffmpeg(*words: Word, seconds: float) -> bytes:
    """What ffmpeg writes to standard output; raises as `_output`."""
    return _output(ffmpeg_command(*words), seconds)


@functools.cache
def has_filters(*names: str) -> bool:
    """Whether this ffmpeg was built with all of these filters."""
    listed = {line.split()[1] for line in ffmpeg("-filters", seconds=10).split(b"\n") if b"->" in line}
    return all(name.encode() in listed for name in names)


def ffmpeg_command(*words: Word) -> list[Word]:
    """A command line of ffmpeg that asks nothing and says errors alone."""
    return [tool("ffmpeg"), "-nostdin", "-hide_banner", "-v", "error", *words]


def contained(command: Sequence[Word]) -> list[Word]:
    """The same command with a limit on its memory, killed when the thread that starts it ends (prctl(2),
    PR_SET_PDEATHSIG), where util-linux has the programs for that; elsewhere as it is."""
    return [*_containment(), *command]


@functools.cache
def _containment() -> tuple[Word, ...]:
    words: tuple[Word, ...] = ()
    for name, given in (("setpriv", _DIES_WITH_US), ("prlimit", _MEMORY)):
        program = shutil.which(name) if sys.platform == "linux" else None
        if program is None:
            continue
        knows = subprocess.run([program, *given, "true"], check=False, capture_output=True).returncode == 0
        words += (program, *given) if knows else ()  # other programs of that name do less
    return words


def reason_of(stderr: bytes) -> str:
    """The last thing that a tool complained about in one short line, without addresses of memory and of the file."""
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    last = lines[-1] if lines else "no reason given"
    reason = last.rpartition("] ")[2] if last.startswith("[") else last.rpartition(": ")[2]
    return " ".join("".join(char for char in reason if char.isprintable()).split())[:_LONGEST_REASON]


def _output(command: Sequence[Word], seconds: float, fds: Sequence[int] = ()) -> bytes:
    """What a command writes to standard output, for which it computes for at most `seconds`.

    Raises:
        Unreadable: it fails, or computes for longer.
        NotInTime: it was not over in time, on a busy machine.
        Unavailable: it cannot be started.
    """
    try:
        done = run_limited(command, seconds, fds=fds)
    except OSError as error:
        raise Unavailable(f"{os.path.basename(os.fsdecode(command[0]))} cannot be started: {error.strerror}") from error
    if done.returncode != 0:
        raise Unreadable(f"cannot be decoded: {reason_of(done.stderr)}")
    return done.stdout
