"""Whatever is done in whatever order: the live tables are what the log says, and no face is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from domain.actor import CLI, WATCHER
from domain.commands import faces, people, tags
from domain.commands.faces import FaceChanges
from domain.commands.media import ReadFile, record_files, record_missing
from domain.commands.operations import undo, undo_with_later
from domain.commands.people import PersonChanges
from domain.errors import LibraryError
from domain.geometry import Box
from domain.media import FileFacts
from domain.ports import Turn
from tests.properties.world import World

NAMES = st.sampled_from(["Anna", "anna", "Bob", "Carol", "Dora", "Eve", "holiday"])
IDS = st.integers(1, 8)
PHOTO = st.integers(0, 4)


class Histories(RuleBasedStateMachine):
    """Every command that a user or the server gives, with arguments that often make sense and sometimes do not."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(5)
        self.operations: list[int] = []

    def _do(self, command: Callable[[Turn], Any]) -> bool:
        """Run a command; one that is refused must leave no trace."""
        head = self.world.ledger.head()
        try:
            with self.world.ledger.transaction(CLI) as turn:
                command(turn)
        except LibraryError:
            assert self.world.ledger.head() == head
            return False
        if turn.operation_id is not None:
            self.operations.append(turn.operation_id)
        return True

    @rule(name=NAMES, notes=st.sampled_from(["", "likes cats"]))
    def create(self, name: str, notes: str) -> None:
        """Name a person."""
        self._do(lambda turn: people.create_person(turn, name, notes=notes))

    @rule(person=IDS, name=NAMES, hidden=st.booleans(), notes=st.sampled_from(["", "tall"]))
    def change(self, person: int, name: str, hidden: bool, notes: str) -> None:
        """Describe a person."""
        self._do(lambda turn: people.change_person(turn, person, PersonChanges(name=name, hidden=hidden, notes=notes)))

    @rule(person=IDS, into=IDS)
    def merge(self, person: int, into: int) -> None:
        """Merge two persons: no face is lost, and those of nobody stay so."""
        before = self.world.faces_by_person()
        if self._do(lambda turn: people.merge_persons(turn, person, into)):
            after = self.world.faces_by_person()
            assert after.get(into, set()) == before.get(person, set()) | before.get(into, set())
            assert after.get(None) == before.get(None)
            assert sum(map(len, after.values())) == sum(map(len, before.values()))

    @rule(person=IDS, with_faces=st.booleans())
    def delete_person(self, person: int, with_faces: bool) -> None:
        """Delete a person, with or without the faces."""
        self._do(lambda turn: people.delete_person(turn, person, with_faces=with_faces))

    @rule(face=IDS, person=st.none() | IDS, ignored=st.booleans())
    def decide(self, face: int, person: int | None, ignored: bool) -> None:
        """Assign, unassign, put aside."""
        self._do(lambda turn: faces.change_face(turn, face, FaceChanges(person_id=person, ignored=ignored)))

    @rule(face=IDS, x=st.sampled_from([0.0, 0.25, 0.5]))
    def move(self, face: int, x: float) -> None:
        """Move a box."""
        self._do(lambda turn: faces.change_face(turn, face, FaceChanges(box=Box(x, 0.25, 0.25, 0.25))))

    @rule(ids=st.lists(IDS, min_size=1, max_size=4), person=IDS)
    def assign_many(self, ids: list[int], person: int) -> None:
        """Assign a batch."""
        self._do(lambda turn: faces.change_faces(turn, ids, "assign", person))

    @rule(face=IDS)
    def delete_face(self, face: int) -> None:
        """Not a face."""
        self._do(lambda turn: faces.delete_face(turn, face))

    @rule(face=IDS, person=IDS)
    def reject(self, face: int, person: int) -> None:
        """Not this person."""
        self._do(lambda turn: faces.reject_person(turn, face, person))

    @rule(photo=PHOTO, person=st.none() | IDS)
    def draw(self, photo: int, person: int | None) -> None:
        """Draw a face."""
        content = self.world.contents[photo]
        self._do(lambda turn: faces.draw_face(turn, content, Box(0.6, 0.6, 0.2, 0.2), None, person))

    @rule(photo=PHOTO, name=NAMES, put_on=st.booleans())
    def tag(self, photo: int, name: str, put_on: bool) -> None:
        """Tag and untag."""
        act = tags.tag_contents if put_on else tags.untag_contents
        self._do(lambda turn: act(turn, [self.world.contents[photo]], name))

    @rule(tag=st.integers(1, 3), name=st.none() | NAMES)
    def change_tag(self, tag: int, name: str | None) -> None:
        """Rename a tag, or delete it."""
        self._do(lambda turn: tags.delete_tag(turn, tag) if name is None else tags.rename_tag(turn, tag, name))

    @rule(photo=PHOTO, model=st.sampled_from(["model-1", "model-2"]))
    def detect(self, photo: int, model: str) -> None:
        """Look at a photo again, also with another model."""
        self.world.detect(self.world.contents[photo], photo, model)

    @rule(photo=PHOTO, back=st.booleans())
    def lose(self, photo: int, back: bool) -> None:
        """A file goes away, and may come back."""
        ledger = self.world.ledger
        with ledger.reading(WATCHER) as tables:
            media = tables.media.of_contents([self.world.contents[photo]])[0]
            facts = tables.media.row(media.id)
        with ledger.transaction(WATCHER) as turn:
            turn.begin("scan", "scanned")
            record_missing(turn, [media.id])
        if back and facts is not None:
            kept = FileFacts(media.size, media.mtime_ns, media.kind, width=100, height=100, taken_at=facts["taken_at"])
            with ledger.transaction(WATCHER) as turn:
                turn.begin("scan", "scanned")
                record_files(turn, self.world.library, [ReadFile(media.path, media.content_hash, kept)])

    @precondition(lambda self: self.operations)
    @rule(data=st.data(), with_later=st.booleans())
    def undo_something(self, data: st.DataObject, with_later: bool) -> None:
        """Undo any operation, also an undo."""
        operation = data.draw(st.sampled_from(self.operations))
        act = undo_with_later if with_later else undo
        self._do(lambda turn: act(turn, operation))

    def teardown(self) -> None:
        """The live tables equal a replay, whatever the size of its batches."""
        try:
            for batch in (1, 7, 1000):
                assert self.world.replayed_differs(batch) == []
        finally:
            self.world.close()


def test_live_tables_equal_replayed_ones_after_any_history() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=12, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.long
def test_live_tables_equal_replayed_ones_after_any_history_at_length() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=150, stateful_step_count=200, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
