"""What a scan makes of a folder, on a real disk with real worker processes."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import ExifTags, Image

from adapters.background.scan import Scanner
from adapters.background.scan_survey import MOST_PROBLEMS
from adapters.files.walk import MediaKind
from adapters.store.generations import verify
from domain.base.actor import CLI
from domain.base.errors import Unavailable
from domain.base.paths import text_of
from domain.commands.libraries import change_library, remove_library
from domain.commands.media import ReadFile
from domain.commands.tags import tag_contents
from domain.ports.watching import Noticed
from projections.queries.photo_filter import PhotoFilter
from tests.footage import H264, footage
from tests.scenarios.conftest import Place, jpeg

ODD_NAMES = [
    b"two words.jpg",
    "fête 🎉.jpg".encode(),
    "שלום.jpg".encode(),
    b"new\nline.jpg",
    b"n" * 246 + b".jpg",
    b"not utf-8 \xff\xfe.jpg",
    b"back\\x41slash.jpg",
    b"-dash.jpg",
    b"per%2Fcent?#.jpg",
]


def test_every_good_file_is_indexed_whatever_its_name_and_depth(place: Place) -> None:
    deep = os.fsencode(place.root) + b"/a" * 60
    os.makedirs(deep)
    for number, name in enumerate(ODD_NAMES):
        folder = deep if number % 2 else os.fsencode(place.root)
        with open(os.path.join(folder, name), "wb") as file:
            file.write(jpeg("red", (10 + number, 10)))
    report = place.scan()
    assert (report.discovered, report.problems) == (len(ODD_NAMES), [])
    names = {path.rpartition("/")[2] for path in place.files()}
    assert names == {text_of(name) for name in ODD_NAMES}
    assert all(media.problem is None and media.content_hash for media in place.files().values())


def test_each_bad_file_is_named_once_with_its_reason_and_stops_nothing(place: Place) -> None:
    place.picture("good.jpg")
    (place.root / "empty.jpg").touch()
    (place.root / "text.jpg").write_text("this is no picture")
    whole = jpeg("green", (800, 600))
    (place.root / "broken.jpg").write_bytes(whole[:100])
    (place.root / "png called jpg.jpg").write_bytes(_png())
    os.mkfifo(place.root / "pipe.jpg")
    (place.root / "nowhere.jpg").symlink_to("/nonexistent/file.jpg")
    place.scan()
    problems = {path: media.problem for path, media in place.files().items() if media.problem is not None}
    assert sorted(problems) == ["broken.jpg", "empty.jpg", "text.jpg"]
    assert "empty" in (problems["empty.jpg"] or "")
    head = place.ledger.head()
    assert place.scan().to_read == 0
    assert place.ledger.head() == head, "a second scan has nothing to say"


def test_a_file_that_may_not_be_read_is_listed_with_its_reason_and_read_once_it_may(place: Place) -> None:
    path = place.picture("private.jpg")
    path.chmod(0)
    if os.geteuid() == 0:
        _scan_without_root_powers(place)
    else:
        place.scan()
    media = place.files()["private.jpg"]
    assert media.content_hash is None
    assert "ermission" in (media.problem or "")
    path.chmod(0o644)
    assert place.scan(full=True).changed == 1
    assert place.files()["private.jpg"].problem is None


def test_a_second_scan_of_an_unchanged_folder_appends_nothing(place: Place) -> None:
    place.picture("a/b.jpg")
    place.scan()
    head = place.ledger.head()
    assert place.scan(full=True).found == 1
    assert place.ledger.head() == head


def test_a_file_rewritten_in_place_is_read_again_and_keeps_its_id_and_tags(place: Place) -> None:
    path = place.picture("photo.jpg", "red")
    place.scan()
    before = place.files()["photo.jpg"]
    assert before.content_hash is not None
    with place.ledger.transaction(CLI) as uow:
        tag_contents(uow, [before.content_hash], "holiday")
    content = path.read_bytes()
    path.write_bytes(content[:2] + b"\xff\xfe\x00\x07rated" + content[2:])  # a comment, and the same picture
    assert place.scan().changed == 1
    after = place.files()["photo.jpg"]
    assert (after.id, after.content_hash != before.content_hash) == (before.id, True)
    with place.ledger.reading(CLI) as tables:
        assert after.content_hash is not None
        assert [tag.name for tag in tables.tagged.of_content(after.content_hash)] == ["holiday"]


def test_a_moved_folder_keeps_ids(place: Place) -> None:
    for number in range(5):
        place.picture(f"old/{number}.jpg", f"#0000{number:02x}")
    place.scan()
    ids = {media.content_hash: media.id for media in place.files().values()}
    (place.root / "old").rename(place.root / "new name")
    report = place.scan()
    assert (report.moved, report.discovered, report.missing) == (5, 0, 0)
    assert {media.content_hash: media.id for media in place.files().values()} == ids
    assert all(media.present for media in place.files().values())


def test_a_copy_is_a_new_file_of_the_same_content(place: Place) -> None:
    path = place.picture("one.jpg")
    place.scan()
    shutil.copy(path, place.root / "two.jpg")
    assert place.scan().discovered == 1
    files = place.files()
    assert files["one.jpg"].content_hash == files["two.jpg"].content_hash
    assert files["one.jpg"].id != files["two.jpg"].id


def test_a_deleted_file_is_missing_and_is_itself_again_when_it_returns(place: Place) -> None:
    path = place.picture("photo.jpg")
    place.picture("other.jpg", "red")
    place.scan()
    content = path.read_bytes()
    path.unlink()
    assert place.scan().missing == 1
    gone = place.files()["photo.jpg"]
    assert not gone.present
    path.write_bytes(content)
    place.scan()
    back = place.files()["photo.jpg"]
    assert (back.present, back.id, back.content_hash) == (True, gone.id, gone.content_hash)


def test_a_file_moved_to_where_a_missing_one_was_loses_neither_content(place: Place) -> None:
    first = place.picture("a.jpg", "red")
    second = place.picture("b.jpg", "blue")
    place.scan()
    first.unlink()
    place.scan()
    blue = second.read_bytes()
    second.rename(first)
    place.scan()
    assert [path for path, media in place.files().items() if media.present] == ["a.jpg"]
    assert first.read_bytes() == blue
    place.picture("again.jpg", "red")
    assert place.scan().moved == 1


def test_a_missing_root_marks_nothing_as_removed_and_says_so(place: Place) -> None:
    place.picture("photo.jpg")
    place.scan()
    head = place.ledger.head()
    place.root.rename(place.root.with_name("unmounted"))
    with pytest.raises(Unavailable, match="cannot be read"):
        place.scan()
    place.root.mkdir()
    with pytest.raises(Unavailable, match="is its disk mounted"):
        place.scan()
    assert place.ledger.head() == head
    assert place.files()["photo.jpg"].present


def test_the_data_folder_is_never_part_of_a_library_that_holds_it(place: Place) -> None:
    outer = place.root.parent
    place.picture("photo.jpg")
    place.scan()
    library = place.library
    with place.ledger.transaction(CLI) as uow:
        change_library(uow, library.id, root=str(outer))
    with place.ledger.reading(CLI) as tables:
        moved = tables.libraries.get(library.id)
    assert moved is not None
    place.scan(moved)
    assert sorted(path for path, media in place.files().items() if media.present) == ["photos/photo.jpg"]


def test_renditions_of_a_photo_are_upright_and_shared_by_its_copies(place: Place) -> None:
    place.picture("one.jpg")
    place.picture("two.jpg")
    place.scan()
    content = place.files()["one.jpg"].content_hash
    assert content is not None
    assert place.gallery.rendition(content, "thumb") is not None
    assert place.gallery.rendition(content, "preview") is not None
    assert len(list((place.data / "renditions").rglob("*.thumb.jpg"))) == 1


def test_a_scan_that_is_stopped_goes_on_with_the_next_one(place: Place) -> None:
    for number in range(150):
        place.picture(f"{number % 7}/{number}.jpg", f"#0000{number:02x}")
    looks = iter(range(10**6))
    stopped = place.scanner.scan(place.library, stopping=lambda: next(looks) > 90)
    assert 0 < stopped.discovered < 150
    place.scan()
    assert len(place.files()) == 150


def test_where_previews_cannot_be_written_nothing_is_lost_and_the_next_scan_goes_on(place: Place) -> None:
    for number in range(3):
        place.picture(f"{number}.jpg", f"#0000{number:02x}")
    place.data.mkdir(exist_ok=True)
    (place.data / "renditions").write_text("a file where the folder should be")
    report = place.scan()
    assert (report.discovered, report.deferred) == (0, 3)
    assert "previews cannot be written" in (report.trouble or "")
    (place.data / "renditions").unlink()
    assert place.scan().discovered == 3


def test_a_library_that_is_removed_while_it_is_scanned_gets_no_more_files(place: Place) -> None:
    for number in range(120):
        place.picture(f"{number}.jpg", f"#0000{number:02x}")
    looks = iter(range(10**6))

    def removing() -> bool:
        if next(looks) == 80:
            with place.ledger.transaction(CLI) as uow:
                remove_library(uow, place.library.id)
        return False

    with pytest.raises(Unavailable, match="was removed or moved while it was scanned"):
        place.scanner.scan(place.library, stopping=removing)
    assert place.files() == {}


def test_a_name_that_would_steer_a_terminal_is_escaped_in_the_log(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    (place.root / "evil\x1b[31m\nINJECTED \u202e.jpg").write_text("no picture")
    place.scan()
    said = caplog.text
    assert r"evil\u001b[31m\u000aINJECTED \u202e.jpg" in said
    assert "\x1b" not in said


def test_a_file_that_is_still_being_written_is_left_for_the_next_scan(place: Place) -> None:
    path = place.root / "growing.jpg"
    whole = jpeg("red", (300, 200))
    path.write_bytes(whole[: len(whole) // 2])

    class Writes:
        """Writes the rest while the scan waits for the file to stand still."""

        def __init__(self) -> None:
            self.asked = 0

        def __call__(self) -> bool:
            self.asked += 1
            if self.asked == 3:  # after both walks
                path.write_bytes(whole)
            return False

    scanner = Scanner(place.ledger, place.gallery.read, [place.data], settle_seconds=0.3)
    report = scanner.scan(place.library, stopping=Writes())
    assert (report.deferred, report.discovered) == (1, 0)
    assert scanner.scan(place.library).discovered == 1
    assert place.files()["growing.jpg"].problem is None


def _png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (20, 10), "white").save(file, "PNG")
    return file.getvalue()


def _scan_without_root_powers(place: Place) -> None:
    """Root reads everything, so the scan is done by a process that gave that power up."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from tests.scenarios.conftest import *\n"
        "data = Path(sys.argv[2])\n"
        "pool = WorkerPool(1); ledger = Ledger(Database(f'sqlite:///{data}/imageapi.db'))\n"
        "gallery = Gallery(pool, pool, data / 'renditions', data / 'thumbnails', None)\n"
        "with ledger.reading(CLI) as tables: library = tables.libraries.shown()[0]\n"
        "Scanner(ledger, gallery.read, [data], settle_seconds=0).scan(library); pool.close(); ledger.close()\n"
    )
    root = Path(__file__).resolve().parents[2]
    powerless = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    subprocess.run([*powerless, sys.executable, "-c", code, str(root), str(place.data)], check=True)


