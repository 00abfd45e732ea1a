"""The repository keeps its own rules: locks, names, sizes, reasons and commands."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PAGE_LOCK = ROOT / "requirements" / "page" / "package-lock.json"
WIDEST = 120
"""Characters of a line of the page; ruff sees to the lines of Python."""
LONGEST = {"code": 400, "page": 450, "tests": 600, "app.py": 350}
"""Lines of a file. A table of cases may be longer than code that has to be understood at once."""

PAGES = {
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Containerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "app.py",
    "pyproject.toml",
}
FOLDERS = {".ci", "adapters", "bench", "docs", "domain", "projections", "requirements", "tests"}


def tracked() -> list[Path]:
    """Every file that git tracks and the work tree holds, relative to the root."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in names.split("\0") if name and (ROOT / name).is_file()]


def tracked_text() -> list[tuple[Path, str]]:
    """The tracked files that are UTF-8, with their text."""
    found = []
    for path in tracked():
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            found.append((path, content.decode()))
    return found


def requirements_of(lock: Path) -> dict[str, str]:
    """Each pinned line of a lock, `name==version` with its marker, and the rest of its entry."""
    entries = re.split(r"\n(?=[^\s#])", lock.read_text())
    return {head.rstrip(" \\"): rest for head, _, rest in (entry.partition("\n") for entry in entries)}


def requested_of(lock: Path) -> list[str]:
    """The names that a lock was compiled from: pyproject.toml's dependencies for run.lock, else those of its input."""
    if lock.stem == "run":
        lines = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    else:
        lines = lock.with_suffix(".in").read_text().splitlines()
    return [found.group() for line in lines if (found := re.match(r"[A-Za-z][\w-]*", line))]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.name))
def test_every_locked_package_is_held_to_a_version_and_a_hash(lock: Path) -> None:
    for head, rest in requirements_of(lock).items():
        assert re.fullmatch(r"[a-z0-9-]+==\S+( ; .+)?", head), head
        assert "--hash=sha256:" in rest, head


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.name))
def test_no_lock_names_a_host_or_a_file(lock: Path) -> None:
    assert not re.findall(r"://|--index|--extra-index|--find-links| @ ", lock.read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.name))
def test_every_lock_answers_what_its_input_asks_for(lock: Path) -> None:
    wanted = requested_of(lock)
    assert wanted
    locked = {head.partition("==")[0] for head in requirements_of(lock)}
    assert {name.lower().replace("_", "-") for name in wanted} <= locked


def test_the_lock_of_what_checks_the_page_holds_every_package_to_a_hash_and_names_no_host() -> None:
    lock = json.loads(PAGE_LOCK.read_text())["packages"]
    wanted = json.loads(PAGE_LOCK.with_name("package.json").read_text())["devDependencies"]
    assert lock.pop("")["devDependencies"] == wanted
    assert {f"node_modules/{name}" for name in wanted} <= set(lock)
    for name, entry in lock.items():
        entry.pop("funding", None)  # where to send money to its authors, which nothing is fetched from
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"]), name
        assert re.fullmatch(r"sha512-[\w+/]{86}==", entry["integrity"]), name
        assert "://" not in json.dumps(entry), name


def test_the_tests_run_on_the_very_versions_that_a_user_gets() -> None:
    run, test = (requirements_of(ROOT / "requirements" / f"{name}.lock") for name in ("run", "test"))
    assert set(run) <= set(test)


def test_the_top_level_holds_what_was_agreed_on() -> None:
    assert {path.parts[0] for path in tracked()} <= PAGES | FOLDERS


def test_no_file_names_a_folder_of_one_machine() -> None:
    own = re.escape(str(ROOT)) if len(ROOT.parts) > 2 else "$^"
    folders = re.compile(rf"(?<![\w.}}*])/(?:root|work|tmp/env)/|{own}")
    assert [
        str(path) for path, text in tracked_text() if path != Path("tests/test_house.py") and folders.search(text)
    ] == []


