"""Sidecars are found under the names that programs give them, read without being fooled, and replaced whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.files.sidecars import read_sidecar, sidecar_to_write, sidecars_of, write_sidecar
from adapters.xmp.rdf import LARGEST_PACKET
from domain.base.errors import Unavailable, Unreadable


def made(folder: Path, *names: str) -> list[bytes]:
    """Empty files of these names."""
    for name in names:
        (folder / name).touch()
    return [os.fsencode(folder / name) for name in names]


def names_of(paths: list[bytes]) -> list[str]:
    """The last part of each."""
    return [os.path.basename(path).decode() for path in paths]


def test_both_usual_names_belong_to_a_photo_the_whole_one_first(tmp_path: Path) -> None:
    photo, *_ = made(tmp_path, "a.jpg", "a.xmp", "a.jpg.XMP")
    assert names_of(sidecars_of(photo)) == ["a.jpg.XMP", "a.xmp"]
    assert names_of([sidecar_to_write(photo)]) == ["a.jpg.XMP"]


def test_beside_a_raw_file_the_short_name_is_the_raws(tmp_path: Path) -> None:
    photo, raw, *_ = made(tmp_path, "a.jpg", "a.NEF", "a.xmp")
    assert (sidecars_of(photo), names_of(sidecars_of(raw))) == ([], ["a.xmp"])
    assert names_of([sidecar_to_write(photo), sidecar_to_write(raw)]) == ["a.jpg.xmp", "a.xmp"]


def test_a_video_has_sidecars_of_its_whole_name_alone(tmp_path: Path) -> None:
    video, *_ = made(tmp_path, "a.mp4", "a.mp4.xmp", "a.xmp")
    assert names_of(sidecars_of(video)) == ["a.mp4.xmp"]


def test_links_and_folders_are_no_sidecars(tmp_path: Path) -> None:
    (photo,) = made(tmp_path, "a.jpg")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "a.jpg.xmp").symlink_to(tmp_path / "secret")
    (tmp_path / "a.xmp").mkdir()
    assert sidecars_of(photo) == []
    with pytest.raises(Unreadable):
        read_sidecar(os.fsencode(tmp_path / "a.jpg.xmp"))
    write_sidecar(photo + b".xmp", b"new")
    assert ((tmp_path / "secret").read_text(), (tmp_path / "a.jpg.xmp").read_text()) == ("secret", "new")


def test_a_sidecar_that_is_gone_is_none_and_one_that_is_no_file_or_too_large_says_so(tmp_path: Path) -> None:
    assert read_sidecar(os.fsencode(tmp_path / "no.xmp")) is None
    os.mkfifo(tmp_path / "pipe.xmp")
    with pytest.raises(Unreadable, match="not a regular file"):
        read_sidecar(os.fsencode(tmp_path / "pipe.xmp"))
    with (tmp_path / "big.xmp").open("wb") as file:
        file.truncate(LARGEST_PACKET + 1)
    with pytest.raises(Unreadable, match="larger than 8 MB"):
        read_sidecar(os.fsencode(tmp_path / "big.xmp"))


def test_a_sidecar_is_replaced_whole_with_the_rights_that_it_had(tmp_path: Path) -> None:
    (sidecar,) = made(tmp_path, "a.jpg.xmp")
    os.chmod(sidecar, 0o640)
    write_sidecar(sidecar, b"new")
    assert (read_sidecar(sidecar), os.stat(sidecar).st_mode & 0o777) == (b"new", 0o640)
    assert os.listdir(tmp_path) == ["a.jpg.xmp"]
    write_sidecar(os.fsencode(tmp_path / "b.jpg.xmp"), b"new")
    mask = os.umask(0o022)
    os.umask(mask)
    assert os.stat(tmp_path / "b.jpg.xmp").st_mode & 0o777 == 0o666 & ~mask


def test_a_sidecar_that_cannot_be_written_says_why_and_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / "a.jpg.xmp").mkdir()
    (tmp_path / "a.jpg.xmp" / "in the way").touch()
    with pytest.raises(Unavailable, match="it cannot be written: is a directory"):
        write_sidecar(os.fsencode(tmp_path / "a.jpg.xmp"), b"new")
    assert os.listdir(tmp_path) == ["a.jpg.xmp"]
