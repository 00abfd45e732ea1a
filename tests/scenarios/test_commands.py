"""The `imageapi` command from outside: what each word answers, and how it fails."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from adapters.store.database import Database
from adapters.store.ledger import Ledger
from domain.base.actor import AUTOBIND, CLI
from domain.base.geometry import Box
from domain.commands.faces import FaceChanges, change_face, delete_face, draw_face
from domain.commands.persons import PersonChanges, change_person, create_person, delete_person, merge_persons
from domain.commands.tags import tag_contents
from domain.events.face import FaceAssigned, Why
from domain.undo.operations import undo
from projections.queries.reading import Lookups
from tests.loopback import Reply, loopback
from tests.scenarios.conftest import jpeg
from tests.scenarios.serving import COMMAND, PASSWORD, ROOT, imageapi, serving
from tests.waiting import until


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that is not there yet."""
    return tmp_path / "data"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with one photo and one file that is none."""
    folder = tmp_path / "my photos"
    folder.mkdir()
    (folder / "one.jpg").write_bytes(jpeg("red"))
    (folder / "bad.jpg").write_text("not a picture")
    return folder


def test_help_names_every_command(data: Path) -> None:
    said = imageapi(data, "--help")
    assert said.returncode == 0
    commands = "serve scan library status doctor setup config rebuild verify history undo xmp user key faces"
    for word in commands.split():
        assert f"    {word} " in said.stdout


def test_a_word_that_is_no_command_is_refused_with_the_list(data: Path) -> None:
    said = imageapi(data, "sevre")
    assert said.returncode == 2
    assert "serve" in said.stderr


def test_wrong_settings_are_all_named_and_nothing_starts(data: Path, photos: Path) -> None:
    said = imageapi(data, "serve", str(photos), BIND_URL="nowhere:port", WATCH_QUICK_INTERVAL_SECONDS="soon")
    assert said.returncode == 2
    assert "BIND_URL" in said.stderr
    assert "WATCH_QUICK_INTERVAL_SECONDS" in said.stderr
    assert not data.exists()


def test_a_folder_that_is_not_there_is_named(data: Path) -> None:
    said = imageapi(data, "serve", str(data / "nowhere"))
    assert (said.returncode, "there is no folder" in said.stderr) == (1, True)


def test_scan_indexes_a_folder_says_what_came_of_it_and_names_the_bad_file(data: Path, photos: Path) -> None:
    said = imageapi(data, "scan", str(photos))
    assert said.returncode == 0, said.stderr
    assert "1 files are not, or not wholly, shown" in said.stderr
    assert said.stderr.count("bad.jpg: not a picture") == 1
    status = imageapi(data, "status")
    assert "library 1 my photos" in status.stdout
    assert "2 photos, 0 videos, 1 problems" in status.stdout
    assert "looked for faces: 1 of 2 photos (50 %), 0 without, 1 failed, 1 to come" in status.stdout
    assert "last: scanned my photos: 2 new (watcher)" in status.stdout


def test_scan_without_a_library_says_to_name_a_folder(data: Path) -> None:
    said = imageapi(data, "scan")
    assert (said.returncode, "name a folder" in said.stderr) == (1, True)


def test_accounts_are_opened_listed_changed_and_closed_from_the_terminal(data: Path, photos: Path) -> None:
    imageapi(data, "scan", str(photos)).check_returncode()
    assert imageapi(data, "user", "add", "Ann", "--role", "admin", given=PASSWORD).returncode == 0
    added = imageapi(data, "user", "add", "Bob", "--role", "viewer", "--library", "my photos", given="words for bob\n")
    assert added.stdout == "added the user Bob (viewer)\n"
    assert imageapi(data, "user", "list").stdout == "Ann\tadmin\tall libraries\nBob\tviewer\tmy photos\n"
    twice = imageapi(data, "user", "add", "bOB", "--role", "viewer", given=PASSWORD)
    assert (twice.returncode, "there is a user" in twice.stderr) == (1, True)
    short = imageapi(data, "user", "passwd", "Bob", given="short")
    assert (short.returncode, "at least 8 characters" in short.stderr) == (1, True)
    assert imageapi(data, "user", "passwd", "bob", given="other words").returncode == 0
    assert imageapi(data, "user", "remove", "Bob").returncode == 0
    last = imageapi(data, "user", "remove", "Ann")
    assert (last.returncode, "last admin" in last.stderr) == (1, True)
    unknown = imageapi(data, "user", "add", "Eve", "--role", "viewer", "--library", "attic", given=PASSWORD)
    assert (unknown.returncode, "there is no library attic; there are: my photos" in unknown.stderr) == (1, True)


def test_keys_are_made_listed_and_revoked_from_the_terminal(data: Path) -> None:
    assert imageapi(data, "user", "add", "Ann", "--role", "editor", given=PASSWORD).returncode == 0
    made = imageapi(data, "key", "add", "phone", "--user", "ann", "--scope", "read", "--expires", "2099-01-01T00:00Z")
    assert re.fullmatch(r"imageapi_1_[0-9a-f]{64}\n", made.stdout), made.stderr
    assert "gave Ann the key phone (read); it is shown this once:" in made.stderr
    assert imageapi(data, "key", "list").stdout == "phone\tAnn\tread\tuntil 2099-01-01T00:00:00Z\n"
    too_much = imageapi(data, "key", "add", "rules", "--user", "Ann", "--scope", "admin")
    assert (too_much.returncode, "cannot have the scope admin" in too_much.stderr) == (1, True)
    never = imageapi(data, "key", "add", "old", "--user", "Ann", "--scope", "read", "--expires", "someday")
    assert (never.returncode, "--expires" in never.stderr) == (2, True)
    unknown = imageapi(data, "key", "remove", "tablet", "--user", "Ann")
    assert (unknown.returncode, "Ann has no key tablet" in unknown.stderr) == (1, True)
    assert imageapi(data, "key", "remove", "PHONE", "--user", "Ann").stdout == "revoked the key phone of Ann\n"
    assert imageapi(data, "key", "list").stdout == ""


def test_verify_says_equal_names_a_row_that_was_tampered_with_and_rebuild_mends_it(data: Path) -> None:
    ledger = Ledger(Database(f"sqlite:///{data}/imageapi.db"))
    with ledger.transaction(CLI) as uow:
        create_person(uow, "Anna")
    assert imageapi(data, "verify").stdout == "equal: every row is what 2 events say\n"
    with ledger.database.writing() as connection:
        table = ledger.live(connection).tables.persons.table
        connection.execute(table.update().values(name="Mallory"))
    ledger.close()
    said = imageapi(data, "verify")
    assert said.returncode == 1
    assert "persons 1: name is 'Mallory' live and 'Anna' in the replay" in said.stdout
    assert imageapi(data, "rebuild").stdout.startswith("rebuilt the read tables from 2 events")
    assert imageapi(data, "verify").returncode == 0


def test_undo_takes_a_merge_back_and_says_why_it_cannot_twice(data: Path) -> None:
    ledger = Ledger(Database(f"sqlite:///{data}/imageapi.db"))
    persons = []
    for name in ("Anna", "Bob"):
        with ledger.transaction(CLI) as uow:
            persons.append(create_person(uow, name))
    with ledger.transaction(CLI) as uow:
        merge_persons(uow, *persons)
    ledger.close()
    said = imageapi(data, "undo", "3")
    assert said.stdout == "operation 4: undid: merged Anna (0 faces) into Bob\n"
    again = imageapi(data, "undo", "3")
    assert (again.returncode, "was undone by operation 4" in again.stderr) == (1, True)
    assert imageapi(data, "undo", "99").returncode == 1
    ledger = Ledger(Database(f"sqlite:///{data}/imageapi.db"))
    for name in ("Bea", "Cleo"):
        with ledger.transaction(CLI) as uow:
            change_person(uow, persons[0], PersonChanges(name=name))
    ledger.close()
    refused = imageapi(data, "undo", "5")
    assert "with --with-later these are taken back first: 6 (renamed Bea to Cleo)" in refused.stderr
    assert (refused.returncode, imageapi(data, "undo", "5", "--with-later").returncode) == (1, 0)


TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def lived(data: Path, photos: Path) -> tuple[int, int, int]:
    """A scanned photo with a drawn face that autobind gave to Anna, then a user to Bob; Bob was merged into Robert, and
    a tag that was put on the photo was taken back: the ids of face, Anna and Bob."""
    imageapi(data, "scan", str(photos)).check_returncode()
    ledger = Ledger(Database(f"sqlite:///{data}/imageapi.db"))
    with ledger.transaction(CLI) as uow:
        face = draw_face(uow, content_at(uow, "one.jpg"), Box(0.1, 0.1, 0.2, 0.2), None)
    persons = []
    for name in ("Anna", "Bob", "Robert"):
        with ledger.transaction(CLI) as uow:
            persons.append(create_person(uow, name))
    anna, bob, robert = persons
    with ledger.transaction(AUTOBIND) as uow:
        uow.begin("autobind", "recognised Anna on a photo with that tag")
        uow.append(FaceAssigned(face, anna, Why("tag", "some-model", 0.8349, 0.7), None))
    with ledger.transaction(CLI) as uow:
        change_face(uow, face, FaceChanges(person_id=bob))
    with ledger.transaction(CLI) as uow:
        merge_persons(uow, bob, robert)
    with ledger.transaction(CLI) as uow:
        tag_contents(uow, [content_at(uow, "one.jpg")], "holiday")
        tagged = uow.operation_id or 0
    with ledger.transaction(CLI) as uow:
        undo(uow, tagged)
    ledger.close()
    return face, anna, bob


def content_at(tables: Lookups, path: str) -> bytes:
    """The hash of the content of the file at a path."""
    media = tables.media.shown_at(path)
    assert media is not None
    assert media.content_hash is not None
    return media.content_hash


def test_history_of_a_person_is_told_newest_first_with_time_actor_number_and_whom_it_became(
    data: Path, photos: Path
) -> None:
    _, anna, bob = lived(data, photos)
    said = imageapi(data, "history", "person", str(bob))
    assert said.returncode == 0, said.stderr
    head, *rows = said.stdout.splitlines()
    assert head == f"person {bob}, Bob: merged into Robert (person {bob + 1})"
    for row, told in zip(
        rows,
        [
            "cli: merged Bob (1 face) into Robert",
            "cli: assigned a face to Bob",
            "cli: created Robert",
            "cli: created Bob",
        ],
        strict=True,
    ):
        assert re.fullmatch(rf"{TIME}  operation \d+  {re.escape(told)}", row), row
    of_anna = imageapi(data, "history", "person", str(anna), "--limit", "1")
    assert of_anna.stdout.splitlines()[0] == f"person {anna}, Anna"
    assert "assigned a face to Bob" in of_anna.stdout.splitlines()[1]
    assert "there is more" in of_anna.stderr
    unknown = imageapi(data, "history", "person", "99")
    assert (unknown.returncode, unknown.stderr) == (1, "imageapi: there is no person 99\n")
    assert imageapi(data, "history", "person", "1", "--limit", "0").returncode == 2


def test_history_of_a_face_says_why_it_is_whose_and_what_superseded_that(data: Path, photos: Path) -> None:
    face, _, _ = lived(data, photos)
    said = imageapi(data, "history", "face", str(face))
    assert said.returncode == 0, said.stderr
    head, now, before, *rows = said.stdout.splitlines()
    assert head == f"face {face} on one.jpg, found by cli"
    assert re.fullmatch(rf"holds: Bob \(today Robert\): rule user, by cli at {TIME} in operation \d+", now), now
    why = "rule tag, engine some-model, similarity 0.835, threshold 0.700, by autobind"
    assert re.fullmatch(rf"superseded: Anna: {re.escape(why)} at {TIME} in operation \d+", before), before
    told = ["assigned a face to Bob", "recognised Anna on a photo with that tag", "drew a face"]
    assert [row.partition(": ")[2] for row in rows] == told
    unknown = imageapi(data, "history", "face", "99")
    assert (unknown.returncode, unknown.stderr) == (1, "imageapi: there is no face 99\n")


def test_history_is_told_of_a_person_and_a_face_that_were_deleted(data: Path, photos: Path) -> None:
    face, anna, _ = lived(data, photos)
    ledger = Ledger(Database(f"sqlite:///{data}/imageapi.db"))
    with ledger.transaction(CLI) as uow:
        delete_person(uow, anna)
    with ledger.transaction(CLI) as uow:
        delete_face(uow, face)
    ledger.close()
    said = imageapi(data, "history", "person", str(anna)).stdout.splitlines()
    assert said[0] == f"person {anna}, Anna: deleted"
    assert said[1].endswith("cli: deleted Anna (0 faces are nobody's now)")
    told = imageapi(data, "history", "face", str(face)).stdout.splitlines()
    assert told[0].endswith("found by cli: deleted, said not to be a face")
    assert told[2].startswith("superseded: Anna (since deleted): rule tag")
    assert told[3].endswith("cli: deleted a face")


def test_history_of_a_photo_takes_its_path_or_number_and_says_what_was_undone_also_when_it_is_gone(
    data: Path, photos: Path
) -> None:
    lived(data, photos)
    by_path = imageapi(data, "history", "photo", "one.jpg", "--library", "my photos")
    assert by_path.returncode == 0, by_path.stderr
    head, undoing, undone, *rows = by_path.stdout.splitlines()
    number = head.removeprefix("photo ").partition(",")[0]
    assert head == f"photo {number}, one.jpg in my photos"
    assert undoing.endswith("cli: undid: tagged a photo with holiday")
    operation = undoing.split()[2]
    assert undone.endswith(f"cli: tagged a photo with holiday (undone by operation {operation})")
    assert "watcher: scanned my photos" in rows[-1]
    assert imageapi(data, "history", "photo", number).stdout == by_path.stdout
    (photos / "one.jpg").unlink()
    imageapi(data, "scan", str(photos))
    gone = imageapi(data, "history", "photo", "one.jpg")
    assert gone.stdout.startswith(f"{head}: missing\n")
    assert "tagged a photo with holiday" in gone.stdout
    unknown = imageapi(data, "history", "photo", "two.jpg")
    assert (unknown.returncode, "there is no photo two.jpg" in unknown.stderr) == (1, True)
    nowhere = imageapi(data, "history", "photo", "one.jpg", "--library", "attic")
    assert (nowhere.returncode, "there is no library attic; there are: my photos" in nowhere.stderr) == (1, True)


def test_config_shows_values_with_their_origin_and_no_secret(data: Path) -> None:
    said = imageapi(data, "config", SECRET_KEY="s" * 40, DATABASE_URL="postgresql://me:hidden@localhost/photos")
    assert said.returncode == 0
    assert "s" * 40 not in said.stdout
    assert "hidden" not in said.stdout
    assert f"IMAGEAPI_DATA={data}\tenvironment" in said.stdout


def test_doctor_says_what_is_there_and_what_each_part_adds(data: Path) -> None:
    said = imageapi(data, "doctor")
    assert "face engine: centerface-2+sface" in said.stdout
    assert "ffmpeg: " in said.stdout
    assert "adds videos" in said.stdout
    assert "watching: no library yet" in said.stdout
    assert "places: 155210 places of GeoNames, on this machine" in said.stdout
    assert "text model: multilingual-e5-small" in said.stdout
    assert "search by meaning: multilingual-e5-small" in said.stdout
    for off in (
        "personal places: off: APOLLO_API_BASE_URL is not set",
        "conversations: off: SMS_API_URL is not set",
        "daily summaries: off: SMS_API_URL is not set",
        "facts from insights: on",
        "language model, first server: off: OLLAMA_PRIMARY_URL is not set, and ",
        "language model, second server: off: OLLAMA_FALLBACK_URL is not set",
        "OpenRouter: off: OPENROUTER_API_KEY is not set",
    ):
        assert off in said.stdout
    assert (said.returncode, said.stderr) == (0, "")


def test_status_and_doctor_name_a_library_whose_folder_is_missing(data: Path, photos: Path) -> None:
    imageapi(data, "scan", str(photos)).check_returncode()
    photos.rename(photos.with_name("away"))
    missing = "its folder cannot be read (no such file or directory): is its disk mounted?"
    assert missing in imageapi(data, "status").stdout
    said = imageapi(data, "doctor", FACE_ENGINE="off")
    assert f"library my photos: {photos}: {missing}" in said.stdout
    assert (said.returncode, said.stderr) == (1, "does not work now: library my photos\n")
    photos.mkdir()
    assert "its folder is empty: is its disk mounted?" in imageapi(data, "library", "list").stdout


def test_libraries_are_listed_renamed_moved_and_removed_from_the_terminal(
    data: Path, photos: Path, tmp_path: Path
) -> None:
    imageapi(data, "scan", str(photos)).check_returncode()
    listed = imageapi(data, "library", "list").stdout
    assert listed == f"library 1 my photos ({photos}): 2 photos, 0 videos, 1 problems\n"
    assert imageapi(data, "library", "rename", "my photos", "Kin").stdout.endswith(
        "renamed the library my photos to Kin\n"
    )
    assert imageapi(data, "library", "rename", "Kin", "Kin").stdout == "that is so already\n"
    nowhere = imageapi(data, "library", "move", "Kin", str(tmp_path / "nowhere"))
    assert (nowhere.returncode, "move the files first" in nowhere.stderr) == (1, True)
    moved = photos.rename(tmp_path / "elsewhere")
    assert imageapi(data, "library", "move", "1", str(moved)).returncode == 0
    assert f"library 1 Kin ({moved})" in imageapi(data, "library", "list").stdout
    gone = imageapi(data, "library", "remove", "Kin")
    assert "removed the library Kin; its files stay where they are" in gone.stdout
    assert imageapi(data, "library", "list").stdout == ""
    unknown = imageapi(data, "library", "remove", "Kin")
    assert (unknown.returncode, "there is no library" in unknown.stderr) == (1, True)
    assert imageapi(data, "undo", gone.stdout.split()[1].rstrip(":")).returncode == 0
    assert "library 1 Kin" in imageapi(data, "library", "list").stdout


def test_doctor_says_how_each_library_will_be_watched(data: Path, photos: Path) -> None:
    imageapi(data, "scan", str(photos)).check_returncode()
    assert "watching: my photos: native" in imageapi(data, "doctor").stdout
    assert "watching: my photos: polling, WATCH_MODE is poll" in imageapi(data, "doctor", WATCH_MODE="poll").stdout


def test_doctor_says_which_of_the_configured_servers_answer(data: Path) -> None:
    with loopback() as apollo:
        apollo.answer = Reply(status=404)
        said = imageapi(
            data,
            "doctor",
            FACE_ENGINE="off",
            APOLLO_API_BASE_URL=apollo.url,
            GEOCODER="nominatim",
            NOMINATIM_URL="http://127.0.0.1:1",
        )
    assert "personal places: answers" in said.stdout
    assert "nominatim: 127.0.0.1:1 cannot be asked" in said.stdout
    assert (said.returncode, said.stderr) == (1, "does not work now: nominatim\n")
    assert [asked.query for asked in apollo.asked] == [{"lat": "0.00000", "lon": "0.00000"}]


def test_doctor_says_which_language_models_answer(data: Path) -> None:
    said = imageapi(data, "doctor", OLLAMA_URL="http://127.0.0.1:9", FACE_ENGINE="off")
    assert said.returncode == 1
    assert said.stderr == "does not work now: language model, first server, embedding model\n"
    assert "language model, first server: Ollama at http://127.0.0.1:9 cannot be reached" in said.stdout
    assert "OpenRouter: off: OPENROUTER_API_KEY is not set" in said.stdout
    assert "adds search by meaning" in said.stdout


def test_a_database_that_cannot_be_reached_is_said_in_words(data: Path) -> None:
    said = imageapi(data, "status", DATABASE_URL="postgresql://me@127.0.0.1:1/photos")
    assert said.returncode == 1
    assert said.stderr.startswith("imageapi: the PostgreSQL database photos at 127.0.0.1:1 cannot be reached: ")
    assert said.stderr.count("\n") == 1


def test_a_taken_address_is_said_in_words(data: Path, photos: Path) -> None:
    with serving(data, photos, FACE_ENGINE="off") as served:
        taken = f"{served.client.base_url.host}:{served.client.base_url.port}"
        said = imageapi(data.with_name("other"), "serve", "--bind", taken, FACE_ENGINE="off")
    assert said.returncode == 1
    assert "cannot listen at" in said.stderr


def test_the_first_start_prints_a_link_that_makes_the_first_admin_once(data: Path, photos: Path) -> None:
    environment = {**os.environ, "IMAGEAPI_DATA": str(data), "BIND_URL": "127.0.0.1:0", "FACE_ENGINE": "off"}
    process = subprocess.Popen(
        [*COMMAND, "serve", str(photos)], env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        line = next(line for line in process.stderr if "/welcome?code=" in line)
        url = httpx.URL(line.split()[-1])
        choice = {"code": url.params["code"], "name": "Ann", "password": PASSWORD}
        with httpx.Client(base_url=f"http://{url.host}:{url.port}", trust_env=False) as client:
            assert client.get("/welcome", params=url.params).status_code == 200
            made = client.post("/welcome", json=choice)
            assert made.status_code in {200, 201}, made.text
            token = {"Authorization": f"Bearer {made.json()['token']}"}
            assert client.get("/me", headers=token).json()["role"] == "admin"
            assert client.post("/welcome", json={**choice, "name": "Eve"}).status_code in {404, 410}
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        process.stderr.close()


def test_the_engine_is_offered_to_another_machine_which_recognises_with_it(
    data: Path, tmp_path: Path, sample_photos: Path
) -> None:
    photos = tmp_path / "portrait"
    photos.mkdir()
    (photos / "obama.jpg").write_bytes((sample_photos / "obama.jpg").read_bytes())
    engine = subprocess.Popen(
        [*COMMAND, "faces", "serve", "--bind", "127.0.0.1:0"],
        env={**os.environ, "IMAGEAPI_DATA": str(tmp_path / "engine")},
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert engine.stderr is not None
    try:
        base = next(line for line in engine.stderr if "offered at" in line).split()[-1]
        with serving(data, photos, APOLLO_FACE_API_BASE_URL=base) as served:
            stats: dict[str, int] = {}

            def found() -> bool:
                stats.update(served.client.get("/faces/stats").raise_for_status().json())
                return stats["faces"] == 1

            until(found, lambda: str(stats), interval=0.2)
            assert (stats["photos"], stats["faces"]) == (1, 1)
    finally:
        engine.send_signal(signal.SIGINT)
        engine.wait(60)
        engine.stderr.close()
