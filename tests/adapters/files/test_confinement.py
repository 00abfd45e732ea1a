"""A path text leads to the file of the library that it names, and whatever is sent, to no other."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.files.confinement import open_below, resolve
from domain.base.errors import NotFound, Unavailable
from domain.base.paths import text_of

Block = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library with a file in a folder, beside a secret that lies outside of it."""
    root = tmp_path / "library"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.jpg").write_bytes(b"picture")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (tmp_path / "library2").mkdir()
    (tmp_path / "library2" / "b.jpg").write_bytes(b"secret")
    return root


def read(root: Path, rel: str) -> bytes:
    """The content of a file, opened both ways, which must agree."""
    with os.fdopen(open_below(root, rel), "rb") as file:
        content = file.read()
    assert resolve(root, rel).read_bytes() == content
    return content


def test_a_path_below_the_root_leads_to_its_file(library: Path) -> None:
    assert read(library, "sub/a.jpg") == b"picture"
    assert resolve(library, "sub/a.jpg") == library / "sub" / "a.jpg"


@pytest.mark.parametrize(
    "name", [b"caf\xe9.jpg", rb"a\x41", rb"a\..\..\secret.jpg", b"%2e%2e%2fsecret.jpg", b"a\nb", b"~"]
)
def test_a_name_is_taken_literally(library: Path, name: bytes) -> None:
    with open(os.path.join(os.fsencode(library), name), "wb") as file:
        file.write(b"odd")
    assert read(library, text_of(name)) == b"odd"


@pytest.mark.parametrize(
    "rel",
    [
        "",
        ".",
        "..",
        "/",
        "sub",
        "sub/",
        "/sub/a.jpg",
        "sub//a.jpg",
        "./sub/a.jpg",
        "sub/./a.jpg",
        "../secret.jpg",
        "sub/../../secret.jpg",
        "sub/../sub/a.jpg",
        "../library/sub/a.jpg",
        "../library2/b.jpg",
        "/etc/passwd",
        "//etc/passwd",
        "sub/a.jpg/..",
        "sub/a.jpg/x",
        "sub/a.jpg\0",
        "sub/a.jpg\0.png",
        r"..\secret.jpg",
        r"\x2e\x2e/secret.jpg",
        r"..\x2fsecret.jpg",
        r"sub\x2fa.jpg",
        "%2e%2e/secret.jpg",
        "..%2fsecret.jpg",
        "%2e%2e%2fsecret.jpg",
        "\u2024\u2024/secret.jpg",
        "\uff0e\uff0e/secret.jpg",
        "..\u2215secret.jpg",
        "\ud800",
        "C:\\secret.jpg",
        "file:///etc/passwd",
        "~/secret.jpg",
        "missing.jpg",
        "n" * 300,
        "n/" * 3000 + "n",
    ],
)
def test_a_path_that_names_no_file_of_the_library_is_not_found(library: Path, rel: str) -> None:
    with pytest.raises(NotFound):
        resolve(library, rel)
    with pytest.raises(NotFound):
        open_below(library, rel)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            ["..", ".", "/", "sub", "a.jpg", "secret.jpg", "\\", r"\x2e", r"\x2f", "%2e", "link", "library"]
        ),
        max_size=9,
    ).map("".join)
)
def test_no_arrangement_of_tricks_reaches_the_secret(library: Path, rel: str) -> None:
    if not (library / "link").is_symlink():
        (library / "link").symlink_to("..")
    try:
        content = read(library, rel)
    except NotFound:
        return
    assert content == b"picture"


def test_a_link_inside_the_library_is_followed(library: Path) -> None:
    (library / "link.jpg").symlink_to("sub/a.jpg")
    (library / "folder").symlink_to("sub")
    assert read(library, "link.jpg") == b"picture"
    assert read(library, "folder/a.jpg") == b"picture"


@pytest.mark.parametrize(
    ("link", "target", "rel"),
    [
        ("out.jpg", "../secret.jpg", "out.jpg"),
        ("out.jpg", "/etc/passwd", "out.jpg"),
        ("sub/deep", "../..", "sub/deep/secret.jpg"),
        ("up", "../library2", "up/b.jpg"),
        ("loop", "loop", "loop"),
        ("nowhere", "missing", "nowhere"),
        ("zero.jpg", "/dev/zero", "zero.jpg"),
    ],
)
def test_a_link_out_of_the_library_leads_nowhere(library: Path, link: str, target: str, rel: str) -> None:
    (library / link).symlink_to(target)
    with pytest.raises(NotFound):
        resolve(library, rel)
    with pytest.raises(NotFound):
        open_below(library, rel)


def test_a_link_that_goes_out_and_comes_back_ends_inside_and_is_followed(library: Path) -> None:
    (library / "back.jpg").symlink_to("../library/sub/a.jpg")
    assert read(library, "back.jpg") == b"picture"


@pytest.mark.parametrize("rel", [".key", ".imageapi/key", "sub/@eaDir/key", "shown.jpg"])
def test_what_a_walk_passes_over_cannot_be_reached_by_naming_it(library: Path, rel: str) -> None:
    for hidden in (".key", ".imageapi/key", "sub/@eaDir/key"):
        (library / hidden).parent.mkdir(exist_ok=True)
        (library / hidden).write_bytes(b"secret")
    (library / "shown.jpg").symlink_to(".imageapi/key")
    with pytest.raises(NotFound):
        resolve(library, rel)


def test_a_pipe_is_not_found_and_never_waited_for(library: Path) -> None:
    os.mkfifo(library / "pipe.jpg")
    with pytest.raises(NotFound):
        resolve(library, "pipe.jpg")
    with pytest.raises(NotFound):
        open_below(library, "pipe.jpg")


@pytest.mark.parametrize("swapped", ["sub", "sub/a.jpg"])
def test_a_part_swapped_for_a_link_after_it_was_checked_is_not_followed(
    library: Path, tmp_path: Path, swapped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.jpg").write_bytes(b"secret")
    checked = resolve(library, "sub/a.jpg")

    def check_then_swap(root: Path, rel: str) -> Path:
        (library / swapped).rename(tmp_path / "moved")
        (library / swapped).symlink_to(tmp_path / "elsewhere" / Path(swapped).relative_to("sub"))
        return checked

    monkeypatch.setattr("adapters.files.confinement.resolve", check_then_swap)
    with pytest.raises(NotFound):
        open_below(library, "sub/a.jpg")


def test_a_folder_without_permission_says_so_instead_of_denying_the_file(
    open_path: Path, without_privileges: Block
) -> None:
    (open_path / "closed").mkdir()
    (open_path / "closed" / "a.jpg").write_bytes(b"x")
    (open_path / "closed").chmod(0)
    with without_privileges(), pytest.raises(Unavailable, match="permission denied"):
        resolve(open_path, "closed/a.jpg")


def test_descriptors_are_closed_whether_or_not_a_file_opens(library: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        read(library, "sub/a.jpg")
        with pytest.raises(NotFound):
            open_below(library, "sub/missing.jpg")
    assert len(os.listdir("/proc/self/fd")) == before