def reading_before(place: Place) -> Scanner:
    """A scanner of an earlier version, to which less was known of a file."""

    def read(path: bytes, text: str, kind: MediaKind, size: int, packets: Sequence[bytes]) -> Future[ReadFile]:
        now = place.gallery.read(path, text, kind, size, packets).result()
        before: Future[ReadFile] = Future()
        before.set_result(ReadFile(text, now.content_hash, replace(now.facts, reading=0, duration=None, make=None)))
        return before

    return Scanner(place.ledger, read, [place.data], settle_seconds=0)


@pytest.mark.ffmpeg
def test_what_an_earlier_version_read_is_read_again_once_though_no_file_changed(place: Place) -> None:
    footage(place.root / "clip.mp4", 1)
    place.picture("a.jpg")
    reading_before(place).scan(place.library)
    assert durations(place) == [None]
    report = place.scan()
    assert (report.read, report.changed, report.again, report.outdated) == (2, 0, 2, 0)
    assert report.text("photos") == "scanned photos: 2 read again"
    assert durations(place) == [pytest.approx(1, abs=0.1)]
    assert place.scan(full=True).read == 0
    assert verify(place.ledger) == []


def test_a_quick_scan_reads_some_of_them_and_all_that_is_new(place: Place) -> None:
    scanner = Scanner(place.ledger, place.gallery.read, [place.data], settle_seconds=0, most_outdated=2)
    for number in range(5):
        place.picture(f"old {number}.jpg", ["red", "green", "blue", "teal", "pink"][number])
    reading_before(place).scan(place.library)
    place.picture("new.jpg", "black")
    report = scanner.scan(place.library)
    assert (report.to_read, report.read, report.outdated, report.discovered) == (3, 3, 3, 1)
    assert scanner.scan(place.library).outdated == 1
    assert scanner.scan(place.library, full=True).outdated == 0
    assert scanner.scan(place.library).read == 0


