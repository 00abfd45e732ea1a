"""What the library knows of one photo as texts, which are embedded so that the photo is found by meaning.

What it shows and when it was taken are two texts: in one, the long words of a date drown a short caption.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from domain.base.names import one_line

EDITION: Final = 2
"""Raise it when the text of the same facts changes: every photo is told anew then."""
LONGEST: Final = 1_000
"""Characters of a photo's text: what follows adds little to what it is about, and takes the bundled model long."""
MOST_NAMES: Final = 50

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SEASONS: Final = ("winter", "spring", "summer", "autumn")
_TROPIC: Final = 23.4
"""Degrees: nearer to the equator there are no such seasons."""
_HOURS: Final = ((5, "night"), (11, "morning"), (14, "noon"), (18, "afternoon"), (22, "evening"), (24, "night"))
"""Until which hour of the day it is called so."""
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_OF_CAMERAS: Final = frozenset(
    {"img", "dsc", "dscn", "dscf", "dcim", "pxl", "mvi", "vid", "mov", "imag", "pict", "photo", "video", "image", "sam"}
)
"""What cameras and telephones call every file."""


class PhotoFacts(msgspec.Struct, frozen=True):
    """What is known of a file: `taken_at` microseconds of the wall clock as in `FileFacts`, None where nothing but the
    time of the file says it; `latitude` in degrees; `title` and `text` are the newest insight's; of what
    people wrote into the file, `written` is the title, the keywords and the place, and `description` the rest."""

    kind: str
    path: str
    taken_at: int | None = None
    latitude: float | None = None
    place: str = ""
    title: str = ""
    text: str = ""
    people: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    description: str = ""


class PhotoText(msgspec.Struct, frozen=True):
    """A photo in words, each in one line: `what` it shows and `when` it was taken. Neither is empty: of what is made of
    two texts, every query would find more than of one."""

    what: str
    when: str


def text_of_photo(facts: PhotoFacts) -> PhotoText:
    """The texts of a photo. In `what`, of at most `LONGEST` characters, the shortest and surest comes first, since a
    model reads the beginning of a long text alone."""
    what = " ".join(f"{part}." for part in _parts(facts) if part)[:LONGEST]
    kind, when = facts.kind.title(), _when(facts)
    return PhotoText(what or f"{kind}.", f"{kind}, {when}." if when else f"{kind}.")


def _parts(facts: PhotoFacts) -> Iterator[str]:
    yield from map(_sentence, facts.written)
    yield _sentence(facts.title)
    yield _listed(facts.tags)
    yield f"With {_listed(facts.people)}" if facts.people else ""
    yield _sentence(facts.place)
    yield _sentence(" ".join(_words_of(facts.path)))
    yield "Video" if facts.kind == "video" else ""
    yield _sentence(facts.description)
    yield _sentence(facts.text)


def _sentence(text: str) -> str:
    return one_line(text).rstrip(" .")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(_sentence(name) for name in list(names)[:MOST_NAMES])


def _words_of(path: str) -> Iterable[str]:
    """The words of folders and name, without what cameras call every file; each once."""
    words = _WORD.findall(path.rpartition(".")[0] or path)
    return dict.fromkeys(word for word in words if word.casefold() not in _OF_CAMERAS)


def _when(facts: PhotoFacts) -> str:
    if facts.taken_at is None:
        return ""
    try:
        taken = _EPOCH + timedelta(microseconds=facts.taken_at)
    except OverflowError:
        return ""
    hour = next(name for until, name in _HOURS if taken.hour < until)
    season = _season(taken.month, facts.latitude)
    return f"{taken:%A} {taken.day} {taken:%B} {taken.year:04}, {hour}" + (f", {season}" if season else "")


def _season(month: int, latitude: float | None) -> str:
    """The meteorological season; where nobody says where, that of the north, where most people live."""
    if latitude is not None and abs(latitude) < _TROPIC:
        return ""
    shift = 6 if latitude is not None and latitude < 0 else 0
    return _SEASONS[(month + shift) % 12 // 3]
