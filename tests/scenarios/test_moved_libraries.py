"""Libraries whose folder moved, went, or shows another disk: nothing is twice, nor taken for deleted unasked."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from adapters.background.jobs import JobBoard
from adapters.background.library_watch import WatchesLibraries
from adapters.background.moved_libraries import former_library
from adapters.background.scan import Scanner
from adapters.files.known_roots import KnownRoots
from domain.base.actor import CLI
from domain.base.errors import Held, Unavailable
from domain.commands.libraries import change_library
from domain.events.library import Library
from domain.undo.operations import undo
from tests.scenarios.conftest import Place, jpeg
from tests.scenarios.serving import imageapi, listed, serving
from tests.waiting import until


def photos(folder: Path, count: int = 10) -> Path:
    """A folder with so many different photos."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        colour = (number * 5 % 256, number * 11 % 256, number * 17 % 256)
        (folder / f"{number}.jpg").write_bytes(jpeg("#{:02x}{:02x}{:02x}".format(*colour), (64, 48 + number)))
    return folder


def names(place: Place, library: Library | None = None) -> set[str]:
    """The present files of a library."""
    return {path for path, media in place.files(library).items() if media.present}


def libraries(place: Place) -> list[Library]:
    """The libraries that are shown."""
    with place.ledger.reading(CLI) as tables:
        return tables.libraries.shown()


def watcher(place: Place) -> WatchesLibraries:
    """What looks at them, when it is told to."""
    return WatchesLibraries(place.ledger, place.scanner, JobBoard(), quick_seconds=0, full_seconds=3600)


# A folder that moved


def test_serving_the_folder_that_a_library_was_moved_to_moves_the_library_and_says_so(tmp_path: Path) -> None:
    data, old, new = tmp_path / "data", photos(tmp_path / "old"), tmp_path / "new"
    imageapi(data, "scan", str(old)).check_returncode()
    shutil.move(old, new)
    (new / "0.jpg").unlink()
    with serving(data, new, FACE_ENGINE="off") as served:
        said = "".join(served.lines)
        assert f"{new} holds 9 of the 10 files of the library old, whose folder {old} is gone" in said
        operation = int(said.split("imageapi undo ")[1].split("`")[0])
        shown = served.client.get("/libraries").json()["items"]
        assert [(each["id"], each["root"]) for each in shown] == [(1, str(new))]
        until(lambda: len(listed(served)) == 9)
        assert {row["library_id"] for row in listed(served)} == {1}
        assert served.client.post(f"/operations/{operation}/undo").status_code == 200
        assert served.client.get("/libraries").json()["items"][0]["root"] == str(old)
    again = imageapi(data, "scan", str(new))
    assert again.returncode == 1
    assert "waits until you say which it is: `imageapi library move 1" in again.stderr
    assert "photos, 0 videos" in imageapi(data, "library", "list").stdout
    moved = imageapi(data, "library", "move", "old", str(new))
    assert moved.stdout.endswith(": moved the library old to another folder\n")
    assert imageapi(data, "library", "list").stdout.count("library ") == 1


def test_a_folder_with_less_of_a_library_that_is_gone_waits_until_somebody_says_what_it_is(place: Place) -> None:
    photos(place.root)
    place.scan()
    place.root.rename(place.root.with_name("elsewhere"))
    part = photos(place.root.with_name("part"), 5)
    library = place.add(part)
    found = former_library(place.ledger, library.root)
    assert found is not None
    assert (found.library.id, found.files, found.here, found.is_moved) == (1, 10, 5, False)
    watches = watcher(place)
    watches.step()
    watches.step()
    assert names(place, library) == set()
    assert "5 of the 10 files of the library photos" in watches.missing[library.id]
    watches.ask(library.id, as_new=True)
    watches.step()
    assert (len(names(place, library)), watches.waiting) == (5, {})
    assert library.id not in watches.missing


