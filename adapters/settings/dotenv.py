"""The `.env` file: finding the nearest one and reading it.

The grammar is the part that every reader of such files agrees on: `NAME=value`, an optional `export`, `#` comments,
'single' quotes taken literally, "double" quotes with backslash escapes. It refuses to interpolate: `$` is a character
like any other, so that a password with one in it means the same here as in the file.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

_ASSIGNMENT = re.compile(r"[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)[ \t]*=")
_SINGLE = re.compile(r"'(?P<text>[^']*)'")
_DOUBLE = re.compile(r'"(?P<text>(?:\\.|[^"\\])*)"', re.DOTALL)
_BLANK = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_COMMENT = re.compile(r"[ \t]#.*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


class MalformedLine(ValueError):
    """A line of a `.env` file that is no assignment; the text names the line number and never its content."""


def find(folder: Path) -> Path | None:
    """The nearest `.env` file in `folder` or a folder above it, or None.

    A folder that this user may not look into has no `.env` for them.
    """
    for candidate in (folder, *folder.parents):
        path = candidate / ".env"
        with contextlib.suppress(PermissionError):
            if path.is_file():
                return path
    return None


def parse(content: bytes) -> dict[str, str]:
    """The assignments of a `.env` file; where a name stands twice, the last one counts.

    `content` is UTF-8 with or without a byte order mark, with LF or CRLF line ends.

    Raises:
        MalformedLine: a line is no assignment, a quote is not closed, or the bytes are not UTF-8.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise MalformedLine(f"line {line} is not UTF-8 text") from error
    text = text.replace("\r\n", "\n")
    values: dict[str, str] = {}
    position = 0
    while position < len(text):
        if blank := _BLANK.match(text, position):
            position = blank.end()
            continue
        name, value, position = _assignment(text, position)
        values[name] = value
    return values


def _assignment(text: str, position: int) -> tuple[str, str, int]:
    """Name, value and the position after the line of the assignment that begins at `position`."""
    line = text.count("\n", 0, position) + 1
    start = _ASSIGNMENT.match(text, position)
    if start is None:
        raise MalformedLine(f"line {line} is not NAME=value")
    name, rest = start["name"], text[start.end() :]
    unpadded = rest.lstrip(" \t")
    if unpadded[:1] not in ("'", '"'):
        bare = rest.partition("\n")[0]
        return name, _COMMENT.sub("", bare).strip(), start.end() + len(bare) + 1
    quote = _SINGLE if unpadded[0] == "'" else _DOUBLE
    quoted = quote.match(unpadded)
    if quoted is None:
        raise MalformedLine(f"line {line} ({name}) opens a quote that is never closed")
    end = _BLANK.match(unpadded, quoted.end())
    if end is None:
        raise MalformedLine(f"line {line} ({name}) has text after its closing quote")
    value = quoted["text"] if quote is _SINGLE else _ESCAPE.sub(_unescape, quoted["text"])
    return name, value, len(text) - len(unpadded) + end.end()


def _unescape(escape: re.Match[str]) -> str:
    r"""The character that a backslash escape stands for; an unknown escape stays as it is (`C:\photos`)."""
    return _ESCAPED.get(escape[1], escape[0])
