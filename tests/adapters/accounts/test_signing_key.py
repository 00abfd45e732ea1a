"""The generated signing key: made once, the same for all who ask, and for this user's eyes."""

from __future__ import annotations

import logging
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.accounts import private_files
from adapters.accounts.codes import digest, new_code
from adapters.accounts.signing_key import signing_key
from adapters.accounts.tokens import Tokens
from domain.base.errors import Unavailable

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "secret.key"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_made_once_private_and_good_for_tokens(file: Path) -> None:
    key = signing_key(file)
    assert len(key) == 64
    assert signing_key(file) == key == file.read_text()
    assert mode(file) == 0o600
    assert mode(file.parent) == 0o700
    tokens = Tokens(key)
    assert tokens.verify(tokens.issue(1, 1).token).user_id == 1


def test_another_folder_has_another_key(tmp_path: Path) -> None:
    assert signing_key(tmp_path / "a") != signing_key(tmp_path / "b")


def test_threads_and_processes_that_start_together_get_the_same_key(file: Path) -> None:
    code = "import sys; from pathlib import Path; from adapters.accounts.signing_key import signing_key; "
    code += "sys.stdin.readline(); print(signing_key(Path(sys.argv[1])))"
    others = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(file)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for other in others:
        assert other.stdin is not None
        other.stdin.write("\n")
        other.stdin.flush()
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(signing_key, [file] * 8))
    keys |= {other.communicate(timeout=60)[0].strip() for other in others}
    assert keys == {file.read_text()}


def test_a_key_that_others_may_read_is_made_private_again_and_said_so(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = signing_key(file)
    file.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert signing_key(file) == key
    assert mode(file) == 0o600
    assert "could be read by others (mode 644)" in caplog.text
    assert key not in caplog.text


def test_a_final_line_end_is_not_part_of_the_key(file: Path) -> None:
    key = signing_key(file)
    file.write_text(key + "\n")
    assert signing_key(file) == key


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64])
def test_a_damaged_key_is_named_with_what_to_do_and_never_replaced(file: Path, content: bytes) -> None:
    signing_key(file)
    file.write_bytes(content)
    with pytest.raises(Unavailable, match=r"secret\.key is damaged.*delete it to get a new one"):
        signing_key(file)
    assert file.read_bytes() == content


def test_a_folder_in_place_of_the_key_is_named(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(Unavailable, match=r"cannot read .*secret\.key"):
        signing_key(file)


def test_a_write_that_fails_leaves_the_old_content_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "taken"
    target.mkdir()
    with pytest.raises(Unavailable, match=r"cannot write .*taken"):
        private_files.write(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    with pytest.raises(Unavailable, match="cannot write"):
        private_files.write(tmp_path / "missing" / "file", b"new")


def test_codes_are_random_and_their_digest_is_one_way() -> None:
    codes = {new_code() for _ in range(100)}
    assert len(codes) == 100
    assert all(len(code) == 43 and code.isascii() for code in codes)
    # SHA-256 of "abc": FIPS 180-2, appendix B.1
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
