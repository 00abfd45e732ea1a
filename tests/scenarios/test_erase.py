"""Erasing a person, or the faces of a photo: nothing of it is left, nothing brings it back, all else stays."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table, inspect, select, text

from adapters.store import erase as erasing
from adapters.store.database import Database
from adapters.store.erase import erase, erasure_of, finish, is_unfinished
from adapters.store.export_import import import_log
from adapters.store.generations import rebuild, verify
from adapters.store.ledger import Ledger
from adapters.vectors.similarity import Similarity
from adapters.workers.pool import WorkerPool
from domain.base.actor import CLI, WATCHER
from domain.base.errors import AlreadyMerged, Conflict, NotFound, RuleViolation, Unavailable
from domain.base.geometry import Box
from domain.commands.detection import record_detection
from domain.commands.faces import FaceChanges, change_face, change_faces, draw_face
from domain.commands.persons import PersonChanges, change_person, create_person, delete_person, merge_persons
from domain.commands.tags import change_tag, tag_contents
from domain.events.face import DELETED, Face
from domain.ports.face_engine import DetectedFace, Detection, Embedding, Thresholds
from domain.undo.operations import undo
from projections.queries.persons_with_faces import PersonView
from projections.tables.attachments import stored_vector
from tests.fakes import PLACE_ALONE
from tests.scenarios.conftest import Place
from tests.scenarios.contents import exported, files_of, rows_of, traces_in

NAME, OTHER_NAME, NOTES = "Zoë Quimby", "Zora Quimby", "met her in Väinölä"
BOXES = (Box(0.1, 0.1, 0.2, 0.2), Box(0.6, 0.1, 0.2, 0.2))


def vector(number: int) -> bytes:
    """A vector that no other number gives: 128 times the same half of some 0.09."""
    half: float = struct.unpack("<e", bytes([number, 0x2D]))[0]
    return struct.pack("<128f", *[half] * 128)


def trace(number: int) -> bytes:
    """The beginning of the vector of a number as the log keeps it."""
    return stored_vector(vector(number))[1:25]


def found(content_number: int) -> Detection:
    faces = (DetectedFace(box, 0.9, vector(10 * content_number + n)) for n, box in enumerate(BOXES, start=1))
    return Detection("model", tuple(faces))


class Life:
    """Three photos with two faces each: the left ones are the person's that will go, the right ones are Bob's."""

    def __init__(self, ledger: Ledger, contents: list[bytes]) -> None:
        self.ledger, self.contents = ledger, contents
        for number, content in enumerate(contents, start=1):
            self.detect(content, number)
        self.zora = self.create(OTHER_NAME, NOTES)
        self.bob = self.create("Bob", "")
        self.assign([1, 3], self.zora)
        self.assign([2, 4, 6], self.bob)
        with ledger.transaction(CLI) as uow:
            change_person(uow, self.zora, PersonChanges(name=NAME, birth_date="1980-02-03", cover_face_id=1))
        self.merged = self.create("Zo", "also called Zozo")
        self.assign([5], self.merged)
        with ledger.transaction(CLI) as uow:
            merge_persons(uow, self.merged, self.zora)
        with ledger.transaction(CLI) as uow:
            self.tag = tag_contents(uow, contents[:2], NAME.upper())
        with ledger.transaction(CLI) as uow:
            change_face(uow, 1, FaceChanges(box=Box(0.12, 0.1, 0.2, 0.2)))
        with ledger.transaction(CLI) as merging:
            merge_persons(merging, self.zora, self.bob)
        with ledger.transaction(CLI) as uow:
            undo(uow, merging.operation_id or 0)

    def detect(self, content: bytes, number: int) -> int:
        """Record what an engine finds on a photo; the number of new faces."""
        with self.ledger.transaction(WATCHER) as uow:
            uow.begin("detect", "looked for faces")
            return record_detection(uow, content, found(number), PLACE_ALONE)

    def create(self, name: str, notes: str) -> int:
        """Name a person; the id."""
        with self.ledger.transaction(CLI) as uow:
            return create_person(uow, name, notes=notes)

    def assign(self, faces: list[int], person: int) -> None:
        """Say whose these faces are."""
        with self.ledger.transaction(CLI) as uow:
            change_faces(uow, faces, "assign", person)

    def person(self, id_: int) -> PersonView | None:
        """The person as clients see it."""
        with self.ledger.reading(CLI) as tables:
            return tables.persons_with_faces.view(id_)

    def face(self, id_: int) -> Face:
        """The face's row, deleted or not."""
        with self.ledger.reading(CLI) as tables:
            face = tables.faces.get(id_)
        assert face is not None
        return face


