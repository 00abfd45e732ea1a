"""Which names are no part of any library."""

from __future__ import annotations

import pytest

from adapters.files.skipped import has_skipped_part, is_skipped


@pytest.mark.parametrize(
    "name",
    [
        *(b".hidden", b"._photo.jpg", b".thumbnails", b".Trash-1000", b".@__thumb"),
        *(b"@eaDir", b"#recycle", b"#snapshot", b"@Recycle", b"@Recently-Snapshot"),
        *(b"$RECYCLE.BIN", b"$Recycle.Bin", b"System Volume Information", b"lost+found"),
    ],
)
def test_what_is_hidden_or_a_systems_own_is_skipped_wherever_it_lies(name: bytes) -> None:
    assert is_skipped(name)
    assert has_skipped_part(b"trips/" + name + b"/one.jpg")


@pytest.mark.parametrize("name", [b"a.hidden", b"#1", b"@home", b"recycle", b"lost+found 2", b"\xff.jpg", b"$", b" .x"])
def test_any_other_name_is_not(name: bytes) -> None:
    assert not is_skipped(name)
    assert not has_skipped_part(b"trips/" + name + b"/one.jpg")
