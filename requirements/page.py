"""Checks the page's JavaScript, style sheets and HTML with TypeScript's compiler and Prettier; run by `make lint`.

    python requirements/page.py check   says what is wrong
    python requirements/page.py format  lets Prettier write every file anew as it would have it

npm installs both into `.cache/page` from wherever it is set up to look, and only archives with the SHA-512 in
`page/package-lock.json`; none of their scripts runs. The page needs neither of them: it is served as it is written.
Where Node.js or npm is missing, or npm reaches nothing, this says so in one line and the page stays unchecked.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "adapters" / "page"
WANTED = Path(__file__).resolve().parent / "page"
INSTALLED = ROOT / ".cache" / "page"
FILES = ("package.json", "package-lock.json")
LEFT_OUT = "left out: the checks of the page (TypeScript, Prettier)"
UNREACHED = {"EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "ETIMEDOUT"}
"""What npm ends with where the network is to blame, and neither the lock nor an archive."""


def main(how: str) -> None:
    """Checks the page, or formats it; ends with an error where a check found something."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print(f"{LEFT_OUT}; install Node.js with npm to have them")
        return
    if not install(npm):
        print(f"{LEFT_OUT}, which npm cannot fetch from here")
        return
    prettier = [
        "prettier/bin/prettier.cjs",
        "--log-level=warn",
        "--cache",
        f"--cache-location={INSTALLED / 'formatted'}",
    ]
    if how == "format":
        sys.exit(run(node, *prettier, "--write", "."))
    sys.exit(run(node, "typescript/bin/tsc", "--project", ".") | run(node, *prettier, "--check", "."))


def install(npm: str) -> bool:
    """Installs what the lock names unless it is there; whether npm could fetch it."""
    lock = b"".join((WANTED / name).read_bytes() for name in FILES)
    wanted = f"{hashlib.sha256(lock).hexdigest()} on {platform.system()} {platform.machine()}"
    record = INSTALLED / "installed"
    if record.exists() and record.read_text() == wanted:
        return True
    print("installing TypeScript and Prettier from page/package-lock.json", flush=True)
    INSTALLED.mkdir(parents=True, exist_ok=True)
    record.unlink(missing_ok=True)
    for name in FILES:
        shutil.copyfile(WANTED / name, INSTALLED / name)
    command = [npm, "ci", "--ignore-scripts", "--include=dev", "--include=optional", "--no-audit", "--no-fund"]
    command += ["--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    done = subprocess.run(command, cwd=INSTALLED, check=False, capture_output=True, text=True)
    if done.returncode == 0:
        record.write_text(wanted)
        return True
    if set(re.findall(r"^npm \S+ code (\S+)$", done.stderr, re.MULTILINE)) & UNREACHED:
        return False
    sys.exit(f"{done.stderr}npm could not install what checks the page; its message is above.")


def run(node: str, program: str, *arguments: str) -> int:
    """What a program of the installed packages ends with, run on the page."""
    return subprocess.run([node, INSTALLED / "node_modules" / program, *arguments], cwd=PAGE, check=False).returncode


if __name__ == "__main__":
    main(sys.argv[1])
