"""What the log keeps of a file that breaks the parsers themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.media import file_facts
from adapters.media.file_facts import read_media, read_undecoded
from domain.base.errors import NotFound, Unreadable
from tests.adapters.media.material import encoded, put, quarters


def test_a_parser_that_fails_in_a_way_that_nobody_foresaw_costs_that_picture_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, "a.jpg", encoded(quarters(), "JPEG"))

    def fails(*_: object) -> None:
        raise TypeError("a tuple where a number should be")

    monkeypatch.setattr(file_facts, "index_file", fails)
    with pytest.raises(Unreadable, match=r"cannot be decoded: its parser failed \(TypeError\)") as error:
        read_media(path, "a.jpg", str(tmp_path), "photo")
    kept = read_undecoded(path, "a.jpg", str(tmp_path), "photo", str(error.value))
    assert kept.content_hash is not None
    assert kept.facts.problem == "cannot be decoded: its parser failed (TypeError)"


def test_what_is_said_on_purpose_is_said_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_media(bytes(tmp_path / "gone.jpg"), "gone.jpg", str(tmp_path), "photo")
