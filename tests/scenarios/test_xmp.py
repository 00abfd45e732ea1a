"""Names and keywords come from other programs, and leave for them, with the real command on real photos."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from PIL import Image

from adapters.background.descriptions import Descriptions
from adapters.background.xmp import BATCH, ReadsXmp
from adapters.files.xmp import Xmp
from adapters.media.gallery import Gallery
from adapters.store.database import Database
from adapters.store.ledger import Ledger
from adapters.workers.pool import WorkerPool
from domain.base.actor import CLI
from domain.base.errors import Conflict
from domain.rules.xmp import Description
from domain.undo.operations import undo
from projections.queries.faces import FaceView
from projections.queries.reading import Lookups
from tests.scenarios.conftest import jpeg
from tests.scenarios.serving import imageapi, serving
from tests.waiting import until

pytestmark = pytest.mark.exiftool

ANN = "{Area={X=0.5,Y=0.3,W=0.4,H=0.4,Unit=normalized},Name=Ann Lee,Type=Face}"
PET = "{Area={X=0.1,Y=0.1,W=0.1,H=0.1,Unit=normalized},Name=Bo,Type=Pet}"


def marked(photo: Path, *tags: str, regions: str = "", into: Path | None = None) -> None:
    """Write keywords and regions as another program does, into a photo or a sidecar of it."""
    with Image.open(photo) as image:
        width, height = image.size
    size = f"{{W={width},H={height},Unit=pixel}}"
    info = [f"-RegionInfo={{AppliedToDimensions={size},RegionList=[{regions}]}}"] if regions else []
    target = ["-o", into, photo] if into else ["-overwrite_original", photo]
    subprocess.run(["exiftool", "-q", *tags, *info, *map(str, target)], check=True, capture_output=True)


@contextmanager
def tables_of(data: Path) -> Iterator[Lookups]:
    """The read tables of a data folder."""
    ledger = Ledger(Database(f"sqlite:///{data}/imageapi.db"))
    try:
        with ledger.reading(CLI) as tables:
            yield tables
    finally:
        ledger.close()


def said_of(data: Path) -> dict[str, tuple[list[str], list[FaceView]]]:
    """The tags and the faces of each photo, by path."""
    with tables_of(data) as tables:
        return {
            media.path: (
                [tag.name for tag in tables.tagged.of_content(media.content_hash or b"")],
                tables.faces.shown_on(media.content_hash or b""),
            )
            for media, _, _ in tables.media.readable(0, 100)
        }


@pytest.fixture
def photos(tmp_path: Path, sample_photos: Path) -> Path:
    """Photos of two people: one with words in the file, one stored on its side, one with a sidecar, one without."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"):
        shutil.copy(sample_photos / name, folder / name)
    with Image.open(folder / "obama2.jpg") as image:
        exif = image.getexif()
        exif[0x112] = 6
        image.transpose(Image.Transpose.ROTATE_90).save(folder / "obama2.jpg", exif=exif, quality=92)
    marked(folder / "obama.jpg", "-XMP-dc:Subject=Holiday", "-XMP-dc:Subject=Beach", regions=f"{ANN},{PET}")
    marked(folder / "biden.jpg", "-XMP-dc:Subject=Work", "-XMP-photoshop:Headline=Kept", into=folder / "biden.jpg.xmp")
    return folder


def test_a_dry_run_says_the_same_and_records_nothing(tmp_path: Path, photos: Path) -> None:
    data = tmp_path / "data"
    imageapi(data, "scan", str(photos)).check_returncode()
    would = imageapi(data, "xmp", "read", "--dry-run").stdout
    assert "would read 2 photos, 1 face named, 1 drawn, 1 new person, 3 tags put on (3 new)" in would
    with tables_of(data) as tables:
        assert (tables.persons_with_faces.names(), tables.tags.named("Beach")) == ({}, None)
    did = imageapi(data, "xmp", "read").stdout
    assert did.splitlines()[0] == would.splitlines()[0].replace("would read", "read")
    assert "new persons: Ann Lee\nnew tags: Beach, Holiday, Work\n" in did
    again = imageapi(data, "xmp", "read")
    assert (again.returncode, again.stdout) == (0, "nothing was taken over: all that XMP says stands here\n")
    number = did.split("`imageapi undo ")[1].split("`")[0]
    undone = imageapi(data, "undo", number)
    assert "undid: read names and keywords from XMP: 2 photos, 1 face named" in undone.stdout
    assert all(words == ([], []) for words in said_of(data).values())
    assert imageapi(data, "verify").stdout.startswith("equal")


