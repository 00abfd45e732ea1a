"""Installs the programs that are no Python packages, with apt-get where that is possible; run by `make tools`.

imageapi works without each of them, and its tests leave out what needs one that cannot be had (tests/conftest.py).
Where all are there, this does nothing and takes no time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

TOOLS = {
    "ffmpeg": (("ffmpeg", "ffprobe"), ("ffmpeg",), "videos: thumbnails, previews, GIFs and HLS"),
    "exiftool": (("exiftool",), ("libimage-exiftool-perl",), "previews of RAW files that nothing else reads"),
    "cjxl": (("cjxl",), ("libjxl-tools",), "tests of the colours of JPEG XL (the server itself never uses it)"),
    "chromium": (
        ("chromium", "chromium-browser", "google-chrome"),
        ("chromium", "fonts-dejavu-core"),
        "the tests of the page (the server itself never uses it)",
    ),
}
"""Each tool's programs (of chromium's one is enough, of the others' all), its Debian packages, and what it adds."""


def main() -> None:
    """Installs what is missing as root on Debian, and elsewhere says what is left out."""
    absent = missing()
    if absent and may_install():
        packages = [package for tool in absent for package in TOOLS[tool][1]]
        print("installing " + " ".join(packages), flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        # The package lists of a fresh machine are old or absent; where a step fails, what is missing is told below.
        for step in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            subprocess.run(["apt-get", *step], env=quiet, stdout=subprocess.DEVNULL, check=False)
        absent = missing()
    for tool in absent:
        print(f"left out: {tool}, which adds {TOOLS[tool][2]}; install it with {hint(tool)}")


def missing() -> list[str]:
    """The tools that are not on the PATH."""

    def there(tool: str) -> bool:
        enough = any if tool == "chromium" else all
        return enough(shutil.which(program) is not None for program in TOOLS[tool][0])

    return [tool for tool in TOOLS if not there(tool)]


def may_install() -> bool:
    """Whether this user may install Debian packages on this machine."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def hint(tool: str) -> str:
    """The command that a person would install the tool with."""
    if sys.platform == "darwin":
        return f"brew install {'--cask chromium' if tool == 'chromium' else tool}"
    return f"sudo apt-get install {' '.join(TOOLS[tool][1])}"


if __name__ == "__main__":
    main()