def durations(place: Place) -> list[float | None]:
    """Of every video that the tables hold."""
    with place.ledger.reading(CLI) as tables:
        rows, _ = tables.timeline.first_page(PhotoFilter(kind="video"), sort="name", limit=10)
        return [row["duration"] for row in rows]


def shutter(place: Place, name: str, second: str, colour: str) -> None:
    """A photo of one camera, taken at this second of a minute."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Maker", "Camera"
    whole, _, part = second.partition(".")
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {ExifTags.Base.DateTimeOriginal: f"2024:05:01 12:00:{whole}", ExifTags.Base.SubsecTimeOriginal: part}
    )
    Image.new("RGB", (64, 48), colour).save(place.root / name, exif=exif)


def listed(place: Place) -> list[str]:
    """The paths that a page of photos shows."""
    with place.ledger.reading(CLI) as tables:
        rows, _ = tables.timeline.first_page(PhotoFilter(stacked=True), sort="name", limit=100)
        return [row["path"] for row in rows]


def test_a_burst_is_shown_as_one_photo_whenever_its_files_came(place: Place) -> None:
    shutter(place, "IMG_1.jpg", "10.10", "red")
    shutter(place, "IMG_2.jpg", "10.60", "green")
    shutter(place, "later.jpg", "30.10", "blue")
    place.scan()
    assert listed(place) == ["IMG_1.jpg", "IMG_2.jpg", "later.jpg"]
    shutter(place, "IMG_0.jpg", "09.90", "pink")
    report = place.scan()
    assert report.in_bursts == 3
    assert report.text("photos") == "scanned photos: 1 new, 3 in bursts"
    assert listed(place) == ["IMG_0.jpg", "later.jpg"]
    (place.root / "IMG_1.jpg").unlink()
    place.scan()
    assert listed(place) == ["IMG_0.jpg", "IMG_2.jpg", "later.jpg"]
    assert verify(place.ledger) == []


def test_a_burst_that_an_interrupted_scan_left_is_found_by_a_full_one(place: Place) -> None:
    for number, second in enumerate(("10.10", "10.60", "11.10")):
        shutter(place, f"IMG_{number}.jpg", second, ["red", "green", "blue"][number])
    place.scanner.scan(place.library, stopping=lambda: len(place.files()) == 3)
    assert len(listed(place)) == 3
    assert place.scan().in_bursts == 0
    assert place.scan(full=True).in_bursts == 3
    assert listed(place) == ["IMG_0.jpg"]


def sidecar(rating: int, title: str) -> bytes:
    """A sidecar as programs write it."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmp:Rating="{rating}" dc:title="{title}"/></rdf:RDF></x:xmpmeta>'
    ).encode()


