"""Tags of representations, and whether a client has one already (RFC 9110, sections 8.8.3 and 13.1.2)."""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers


def tag_of(content: bytes) -> str:
    """The `ETag` of these bytes, in its quotes."""
    return f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'


def has_tag(headers: Headers, tag: str) -> bool:
    """Whether `If-None-Match` names this tag, compared weakly."""
    given = headers.get("if-none-match")
    if given is None:
        return False
    return given.strip() == "*" or tag.removeprefix("W/") in (
        each.strip().removeprefix("W/") for each in given.split(",")
    )
