"""What people do to their files with other programs, and what becomes of what they decided: real files, real pictures,
the real engine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image, ImageEnhance

from adapters.background.scan import Scanner
from adapters.background.thumbnail_mirror import MirrorsThumbnails
from adapters.face_engines.embedded import EmbeddedEngine
from domain.base.actor import CLI
from domain.base.geometry import Box, Placement, intersection_over_union
from domain.commands.faces import FaceChanges, change_face, change_faces, draw_face
from domain.commands.persons import create_person
from domain.commands.tags import tag_contents
from domain.events.face import MANUAL
from domain.events.operation import OperationBegan
from tests.scenarios.conftest import Place
from tests.scenarios.faces import content_of, detect, faces_on

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
COLOURS = {"a": "teal", "b": "coral", "c": "gold"}
TAGS = {"a": "wedding", "b": "funeral", "c": "beach"}


@pytest.fixture
def portrait(place: Place, sample_photos: Path, engine: EmbeddedEngine) -> Place:
    """One portrait, `x.jpg`, whose face is Barack's, tagged `official`."""
    shutil.copy(sample_photos / "obama.jpg", place.root / "x.jpg")
    place.scan()
    detect(place, engine)
    with place.ledger.transaction(CLI) as uow:
        change_faces(uow, [faces_on(place, "x.jpg")[0].id], "assign", name="Barack")
    with place.ledger.transaction(CLI) as uow:
        tag_contents(uow, [content_of(place, "x.jpg")], "official")
    return place


def tags_on(place: Place, path: str) -> list[str]:
    with place.ledger.reading(CLI) as tables:
        return [tag.name for tag in tables.tagged.of_content(content_of(place, path))]


def shown(place: Place) -> list[str]:
    """The paths of the files that are there."""
    return sorted(path for path, media in place.files().items() if media.present)


def rename(place: Place, *moves: tuple[str, str]) -> None:
    for was, to in moves:
        os.rename(place.root / f"{was}.jpg", place.root / f"{to}.jpg")


# Names that change


@pytest.fixture
def album(place: Place) -> Place:
    """Three plain photos, each with its own tag."""
    for name, colour in COLOURS.items():
        place.picture(f"{name}.jpg", colour)
    place.scan()
    for name, tag in TAGS.items():
        with place.ledger.transaction(CLI) as uow:
            tag_contents(uow, [content_of(place, f"{name}.jpg")], tag)
    return place


def test_photos_renumbered_by_one_and_back_keep_their_own_tags_and_the_scan_says_that_three_moved(album: Place) -> None:
    rename(album, ("c", "d"), ("b", "c"), ("a", "b"))
    assert album.scan().moved == 3
    assert {path: tags_on(album, path) for path in shown(album)} == {
        "b.jpg": ["wedding"],
        "c.jpg": ["funeral"],
        "d.jpg": ["beach"],
    }
    rename(album, ("b", "a"), ("c", "b"), ("d", "c"))
    assert album.scan().moved == 3
    assert {path: tags_on(album, path) for path in shown(album)} == {f"{name}.jpg": [tag] for name, tag in TAGS.items()}


def test_files_that_change_places_across_batches_wait_for_each_other(album: Place) -> None:
    scanner = Scanner(album.ledger, album.gallery.read, [album.data], settle_seconds=0, batch_files=1)
    before = {media.content_hash: media.id for media in album.files().values()}
    rename(album, ("c", "x"), ("b", "c"), ("a", "b"), ("x", "a"))
    assert scanner.scan(album.library).moved == 3
    assert {media.content_hash: media.id for media in album.files().values()} == before


def test_thumbnails_of_files_that_swapped_their_names_lie_in_the_mirror_under_the_new_ones(album: Place) -> None:
    mirror = MirrorsThumbnails(album.ledger, album.gallery)
    mirror.answer(album.ledger.events(0, 1000))
    before = {name: thumbnail(album, name) for name in "abc"}
    head = album.ledger.head()
    rename(album, ("a", "x"), ("b", "a"), ("x", "b"))
    assert album.scan().moved == 2
    mirror.answer(album.ledger.events(head, 1000))
    assert {name: thumbnail(album, name) for name in "abc"} == {"a": before["b"], "b": before["a"], "c": before["c"]}


def thumbnail(place: Place, name: str) -> bytes:
    return (place.data / "thumbnails" / str(place.library.id) / f"{name}.jpg").read_bytes()


def test_a_new_picture_under_the_name_of_a_missing_one_has_none_of_its_tags(album: Place) -> None:
    os.rename(album.root / "a.jpg", album.root.parent / "kept.jpg")
    album.scan()
    album.picture("a.jpg", "navy")
    album.scan()
    assert tags_on(album, "a.jpg") == []
    os.rename(album.root.parent / "kept.jpg", album.root / "again.jpg")
    album.scan()
    assert tags_on(album, "again.jpg") == ["wedding"]


# Pictures that are edited