@pytest.fixture
def life(place: Place) -> Life:
    """A life on SQLite."""
    return Life(place.ledger, photographed(place))


def photographed(place: Place) -> list[bytes]:
    for number, colour in enumerate(("red", "teal", "gold")):
        place.picture(f"{number}.jpg", colour)
    place.scan()
    files = place.files()
    return [files[f"{number}.jpg"].content_hash or b"" for number in range(3)]


@pytest.fixture
def postgres_life(fresh_postgres_url: str, workers: WorkerPool, tmp_path: Path) -> Iterator[Life]:
    """A life on PostgreSQL."""
    ledger = Ledger(Database(fresh_postgres_url))
    yield Life(ledger, photographed(Place(ledger, workers, tmp_path / "photos", tmp_path / "data")))
    ledger.close()


NAMES = [NAME, OTHER_NAME, NAME.upper(), "Zozo", NOTES, "1980-02-03"]
# A part of a vector: a page of the database may hold no more of it.
TRACES = [name.encode() for name in NAMES] + [trace(number) for number in (11, 21, 31)]
KEPT = [b"Bob", *(trace(number) for number in (12, 22, 32))]


def tables_of(ledger: Ledger) -> bytes:
    """Every value of every table of a PostgreSQL database, bytes as they are."""
    with ledger.database.reading() as connection:
        tables = [Table(name, MetaData(), autoload_with=connection) for name in inspect(connection).get_table_names()]
        rows = [row for table in tables for row in connection.execute(select(table))]
        rows += connection.exec_driver_sql("SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats").all()
    return b"\0".join(v if isinstance(v, bytes) else str(v).encode() for row in rows for v in row)


def stored_by_postgresql(ledger: Ledger) -> bytes:
    """The files of the log's tables, with what was deleted in them and not yet overwritten."""
    ask = text("SELECT pg_read_binary_file(pg_relation_filepath(:of))")
    with ledger.database.reading() as connection:
        connection.exec_driver_sql("CHECKPOINT")
        files = [connection.execute(ask, {"of": name}).scalar_one() for name in ("log_events", "log_embeddings")]
    return b"\0".join(bytes(file) for file in files)


def test_after_an_erasure_no_file_of_the_data_folder_holds_name_notes_or_vector(life: Life, place: Place) -> None:
    assert traces_in(files_of(place.data), TRACES) == TRACES, "they are there before, or the search finds nothing"
    said = erase(life.ledger, CLI, life.zora)
    assert said == f"erased person {life.zora} (3 faces) and 1 merged into it"
    assert traces_in(files_of(place.data), TRACES) == []
    assert traces_in(files_of(place.data), KEPT) == KEPT


def test_after_an_erasure_no_table_of_postgresql_holds_name_notes_or_vector(postgres_life: Life) -> None:
    ledger = postgres_life.ledger
    assert traces_in(tables_of(ledger), TRACES) == TRACES
    names = [name.encode() for name in NAMES]
    assert traces_in(stored_by_postgresql(ledger), names) == names
    erase(ledger, CLI, postgres_life.zora)
    assert traces_in(stored_by_postgresql(ledger), names) == []
    assert traces_in(tables_of(ledger), TRACES) == []
    assert traces_in(tables_of(ledger), KEPT) == KEPT
    assert verify(ledger) == []


def test_a_replay_and_an_import_of_a_later_export_do_not_bring_it_back(
    life: Life, place: Place, tmp_path: Path
) -> None:
    erase(life.ledger, CLI, life.zora)
    assert verify(life.ledger) == []
    rebuild(life.ledger)
    assert traces_in(files_of(place.data), TRACES) == []
    whole = exported(life.ledger)
    assert traces_in(whole, [name.encode() for name in NAMES]) == []
    other = Ledger(Database(f"sqlite:///{tmp_path}/other/imageapi.db"))
    import_log(other, whole.splitlines(keepends=True))
    assert traces_in(files_of(tmp_path / "other"), TRACES) == []
    assert rows_of(other) == rows_of(life.ledger)
    other.close()