def test_a_round_trip_through_sidecars_gives_the_same_persons_boxes_and_tags(tmp_path: Path, photos: Path) -> None:
    """With faces that the real engine found, one box moved by hand, one drawn, and a photo stored on its side."""
    here, there = tmp_path / "here", tmp_path / "there"
    with serving(here, photos) as served:
        client = served.client
        _wait_for_faces(client, 4)
        client.post("/image/tags", json={"path": "obama2.jpg", "name": "Straße & <Söhne>"}).raise_for_status()
        person = client.post("/persons", json={"name": 'Barack "B" Öbama'}).raise_for_status().json()["id"]
        moved = {"box": {"x": 0.31, "y": 0.22, "w": 0.4, "h": 0.27}}
        for name, more in (("obama3.jpg", {}), ("obama2.jpg", moved)):
            face = client.get("/image/faces", params={"path": name}).json()["items"][0]["id"]
            client.patch(f"/image/faces/{face}", json={"person_id": person, **more}).raise_for_status()
        drawn = {"path": "biden.jpg", "box": {"x": 0.02, "y": 0.7, "w": 0.1, "h": 0.05}, "person_id": person}
        client.post("/image/faces", json=drawn).raise_for_status()
    imageapi(here, "xmp", "read").check_returncode()
    before = {name: (photos / name).read_bytes() for name in os.listdir(photos) if name.endswith(".jpg")}
    wrote = imageapi(here, "xmp", "write")
    assert (wrote.returncode, wrote.stdout) == (0, "wrote 4 sidecars, 0 said it all already\n"), wrote.stderr
    assert imageapi(here, "xmp", "write").stdout == "wrote 0 sidecars, 4 said it all already\n"
    assert {name: (photos / name).read_bytes() for name in before} == before

    _exiftool_reads_all(photos, said_of(here))
    imageapi(there, "scan", str(photos)).check_returncode()
    imageapi(there, "xmp", "read").check_returncode()
    with serving(there, photos, FACE_ENGINE="embedded") as served:
        _wait_for_faces(served.client, 4)
    meant, found = said_of(here), said_of(there)
    for name, (tags, faces) in meant.items():
        assert found[name][0] == tags
        named = sorted((face.person_name, *_corners(face)) for face in faces if face.person_name)
        same = sorted((face.person_name, *_corners(face)) for face in found[name][1] if face.person_name)
        assert [name for name, *_ in same] == [name for name, *_ in named]
        for one, other in zip(named, same, strict=True):
            assert one[1:] == pytest.approx(other[1:], abs=1e-4)
        assert len(found[name][1]) == len(faces)


def _exiftool_reads_all(photos: Path, meant: dict[str, tuple[list[str], list[FaceView]]]) -> None:
    """Whether exiftool reads every keyword, region and what was there before in the sidecars."""
    words = ["exiftool", "-json", "-struct", "-n", "-G0", "-XMP:all", *map(str, photos.glob("*.xmp"))]
    answered = subprocess.run(words, capture_output=True, check=True).stdout
    told = {Path(each["SourceFile"]).name.removesuffix(".xmp"): each for each in json.loads(answered)}
    assert told["biden.jpg"]["XMP:Headline"] == "Kept"
    kinds = set()
    for name, each in told.items():
        tags, faces = meant[name]
        subject = each.get("XMP:Subject", [])
        assert sorted([subject] if isinstance(subject, str) else subject) == sorted(tags)
        listed = each.get("XMP:RegionInfo", {}).get("RegionList", [])
        kinds |= {region["Type"] for region in listed}
        named = sorted(face.person_name or "" for face in faces if face.person_name)
        assert sorted(region["Name"] for region in listed if region["Type"] == "Face") == named
    assert kinds == {"Face", "Pet"}


def _corners(face: FaceView) -> tuple[float, float, float, float]:
    return face.box.x, face.box.y, face.box.w, face.box.h


def _wait_for_faces(client: httpx.Client, photos: int) -> None:
    """Wait until detection has seen so many photos."""
    until(
        lambda: client.get("/faces/stats").json()["scanned"] >= photos,
        "detection did not come to its end",
        seconds=120,
        interval=0.2,
    )