LEFT_OFF = Box(0.2, 0, 0.8, 1)
ALL_SIDES = Box(0.15, 0.15, 0.7, 0.7)


def cropped(window: Box) -> Callable[[Image.Image], Image.Image]:
    def crop(picture: Image.Image) -> Image.Image:
        w, h = picture.size
        edges = (window.x * w, window.y * h, (window.x + window.w) * w, (window.y + window.h) * h)
        return picture.crop(tuple(round(edge) for edge in edges))  # type: ignore[arg-type]  # four of them

    return crop


EDITS: dict[str, tuple[Callable[[Image.Image], Image.Image], Placement]] = {
    "a fifth cropped off the left": (cropped(LEFT_OFF), Placement(LEFT_OFF)),
    "15 % cropped off all sides": (cropped(ALL_SIDES), Placement(ALL_SIDES)),
    "turned by 90 degrees": (lambda p: p.transpose(Image.Transpose.ROTATE_270), Placement(orientation=6)),
    "turned by 180 degrees": (lambda p: p.transpose(Image.Transpose.ROTATE_180), Placement(orientation=3)),
    "black and white": (lambda p: p.convert("L"), Placement()),
    "made lighter": (lambda p: ImageEnhance.Brightness(p).enhance(1.5), Placement()),
}


def edit(path: Path, change: Callable[[Image.Image], Image.Image]) -> None:
    """Save a photo anew, as an editor does that keeps nothing of what was written into it."""
    with Image.open(path) as picture:
        edited = change(picture.convert("RGB"))
    edited.save(path, quality=92)


@pytest.mark.parametrize("how", EDITS)
def test_a_name_and_a_tag_stand_on_an_edited_portrait_and_the_face_keeps_its_id(
    portrait: Place, engine: EmbeddedEngine, how: str
) -> None:
    change, placement = EDITS[how]
    (before,) = faces_on(portrait, "x.jpg")
    edit(portrait.root / "x.jpg", change)
    assert portrait.scan().changed == 1
    assert tags_on(portrait, "x.jpg") == ["official"], "the scan says so at once"
    detect(portrait, engine)
    (after,) = faces_on(portrait, "x.jpg")
    assert (after.id, after.person_name) == (before.id, "Barack")
    expected = placement.of(before.box)
    assert expected is not None
    assert intersection_over_union(after.box, expected) > 0.6


def test_a_face_drawn_on_a_portrait_that_lies_on_its_side_is_there_once_the_file_is_turned_upright(
    place: Place, sample_photos: Path, engine: EmbeddedEngine
) -> None:
    with Image.open(sample_photos / "obama.jpg") as picture:
        picture.convert("RGB").transpose(Image.Transpose.ROTATE_90).save(place.root / "x.jpg", quality=95)
    place.scan()
    upright = Box(0.3, 0.15, 0.4, 0.4)
    drawn_at = Placement(orientation=8).of(upright) or upright
    with place.ledger.transaction(CLI) as uow:
        person = create_person(uow, "Barack")
    with place.ledger.transaction(CLI) as uow:
        drawn = draw_face(uow, content_of(place, "x.jpg"), drawn_at, None, person)
    detect(place, engine)
    edit(place.root / "x.jpg", lambda picture: picture.transpose(Image.Transpose.ROTATE_270))
    place.scan()
    detect(place, engine)
    there = {face.id: face for face in faces_on(place, "x.jpg")}
    assert (there[drawn].person_name, there[drawn].source) == ("Barack", MANUAL)
    assert intersection_over_union(there[drawn].box, upright) > 0.9


def test_a_tagged_photo_without_faces_keeps_its_tag_when_it_is_cropped_and_another_in_its_place_has_none(
    place: Place, sample_photos: Path
) -> None:
    shutil.copy(sample_photos / "coffee.png", place.root / "coffee.png")
    place.scan()
    with place.ledger.transaction(CLI) as uow:
        tag_contents(uow, [content_of(place, "coffee.png")], "breakfast")
    edit(place.root / "coffee.png", cropped(ALL_SIDES))
    place.scan()
    assert tags_on(place, "coffee.png") == ["breakfast"]
    shutil.copy(sample_photos / "rocket.jpg", place.root / "coffee.png")
    place.scan()
    assert tags_on(place, "coffee.png") == []


def test_many_photos_that_were_rated_are_recorded_some_at_a_time(album: Place) -> None:
    head = album.ledger.head()
    for name in COLOURS:
        content = (album.root / f"{name}.jpg").read_bytes()
        (album.root / f"{name}.jpg").write_bytes(content[:2] + b"\xff\xfe\x00\x07rated" + content[2:])
    gallery = album.gallery
    scanner = Scanner(
        album.ledger, gallery.read, [album.data], settle_seconds=0, places=gallery.placement, edited_files=2
    )
    assert scanner.scan(album.library).changed == 3
    began = [each.event.kind for each in album.ledger.events(head, 100) if isinstance(each.event, OperationBegan)]
    assert began == ["scan", "media.carry", "media.carry"]
    assert {path: tags_on(album, path) for path in shown(album)} == {f"{name}.jpg": [tag] for name, tag in TAGS.items()}


