"""Worker processes in which LibRaw does what a hostile file makes a decoder do."""

from __future__ import annotations

import os
import signal
import time
from typing import Literal, NoReturn

import rawpy

Attack = Literal["crash", "exit", "compute", "hang", "fill the memory"]


def prepare(attack: Attack) -> None:
    """Make this process one in which opening a RAW does that."""

    def imread(*_: object) -> NoReturn:
        if attack == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if attack == "exit":
            os._exit(3)
        if attack == "fill the memory":
            raise SystemExit(len(bytearray(2**40)))
        while attack == "compute":
            pass
        while True:
            time.sleep(1)

    setattr(rawpy, "imread", imread)  # noqa: B010 - an assignment would have to be of rawpy's own type