def test_a_library_that_is_said_to_have_moved_takes_the_place_of_the_one_that_waited(place: Place) -> None:
    photos(place.root)
    place.scan()
    place.root.rename(place.root.with_name("elsewhere"))
    waiting = place.add(photos(place.root.with_name("part"), 5))
    with place.ledger.transaction(CLI) as uow:
        change_library(uow, 1, root=waiting.root)
        operation = uow.operation_id or 0
    assert [(each.id, each.root) for each in libraries(place)] == [(1, waiting.root)]
    with place.ledger.transaction(CLI) as uow:
        undo(uow, operation)
    assert [(each.id, each.root) for each in libraries(place)] == [(1, str(place.root)), (2, waiting.root)]


def test_a_folder_that_has_nothing_of_a_library_that_is_away_is_a_library_like_any_other(place: Place) -> None:
    photos(place.root)
    place.scan()
    place.root.rename(place.root.with_name("elsewhere"))
    other = place.root.with_name("other")
    other.mkdir()
    (other / "0.jpg").write_bytes(jpeg("white", (200, 100)))
    library = place.add(other)
    watcher(place).step()
    assert names(place, library) == {"0.jpg"}


def test_a_copy_of_a_library_that_is_there_is_no_move_and_does_not_wait(place: Place) -> None:
    photos(place.root)
    place.scan()
    library = place.add(photos(place.root.with_name("copy")))
    assert former_library(place.ledger, library.root) is None
    watcher(place).step()
    assert len(names(place, library)) == 10


def test_what_waited_is_scanned_when_the_folder_of_the_other_library_is_back(place: Place) -> None:
    photos(place.root)
    place.scan()
    away = place.root.rename(place.root.with_name("away"))
    library = place.add(photos(place.root.with_name("copy")))
    watches = watcher(place)
    watches.step()
    assert library.id in watches.waiting
    away.rename(place.root)
    watches.step()
    assert (watches.waiting, len(names(place, library))) == ({}, 10)


def test_what_waited_waits_no_more_once_a_command_scanned_it(place: Place) -> None:
    photos(place.root)
    place.scan()
    place.root.rename(place.root.with_name("elsewhere"))
    library = place.add(photos(place.root.with_name("part"), 5))
    watches = watcher(place)
    watches.step()
    assert library.id in watches.waiting
    place.scan(library)
    watches.step()
    assert (watches.waiting, library.id in watches.missing) == ({}, False)


# A disk that is away


def test_a_stray_file_in_an_empty_mount_point_marks_nothing_as_missing_however_often_it_is_looked_at(
    place: Place,
) -> None:
    photos(place.root, 3)
    place.scan()
    head = place.ledger.head()
    place.root.rename(place.root.with_name("unmounted"))
    place.root.mkdir()
    place.picture("stray.jpg")
    for full in (False, True):
        with pytest.raises(Held, match="is its disk mounted"):
            place.scan(full=full)
    assert place.ledger.head() == head
    shutil.rmtree(place.root)
    place.root.with_name("unmounted").rename(place.root)
    place.scan()
    assert names(place) == {"0.jpg", "1.jpg", "2.jpg"}


def test_a_stray_file_counts_for_nothing_also_where_the_mount_point_is_the_same_folder(place: Place) -> None:
    photos(place.root, 3)
    place.scan()
    for path in place.root.iterdir():
        path.unlink()
    place.picture("stray.jpg")
    with pytest.raises(Held):
        place.scan()
    assert len(names(place)) == 3


def test_files_that_were_all_renamed_are_moves_and_not_held(place: Place) -> None:
    photos(place.root, 3)
    place.scan()
    for path in [*place.root.iterdir()]:
        path.rename(path.with_name(f"new-{path.name}"))
    report = place.scan()
    assert (report.moved, report.missing) == (3, 0)


def scanner_of(place: Place, roots: KnownRoots) -> Scanner:
    """What scans a place and remembers its folder."""
    return Scanner(place.ledger, place.gallery.read, [place.data], settle_seconds=0, roots=roots)


