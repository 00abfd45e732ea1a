"""The `.env` file: finding the nearest one and reading it.

The grammar is python-dotenv's, of whose lenient reading three things are refused: a line that is no assignment, a name
that no shell would take, and bytes that are not UTF-8. Nothing is interpolated: `$` is a character like any other, so
that a password with one in it means the same here as in the file.
"""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from dotenv.parser import parse_stream

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


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
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise MalformedLine(f"line {line} is not UTF-8 text") from error
    values: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.key is None and not binding.error:
            continue  # blank, or a comment
        if binding.error or binding.key is None or binding.value is None or not _NAME.fullmatch(binding.key):
            source = binding.original.string
            line = binding.original.line + source[: len(source) - len(source.lstrip())].count("\n")
            raise MalformedLine(f"line {line} is not NAME=value, or not with a closing quote at its end")
        values[binding.key] = binding.value
    return values
