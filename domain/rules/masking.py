"""Names in texts, in whatever way they are written there, and what is put in their place.

A name is found as whole words, under the form in which two names are one (`name_key`): in any case, composed or not,
across line breaks, with letters in it that are not seen, and as JSON writes it. Chinese, Japanese, Korean, Thai, Lao,
Khmer, Burmese and Tibetan set no blanks around a name, so that there it need not stand alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from domain.base.names import name_key

_SPACELESS: Final = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
"""Letters of scripts that do not part words by blanks, or join endings to names."""
_ESCAPED: Final = r"\\[nrt]"
"""White space as JSON writes it, which a tool's result may be, cut off within."""
_NO_WORD_BEFORE: Final = rf"(?:(?<![^\W{_SPACELESS}])|(?<={_ESCAPED}))"
_NO_WORD_AFTER: Final = rf"(?![^\W{_SPACELESS}])"
_ALONE_BEFORE: Final = rf"(?:(?<!\w)|(?<={_ESCAPED}))"
_ALONE_AFTER: Final = r"(?!\w)"
_IS_SPACELESS: Final = re.compile(f"[{_SPACELESS}]")
_JAMO: Final = ("\u1160", "\u11ff")
"""Vowels and final consonants of Korean syllables that are not composed."""


class Masks:
    """Puts masks in the place of names: `called` maps names to their masks, `kept` are names that stay, which may hold
    one of them."""

    def __init__(self, called: Mapping[str, str], kept: Iterable[str]) -> None:
        masks: dict[str, str | None] = {key: None for name in kept for key in _keys(name)}
        masks |= {key: mask for name, mask in called.items() for key in _keys(name)}
        ordered = sorted(masks, key=lambda key: (-len(key), key))
        self._masks = [masks[key] for key in ordered]
        self._parts = [max(key.split(), key=len) for key in ordered if masks[key] is not None]
        self._names = re.compile("|".join(map(_pattern, ordered)))

    def put(self, text: str) -> str:
        """The text with its names masked; the same object where it has none."""
        if not self._parts or not self._may_hold(text):
            return text
        folded, places = _folded(text)
        pieces, end = [], 0
        for found in self._names.finditer(folded):
            mask = self._masks[(found.lastindex or 1) - 1]
            if mask is not None:
                begin, stop = places[found.start()][0], places[found.end() - 1][1]
                pieces += [text[end:begin], mask]
                end = stop
        return "".join([*pieces, text[end:]]) if pieces else text

    def _may_hold(self, text: str) -> bool:
        """Whether to look closer; most texts hold none, and are many."""
        folded = text.casefold() if text.isascii() else name_key(text)
        return any(part in folded for part in self._parts)


def _keys(name: str) -> set[str]:
    """The forms of a name as it stands in a text, or within a JSON text."""
    in_json = msgspec.json.encode(name).decode()[1:-1]
    in_ascii = "".join(letter if letter.isascii() else _escaped(letter) for letter in in_json)
    return {key for key in map(name_key, (name, in_json, in_ascii)) if key}


def _escaped(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _pattern(key: str) -> str:
    body = rf"(?:[ ]|{_ESCAPED})+".join(map(re.escape, key.split()))
    if len(key) == 1:  # in a spaceless script, a single letter is a part of many words
        return f"{_ALONE_BEFORE}({body}){_ALONE_AFTER}"
    before = "" if _IS_SPACELESS.match(key) else _NO_WORD_BEFORE
    after = "" if _IS_SPACELESS.match(key[-1]) else _NO_WORD_AFTER
    return f"{before}({body}){after}"


def _folded(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text in the form under which two names are one, and for each letter of that where in `text` it is from."""
    folded: list[str] = []
    places: list[tuple[int, int]] = []
    for begin, end in _parts(text):
        part = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text[begin:end]).casefold())
        for letter in part:
            is_blank = letter.isspace()
            if unicodedata.category(letter) == "Cf" or (is_blank and folded and folded[-1] == " "):
                continue
            folded.append(" " if is_blank else letter)
            places.append((begin, end))
    return "".join(folded), places


def _parts(text: str) -> Iterator[tuple[int, int]]:
    """Where letters begin and end, each with the marks on it and the unseen ones behind it."""
    begin = 0
    for place, letter in enumerate(text):
        if place > begin and not _joins(letter):
            yield begin, place
            begin = place
    if text:
        yield begin, len(text)


def _joins(letter: str) -> bool:
    """Whether a letter belongs to the one before it."""
    if letter.isascii():
        return False
    category = unicodedata.category(letter)
    return category[0] == "M" or category == "Cf" or _JAMO[0] <= letter <= _JAMO[1]
