"""Of a file whose name says nothing, the first bytes are read once for each change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.files.unknown_files import HEAD_BYTES, UnknownFiles, reason_of_name
from adapters.files.walk import FoundFile, walk


class Looks:
    """Takes files that begin with `picture` for pictures, and counts how often it is asked."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []

    def __call__(self, head: bytes) -> str | None:
        """The format of a head."""
        self.heads.append(head)
        return "png" if head.startswith(b"picture") else None


@pytest.fixture
def looks() -> Looks:
    """Counts."""
    return Looks()


@pytest.fixture
def unknown(tmp_path: Path, looks: Looks) -> Iterator[UnknownFiles]:
    """With a side file."""
    files = UnknownFiles(looks, tmp_path / "data" / "unknown_files.db")
    yield files
    files.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A library with a picture, a text and an empty file under names that say nothing."""
    root = tmp_path / "library"
    root.mkdir()
    (root / "a.thing").write_bytes(b"picture" + bytes(100))
    (root / "b.thing").write_bytes(b"text" + bytes(100))
    (root / "empty").touch()
    return root


def formats(unknown: UnknownFiles, root: Path) -> dict[str, str]:
    """What is told of the files in the root."""
    files = sorted((each for each in walk(root) if isinstance(each, FoundFile)), key=lambda file: file.path)
    return dict(unknown.formats(1, os.fsencode(root), "", files))


def test_some_bytes_of_each_are_read_once(root: Path, unknown: UnknownFiles, looks: Looks) -> None:
    assert formats(unknown, root) == {"a.thing": "png"}
    assert [len(head) for head in looks.heads] == [HEAD_BYTES, HEAD_BYTES, 0]
    assert formats(unknown, root) == {"a.thing": "png"}
    assert len(looks.heads) == 3


def test_what_was_read_is_known_after_a_restart(root: Path, unknown: UnknownFiles, looks: Looks) -> None:
    formats(unknown, root)
    unknown.close()
    again = UnknownFiles(looks, root.parent / "data" / "unknown_files.db")
    assert formats(again, root) == {"a.thing": "png"}
    assert len(looks.heads) == 3
    again.close()


def test_a_file_that_changed_is_read_again(root: Path, unknown: UnknownFiles, looks: Looks) -> None:
    formats(unknown, root)
    (root / "b.thing").write_bytes(b"picture of another size")
    assert formats(unknown, root) == {"a.thing": "png", "b.thing": "png"}
    assert len(looks.heads) == 4


def test_a_file_that_went_is_told_of_no_more(root: Path, unknown: UnknownFiles) -> None:
    formats(unknown, root)
    (root / "a.thing").unlink()
    assert formats(unknown, root) == {}


def test_of_a_name_that_other_programs_have_more_is_read(root: Path, unknown: UnknownFiles, looks: Looks) -> None:
    (root / "a.TS").write_bytes(bytes(5000))
    formats(unknown, root)
    assert max(len(head) for head in looks.heads) == 1024


def test_a_file_that_cannot_be_read_is_looked_at_the_next_time(root: Path, unknown: UnknownFiles, looks: Looks) -> None:
    files = [FoundFile("gone", 10, 0, 1, 0)]
    assert unknown.formats(1, os.fsencode(root), "", files) == {}
    (root / "gone").write_bytes(b"picture")
    assert unknown.formats(1, os.fsencode(root), "", files) == {"gone": "png"}


def test_a_side_file_that_cannot_be_written_costs_a_second_look(root: Path, looks: Looks) -> None:
    (root.parent / "a folder.db").mkdir()
    unknown = UnknownFiles(looks, root.parent / "a folder.db")
    assert formats(unknown, root) == formats(unknown, root) == {"a.thing": "png"}
    assert len(looks.heads) == 6


def test_the_reason_says_what_to_do() -> None:
    assert reason_of_name("a/b.lrv", "mp4") == (
        "it is mp4 inside, but its name ends in .lrv, which imageapi does not look for: rename it to be shown"
    )
    assert "has no extension" in reason_of_name("a/b", "png")
