"""Makes what a model wrote harmless to show: text that no client turns into a link, a picture or markup.

A model that was talked into it can put what it knows into the address of a picture, which a client that renders
Markdown fetches at once. So links become their words, pictures what they say of themselves, and addresses vanish. That
much is for the reader; what is relied on is the second step, which breaks, character by character, whatever could still
begin a link (CommonMark 0.31 sections 6.3 to 6.6 and 4.7, and the autolinks of GitHub's Markdown).
"""

from __future__ import annotations

import re
from typing import Final

REMOVED: Final = "(link removed)"
LONGEST_HELD: Final = 2000
"""Characters that a stream holds back in the hope that a bracket closes."""

_NOTHING_TO_SEE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_INLINE: Final = re.compile(r"!?\[([^\[\]]{0,1000})\]\((?:[^()]|\([^()]{0,1000}\)){0,2000}\)")
_REFERENCE: Final = re.compile(r"!?\[([^\[\]]{0,1000})\]\[[^\[\]]{0,1000}\]")
_DEFINITION: Final = re.compile(r"^ {0,3}\[[^\[\]]{1,1000}\]:.*$\n?", re.MULTILINE)
_TAG: Final = re.compile(r"<(?:!--|/?[A-Za-z!?])[^<>]{0,2000}>")
_ADDRESS: Final = re.compile(
    r"(?:\b[A-Za-z][A-Za-z0-9+.-]{1,30}://|\bwww\.|\b(?:javascript|vbscript|data|mailto|xmpp|tel|file|blob):)"
    r"[^\s<>()\[\]\"'\u2039]+",  # nor what the second step makes of <
    re.IGNORECASE,
)
_DEPTH: Final = 8
_BREAKS: Final = (
    (re.compile(r"\](?=[(\[:])"), "] "),
    (re.compile(r"<(?=[A-Za-z/!?])"), "\u2039"),
    (re.compile(r"&(?=#|[A-Za-z]{2,31};)"), "& "),
    (re.compile(r"://"), ": //"),
    (re.compile(r"(www)(?=\.)", re.IGNORECASE), r"\1 "),
)
_OPENING: Final = re.compile(r"\[|<[A-Za-z/!?]")


def inert(text: str) -> str:
    """`text` without links, pictures and markup; doing it twice changes nothing more.

    What stays is Markdown without any of these: emphasis, lists, code and headings.
    """
    text = _NOTHING_TO_SEE.sub("", text)
    for _ in range(_DEPTH):
        before = text
        text = _INLINE.sub(r"\1", _REFERENCE.sub(r"\1", _DEFINITION.sub("", text)))
        text = _ADDRESS.sub(REMOVED, _TAG.sub("", text))
        if text == before:
            break
    for dangerous, instead in _BREAKS:
        text = dangerous.sub(instead, text)
    return text


class InertStream:
    """`inert` for text that comes in pieces: what is not sure to be harmless yet is held back until it is.

    Text goes out up to a blank before which no bracket is open, because nothing dangerous reaches across one.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """The next text to show, empty where everything is held back."""
        self._held += piece
        blank = max(self._held.rfind(" "), self._held.rfind("\n"))
        opening = _OPENING.search(self._held, 0, blank + 1)
        while opening is not None and _closed(self._held, opening.start(), blank + 1):
            opening = _OPENING.search(self._held, _closed(self._held, opening.start(), blank + 1), blank + 1)
        end = blank + 1 if opening is None or len(self._held) > LONGEST_HELD else opening.start()
        if end < len(self._held) and end > 0 and not self._held[end - 1].isspace():
            end = max(self._held.rfind(" ", 0, end), self._held.rfind("\n", 0, end)) + 1
        ready, self._held = self._held[:end], self._held[end:]
        return inert(ready)

    def rest(self) -> str:
        """What was held back, at the end of the text."""
        ready, self._held = self._held, ""
        return inert(ready)


def _closed(text: str, start: int, end: int) -> int:
    """Where the bracket that opens at `start` has closed with all that may belong to it, 0 where it has not."""
    if (paragraph := text.find("\n\n", start, end)) >= 0:
        return paragraph + 2
    closing = text.find("]" if text[start] == "[" else ">", start, end)
    if closing < 0 or closing + 1 >= end:
        return 0
    follows = text[closing + 1]
    if text[start] == "<" or follows not in "([:":
        return closing + 1
    last = text.find({"(": ")", "[": "]", ":": "\n"}[follows], closing + 2, end)
    return last + 1 if last >= 0 else 0
