"""Leaving with everything: the whole log out of one database and into another, row for row the same."""

from __future__ import annotations

import base64
import io
import struct
from pathlib import Path

import orjson
import pytest

from adapters.store.database import Database
from adapters.store.export_import import export_log, import_log
from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from domain.base.actor import CLI, INSIGHT, WATCHER
from domain.base.errors import Conflict, RuleViolation
from domain.base.geometry import Box
from domain.commands.detection import record_detection
from domain.commands.persons import create_person, merge_persons
from domain.commands.summaries import Telling, write_summary
from domain.commands.tags import tag_contents
from domain.events.summary import SummarySource
from domain.ports.face_engine import DetectedFace, Detection, Embedding
from domain.undo.operations import undo
from tests.fakes import PLACE_ALONE
from tests.scenarios.conftest import Place
from tests.scenarios.contents import rows_of
from tests.scenarios.serving import imageapi


@pytest.fixture
def lived_in(place: Place) -> Ledger:
    """A ledger with files, faces, persons, a merge that was undone, a tag, and a daily summary."""
    for number in range(3):
        place.picture(f"{number}.jpg", f"#0000{number:02x}")
    place.scan()
    contents = [media.content_hash or b"" for media in place.files().values()]
    vector = bytes(2044) + b"\x00\x00\x80\x3f"
    for content in contents:
        with place.ledger.transaction(WATCHER) as uow:
            uow.begin("detect", "looked for faces")
            face = DetectedFace(Box(0.125, 0.25, 0.5, 0.5), 0.75, vector)
            record_detection(uow, content, Detection("model", (face,)), PLACE_ALONE)
    persons = []
    for name in ("Ännä", "Bob"):
        with place.ledger.transaction(CLI) as uow:
            persons.append(create_person(uow, name, notes="likes\ncats"))
    with place.ledger.transaction(CLI) as uow:
        merge_persons(uow, *persons)
    with place.ledger.transaction(CLI) as undoing:
        undo(undoing, uow.operation_id or 0)
    with place.ledger.transaction(CLI) as uow:
        tag_contents(uow, contents, "holiday")
    with place.ledger.transaction(INSIGHT) as uow:
        source, telling = SummarySource("2020-05-01", "Bob", "bob", bytes(32), 1), Telling("They met.", "model", 1)
        write_summary(uow, source, telling, ["model"], Embedding("embedder", bytes(12)), again=False)
    place.ledger.set_checkpoint("autobind", place.ledger.head())
    place.ledger.set_checkpoint("thumbnails", place.ledger.head())
    return place.ledger


def exported(ledger: Ledger) -> bytes:
    out = io.BytesIO()
    export_log(ledger, out)
    return out.getvalue()


def test_an_import_into_sqlite_gives_the_same_rows_ids_and_events(lived_in: Ledger, tmp_path: Path) -> None:
    other = Ledger(Database(f"sqlite:///{tmp_path}/other.db"))
    assert import_log(other, exported(lived_in).splitlines(keepends=True)) == lived_in.head()
    assert rows_of(other) == rows_of(lived_in)
    assert verify(other) == []
    assert exported(other) == exported(lived_in), "a second export is the same to the letter"
    with other.transaction(CLI) as uow:
        new = create_person(uow, "Carol")
    with lived_in.transaction(CLI) as uow:
        assert create_person(uow, "Carol") == new, "ids go on where they were"
    other.close()


def test_an_export_of_format_1_whose_vectors_are_float32_comes_in_as_it_is(lived_in: Ledger, tmp_path: Path) -> None:
    own = struct.pack("<2f", 0.6, 0.8)
    first, *lines = exported(lived_in).splitlines()
    of_before = [
        _with(line, vector=base64.b64encode(own).decode()) if b'"embedding":' in line[:20] else line for line in lines
    ]
    other = Ledger(Database(f"sqlite:///{tmp_path}/other.db"))
    import_log(other, [_with(first, format=1), *of_before])
    with other.reading(CLI) as tables:
        vectors = tables.faces.vectors(range(1, 4))
    assert vectors == dict.fromkeys(range(1, 4), own)
    other.close()


def test_an_import_into_postgresql_gives_the_same_rows(lived_in: Ledger, fresh_postgres_url: str) -> None:
    other = Ledger(Database(fresh_postgres_url))
    import_log(other, exported(lived_in).splitlines(keepends=True))
    assert rows_of(other) == rows_of(lived_in)
    assert verify(other) == []
    assert exported(other) == exported(lived_in)
    other.close()


def test_policies_that_decide_do_not_begin_anew_and_those_that_derive_do(lived_in: Ledger, tmp_path: Path) -> None:
    other = Ledger(Database(f"sqlite:///{tmp_path}/other.db"))
    import_log(other, exported(lived_in).splitlines())
    assert other.checkpoint("autobind") == lived_in.head()
    assert other.checkpoint("thumbnails") == 0
    other.close()


def test_a_database_that_is_not_empty_is_left_as_it_is(lived_in: Ledger) -> None:
    head = lived_in.head()
    with pytest.raises(Conflict, match="goes into an empty one"):
        import_log(lived_in, exported(lived_in).splitlines())
    assert lived_in.head() == head


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lines: lines[:-1], "cut off"),
        (lambda lines: [*lines[:-3], *lines[-2:]], "stands where"),
        (lambda lines: [b'{"imageapi": "log", "format": 3, "events": 1}', *lines[1:]], "format 3"),
        (lambda lines: [b"hello", *lines[1:]], "not JSON"),
        (lambda lines: [b"[]", *lines[1:]], "not an object"),
        (lambda lines: lines[1:], "no export"),
        (lambda lines: [], "not JSON"),
        (lambda lines: [*lines[:-2], b"{}", lines[-1]], "cannot be read near line"),
        (lambda lines: [*lines[:-2], _with(lines[-2], type="Nonsense:1"), lines[-1]], "Nonsense:1"),
        (lambda lines: [*lines[:-2], _with(lines[-2], position=99999), lines[-1]], "99999"),
    ],
)
def test_an_export_that_is_not_whole_is_refused_and_nothing_is_imported(
    lived_in: Ledger, tmp_path: Path, spoil: object, said: str
) -> None:
    assert callable(spoil)
    other = Ledger(Database(f"sqlite:///{tmp_path}/other.db"))
    with pytest.raises(RuleViolation, match=said):
        import_log(other, spoil(exported(lived_in).splitlines()))
    assert other.head() == 0
    import_log(other, exported(lived_in).splitlines())
    other.close()


def _with(line: bytes, **changes: object) -> bytes:
    return orjson.dumps(orjson.loads(line) | changes)


def test_the_commands_write_a_private_file_whole_and_read_it_back(lived_in: Ledger, tmp_path: Path) -> None:
    data, other = tmp_path / "data", tmp_path / "other data"
    target = tmp_path / "log.ndjson"
    said = imageapi(data, "export", str(target))
    assert said.returncode == 0, said.stderr
    assert "password hashes: keep them safe" in said.stderr
    assert target.stat().st_mode & 0o777 == 0o600
    assert imageapi(other, "import", str(target)).stdout == f"imported {lived_in.head()} events\n"
    assert imageapi(other, "verify").returncode == 0
    assert imageapi(other, "import", str(target)).returncode == 1
    assert imageapi(tmp_path / "third", "import", str(tmp_path / "nowhere")).returncode == 1
    assert imageapi(data, "export", str(tmp_path / "no folder" / "log")).returncode == 1
