"""A walk finds every file of a library, whatever its name, and is stopped by nothing that lies in its way."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from adapters.files.walk import FoundFile, WalkProblem, kind_of, walk
from domain.base.errors import NotFound, Unavailable
from domain.base.paths import bytes_of

Block = Callable[[], AbstractContextManager[None]]


def put(path: Path | bytes, content: bytes = b"x") -> None:
    """Write a file, making its folder where it is missing."""
    name = os.fsencode(path)
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "wb") as file:
        file.write(content)


def paths(found: Iterator[FoundFile | WalkProblem]) -> list[str]:
    """The sorted paths of what was found; fails on a problem."""
    files = list(found)
    assert [each for each in files if isinstance(each, WalkProblem)] == []
    return sorted(each.path for each in files)


def test_a_file_is_found_with_its_size_times_and_inode(tmp_path: Path) -> None:
    put(tmp_path / "2024" / "05" / "a.jpg", b"12345")
    os.utime(tmp_path / "2024" / "05" / "a.jpg", ns=(0, 1_700_000_000_123_456_789))
    facts = (tmp_path / "2024" / "05" / "a.jpg").stat()
    found = FoundFile("2024/05/a.jpg", 5, 1_700_000_000_123_456_789, facts.st_ino, facts.st_ctime_ns)
    assert list(walk(tmp_path)) == [found]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"caf\xe9.jpg", r"caf\xe9.jpg"),
        (rb"a\x41.jpg", r"a\x5cx41.jpg"),
        (b"line\nbreak.jpg", "line\nbreak.jpg"),
        ("\u202egpj.exe".encode(), "\u202egpj.exe"),
        ("שלום 😀.jpg".encode(), "שלום 😀.jpg"),
        (b"n" * 246 + b".jpg", "n" * 246 + ".jpg"),
        (b"-rf.jpg", "-rf.jpg"),
        (b" .jpg", " .jpg"),
        (b"%2e%2e%2f.jpg", "%2e%2e%2f.jpg"),
    ],
)
def test_any_name_is_found_and_its_text_leads_back_to_it(tmp_path: Path, name: bytes, text: str) -> None:
    put(os.path.join(os.fsencode(tmp_path), b"d\xff", name))
    assert paths(walk(tmp_path)) == [r"d\xff/" + text]
    assert os.path.exists(os.path.join(os.fsencode(tmp_path), bytes_of(r"d\xff/" + text)))


def test_a_pipe_a_socket_and_a_device_are_passed_over_without_waiting(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.jpg"))
    (tmp_path / "device.jpg").symlink_to("/dev/zero")
    assert paths(walk(tmp_path)) == ["a.jpg"]


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.jpg",
        "._a.jpg",
        ".thumbnails/a.jpg",
        "@eaDir/a.jpg",
        "#recycle/a.jpg",
        "$RECYCLE.BIN/a.jpg",
        "$Recycle.Bin/a.jpg",
        ".Trash-1000/files/a.jpg",
        "lost+found/a.jpg",
        "System Volume Information/a.jpg",
    ],
)
def test_hidden_files_and_a_systems_own_folders_are_left_out(tmp_path: Path, name: str) -> None:
    put(tmp_path / "sub" / name)
    put(tmp_path / "sub" / "eaDir" / "kept.jpg")
    assert paths(walk(tmp_path)) == ["sub/eaDir/kept.jpg"]


def test_excluded_folders_are_left_out_wherever_the_walk_starts(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    put(tmp_path / "data" / "thumbs" / "a.jpg")
    put(tmp_path / "data2" / "b.jpg")
    assert paths(walk(tmp_path, [tmp_path / "data"])) == ["a.jpg", "data2/b.jpg"]
    assert paths(walk(tmp_path, [tmp_path / "data"], below="data/thumbs")) == []


def test_a_link_is_followed_to_a_file_of_the_library_alone(tmp_path: Path) -> None:
    library = tmp_path / "library"
    put(library / "real.jpg", b"four")
    put(library / ".hidden" / "b.jpg")
    put(library / "data" / "c.jpg")
    put(tmp_path / "outside.jpg")
    put(tmp_path / "library2" / "d.jpg")
    for link, target in {
        "inside.jpg": "real.jpg",
        "outside.jpg": "../outside.jpg",
        "sibling.jpg": "../library2/d.jpg",
        "absolute.jpg": "/etc/passwd",
        "hidden.jpg": ".hidden/b.jpg",
        "excluded.jpg": "data/c.jpg",
        "nowhere.jpg": "missing.jpg",
        "itself.jpg": "itself.jpg",
    }.items():
        (library / link).symlink_to(target)
    files = {each.path: each for each in walk(library, [library / "data"]) if isinstance(each, FoundFile)}
    assert set(files) == {"real.jpg", "inside.jpg"}
    assert (files["inside.jpg"].size, files["inside.jpg"].inode) == (4, files["real.jpg"].inode)


def test_a_link_to_a_folder_is_not_followed_so_that_a_walk_ends(tmp_path: Path) -> None:
    put(tmp_path / "a" / "a.jpg")
    (tmp_path / "a" / "up").symlink_to("..")
    (tmp_path / "b").symlink_to("a")
    assert paths(walk(tmp_path)) == ["a/a.jpg"]


def test_the_root_may_itself_be_a_link(tmp_path: Path) -> None:
    put(tmp_path / "real" / "a.jpg")
    (tmp_path / "real" / "b.jpg").symlink_to("a.jpg")
    (tmp_path / "root").symlink_to("real")
    assert paths(walk(tmp_path / "root")) == ["a.jpg", "b.jpg"]


def test_a_folder_without_permission_is_a_problem_and_the_rest_is_found(
    open_path: Path, without_privileges: Block
) -> None:
    put(open_path / "closed" / "a.jpg")
    put(open_path / "open" / "b.jpg")
    (open_path / "closed").chmod(0)
    with without_privileges():
        found = list(walk(open_path))
    assert [each for each in found if isinstance(each, WalkProblem)] == [WalkProblem("closed", "permission denied")]
    assert [each.path for each in found if isinstance(each, FoundFile)] == ["open/b.jpg"]


def test_files_of_a_folder_that_may_be_listed_but_not_entered_are_problems(
    open_path: Path, without_privileges: Block
) -> None:
    put(open_path / "listed" / "a.jpg")
    (open_path / "listed").chmod(0o444)
    with without_privileges():
        assert list(walk(open_path)) == [WalkProblem("listed/a.jpg", "permission denied")]


def test_a_folder_that_vanishes_during_the_walk_is_a_problem_and_not_an_empty_folder(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    (tmp_path / "sub").mkdir()
    found = walk(tmp_path)
    first = next(found)
    (tmp_path / "sub").rmdir()
    assert [first, *found][-1] == WalkProblem("sub", "no such file or directory")


def test_folders_deeper_than_a_path_may_be_long_are_a_problem_at_their_depth(tmp_path: Path) -> None:
    put(tmp_path / "z.jpg")
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=at)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    found = list(walk(tmp_path))
    assert [each.path for each in found if isinstance(each, FoundFile)] == ["z.jpg"]
    assert [each.reason for each in found if isinstance(each, WalkProblem)] == ["file name too long"]


@pytest.mark.parametrize("root", ["missing", "file"])
def test_a_root_that_is_not_there_is_unavailable_before_the_first_file(tmp_path: Path, root: str) -> None:
    put(tmp_path / "file")
    with pytest.raises(Unavailable, match=f"{root} cannot be read"):
        walk(tmp_path / root)


def test_one_folder_can_be_walked_alone_with_paths_from_the_root(tmp_path: Path) -> None:
    put(tmp_path / "a" / "b" / "c.jpg")
    put(tmp_path / "a" / "d.jpg")
    put(tmp_path / "e.jpg")
    assert paths(walk(tmp_path, below="a")) == ["a/b/c.jpg", "a/d.jpg"]


@pytest.mark.parametrize("below", ["missing", "..", "a/../..", "link", "file.jpg", ".hidden", "/etc"])
def test_a_walk_starts_only_at_a_folder_of_the_library(tmp_path: Path, below: str) -> None:
    library = tmp_path / "library"
    put(library / "a" / "b.jpg")
    put(library / ".hidden" / "b.jpg")
    put(library / "file.jpg")
    (library / "link").symlink_to("a")
    with pytest.raises(NotFound):
        walk(library, below=below)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a/b.JPG", "photo"),
        ("b.heic", "photo"),
        ("b.Cr3", "photo"),
        ("b.MOV", "video"),
        ("b.m2ts", "video"),
        *(
            (f"b.{ending}", "photo")
            for ending in ["HIF", "hif", "j2k", "j2c", "jpf", "jpx", "jls", "apng", "avifs", "dib", "insp"]
        ),
        *((f"b.{ending}", "video") for ending in ["insv", "ts", "mxf", "dv", "f4v", "m2v"]),
        ("b.xmp", None),
        ("folder.jpg/readme", None),
        ("jpg", None),
    ],
)
def test_the_extension_says_photo_video_or_neither(path: str, kind: str | None) -> None:
    assert kind_of(path) == kind
