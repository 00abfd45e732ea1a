"""The `imageapi` command from outside: what each word answers, and how it fails."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from adapters.store.database import Database
from adapters.store.ledger import Ledger
from domain.actor import CLI
from domain.commands.people import create_person, merge_persons
from tests.loopback import Reply, loopback
from tests.scenarios.conftest import jpeg
from tests.scenarios.serving import COMMAND, PASSWORD, ROOT, imageapi, serving


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
    for word in ("serve", "scan", "status", "doctor", "config", "rebuild", "verify", "undo", "xmp", "user", "faces"):
        assert word in said.stdout


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


def test_verify_says_equal_names_a_row_that_was_tampered_with_and_rebuild_mends_it(data: Path) -> None:
    ledger = Ledger(Database(f"sqlite:///{data}/imageapi.db"))
    with ledger.transaction(CLI) as turn:
        create_person(turn, "Anna")
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
        with ledger.transaction(CLI) as turn:
            persons.append(create_person(turn, name))
    with ledger.transaction(CLI) as turn:
        merge_persons(turn, *persons)
    ledger.close()
    said = imageapi(data, "undo", "3")
    assert said.stdout == "operation 4: undid: merged Anna (0 faces) into Bob\n"
    again = imageapi(data, "undo", "3")
    assert (again.returncode, "was undone by operation 4" in again.stderr) == (1, True)
    assert imageapi(data, "undo", "99").returncode == 1


def test_config_shows_values_with_their_origin_and_no_secret(data: Path) -> None:
    said = imageapi(data, "config", SECRET_KEY="s" * 40, DATABASE_URL="postgresql://me:hidden@localhost/photos")
    assert said.returncode == 0
    assert "s" * 40 not in said.stdout
    assert "hidden" not in said.stdout
    assert f"IMAGEAPI_DATA={data}\tenvironment" in said.stdout


def test_doctor_says_what_is_there_and_what_each_part_adds(data: Path) -> None:
    said = imageapi(data, "doctor")
    assert "face engine: centerface+facenet" in said.stdout
    assert "ffmpeg: " in said.stdout
    assert "adds videos" in said.stdout
    assert "watching: no library yet" in said.stdout
    assert "places: 155210 places of GeoNames, on this machine" in said.stdout
    assert "text model: multilingual-e5-small" in said.stdout


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
    assert [asked.query for asked in apollo.asked] == [{"lat": "0.00000", "lon": "0.00000"}]


def test_doctor_says_which_language_models_answer(data: Path) -> None:
    said = imageapi(data, "doctor", OLLAMA_URL="http://127.0.0.1:9", FACE_ENGINE="off")
    assert said.returncode == 0
    assert "language model, first server: Ollama at http://127.0.0.1:9 cannot be reached" in said.stdout
    assert "OpenRouter: off: OPENROUTER_API_KEY is not set" in said.stdout
    assert "adds search by meaning" in said.stdout


def test_a_database_that_cannot_be_reached_is_said_in_words(data: Path) -> None:
    said = imageapi(data, "status", DATABASE_URL="postgresql://me@127.0.0.1:1/photos")
    assert said.returncode == 1
    assert "the database cannot answer now" in said.stderr
    assert "Traceback" not in said.stderr


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
            began, stats = time.monotonic(), {"photos": 0, "faces": 0}
            while time.monotonic() - began < 60:
                stats = served.client.get("/faces/stats").raise_for_status().json()
                if stats["faces"] == 1:
                    break
                time.sleep(0.2)
            assert (stats["photos"], stats["faces"]) == (1, 1)
    finally:
        engine.send_signal(signal.SIGINT)
        engine.wait(60)
        engine.stderr.close()
