"""Stacks by their names: the files that one press of the shutter left beside each other, as long as nothing else is
known of them. `stacking` tells what speaks against that once a scan knows a folder."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final
from zlib import crc32

from domain.base.paths import folder_of, name_of
from domain.events.media import ALONE, CLIP, PICTURE, RAW, RAW_WITHOUT_PICTURE, FileFacts

RAW_FORMATS: Final = frozenset({"arw", "nef", "cr2", "cr3", "dng", "raf", "orf", "rw2", "pef", "srw", "raw"})
LIVE_SECONDS: Final = 5.0
"""The longest clip that may belong to a photo; live photos and motion photos last about three seconds."""


def stack_key(path: str) -> str:
    """What the files of a stack have in common within a library: the folder, and the name without its last extension
    and without case."""
    name = name_of(path)
    stem = name.rpartition(".")[0] or name
    folder = folder_of(path)
    return f"{folder}/{stem.casefold()}" if folder else stem.casefold()


def stack_of(library_id: int, path: str) -> int:
    """The number of the stack that a file is of, of 64 bits with a sign.

    The first 16 bits are of the folder, so that an index keeps beside each other what is found beside each other; the
    others are a hash of library and `stack_key`. Of a million stacks in a thousand folders two fall together once in
    half a million collections.
    """
    return _number(library_id, folder_of(path), stack_key(path))


def burst_of(library_id: int, folder: str, burst: str) -> int:
    """The number of a burst, or of another stack, of a folder, which no name makes: no path has two slashes in a
    row."""
    return _number(library_id, folder, f"{folder}//{burst}")


def _number(library_id: int, folder: str, key: str) -> int:
    hashed = blake2b(f"{library_id}/{key}".encode(), digest_size=6).digest()
    return int.from_bytes(_beside(folder) + hashed, "big", signed=True)


@lru_cache(maxsize=1000)
def _beside(folder: str) -> bytes:
    return (crc32(folder.encode()) & 0xFFFF).to_bytes(2, "big")


def stack_rank(facts: FileFacts) -> int:
    """The place of a file among those of its stack: those of the least rank stand for the others; `ALONE` for none.

    A video whose length nobody could tell counts as short.
    """
    if facts.kind == "video":
        return ALONE if facts.duration is not None and facts.duration > LIVE_SECONDS else CLIP
    is_raw = facts.format in RAW_FORMATS
    if facts.width is None:
        return RAW_WITHOUT_PICTURE if is_raw else ALONE
    return RAW if is_raw else PICTURE
