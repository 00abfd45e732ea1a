"""Ends a server that a test started, and shows what it hangs on where it does not end."""

from __future__ import annotations

import signal
import subprocess
import threading
import warnings

SECONDS = 60.0
TELLS_WHERE = {"PYTHONFAULTHANDLER": "1"}
"""What the environment of a Python process needs to print the stacks of its threads when it gets SIGABRT."""


def stop(process: subprocess.Popen[str], said: list[str], listener: threading.Thread, how: signal.Signals) -> None:
    """Ask `process` by a signal to end, and wait; `listener` gathers what it writes in `said`.

    Where the server ended only because its time was over, a warning has its stacks.

    Raises:
        AssertionError: it did not end in a minute and was killed; the text has what it said last and its stacks.
    """
    process.send_signal(how)
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        if listener.is_alive():
            listener.join(5)
        process.kill()
        process.wait()
        raise AssertionError("the server did not stop:\n" + "".join(said[-400:])) from None
    finally:
        if listener.is_alive():
            listener.join(5)
    if any("did not stop within" in line for line in said):
        warnings.warn("a server had to be ended:\n" + "".join(said[-400:]), stacklevel=2)
