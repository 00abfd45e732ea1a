r"""The text of a file's name: how bytes on disk become the API's `path`, and back, losing nothing.

File systems store bytes, JSON carries Unicode. Valid UTF-8 reads as itself. A byte that is not part of valid UTF-8
reads as `\xHH` in lower-case hexadecimal, and a backslash that stands before `x` and two hexadecimal digits in the real
name reads as `\x5c`, so that no other name can have the same text. A text never holds a lone surrogate or a NUL.

The rule works byte by byte and never looks across a slash, so the text of a path is the texts of its parts, joined.
"""

from __future__ import annotations

import re

from domain.base.errors import RuleViolation

_LOOKS_ESCAPED = re.compile(r"\\(?=x[0-9a-fA-F]{2})")
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
"""What Python's `surrogateescape` (PEP 383) makes of the bytes 0x80..0xFF where they are not UTF-8."""


def text_of(name: bytes) -> str:
    r"""The text of a name or of a path as it is on disk.

    Valid UTF-8 without `\x..` in it comes back unchanged. Different names always have different texts.
    """
    if b"\\" not in name:
        try:
            return name.decode()
        except UnicodeDecodeError:
            pass
    text = _LOOKS_ESCAPED.sub(r"\\x5c", name.decode("utf-8", "surrogateescape"))
    return _NOT_UTF8.sub(lambda match: f"\\x{ord(match[0]) - 0xDC00:02x}", text)


def bytes_of(text: str) -> bytes:
    r"""The name or path on disk that has this text: the inverse of `text_of`.

    Raises:
        RuleViolation: no name has this text, because it holds a NUL or a lone surrogate, or escapes what needs none
            (`\x2e\x2e` for `..`, `\x2f` for a slash).
    """
    if "\\" not in text:
        try:
            name = text.encode()
        except UnicodeEncodeError as error:
            raise RuleViolation("this is not the text of a path: it holds half a character", "path") from error
    else:
        name = _unescaped(text)
    if b"\0" in name:
        raise RuleViolation("this is not the text of a path: it holds a NUL", "path")
    return name


def _unescaped(text: str) -> bytes:
    parts = _ESCAPED.split(text)
    try:
        name = b"".join(bytes.fromhex(part) if index % 2 else part.encode("utf-8") for index, part in enumerate(parts))
    except UnicodeEncodeError as error:
        raise RuleViolation("this is not the text of a path: it holds half a character", "path") from error
    if text_of(name) != text:
        raise RuleViolation("this is not the text of a path: it escapes what is never escaped", "path")
    return name


def folder_of(path: str) -> str:
    """The folder of a path text, relative to the same root; empty for what lies in the root itself."""
    return path.rpartition("/")[0]


def nowhere(media_id: int) -> str:
    """A path that no file of a library has, since none begins with a slash: of a file whose place another took."""
    return f"/{media_id}"


def name_of(path: str) -> str:
    """The last part of a path text: the file's own name."""
    return path.rpartition("/")[2]


def shown(text: str) -> str:
    r"""A path's text as it may be printed: what would steer a terminal or forge a line of a log reads as `\u001b`.

    Control, format (also those that turn the direction of writing) and line-separating characters are escaped.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