def test_no_file_names_the_host_of_a_package_registry() -> None:
    hosts = re.compile(r"pypi\.(?:org|python)|pythonhosted\.|registry\.npmjs|deb\.debian\.|\w\.debian\.org/debian")
    assert [
        str(path) for path, text in tracked_text() if path != Path("tests/test_house.py") and hosts.search(text)
    ] == []


def _room_of(path: Path) -> str:
    """Which limit holds for a file; Prettier gives each argument a line where ruff leaves them together."""
    if path.parts[0] == "tests":
        return "tests"
    return "page" if path.parts[:2] == ("adapters", "page") else "code"


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    lengths = {
        path: text.count("\n") for path, text in tracked_text() if path.suffix in {".py", ".js", ".css", ".html"}
    }
    limits = {path: LONGEST.get(str(path), LONGEST[_room_of(path)]) for path in lengths}
    assert {str(path): length for path, length in lengths.items() if length > limits[path]} == {}


def test_no_line_of_the_page_is_too_wide() -> None:
    wide = [
        f"{path}:{number}"
        for path, text in tracked_text()
        if path.suffix in {".js", ".css", ".html"}
        for number, line in enumerate(text.splitlines(), start=1)
        if len(line) > WIDEST
    ]
    assert wide == []


def test_no_picture_is_committed() -> None:
    pictures = {".jpg", ".jpeg", ".heic", ".arw", ".nef", ".cr2", ".cr3", ".dng", ".mp4", ".mov", ".onnx", ".pb"}
    assert [str(path) for path in tracked() if path.suffix.lower() in pictures] == []


def test_every_rule_that_is_switched_off_says_why() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    lint = tomllib.loads("\n".join(lines))["tool"]["ruff"]["lint"]
    codes = [*lint["ignore"], *(code for per_file in lint["per-file-ignores"].values() for code in per_file)]
    assert codes
    explained = [line.split('"')[1] for line in lines if re.fullmatch(r'  "[A-Z]+\d*", +# .{8,}', line)]
    assert sorted(codes) == sorted(explained)


def test_every_check_that_a_line_is_spared_says_why() -> None:
    spared = re.compile(r"# (?:noqa|type: ignore)(?![\w`])(.*)")
    reason = re.compile(r"(?:: [A-Z]+\d+(?:, ?[A-Z]+\d+)*|\[[\w, -]+\]) +(?:- |# ).{6,}")
    bare = [
        f"{path}: {found.group()}"
        for path, text in tracked_text()
        if path.suffix == ".py" and path != Path("tests/test_house.py")
        for found in spared.finditer(text)
        if not reason.fullmatch(found.group(1))
    ]
    assert bare == []


def test_every_check_that_the_page_is_spared_says_why() -> None:
    spared = re.compile(r"(?:@ts-(?:ignore|expect-error|nocheck)|prettier-ignore)(.*)")
    bare = [
        f"{path}: {found.group()}"
        for path, text in tracked_text()
        if path.suffix in {".js", ".css", ".html"}
        for found in spared.finditer(text)
        if not re.match(r" +(?:- )?\w.{6,}", found.group(1))
    ]
    assert bare == []


def test_the_documents_name_only_commands_that_make_knows() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        (str(path), target)
        for path, text in tracked_text()
        if path.suffix == ".md"
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)
    }
    assert ("README.md", "run") in named
    assert {(path, target) for path, target in named if target not in targets} == set()


def test_every_link_between_documents_leads_somewhere() -> None:
    dead = [
        f"{path}: {target}"
        for path, text in tracked_text()
        if path.suffix == ".md"
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", text)
        if not (ROOT / path.parent / target).exists()
    ]
    assert dead == []


def test_continuous_integration_does_what_a_contributor_does() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    steps = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert steps == ["exec make test"]
