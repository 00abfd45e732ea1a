"""Programs that compute for others, each with a limit on what it computes and on how long it is waited for."""

from __future__ import annotations

import contextlib
import math
import os
import resource
import signal
import subprocess
from collections.abc import Sequence
from typing import Final

from domain.base.errors import NotInTime, Unreadable

PATIENCE: Final = 5.0
"""How many times longer than it may compute a program is waited for: others compute on the same cores."""


def run_limited(
    command: Sequence[str | bytes],
    seconds: float,
    content: bytes | None = None,
    *,
    fds: Sequence[int] = (),
    patience: float | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program that may compute for `seconds`, over all of its threads, with `content` as its standard input; it
    is waited for `patience` seconds, unless told `PATIENCE` times as long.

    Where the system limits no other process (macOS), all of its time counts as computing.

    Raises:
        Unreadable: it computed for longer.
        NotInTime: it was not over when it was waited for no longer, or was killed from outside.
        OSError: it cannot be started.
    """
    limit = getattr(resource, "prlimit", None)
    wait = seconds * PATIENCE if patience is None else patience
    before = _computed_by_children()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL if content is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=fds,
    )
    with process:
        name = os.path.basename(os.fsdecode(command[0]))
        if limit is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # it is over already
                limit(process.pid, resource.RLIMIT_CPU, (math.ceil(seconds), resource.RLIM_INFINITY))
        try:
            output, complaints = process.communicate(content, timeout=wait if limit is not None else seconds)
        except BaseException as error:
            process.kill()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            if limit is None:
                raise Unreadable(f"{name} took longer than {seconds:g} s") from error
            raise NotInTime(f"{name} was not over after {wait:g} s, most of them of waiting") from error
    overran = process.returncode != 0 and _computed_by_children() - before >= 0.8 * seconds
    if process.returncode == -signal.SIGXCPU or overran:  # ffmpeg ends by itself when it is told
        raise Unreadable(f"decoding took longer than {seconds:g} s of computing")
    if process.returncode == -signal.SIGKILL:
        raise NotInTime(f"{name} was killed, most likely for lack of memory")
    return subprocess.CompletedProcess(command, process.returncode, output, complaints)


def _computed_by_children() -> float:
    """Seconds of computing of all programs of this process that are over."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
