"""What a scan makes of what was noticed: it looks there and nowhere else, and loses nothing by that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.background.scan import Scanner
from adapters.files.recently_read import RecentlyRead
from adapters.files.scan_report import ScanReport
from adapters.files.walk import FoundFile
from domain.base.errors import Unavailable
from domain.ports.watching import Noticed
from tests.scenarios.conftest import Place, jpeg


def noticed(folders: str = "", trees: str = "", written: str = "") -> Noticed:
    """What was noticed, each part as paths with commas between; `.` is the root."""
    return Noticed(_paths(folders), _paths(trees), _paths(written))


def _paths(text: str) -> frozenset[str]:
    return frozenset("" if path == "." else path for path in text.split(",") if path)


def look(place: Place, folders: str = "", trees: str = "", written: str = "") -> ScanReport:
    """Scan what was noticed."""
    return place.scanner.scan(place.library, noticed=noticed(folders, trees, written))


def present(place: Place) -> list[str]:
    """The paths of present files."""
    return sorted(path for path, media in place.files().items() if media.present)


@pytest.fixture
def filled(place: Place) -> Place:
    """A library of three folders, scanned."""
    for name, colour in {"a/1.jpg": "red", "a/in/2.jpg": "green", "b/3.jpg": "blue", "4.jpg": "white"}.items():
        place.picture(name, colour)
    place.scan()
    return place


def test_a_noticed_folder_is_looked_at_without_those_in_it_and_a_tree_with_them(filled: Place) -> None:
    for name in ("a/new.jpg", "a/in/new.jpg", "b/new.jpg", "new.jpg"):
        filled.picture(name, "black")
    assert look(filled, folders="a").discovered == 1
    assert look(filled, folders=".").discovered == 1
    assert "b/new.jpg" not in filled.files()
    assert look(filled, trees="a").discovered == 1
    assert present(filled) == ["4.jpg", "a/1.jpg", "a/in/2.jpg", "a/in/new.jpg", "a/new.jpg", "b/3.jpg", "new.jpg"]


def test_what_went_from_noticed_places_is_missing_and_nothing_else(filled: Place) -> None:
    (filled.root / "a/1.jpg").unlink()
    (filled.root / "a/in/2.jpg").unlink()
    (filled.root / "b/3.jpg").unlink()
    assert look(filled, folders="a").missing == 1
    assert present(filled) == ["4.jpg", "a/in/2.jpg", "b/3.jpg"]
    (filled.root / "a/in").rmdir()
    assert look(filled, trees="a/in").missing == 1
    assert present(filled) == ["4.jpg", "b/3.jpg"]


def test_a_moved_folder_keeps_ids_whether_both_sides_were_noticed_or_one_after_the_other(filled: Place) -> None:
    ids = {path: media.id for path, media in filled.files().items()}
    (filled.root / "a").rename(filled.root / "c")
    report = look(filled, trees="a,c")
    assert (report.moved, report.discovered, report.missing) == (2, 0, 0)
    (filled.root / "c").rename(filled.root / "d")
    assert look(filled, trees="d").moved == 2, "its old place is asked on the disk"
    assert look(filled, trees="c").missing == 0
    (filled.root / "d").rename(filled.root / "e")
    assert look(filled, trees="d").missing == 2
    assert look(filled, trees="e").moved == 2, "what is missing is found again"
    now = filled.files()
    assert {"a/1.jpg": now["e/1.jpg"].id, "a/in/2.jpg": now["e/in/2.jpg"].id} == {
        path: id_ for path, id_ in ids.items() if path.startswith("a/")
    }


def test_a_file_moved_to_another_library_is_the_same_though_only_that_one_is_looked_at(filled: Place) -> None:
    other = filled.add(filled.root.parent / "other")
    before = filled.files()["b/3.jpg"].id
    (filled.root / "b/3.jpg").rename(filled.root.parent / "other/x.jpg")
    assert filled.scanner.scan(other, noticed=noticed(folders=".")).moved == 1
    assert filled.files(other)["x.jpg"].id == before
    assert filled.scan().missing == 0


def test_a_copy_in_a_second_library_is_no_move_where_the_disk_of_the_first_is_away(filled: Place) -> None:
    other = filled.add(filled.root.parent / "other")
    (filled.root.parent / "other/x.jpg").write_bytes((filled.root / "b/3.jpg").read_bytes())
    filled.root.rename(filled.root.parent / "away")
    filled.root.mkdir()
    report = filled.scanner.scan(other)
    assert (report.moved, report.discovered) == (0, 1)
    assert len(present(filled)) == 4


def test_a_written_file_is_read_though_neither_size_nor_time_tells(filled: Place) -> None:
    path = filled.root / "a/1.jpg"
    before, facts = filled.files()["a/1.jpg"], path.stat()
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert look(filled, folders="a").to_read == 0
    assert look(filled, folders="a", written="a/1.jpg").changed == 1
    after = filled.files()["a/1.jpg"]
    assert (after.id, after.mtime_ns, after.content_hash == before.content_hash) == (before.id, before.mtime_ns, False)


def test_a_file_that_was_read_since_it_was_written_is_not_read_again_when_that_is_told(filled: Place) -> None:
    filled.scanner = filled.scanner_of(filled.gallery, RecentlyRead(tick_ns=0))
    (filled.root / "a/1.jpg").rename(filled.root / "a/new.jpg")
    assert look(filled, folders="a").read == 1
    assert look(filled, folders="a", written="a/new.jpg").read == 0
    (filled.root / "a/new.jpg").rename(filled.root / "a/newer.jpg")
    (filled.root / "a/newer.jpg").rename(filled.root / "a/new.jpg")
    assert look(filled, folders="a", written="a/new.jpg").read == 1


def test_a_file_that_changed_just_before_it_was_read_is_read_again_when_that_is_told(filled: Place) -> None:
    filled.scanner = filled.scanner_of(filled.gallery, RecentlyRead(tick_ns=3600 * 10**9))
    (filled.root / "a/1.jpg").rename(filled.root / "a/new.jpg")
    assert look(filled, folders="a").read == 1
    assert look(filled, folders="a", written="a/new.jpg").read == 1


def test_a_file_that_could_not_be_read_is_tried_again_when_it_is_told_of(filled: Place) -> None:
    filled.scanner = filled.scanner_of(filled.gallery, RecentlyRead(tick_ns=0))
    broken = filled.data / "renditions"
    broken.rename(filled.data / "kept")
    broken.write_text("a file where the folder should be")
    content, facts = filled.root / "a/1.jpg", (filled.root / "a/1.jpg").stat()
    content.write_bytes(content.read_bytes()[:-3] + b"\0\xff\xd9")
    os.utime(content, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert look(filled, folders="a", written="a/1.jpg").deferred == 1
    broken.unlink()
    assert look(filled, folders="a", written="a/1.jpg").changed == 1


def test_no_more_readings_are_remembered_than_fit() -> None:
    recent = RecentlyRead(most=10)
    files = [FoundFile(f"{number}.jpg", 1, 1, number, 1) for number in range(11)]
    for file in files:
        recent.remember(1, file)
    assert [recent.has(1, file) for file in files] == [False, *[True] * 10]
    assert not recent.has(2, files[10])


def test_a_written_file_of_the_same_bytes_leaves_no_operation(filled: Place) -> None:
    filled.scanner = filled.scanner_of(filled.gallery)  # which remembers no reading
    head = filled.ledger.head()
    report = look(filled, folders="a", written="a/1.jpg")
    assert (report.read, report.operation_id) == (1, None)
    assert filled.ledger.head() == head


def test_a_written_file_is_recorded_before_a_young_one_has_settled(place: Place) -> None:
    scanner = Scanner(place.ledger, place.gallery.read, [place.data], settle_seconds=0.5)
    place.picture("written.jpg", "red")
    place.picture("young.jpg", "blue")
    found: list[list[str]] = []
    place.ledger.on_commit(lambda _: found.append(present(place)))
    scanner.scan(place.library, noticed=noticed(folders=".", written="written.jpg"))
    assert found[0] == ["written.jpg"]
    assert found[-1] == ["written.jpg", "young.jpg"]


def test_a_file_that_its_maker_has_open_is_left_until_its_end_is_told(place: Place) -> None:
    place.picture("whole.jpg", "red")
    place.picture("half.jpg", "blue")
    told = Noticed(frozenset({""}), unfinished=frozenset({"half.jpg"}))
    assert place.scanner.scan(place.library, noticed=told).deferred == 0
    assert present(place) == ["whole.jpg"]
    assert look(place, folders=".").discovered == 1


def test_a_root_that_is_away_or_empty_marks_nothing_whatever_was_noticed(filled: Place) -> None:
    filled.root.rename(filled.root.parent / "away")
    for trees in ("a", "a,b", "."):
        with pytest.raises(Unavailable, match="cannot be read"):
            look(filled, folders=".", trees=trees)
    filled.root.mkdir()
    for trees in ("a", "a,b", "."):
        with pytest.raises(Unavailable, match="is its disk mounted"):
            look(filled, trees=trees)
    assert len(present(filled)) == 4


def test_a_place_that_cannot_be_read_is_unknown_and_not_gone(filled: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(root: Path | bytes, rel: str) -> bytes:
        raise Unavailable("input/output error")

    monkeypatch.setattr("adapters.files.walk.resolve_folder", refuses)
    report = look(filled, folders="a", trees="b")
    assert [problem.path for problem in report.problems] == ["a", "b"]
    assert report.missing == 0


def test_where_case_does_not_count_a_file_whose_case_was_changed_is_one_file(
    filled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = filled.files()["a/1.jpg"].id
    (filled.root / "a/1.jpg").rename(filled.root / "a/1.JPG")
    (filled.root / "b").rename(filled.root / "B")
    (filled.root / "B/3.jpg").write_bytes(jpeg("white", (99, 20)))
    monkeypatch.setattr("os.path.lexists", lambda _: True)  # as such a file system answers for either name
    report = look(filled, folders="a", trees="b,B")
    assert (report.moved, report.discovered, report.missing) == (1, 1, 1)
    assert present(filled) == ["4.jpg", "B/3.jpg", "a/1.JPG", "a/in/2.jpg"]
    assert filled.files()["a/1.JPG"].id == before