def written(place: Place) -> dict[str, tuple[object, ...]]:
    """The rating and title of each file."""
    with place.ledger.reading(CLI) as tables:
        rows = [tables.media.row(media.id) for media in place.files().values()]
    return {row["path"]: (row["rating"], row["title"]) for row in rows if row is not None}


def test_a_sidecar_that_comes_changes_or_goes_is_read_with_its_photo_and_nothing_else_is(place: Place) -> None:
    place.picture("a.jpg", "red")
    place.picture("b.jpg", "blue")
    place.scan()
    assert written(place) == {"a.jpg": (None, None), "b.jpg": (None, None)}
    (place.root / "a.jpg.xmp").write_bytes(sidecar(4, "Wedding"))
    report = place.scan()
    assert (report.read, report.changed, report.discovered) == (1, 1, 0)
    assert written(place) == {"a.jpg": (4, "Wedding"), "b.jpg": (None, None)}
    assert place.scan(full=True).read == 0
    (place.root / "a.jpg.xmp").write_bytes(sidecar(5, "Funeral of a friend"))
    assert place.scan().changed == 1
    assert written(place)["a.jpg"] == (5, "Funeral of a friend")
    (place.root / "a.jpg.xmp").unlink()
    assert place.scan().changed == 1
    assert written(place)["a.jpg"] == (None, None)
    assert verify(place.ledger) == []


