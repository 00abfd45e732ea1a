"""What `imageapi doctor` finds: each part with what is there of it, and what it adds."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from domain.base.errors import Unavailable
from domain.ports.face_engine import FaceEngine
from domain.ports.watching import Watching

PROGRAMS: Final = {
    "ffmpeg": "videos: posters, previews, HLS; and JPEG XL pictures",
    "exiftool": "previews of RAW files that keep them in unusual places",
}


class Finding(NamedTuple):
    """One line: what was looked for, what is there (None where it is missing), and what it adds."""

    what: str
    found: str | None
    adds: str


def programs() -> list[Finding]:
    """The programs that are no Python packages."""
    return [Finding(program, shutil.which(program), f"adds {adds}") for program, adds in PROGRAMS.items()]


def faces(engine: Callable[[], FaceEngine | None]) -> Finding:
    """The face engine; `engine` raises `Unavailable` where what was set cannot be had."""
    try:
        found = engine()
        state = "off" if found is None else found.model_version
    except Unavailable as error:
        state = str(error)
    return Finding("face engine", state, "finds and recognises faces")


def watching(foreseen: Mapping[str, Watching]) -> Finding:
    """How each library, by its name, will be watched."""
    told = (f"{name}: {of.mode}" + (f", {of.reason}" if of.reason else "") for name, of in foreseen.items())
    return Finding("watching", "; ".join(told) or "no library yet", "says how changes in each library are noticed")
