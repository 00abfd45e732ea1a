"""Search by meaning as the server puts it together: with the bundled model, with Ollama, and beside erasures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.cli.doctor import meaning_state
from adapters.settings import Settings
from adapters.store.erase import erase
from adapters.text_embedding import bundled
from app import Application
from domain.base.actor import CLI, WATCHER
from domain.base.errors import Unavailable
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files
from domain.commands.persons import create_person
from domain.commands.tags import tag_contents
from domain.events.insight import InsightWritten
from domain.events.media import FileFacts
from projections.queries.photo_filter import PhotoFilter
from tests.adapters.face_engines.material import serving
from tests.adapters.language.ollama_facade import Facade
from tests.scenarios.serving import imageapi

NAME = "Zoë Quimby"
TOLD, TAGGED, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))
LISBON = (38.71, -9.14)


@contextmanager
def application(folder: Path, **environ: str) -> Iterator[Application]:
    """Everything put together over three photos, and nothing started."""
    made = Application(Settings.load({"IMAGEAPI_DATA": str(folder), "FACE_ENGINE": "off", **environ}, folder, {}))
    if not made.ledger.head():
        fill(made)
    yield made
    made.close()


def fill(made: Application) -> None:
    """Three photos: of one an insight tells the name, one is tagged with it, one has nothing to do with it."""
    with made.ledger.transaction(CLI) as uow:
        library = add_library(uow, "/photos", "Photos")
    names = {TOLD: "harbour", TAGGED: "meadow", OTHER: "castle"}
    latitude, longitude = LISBON
    files = [
        ReadFile(f"{name}.jpg", content, FileFacts(1, n, "photo", latitude=latitude, longitude=longitude))
        for n, (content, name) in enumerate(names.items())
    ]
    with made.ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "found")
        record_files(uow, library, files)
    with made.ledger.transaction(CLI) as uow:
        create_person(uow, NAME)
        uow.next_operation()
        tag_contents(uow, [TAGGED], NAME)
        uow.next_operation()
        uow.begin("insight", "told")
        uow.append(InsightWritten(uow.new_id("insight"), TOLD, "At sea", f"{NAME} mends nets.", "any", "local"))


def understand(made: Application) -> None:
    """Embed all."""
    while made.keeps_meaning.step():
        pass


def vectors(made: Application) -> list[bytes]:
    """The vectors of the three photos, by their ids."""
    view = made.meaning_index.view
    return [view.vectors[row].tobytes() for row in view.rows]


def bytes_below(folder: Path) -> bytes:
    """Everything that is stored."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_an_erased_person_leaves_no_vector_of_a_text_with_the_name(tmp_path: Path) -> None:
    with application(tmp_path) as made:
        understand(made)
        told, tagged, other = vectors(made)
        held = bytes_below(tmp_path)
        assert all(vector in held for vector in (told, tagged, other))
    said = imageapi(tmp_path, "erase", "person", "1", "--yes", FACE_ENGINE="off")
    assert said.returncode == 0, said.stderr
    held = bytes_below(tmp_path)
    assert (told in held, tagged in held, other in held) == (False, False, True)
    assert NAME.encode() not in held
    with application(tmp_path) as made:
        understand(made)
        assert made.meaning_store.counts(made.embedders.photos.model) == (3, 0)
        assert vectors(made)[2] == other
        assert told not in vectors(made)


def test_an_erasure_that_was_interrupted_is_finished_for_the_vectors_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with application(tmp_path) as made:
        understand(made)
        told, tagged, _ = vectors(made)
        monkeypatch.setattr(made.keeps_meaning, "clean", lambda: None)  # as if it ended here
        erase(made.ledger, CLI, 1, lambda *_: None)
        assert told in bytes_below(tmp_path)
    with application(tmp_path) as made:
        made.keeps_meaning.step()
        assert not any(vector in bytes_below(tmp_path) for vector in (told, tagged))


def test_places_are_told_from_what_is_on_this_machine_and_status_says_how_far_it_is(tmp_path: Path) -> None:
    with application(tmp_path) as made:
        assert "nothing is embedded yet" in meaning_state(made)
        assert made.locator.offline_name(*LISBON) == "Lisbon, Portugal"
        understand(made)
    said = imageapi(tmp_path, "status", FACE_ENGINE="off").stdout
    assert "search by meaning: multilingual-e5-small" in said
    assert "3 photos are found by meaning" in said
    with application(tmp_path, GEOCODER="off") as made:
        assert made.locator.offline_name(*LISBON) == ""


def test_ollama_embeds_with_its_own_prefixes_and_is_away_with_a_reason(tmp_path: Path) -> None:
    with serving(Facade("http://127.0.0.1:9").app) as url, application(tmp_path, OLLAMA_PRIMARY_URL=url) as made:
        understand(made)
        with made.ledger.reading(CLI) as tables:
            question = made.photo_search.question("mittelalterliche Burg")
            found = made.photo_search.find(tables, PhotoFilter(), question)
        assert found[0].place.media_id == 3
        assert made.meaning_store.state().model == "nomic-embed-text:v1.5"
    with application(tmp_path, OLLAMA_PRIMARY_URL="http://127.0.0.1:9") as made:
        with made.ledger.transaction(CLI) as uow:
            tag_contents(uow, [OTHER], "knights")
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
            understand(made)
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
            made.photo_search.question("mittelalterliche Burg")


def test_where_nothing_embeds_the_answer_says_what_to_install_and_nothing_is_in_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "is_installed", lambda: False)
    with application(tmp_path) as made:
        object.__setattr__(
            made.settings, "ollama_primary_url", "http://127.0.0.1:9"
        )  # as if nobody was at the usual one
        understand(made)
        assert made.keeps_meaning.reason is not None
        with pytest.raises(Unavailable, match="setup --search"):
            made.photo_search.question("a castle")
