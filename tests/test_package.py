"""What `pip install .` installs: the wheel, built from this checkout."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from app import VERSION

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(ROOT)], check=True)
    (built,) = folder.iterdir()
    return built


def test_it_holds_the_code_the_page_and_the_locks_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    rooms = ("adapters", "domain", "projections")
    expected = {str(path.relative_to(ROOT)) for room in rooms for path in (ROOT / room).rglob("*.py")}
    page = [path for path in (ROOT / "adapters" / "page").rglob("*") if path.suffix in {".js", ".css", ".html", ".svg"}]
    expected |= {str(path.relative_to(ROOT)) for path in page}
    locks = {f"adapters/cli/locks/{name}.lock" for name in ("models", "search", "facenet")}
    assert names == expected | locks | {"app.py"}


def test_the_locks_are_the_checkouts(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in ("models.lock", "search.lock", "facenet.lock"):
            assert archive.read(f"adapters/cli/locks/{name}") == (ROOT / "requirements" / name).read_bytes()


def test_it_gives_the_command_and_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folder = next(name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name)
        metadata = archive.read(f"{folder}/METADATA").decode()
        commands = archive.read(f"{folder}/entry_points.txt").decode()
    assert "imageapi = app:main" in commands
    assert f"Version: {VERSION}\n" in metadata
    assert "Requires-Python: >=3.11\n" in metadata
    required = {line.partition(": ")[2] for line in metadata.splitlines() if line.startswith("Requires-Dist: ")}
    assert required == set(PROJECT["dependencies"])
