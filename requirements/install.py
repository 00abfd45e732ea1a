"""Makes `.venv` from the locks beside this file; run by `make setup`, with nothing but Python 3.11 or newer.

    python requirements/install.py run     what `imageapi` needs, and the launcher `.venv/bin/imageapi`
    python requirements/install.py search  on top of `run`, a text model for search by meaning
    python requirements/install.py facenet on top of `run`, the face model of before
    python requirements/install.py test    all that and what the checks and tests need

Every package is a wheel whose hash stands in a lock: nothing is resolved and no package's build script runs. What was
installed is recorded with the hash of the locks, so that a second run does nothing. The environment is made anew where
it belongs to another place or another version of Python.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LAUNCHER = VENV / "bin" / "imageapi"
RECORD = VENV / "installed.json"
LOCKS = {
    "run": ("run.lock", "models.lock"),
    "search": ("search.lock",),
    "facenet": ("facenet.lock",),
    "test": ("test.lock", "models.lock", "search.lock", "facenet.lock", "weights.lock"),
}
OLDEST = (3, 11)

LAUNCHER_TEXT = """\
#!/bin/sh
# Written by `make setup`: runs app:main of this checkout. -P keeps the working folder, which may be full of a
# stranger's files, out of the places where Python looks for modules.
exec {python} -P -c 'import sys; sys.path.insert(0, sys.argv.pop(1)); sys.argv[0] = "imageapi"
from app import main; sys.exit(main())' {root} "$@"
"""


def main(stage: str) -> None:
    """Installs the locks of `stage` (a name in `LOCKS`) where they are not installed yet; writes the launcher."""
    if sys.version_info < OLDEST:
        sys.exit("imageapi needs Python 3.11 or newer; name one that is installed: make setup PYTHON=python3.12")
    made_for = f"Python {sys.version_info.major}.{sys.version_info.minor} in {ROOT}"
    record = installed()
    if record.get("made_for") != made_for:
        make_environment()
        record = {"made_for": made_for}
    wanted = {name: digest(name) for name in LOCKS}
    if record.get(stage) != wanted[stage] and record.get("test") != wanted["test"]:
        install(stage)
        record[stage] = wanted[stage]
    LAUNCHER.write_text(LAUNCHER_TEXT.format(python=shlex.quote(str(PYTHON)), root=shlex.quote(str(ROOT))))
    LAUNCHER.chmod(0o755)
    RECORD.write_text(json.dumps(record, indent=1))


def digest(stage: str) -> str:
    """The SHA-256 of all locks of `stage`, in hexadecimal."""
    return hashlib.sha256(b"".join((ROOT / "requirements" / name).read_bytes() for name in LOCKS[stage])).hexdigest()


def installed() -> dict[str, str]:
    """What the last run recorded; empty where there is no environment, or none that starts."""
    try:
        record: dict[str, str] = json.loads(RECORD.read_text())
        subprocess.run([PYTHON, "-c", ""], check=True)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return {}
    return record


def make_environment() -> None:
    """Makes an empty `.venv`, first getting Debian's `python3-venv` where only that is missing and may be installed."""
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info.minor}-venv"
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            sys.exit(f"this Python cannot make virtual environments yet: sudo apt-get install {package}")
        print(f"installing {package}, which Debian keeps apart from Python", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], check=True)
    print(f"making {VENV.name} with Python {sys.version.split()[0]}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)


def install(stage: str) -> None:
    """Installs every package of the stage's locks, held to its hash."""
    locks = [ROOT / "requirements" / name for name in LOCKS[stage]]
    print("installing from " + " and ".join(lock.name for lock in locks), flush=True)
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
    command += ["--only-binary", ":all:"] + ([] if sys.stdout.isatty() else ["--quiet"])
    for lock in locks:
        command += ["-r", str(lock)]
    if subprocess.run(command, check=False).returncode:
        sys.exit(
            "pip could not install the packages; its message is above. They exist for Python 3.11 to 3.14 on"
            " Linux (x86_64, arm64) and macOS (Apple silicon)."
        )


if __name__ == "__main__":
    main(sys.argv[1])
