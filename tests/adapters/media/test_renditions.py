"""Renditions are whole or not there, and the tree of thumbnails mirrors a library's own names."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adapters.media.renditions import (
    Note,
    encoded,
    is_unsupported,
    link_thumbnail,
    mark_unsupported,
    note_of,
    rendition_path,
    unsupported_mark,
    write_whole,
)
from tests.adapters.media.material import QUARTERS, corners, quarters

HASH = bytes(range(32))


def test_a_rendition_is_named_after_the_content() -> None:
    assert rendition_path("/r", HASH, "thumb") == f"/r/00/{HASH.hex()}.thumb.jpg"


@pytest.mark.parametrize("note", [None, Note("abc=", None), Note("x" * 40, "truncated: é\n" + "y" * 300)])
def test_a_picture_is_a_plain_jpeg_whatever_is_noted_in_it(tmp_path: Path, note: Note | None) -> None:
    content = encoded(np.asarray(quarters()), 90, note)
    image = Image.open(io.BytesIO(content))
    image.load()
    assert (image.format, image.info["jfif"]) == ("JPEG", 257)
    assert corners(image) == QUARTERS
    write_whole(rendition_path(str(tmp_path), HASH, "preview"), content)
    write_whole(rendition_path(str(tmp_path), HASH, "thumb"), content)
    assert note_of(str(tmp_path), HASH) == note


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    write_whole(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert (os.listdir(tmp_path), path.read_bytes()) == (["a.jpg"], b"old")


def test_a_thumbnail_is_linked_under_the_librarys_own_name(tmp_path: Path) -> None:
    rendition, target = tmp_path / "r.jpg", tmp_path / "thumbs" / "2024" / "clip.mp4"
    rendition.write_bytes(b"jpeg")
    link_thumbnail(rendition, target)
    assert target.samefile(rendition)
    assert os.listdir(target.parent) == ["clip.mp4"]


def test_linking_again_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    one, other, target = tmp_path / "1", tmp_path / "2", tmp_path / "thumbs" / "a.arw"
    one.write_bytes(b"one")
    other.write_bytes(b"other")
    for rendition in (one, one, other):
        link_thumbnail(rendition, target)
        assert target.samefile(rendition)
        assert os.listdir(target.parent) == ["a.arw"]


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP])
def test_where_no_link_is_possible_the_thumbnail_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    rendition, target = tmp_path / "r.jpg", tmp_path / "thumbs" / "a.jpg"
    rendition.write_bytes(b"jpeg")

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    link_thumbnail(rendition, target)
    assert target.read_bytes() == b"jpeg"
    assert not target.samefile(rendition)
    assert os.listdir(target.parent) == ["a.jpg"]


def test_a_rendition_that_is_not_there_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "thumbs" / "a.jpg"
    with pytest.raises(FileNotFoundError):
        link_thumbnail(tmp_path / "missing", target)
    assert os.listdir(target.parent) == []


def test_a_mark_says_that_no_thumbnail_can_be_made_until_there_is_one(tmp_path: Path) -> None:
    target, rendition = tmp_path / "thumbs" / "a.xyz", tmp_path / "r.jpg"
    rendition.write_bytes(b"jpeg")
    assert not is_unsupported(target)
    mark_unsupported(target)
    mark_unsupported(target)
    assert is_unsupported(target)
    assert (target.parent / "a.xyz.unsupported").read_bytes() == b""
    link_thumbnail(rendition, target)
    assert not is_unsupported(target)


@pytest.mark.parametrize("name", [b"n" * 250, b"n" * 255, b"caf\xe9.jpg", "é".encode() * 127])
def test_any_name_of_a_file_can_be_linked_and_marked(tmp_path: Path, name: bytes) -> None:
    target, rendition = tmp_path / os.fsdecode(name), tmp_path / "r.jpg"
    rendition.write_bytes(b"jpeg")
    mark_unsupported(target)
    assert is_unsupported(target)
    link_thumbnail(rendition, target)
    assert target.samefile(rendition)


def test_long_names_that_begin_alike_have_marks_of_their_own() -> None:
    assert unsupported_mark(Path("n" * 250 + "1")) != unsupported_mark(Path("n" * 250 + "2"))
