"""Whole ingest of many small files, against a plain walk-hash-decode loop over the same files; and the memory it takes.

    python -m bench.ingest [FILES ...]     (default: 10000 100000)

The ingest is a whole scan of an empty library: two walks, hash, EXIF, preview, thumbnail and placeholder of each file
in worker processes, the log and the read tables. The loop does it once in one process and keeps nothing. Files are of
one colour each and differ in their bytes, so that nothing is shared.
"""

from __future__ import annotations

import hashlib
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
FILES_A_FOLDER = 500


def make_files(root: Path, count: int) -> None:
    """`count` JPEGs of 160 x 120 pixels, some 1.5 KB each, in folders of 500."""
    file = io.BytesIO()
    noise = Image.effect_noise((160, 120), 12).convert("RGB")
    noise.save(file, "JPEG", quality=60)
    jpeg = file.getvalue()
    for number in range(count):
        folder = root / f"{number // FILES_A_FOLDER:04}"
        if number % FILES_A_FOLDER == 0:
            folder.mkdir(parents=True, exist_ok=True)
        (folder / f"IMG_{number:06}.jpg").write_bytes(jpeg + number.to_bytes(4, "big"))


def plain_loop(root: Path) -> float:
    """Seconds to walk, read, hash and decode every file in this process."""
    began = time.perf_counter()
    for folder, _, names in os.walk(root):
        for name in names:
            content = Path(folder, name).read_bytes()
            hashlib.sha256(content).digest()
            with Image.open(io.BytesIO(content)) as picture:
                picture.load()
    return time.perf_counter() - began


def ingest(root: Path, data: Path) -> None:
    """Scan `root` into an empty library in `data` and print the seconds and the peak memory of this process in MB."""
    sys.path.insert(0, str(ROOT))
    from adapters.cli.libraries import make_libraries  # noqa: PLC0415 - the parent process stays lean
    from adapters.settings import Settings  # noqa: PLC0415 - the same
    from app import Application  # noqa: PLC0415 - the same

    application = Application(
        Settings.load({"IMAGEAPI_DATA": str(data), "FACE_ENGINE": "off", "LOG_LEVEL": "off"}, data)
    )
    libraries = make_libraries(application, [root]).libraries
    began = time.perf_counter()
    for library in libraries:
        application.watcher.look_at(library, full=False)
    seconds = time.perf_counter() - began
    application.close()
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure(count: int) -> dict[str, float]:
    """Files a second of ingest and loop, their ratio, and the peak memory of the ingesting process in MB."""
    with tempfile.TemporaryDirectory() as scratch:
        photos, data = Path(scratch, "photos"), Path(scratch, "data")
        data.mkdir()
        make_files(photos, count)
        loop = plain_loop(photos)
        code = "import sys; from pathlib import Path; from bench.ingest import ingest; ingest(*map(Path, sys.argv[1:]))"
        command = [sys.executable, "-c", code, str(photos), str(data)]
        said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
        seconds, megabytes = map(float, said.split())
    return {
        "ingest, files/s": count / seconds,
        "loop, files/s": count / loop,
        "ratio": loop / seconds,
        "peak memory, MB": megabytes,
    }


def main(counts: list[int]) -> None:
    """Print the figures for each number of files."""
    for count in counts:
        figures = measure(count)
        print(f"{count} files: " + ", ".join(f"{name} {value:.2f}" for name, value in figures.items()))


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [10_000, 100_000])