def test_a_thumbnail_that_cannot_be_read_ends_no_scan(place: Place, sample_photos: Path) -> None:
    shutil.copy(sample_photos / "rocket.jpg", place.root / "x.jpg")
    place.scan()
    before = place.files()["x.jpg"].content_hash or b""
    spoilt = place.gallery.rendition(before, "thumb")
    assert spoilt is not None
    spoilt.write_bytes(b"\xff\xd8\xff\xe0 no picture \xff\xd9")
    edit(place.root / "x.jpg", cropped(ALL_SIDES))
    assert place.scan().changed == 1


def test_a_photo_that_was_cut_off_for_a_while_keeps_its_tags(place: Place, sample_photos: Path) -> None:
    shutil.copy(sample_photos / "rocket.jpg", place.root / "x.jpg")
    place.scan()
    with place.ledger.transaction(CLI) as uow:
        tag_contents(uow, [content_of(place, "x.jpg")], "space")
    (place.root / "x.jpg").write_bytes(b"")
    place.scan()
    shutil.copy(sample_photos / "rocket.jpg", place.root / "x.jpg")
    edit(place.root / "x.jpg", lambda picture: picture)
    place.scan()
    assert tags_on(place, "x.jpg") == ["space"]


def test_an_original_that_is_restored_has_the_name_that_its_crop_was_given(
    place: Place, sample_photos: Path, engine: EmbeddedEngine
) -> None:
    shutil.copy(sample_photos / "obama.jpg", place.root / "x.jpg")
    place.scan()
    detect(place, engine)
    (face,) = faces_on(place, "x.jpg")
    edit(place.root / "x.jpg", cropped(LEFT_OFF))
    place.scan()
    detect(place, engine)
    with place.ledger.transaction(CLI) as uow:
        person = create_person(uow, "Barack")
    with place.ledger.transaction(CLI) as uow:
        change_face(uow, face.id, FaceChanges(person_id=person))
    shutil.copy(sample_photos / "obama.jpg", place.root / "x.jpg")
    place.scan()
    (restored,) = faces_on(place, "x.jpg")
    assert (restored.id, restored.box, restored.person_name) == (face.id, face.box, "Barack")


# Renamed and written into, in one step


@needs_exiftool
@pytest.mark.parametrize("suffix", ["jpg", "png", "heic", "dng", "tif", "webp"])
def test_a_file_renamed_and_rated_in_one_step_is_one_file_that_moved(
    place: Place, suffix: str, sample_photos: Path
) -> None:
    path = place.root / f"x.{suffix}"
    save(sample_photos / "rocket.jpg", path)
    place.scan()
    with place.ledger.transaction(CLI) as uow:
        tag_contents(uow, [content_of(place, path.name)], "space")
    (before,) = place.files().values()
    exiftool("-XMP:Rating=4", f"-FileName=renamed.{suffix}", path)
    report = place.scan()
    assert (report.moved, report.discovered, report.missing) == (1, 0, 0)
    (after,) = place.files().values()
    assert (after.id, after.path) == (before.id, f"renamed.{suffix}")
    assert tags_on(place, after.path) == ["space"]


@needs_exiftool
def test_a_portrait_renamed_by_its_date_and_rated_keeps_its_name_without_another_look(portrait: Place) -> None:
    exiftool("-DateTimeOriginal=2024:05:06 07:08:09", portrait.root / "x.jpg")
    portrait.scan()
    (before,) = faces_on(portrait, "x.jpg")
    assert before.person_name == "Barack"
    exiftool("-FileName<DateTimeOriginal", "-d", "%Y%m%d_%H%M%S.jpg", "-XMP:Rating=4", portrait.root / "x.jpg")
    assert portrait.scan().moved == 1
    assert shown(portrait) == ["20240506_070809.jpg"]
    (after,) = faces_on(portrait, "20240506_070809.jpg")
    assert (after.id, after.box, after.person_name) == (before.id, before.box, "Barack")
    assert tags_on(portrait, "20240506_070809.jpg") == ["official"]
    with portrait.ledger.reading(CLI) as tables:
        row = tables.media.row(portrait.files()["20240506_070809.jpg"].id)
    assert row is not None
    assert row["rating"] == 4


def exiftool(*arguments: str | Path) -> None:
    command = ["exiftool", "-q", "-overwrite_original", *map(str, arguments)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)


def save(photo: Path, path: Path) -> None:
    """A photo in the format that the suffix says; a DNG is a TIFF that says it is one."""
    with Image.open(photo) as picture:
        small = picture.convert("RGB").resize((320, 213))
    if path.suffix == ".heic":
        pillow_heif.from_pillow(small).save(path, quality=80)
    elif path.suffix == ".dng":
        small.save(path, "TIFF")
        exiftool("-DNGVersion=1.4.0.0", path)
    else:
        small.save(path)