def test_the_sidecar_of_a_short_name_is_the_raws_and_one_that_is_broken_says_nothing(place: Place) -> None:
    place.picture("a.jpg", "red")
    place.picture("b.jpg", "blue")
    (place.root / "a.dng").write_bytes(b"no RAW")
    (place.root / "a.xmp").write_bytes(sidecar(2, "Of the RAW"))
    (place.root / "b.xmp").write_bytes(sidecar(3, "Of the photo")[:-30])
    place.scan()
    assert written(place) == {"a.jpg": (None, None), "a.dng": (2, "Of the RAW"), "b.jpg": (None, None)}
    assert place.scan().read == 0, "it is broken, but not another one"
    (place.root / "b.xmp").write_bytes(sidecar(3, "Of the photo"))
    place.scan()
    assert written(place)["b.jpg"] == (3, "Of the photo")


def test_a_sidecar_that_changes_is_noticed_where_the_system_tells(place: Place) -> None:
    place.picture("a.jpg", "red")
    place.scan()
    (place.root / "a.jpg.xmp").write_bytes(sidecar(1, "Late"))
    noticed = Noticed(folders=frozenset([""]), written=frozenset(["a.jpg.xmp"]))
    place.scanner_of(place.gallery).scan(place.library, noticed=noticed)
    assert written(place) == {"a.jpg": (1, "Late")}


def test_pictures_and_videos_under_names_that_say_nothing_are_named_and_nothing_else_is(place: Place) -> None:
    place.picture("a/good.jpg")
    place.picture("a/IMG_1.thm")
    (place.root / "a" / "no extension").write_bytes(_png())
    (place.root / "notes.txt").write_text("free software moves the world")
    (place.root / "b.dat").write_text("The free world: four letters that QuickTime has, too")
    report = place.scan()
    assert {problem.path: problem.reason.partition(":")[0] for problem in report.problems} == {
        "a/IMG_1.thm": "it is jpeg inside, but its name ends in .thm, which imageapi does not look for",
        "a/no extension": "it is png inside, but its name has no extension",
    }
    assert list(place.files()) == ["a/good.jpg"]


def test_no_more_than_a_thousand_of_them_are_told(place: Place) -> None:
    for number in range(MOST_PROBLEMS + 3):
        (place.root / f"{number}.thm").write_bytes(b"\xff\xd8\xff\xe0")
    assert len(place.scan().problems) == MOST_PROBLEMS


@pytest.mark.ffmpeg
def test_a_ts_is_a_video_by_its_packets_and_else_somebodys_program(place: Place) -> None:
    footage(place.root / "clip.ts", 1, *H264, "-f", "mpegts", sound=False)
    (place.root / "index.ts").write_text("Go: export const answer = 42;\n" * 40)
    (place.root / "photo.ts").write_bytes(jpeg("teal"))
    report = place.scan()
    assert {path: media.kind for path, media in place.files().items()} == {"clip.ts": "video"}
    assert [problem.path for problem in report.problems] == ["photo.ts"]


def test_a_library_of_somebodys_programs_alone_is_empty(place: Place) -> None:
    """Where photos are known and nothing but TypeScript is left, the disk may not be mounted."""
    place.picture("a/b.jpg")
    place.scan()
    shutil.rmtree(place.root / "a")
    (place.root / "index.ts").write_text("export {}")
    with pytest.raises(Unavailable, match="is empty, though files are known"):
        place.scan()