def test_more_than_half_gone_at_once_on_another_disk_is_held_until_somebody_says_that_it_was_deleted(
    place: Place, tmp_path: Path
) -> None:
    photos(place.root, 40)
    place.scan()
    place.root.rename(place.root.with_name("first disk"))
    photos(place.root, 19)
    roots = tmp_path / "roots.json"
    roots.write_text(f'{{"1": ["{place.root}", 99, 99]}}')
    scanner = scanner_of(place, KnownRoots(roots))
    with pytest.raises(Held, match=r"21 of the 40 files of photos are gone at once .* and another folder or disk"):
        scanner.scan(place.library)
    assert len(names(place)) == 40
    assert scanner.scan(place.library, accept_missing=True).missing == 21
    about = os.stat(place.root)
    assert roots.read_text() == f'{{"1": ["{place.root}", {about.st_dev}, {about.st_ino}]}}'


@pytest.mark.parametrize(("stay", "is_another"), [(19, False), (20, True), (21, True)])
def test_fewer_or_on_the_same_disk_are_believed_to_be_deleted(
    place: Place, tmp_path: Path, stay: int, is_another: bool
) -> None:
    photos(place.root, 40)
    place.scan()
    for number in range(stay, 40):
        (place.root / f"{number}.jpg").unlink()
    roots = tmp_path / "roots.json"
    if is_another:
        roots.write_text(f'{{"1": ["{place.root}", 99, 99]}}')
    scanner_of(place, KnownRoots(roots)).scan(place.library)
    assert len(names(place)) == stay


def test_a_file_of_marks_that_is_damaged_or_cannot_be_written_costs_nothing_but_the_marks(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for damage in ("", "[1", "[]", '{"1": [1]}'):
        (tmp_path / "roots.json").write_text(damage)
        assert not KnownRoots(tmp_path / "roots.json").is_another(place.library)
    KnownRoots(tmp_path / "nowhere" / "roots.json").remember(place.library)
    assert "cannot write" in caplog.text


def test_that_the_last_photo_was_deleted_can_be_said(place: Place) -> None:
    place.picture("one.jpg")
    watches = watcher(place)
    watches.step()
    (place.root / "one.jpg").unlink()
    watches.step()
    assert (names(place), watches.held) == ({"one.jpg"}, {1})
    assert "scan --accept-missing" in watches.missing[1]
    watches.ask(1, accept_missing=True)
    watches.step()
    assert (names(place), watches.held, watches.missing) == (set(), set(), {})
    place.picture("two.jpg")
    watches.step()
    (place.root / "two.jpg").unlink()
    watches.step()
    assert watches.held == {1}, "a word holds for one scan"


def test_a_root_that_is_not_there_marks_nothing_even_where_it_is_said_that_all_was_deleted(place: Place) -> None:
    place.picture("one.jpg")
    place.scan()
    place.root.rename(place.root.with_name("away"))
    with pytest.raises(Unavailable, match="cannot be read"):
        place.scanner.scan(place.library, accept_missing=True)
    assert names(place) == {"one.jpg"}


# Folders that cannot be read


class Blocked:
    """Makes listing one folder fail, as it does for a user without the right to: root may read everything."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        real, self.is_on = os.scandir, True

        def scandir(path: bytes | str) -> object:
            if self.is_on and os.fsdecode(path) == str(folder):
                raise PermissionError(13, "Permission denied")
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)


def test_a_folder_that_cannot_be_read_is_a_problem_until_it_can(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.picture("open/one.jpg")
    place.picture("closed/two.jpg", "red")
    watches = watcher(place)
    watches.step()
    blocked = Blocked(monkeypatch, place.root / "closed")
    watches.step()
    assert [(each.path, each.reason) for each in watches.unreadable[1]] == [("closed", "permission denied")]
    assert names(place) == {"open/one.jpg", "closed/two.jpg"}
    blocked.is_on = False
    watches.step()
    assert watches.unreadable[1] == []


# What is said meanwhile


class Seen(JobBoard):
    """A board that keeps how far the jobs were whenever one changed."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[tuple[int, int | None]] = []

    def changed(self) -> None:
        """As the base."""
        super().changed()
        self.states += [(job.done, job.total) for job in self.progress()]


def test_the_progress_says_from_the_start_how_many_are_due(place: Place) -> None:
    for folder in ("a", "b", "c"):
        photos(place.root / folder, 4)
    board = Seen()
    WatchesLibraries(place.ledger, place.scanner, board, quick_seconds=0, full_seconds=3600).step()
    assert board.states[0] == (0, 12)
    assert {total for _, total in board.states} == {12}