def test_pasts_that_a_killed_process_left_go_and_those_of_a_living_one_stay(
    life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / "imageapi-past-left"
    left.mkdir()
    (left / "7.db").write_text(NAME)
    living = Ledger(Database(f"sqlite:///{tmp_path}/other/imageapi.db"))
    with living.transaction(CLI) as uow:
        create_person(uow, "Bob")
    with living.past(CLI, 1) as tables:
        erase(life.ledger, CLI, life.zora)
        assert tables.persons_with_faces.names() == {}
    with living.past(CLI, 2) as tables:
        assert tables.persons_with_faces.names() == {1: "Bob"}
    assert not left.exists()
    living.close()
    assert list(tmp_path.glob("imageapi-past-*")) == []


def test_every_position_of_the_past_is_masked_too(life: Life) -> None:
    with life.ledger.past(CLI, 20) as tables:
        assert {face.status for face in tables.faces.on_content(life.contents[0])} == {"detected"}
    erase(life.ledger, CLI, life.zora)
    for position in range(1, life.ledger.head() + 1):
        with life.ledger.past(CLI, position) as tables:
            persons = [tables.persons.get(id_) for id_ in (life.zora, life.merged)]
            faces = [tables.faces.get(id_) for id_ in (1, 3, 5)]
        assert {p.name for p in persons if p} <= {f"erased person {life.zora}", f"erased person {life.merged}"}
        assert {(f.status, f.embedding_id, f.person_id) for f in faces if f} <= {(DELETED, None, None)}


def test_detection_does_not_find_the_faces_again_by_the_same_model_or_another(life: Life) -> None:
    erase(life.ledger, CLI, life.zora)
    for number, content in enumerate(life.contents, start=1):
        assert life.detect(content, number) == 0
        with life.ledger.transaction(WATCHER) as uow:
            uow.begin("detect", "looked for faces")
            newer = Detection("newer model", found(number).faces)
            assert record_detection(uow, content, newer, PLACE_ALONE) == 0
    assert life.face(1).box == BOXES[0], "an engine sees the face where it did, not where its box was moved to"


def test_other_persons_keep_their_faces_names_and_vectors(life: Life) -> None:
    before = life.person(life.bob), [life.face(id_) for id_ in (2, 4, 6)]
    erase(life.ledger, CLI, life.zora)
    after = life.person(life.bob), [life.face(id_) for id_ in (2, 4, 6)]
    assert after == before
    with life.ledger.reading(CLI) as tables:
        assert len(Similarity().suggest(tables, life.face(2), 5, Thresholds(1, -1, 1, 1))) == 1
        texts = [operation.text for operation in tables.operations.latest(100)]
    assert f"merged erased person {life.zora} (3 faces) into Bob" in texts
    assert "assigned 3 faces to Bob" in texts


def test_a_tag_of_the_same_name_goes_and_the_photos_are_not_touched(life: Life, place: Place) -> None:
    before = {path: (place.root / path).read_bytes() for path in ("0.jpg", "1.jpg", "2.jpg")}
    with life.ledger.transaction(CLI) as uow:
        tag_contents(uow, life.contents, "Holiday")
    erase(life.ledger, CLI, life.zora)
    with life.ledger.reading(CLI) as tables:
        assert tables.tags.get(life.tag) is None
        assert tables.tags.name_of(life.tag) == f"erased tag {life.tag}"
        assert [tag.name for tag in tables.tagged.of_content(life.contents[0])] == ["Holiday"]
    assert {path: (place.root / path).read_bytes() for path in before} == before


def test_a_tag_that_had_the_name_once_keeps_its_new_one(life: Life) -> None:
    with life.ledger.transaction(CLI) as uow:
        change_tag(uow, life.tag, name="Friends")
    erase(life.ledger, CLI, life.zora)
    with life.ledger.reading(CLI) as tables:
        assert [tag.name for tag in tables.tagged.of_content(life.contents[0])] == ["Friends"]


def test_a_name_that_holds_the_erased_one_stays_whole(life: Life) -> None:
    longer = life.create(f"{NAME} Smith", "")
    life.assign([1], longer)
    life.assign([1], life.zora)
    erase(life.ledger, CLI, life.zora)
    with life.ledger.reading(CLI) as tables:
        texts = [operation.text for operation in tables.operations.latest(100)]
    assert f"created {NAME} Smith" in texts
    assert f"assigned 1 face to {NAME} Smith" in texts
    person = life.person(longer)
    assert person is not None
    assert person.name == f"{NAME} Smith"


def test_notes_that_a_merge_copied_to_another_person_go_as_well(life: Life, place: Place) -> None:
    with life.ledger.transaction(CLI) as uow:
        change_person(uow, life.bob, PersonChanges(notes="his own"))
    assert files_of(place.data).count(NOTES.encode()) > 1
    erase(life.ledger, CLI, life.zora)
    assert NOTES.encode() not in files_of(place.data)
    bob = life.person(life.bob)
    assert bob is not None
    assert bob.notes == "his own"


def test_vectors_of_other_models_and_of_faces_that_were_retracted_go_as_well(life: Life, place: Place) -> None:
    odd = DetectedFace(Box(0.3, 0.7, 0.2, 0.2), 0.5, vector(99))
    with life.ledger.transaction(WATCHER) as uow:
        uow.begin("detect", "looked for faces")
        record_detection(uow, life.contents[0], Detection("newer", (*found(4).faces, odd)), PLACE_ALONE)
    with life.ledger.transaction(WATCHER) as uow:
        uow.begin("detect", "looked for faces")
        record_detection(uow, life.contents[0], Detection("newest", found(5).faces), PLACE_ALONE)
    vectors = [trace(number) for number in (11, 41, 51, 99)]
    assert traces_in(files_of(place.data), vectors) == vectors
    erase(life.ledger, CLI, life.zora)
    assert traces_in(files_of(place.data), vectors) == []
    assert traces_in(files_of(place.data), [trace(52)]) == [trace(52)]
    assert verify(life.ledger) == []
    with life.ledger.transaction(WATCHER) as uow:
        uow.begin("detect", "looked for faces")
        again = record_detection(uow, life.contents[0], Detection("newest of all", (*found(6).faces, odd)), PLACE_ALONE)
    assert again == 1, "a retracted face, which may be anyone's, can be found again"


def test_a_photo_that_is_saved_anew_does_not_bring_the_face_back(life: Life, place: Place) -> None:
    erase(life.ledger, CLI, life.zora)
    place.picture("0.jpg", "firebrick")
    place.scan()
    rewritten = place.files()["0.jpg"].content_hash or b""
    assert rewritten != life.contents[0]
    assert life.detect(rewritten, 7) == 1
    with life.ledger.reading(CLI) as tables:
        left, right = sorted(tables.faces.on_content(rewritten), key=lambda face: face.box.x)
    assert (left.status, left.embedding_id, left.person_id) == (DELETED, None, None)
    assert (right.status, right.person_id) == ("detected", life.bob)
    assert traces_in(files_of(place.data), [trace(71)]) == []
    assert life.detect(rewritten, 7) == 0
    assert verify(life.ledger) == []


def drawn_and_carried(life: Life, place: Place) -> tuple[int, int]:
    """A face that was drawn on the first photo, of which a copy is kept, and its heir on the photo saved anew; both say
    the person."""
    with life.ledger.transaction(CLI) as uow:
        drawing = draw_face(uow, life.contents[0], Box(0.4, 0.5, 0.2, 0.2), Embedding("model", vector(77)), life.zora)
    (place.root / "kept.jpg").write_bytes((place.root / "0.jpg").read_bytes())
    place.scan()
    place.picture("0.jpg", "firebrick")
    place.scan()
    rewritten = place.files()["0.jpg"].content_hash or b""
    life.detect(rewritten, 1)
    with life.ledger.reading(CLI) as tables:
        copy = next(face for face in tables.faces.on_content(rewritten) if face.source == "manual")
    assert (copy.person_id, copy.embedding_id) == (life.zora, life.face(drawing).embedding_id)
    return drawing, copy.id


def test_a_copy_that_shares_the_vector_goes_along_though_it_is_nobodys(life: Life, place: Place) -> None:
    drawing, copy = drawn_and_carried(life, place)
    with life.ledger.transaction(CLI) as uow:
        change_face(uow, copy, FaceChanges(person_id=None))
    erase(life.ledger, CLI, life.zora)
    assert {life.face(id_).status for id_ in (drawing, copy)} == {DELETED}
    assert traces_in(files_of(place.data), [trace(77)]) == []
    assert verify(life.ledger) == []


def test_a_face_that_went_along_to_the_photo_saved_anew_is_erased_there(life: Life, place: Place) -> None:
    with life.ledger.transaction(CLI) as uow:
        drawing = draw_face(uow, life.contents[0], Box(0.4, 0.5, 0.2, 0.2), Embedding("model", vector(77)), life.zora)
    place.picture("0.jpg", "firebrick")
    place.scan()
    rewritten = place.files()["0.jpg"].content_hash or b""
    life.detect(rewritten, 1)
    assert life.face(drawing).content_hash == rewritten
    erase(life.ledger, CLI, life.zora)
    gone = life.face(drawing)
    assert (gone.status, gone.content_hash, gone.person_id) == (DELETED, rewritten, None)
    assert traces_in(files_of(place.data), [trace(77)]) == []
    life.detect(rewritten, 1)
    assert verify(life.ledger) == []


def test_a_copy_that_is_said_to_be_somebody_else_stays_without_the_vector(life: Life, place: Place) -> None:
    drawing, copy = drawn_and_carried(life, place)
    with life.ledger.transaction(CLI) as uow:
        change_face(uow, copy, FaceChanges(person_id=life.bob))
    with life.ledger.transaction(CLI) as moving:
        change_face(moving, copy, FaceChanges(box=Box(0.41, 0.5, 0.2, 0.2)))
    erase(life.ledger, CLI, life.zora)
    assert life.face(drawing).status == DELETED
    kept = life.face(copy)
    assert (kept.status, kept.person_id, kept.embedding_id) == ("detected", life.bob, None)
    assert traces_in(files_of(place.data), [trace(77)]) == []
    with life.ledger.transaction(CLI) as uow:
        undo(uow, moving.operation_id or 0)
    assert life.face(copy).embedding_id is None
    assert verify(life.ledger) == []


def test_a_namesake_who_lives_keeps_name_tag_and_history(life: Life) -> None:
    with life.ledger.transaction(CLI) as uow:
        delete_person(uow, life.zora)
    namesake = life.create(NAME, "")
    erase(life.ledger, CLI, life.zora)
    person = life.person(namesake)
    assert person is not None
    assert person.name == NAME
    with life.ledger.reading(CLI) as tables:
        assert [tag.name for tag in tables.tagged.of_content(life.contents[0])] == [NAME.upper()]
        texts = {operation.id: operation.text for operation in tables.operations.latest(100)}
        of_namesake = tables.operations.latest(100, persons=[namesake])
    assert [operation.text for operation in of_namesake] == [f"created {NAME}"]
    assert [text for text in texts.values() if NAME in text] == [f"created {NAME}"]


def test_a_person_who_is_called_like_a_mask_does_not_stop_a_replay(life: Life) -> None:
    joker = life.create(f"Erased person {life.zora}", "")
    assert joker != life.zora
    erase(life.ledger, CLI, life.zora)
    assert verify(life.ledger) == []
    with life.ledger.past(CLI, life.ledger.head() - 5) as tables:
        person = tables.persons.get(life.zora)
    assert person is not None
    assert person.name == f"erased person {life.zora} (2)"


def test_an_erased_person_is_gone_and_cannot_be_erased_twice(life: Life) -> None:
    erase(life.ledger, CLI, life.zora)
    assert life.person(life.zora) is None
    head = life.ledger.head()
    with pytest.raises(Conflict, match="was erased already"):
        erase(life.ledger, CLI, life.zora)
    assert life.ledger.head() == head


def test_an_unknown_person_and_a_merged_one_are_refused_with_what_to_do(life: Life) -> None:
    head = life.ledger.head()
    with pytest.raises(NotFound, match="there is no person 99"):
        erase(life.ledger, CLI, 99)
    with pytest.raises(AlreadyMerged, match=f"was merged into person {life.zora}: erase person {life.zora}"):
        erase(life.ledger, CLI, life.merged)
    assert life.ledger.head() == head


def test_a_deleted_person_can_still_be_erased_and_not_restored_after(life: Life, place: Place) -> None:
    with life.ledger.transaction(CLI) as deleting:
        delete_person(deleting, life.zora, with_faces=True)
    erase(life.ledger, CLI, life.zora)
    assert traces_in(files_of(place.data), TRACES) == []
    with pytest.raises(RuleViolation, match="was erased"), life.ledger.transaction(CLI) as uow:
        undo(uow, deleting.operation_id or 0)
    assert verify(life.ledger) == []


def test_neither_the_erasure_nor_what_it_took_can_be_undone(life: Life) -> None:
    erase(life.ledger, CLI, life.zora)
    with life.ledger.reading(CLI) as tables:
        operations = tables.operations.latest(100)
    assert (operations[0].kind, operations[0].actor) == ("erase", "cli")
    with pytest.raises(RuleViolation, match="leaves nothing to bring back"), life.ledger.transaction(CLI) as uow:
        undo(uow, operations[0].id)
    for operation in operations[1:]:
        try:
            with life.ledger.transaction(CLI) as uow:
                undo(uow, operation.id)
        except (Conflict, RuleViolation):
            continue
    assert life.person(life.zora) is None
    assert {life.face(id_).embedding_id for id_ in (1, 3, 5)} == {None}
    assert verify(life.ledger) == []


def test_the_faces_of_a_photo_go_and_their_persons_stay(life: Life, place: Place) -> None:
    said = erase(life.ledger, CLI, life.contents[0])
    assert said == "erased the faces of a photo (2 faces)"
    assert traces_in(files_of(place.data), [trace(11), trace(12)]) == []
    zora, bob = life.person(life.zora), life.person(life.bob)
    assert zora is not None
    assert bob is not None
    assert (zora.name, zora.face_count, bob.face_count) == (NAME, 2, 2)
    assert zora.cover_face_id in {3, 5}, "the cover went, another stands in"
    assert life.detect(life.contents[0], 1) == 0
    assert verify(life.ledger) == []
    with pytest.raises(Conflict, match="erased already"):
        erase(life.ledger, CLI, life.contents[0])
    with pytest.raises(NotFound, match="no face to erase"):
        erase(life.ledger, CLI, bytes(32))
    erase(life.ledger, CLI, life.zora)
    assert traces_in(files_of(place.data), TRACES) == []
    assert verify(life.ledger) == []


def test_what_would_go_is_told_before_and_nothing_changes(life: Life) -> None:
    head = life.ledger.head()
    erasure = erasure_of(life.ledger, CLI, life.zora)
    assert set(erasure.called) == {NAME, OTHER_NAME, "Zo", NAME.upper()}
    assert (set(erasure.tombstones), erasure.photos, set(erasure.tags)) == ({1, 3, 5}, 3, {life.tag})
    assert life.ledger.head() == head


def test_an_erasure_that_fails_midway_changes_nothing(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    before, rows = exported(life.ledger), rows_of(life.ledger)

    def fail(*words: object) -> None:
        raise MemoryError

    monkeypatch.setattr(erasing, "_mark_unfinished", fail)
    with pytest.raises(MemoryError):
        erase(life.ledger, CLI, life.zora)
    assert exported(life.ledger) == before
    assert rows_of(life.ledger) == rows
    assert verify(life.ledger) == []


def test_an_erasure_that_dies_before_the_files_are_clean_is_finished_later(
    life: Life, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*words: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasing, "rebuild", die)
        with pytest.raises(KeyboardInterrupt):
            erase(life.ledger, CLI, life.zora)
    assert is_unfinished(life.ledger)
    assert traces_in(exported(life.ledger), [name.encode() for name in NAMES]) == [], "the log is clean at once"
    finish(life.ledger)
    assert not is_unfinished(life.ledger)
    assert traces_in(files_of(place.data), TRACES) == []
    assert verify(life.ledger) == []


def test_a_reader_that_keeps_the_old_pages_is_named_and_the_erasure_finished_after_it(life: Life, place: Place) -> None:
    reader = Database(str(life.ledger.database.url))
    with reader.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM log_events").all()
        with pytest.raises(Unavailable, match="another process is reading"):
            erase(life.ledger, CLI, life.zora)
    reader.close()
    assert is_unfinished(life.ledger)
    finish(life.ledger)
    assert traces_in(files_of(place.data), TRACES) == []