def test_a_sidecar_that_is_broken_is_named_and_left_as_it_is_and_the_rest_counts(tmp_path: Path) -> None:
    data, photos = tmp_path / "data", tmp_path / "photos"
    photos.mkdir()
    for name, colour in (("one.jpg", "red"), ("two.jpg", "blue")):
        (photos / name).write_bytes(jpeg(colour))
        marked(photos / name, f"-XMP-dc:Subject={colour}")
    (photos / "one.jpg.xmp").write_text("<half a")
    imageapi(data, "scan", str(photos)).check_returncode()
    read = imageapi(data, "xmp", "read")
    assert "read 2 photos" in read.stdout
    assert "one.jpg: one.jpg.xmp: no XMP" in read.stderr
    wrote = imageapi(data, "xmp", "write")
    assert (wrote.returncode, wrote.stdout) == (1, "wrote 1 sidecars, 0 said it all already, 1 could not be written\n")
    assert "one.jpg: no XMP" in wrote.stderr
    assert (photos / "one.jpg.xmp").read_text() == "<half a"


def test_what_was_read_and_undone_stays_in_the_sidecar_that_it_came_from(tmp_path: Path) -> None:
    data, photos = tmp_path / "data", tmp_path / "photos"
    photos.mkdir()
    (photos / "one.jpg").write_bytes(jpeg("red", (400, 300)))
    marked(photos / "one.jpg", "-XMP-dc:Subject=Beach", regions=ANN, into=photos / "one.jpg.xmp")
    imageapi(data, "scan", str(photos)).check_returncode()
    read = imageapi(data, "xmp", "read").stdout
    imageapi(data, "undo", read.split("`imageapi undo ")[1].split("`")[0]).check_returncode()
    imageapi(data, "xmp", "write").check_returncode()
    again = imageapi(data, "xmp", "read").stdout
    assert "1 face named, 1 drawn, 1 new person, 1 tag put on (1 new)" in again


def test_who_undoes_a_reading_that_still_runs_ends_it(workers: WorkerPool, tmp_path: Path) -> None:
    """The undo comes between two batches, where it does not wait for the end."""
    data, photos = tmp_path / "data", tmp_path / "photos"
    ledger = Ledger(Database(f"sqlite:///{data}/imageapi.db"))
    photos.mkdir()
    for number in range(BATCH + 1):
        Image.new("RGB", (8, 8), (3 * number, 0, 0)).save(photos / f"{number}.png")
        sidecar = Xmp().say(Description((f"tag {number}",)), None, "")
        (photos / f"{number}.png.xmp").write_bytes(sidecar)
    imageapi(data, "scan", str(photos)).check_returncode()

    def undone(done: int, _total: int) -> None:
        if done == BATCH:
            with ledger.reading(CLI) as tables:
                (operation,) = tables.operations.latest(1)
            with ledger.transaction(CLI) as uow:
                undo(uow, operation.id)

    gallery = Gallery(workers, workers, data / "renditions", data / "thumbnails", lambda _, path: photos / path)
    descriptions = Descriptions(lambda _, path: photos / path, gallery.embedded_xmp)
    with pytest.raises(Conflict, match="was undone meanwhile: nothing more is read"):
        ReadsXmp(ledger, descriptions, None, gallery).run(None, undone, dry_run=False)
    with ledger.reading(CLI) as tables:
        assert tables.tags.named(f"tag {BATCH}") is None
        assert tables.tags.named("tag 0") is None
    ledger.close()


def test_a_photo_that_changed_since_its_scan_is_left_for_the_next(tmp_path: Path) -> None:
    data, photos = tmp_path / "data", tmp_path / "photos"
    photos.mkdir()
    (photos / "one.jpg").write_bytes(jpeg("red"))
    imageapi(data, "scan", str(photos)).check_returncode()
    marked(photos / "one.jpg", "-XMP-dc:Subject=Beach")
    read = imageapi(data, "xmp", "read")
    assert (read.returncode, "one.jpg: it changed since the last scan: scan first" in read.stderr) == (0, True)
    (photos / "one.jpg").unlink()
    assert "one.jpg" in imageapi(data, "xmp", "read").stderr


def test_one_library_alone_is_read_and_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert "there is no library yet" in imageapi(data, "xmp", "write").stderr
    for name in ("mine", "yours"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.jpg").write_bytes(jpeg("red" if name == "mine" else "blue"))
        marked(tmp_path / name / "one.jpg", f"-XMP-dc:Subject={name}")
        imageapi(data, "scan", str(tmp_path / name)).check_returncode()
    assert "new tags: mine\n" in imageapi(data, "xmp", "read", "--library", "mine").stdout
    refused = imageapi(data, "xmp", "read", "--library", "attic")
    assert (refused.returncode, "there is no library attic; there are: mine, yours" in refused.stderr) == (1, True)
