"""Whatever is done in whatever order: the live tables are what the log says, no face is lost, and what was just done
can be taken back and done again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from msgspec.structs import replace

from adapters.store.erase import erase, erasure_of
from domain.base.actor import CLI, WATCHER
from domain.base.errors import LibraryError
from domain.base.geometry import Box
from domain.base.names import name_key
from domain.commands import entities, faces, insights, libraries, persons, review, suggestions, summaries, tags
from domain.commands.detection import mark_failed
from domain.commands.entities import EntityChanges, FactChanges
from domain.commands.faces import FaceChanges
from domain.commands.insights import Writing
from domain.commands.learning import learn_from_insight
from domain.commands.media import ReadFile, record_files, record_missing
from domain.commands.persons import PersonChanges
from domain.commands.summaries import Telling
from domain.commands.xmp import take_over
from domain.events.entity import TYPES, Statement
from domain.events.insight import RATINGS, RecordedToolCall, TranscriptMessage
from domain.events.media import FileFacts
from domain.events.summary import SummarySource
from domain.ports.face_engine import Embedding
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.fact_extraction import Proposals, ProposedEntity, ProposedFact
from domain.rules.transcripts import folded
from domain.rules.xmp import Description, Region
from domain.undo.operations import undo, undo_with_later
from projections.queries.faces import FaceView
from tests.properties.world import LEFT, RIGHT, Stand, World, content_of, facts_of, saved

NAMES = st.sampled_from(["Anna", "anna", "Bob", "Carol", "Dora", "Eve", "holiday"])
WHICH = st.integers(0, 9)
"""Places in the list of what is there, so that most commands make sense; `ANY` picks also what is gone or never was."""
TYPE = st.sampled_from(TYPES[:2])
SAID = st.sampled_from(["likes cats", "has met Anna", "Bob's friend"])
ANY = 8
PHOTO = st.integers(0, 4)
MOST_ERASURES = 2
"""Each writes the whole database anew."""
MIDDLE = Box(0.4, 0.6, 0.1, 0.1)
"""Where nothing is found."""
FOUND: list[tuple[Box, ...]] = [(LEFT,), (LEFT, RIGHT), (RIGHT,), ()]


def begun() -> World:
    """Where each history begins: five photos with seven faces, four of them said to be one of three persons, a tag."""
    world = World(5)
    for photo in (0, 1):
        world.detect(world.contents[photo], photo, "model-2", (LEFT, RIGHT))
    for name, of in (("Anna", [1, 2]), ("Bob", [3]), ("Carol", [4])):
        with world.ledger.transaction(CLI) as uow:
            faces.change_faces(uow, of, "assign", name=name)
    with world.ledger.transaction(CLI) as uow:
        tags.tag_contents(uow, world.contents[:2], "holiday")
    return world


def _decided(face: tuple[FaceView, set[int]]) -> tuple[int | None, bool, frozenset[int]]:
    """What stands decided about a face."""
    return face[0].person_id, face[0].ignored, frozenset(face[1])


def turn_of(question: str, name: str) -> tuple[TranscriptMessage, ...]:
    """A turn of a conversation in which a tool is used."""
    call = TranscriptMessage(
        "assistant", calls=(RecordedToolCall("a", "get_people", f'{{"of":"{name}"}}'),), model="model"
    )
    result = TranscriptMessage("tool", f'[{{"name":"{name}"}}]', answers="a")
    return (
        TranscriptMessage("user", question),
        call,
        result,
        TranscriptMessage("assistant", f"It was {name}.", model="model"),
    )


class Histories(RuleBasedStateMachine):
    """Every command that a user or the server gives, with arguments that often make sense and sometimes do not."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(saved=saved(begun))
        self.operations: list[int] = []
        self.taking_back = True
        self.rewritten = 0
        self.erased = 0
        self.gone: set[int] = set()

    def _do(self, command: Callable[[UnitOfWork], Any]) -> bool:
        """Run a command; one that is refused must leave no trace, one that is done can be undone and redone."""
        before = self.world.stand()
        done = self._run(command)
        if done and self.taking_back and self.operations:
            self._take_back_and_do_again(self.operations[-1], before)
        return done

    def _take_back_and_do_again(self, operation: int, before: Stand) -> None:
        after = self.world.stand()
        assert self._run(lambda uow: undo(uow, operation))
        assert self.world.stand() == before
        taken_back = self.operations[-1]
        assert self._run(lambda uow: undo(uow, taken_back))
        assert self.world.stand() == after

    def _person(self, which: int) -> int:
        with self.world.ledger.reading(CLI) as tables:
            live = sorted(tables.persons_with_faces.names())
        return live[which % len(live)] if live and which < ANY else which - ANY + 2

    def _face(self, which: int) -> int:
        with self.world.ledger.reading(CLI) as tables:
            shown = sorted(face.id for face in tables.faces.newest(unassigned=False, before=None, limit=100))
        return shown[which % len(shown)] if shown and which < ANY else which - ANY + 2

    def _insight(self, which: int) -> int:
        with self.world.ledger.reading(CLI) as tables:
            told = sorted(insight.id for insight in tables.insights.latest(100))
        return told[which % len(told)] if told and which < ANY else which - ANY + 1

    def _entity(self, which: int) -> int:
        with self.world.ledger.reading(CLI) as tables:
            live = sorted(view.id for view, _ in tables.entities.page(100))
        return live[which % len(live)] if live and which < ANY else which - ANY + 1

    def _fact(self, which: int) -> tuple[int, int]:
        """A fact with the entity that it is of."""
        told = [fact for _, said in self.world.stand().entities.values() for fact in said]
        pairs = sorted({(fact.entity_id, fact.id) for fact in told})
        return pairs[which % len(pairs)] if pairs and which < ANY else (1, which - ANY + 1)

    def _summary(self, which: int) -> int:
        told = sorted(self.world.stand().summaries)
        return told[which % len(told)] if told and which < ANY else which - ANY + 1

    def _run(self, command: Callable[[UnitOfWork], Any]) -> bool:
        head = self.world.ledger.head()
        try:
            with self.world.ledger.transaction(CLI) as uow:
                command(uow)
        except LibraryError:
            assert self.world.ledger.head() == head
            return False
        if uow.operation_id is None:
            return False
        self.operations.append(uow.operation_id)
        return True

    @rule(taking_back=st.booleans())
    def take_back_from_now_on(self, taking_back: bool) -> None:
        """Whether each command is undone and redone at once, which the ones after it must not notice."""
        self.taking_back = taking_back

    @rule(photo=PHOTO, name=NAMES, box=st.sampled_from([LEFT, RIGHT, MIDDLE]), keyword=NAMES)
    def read_xmp(self, photo: int, name: str, box: Box, keyword: str) -> None:
        """Take over a name and a keyword from XMP."""
        said = Description((keyword,), (Region(box, name),))
        self._do(lambda uow: take_over(uow, self.world.contents[photo], said))

    @rule(name=NAMES, notes=st.sampled_from(["", "likes cats"]))
    def create(self, name: str, notes: str) -> None:
        """Name a person."""
        self._do(lambda uow: persons.create_person(uow, name, notes=notes))

    @rule(person=WHICH, name=NAMES, hidden=st.booleans(), notes=st.sampled_from(["", "tall"]))
    def change(self, person: int, name: str, hidden: bool, notes: str) -> None:
        """Describe a person."""
        who = self._person(person)
        self._do(lambda uow: persons.change_person(uow, who, PersonChanges(name=name, hidden=hidden, notes=notes)))

    @rule(person=WHICH, into=WHICH)
    def merge(self, person: int, into: int) -> None:
        """Merge two persons: no face is lost, and those of nobody stay so."""
        person, into = self._person(person), self._person(into)
        before = self.world.faces_by_person()
        if self._do(lambda uow: persons.merge_persons(uow, person, into)):
            after = self.world.faces_by_person()
            assert after.get(into, set()) == before.get(person, set()) | before.get(into, set())
            assert after.get(None) == before.get(None)
            assert sum(map(len, after.values())) == sum(map(len, before.values()))

    @rule(person=WHICH, with_faces=st.booleans())
    def delete_person(self, person: int, with_faces: bool) -> None:
        """Delete a person, with or without the faces."""
        who = self._person(person)
        self._do(lambda uow: persons.delete_person(uow, who, with_faces=with_faces))

    @rule(person=WHICH, cover=st.none() | WHICH, birth_date=st.sampled_from([None, "1990-01-31", "2001-12-01"]))
    def picture(self, person: int, cover: int | None, birth_date: str | None) -> None:
        """Choose a cover and say when a person was born."""
        who, face = self._person(person), None if cover is None else self._face(cover)
        changes = PersonChanges(cover_face_id=face, birth_date=birth_date)
        self._do(lambda uow: persons.change_person(uow, who, changes))

    @rule(face=WHICH, person=st.none() | WHICH, ignored=st.booleans())
    def decide(self, face: int, person: int | None, ignored: bool) -> None:
        """Assign, unassign, put aside."""
        one, who = self._face(face), None if person is None else self._person(person)
        self._do(lambda uow: faces.change_face(uow, one, FaceChanges(person_id=who, ignored=ignored)))

    @rule(face=WHICH, x=st.sampled_from([0.0, 0.25, 0.5]))
    def move(self, face: int, x: float) -> None:
        """Move a box."""
        one = self._face(face)
        self._do(lambda uow: faces.change_face(uow, one, FaceChanges(box=Box(x, 0.25, 0.25, 0.25))))

    @rule(ids=st.lists(WHICH, min_size=1, max_size=4), person=WHICH)
    def assign_many(self, ids: list[int], person: int) -> None:
        """Assign a batch."""
        some, who = list(map(self._face, ids)), self._person(person)
        self._do(lambda uow: faces.change_faces(uow, some, "assign", who))

    @rule(
        ids=st.lists(WHICH, min_size=1, max_size=4), action=st.sampled_from(["unassign", "ignore", "notice", "delete"])
    )
    def change_many(self, ids: list[int], action: str) -> None:
        """Change a batch."""
        some = list(map(self._face, ids))
        self._do(lambda uow: faces.change_faces(uow, some, action))

    @rule(ids=st.lists(WHICH, min_size=1, max_size=4), person=st.none() | WHICH, name=NAMES)
    def accept(self, ids: list[int], person: int | None, name: str) -> None:
        """Say whose a cluster is."""
        some, who = list(map(self._face, ids)), None if person is None else self._person(person)
        self._do(lambda uow: review.accept_cluster(uow, some, who, name if who is None else None))

    @rule()
    def bootstrap(self) -> None:
        """Make persons of tags."""

        def make(uow: UnitOfWork) -> None:
            review.bootstrap_persons(uow, [1, 2, 3])

        self._do(make)

    @rule(face=WHICH)
    def delete_face(self, face: int) -> None:
        """Not a face."""
        one = self._face(face)
        self._do(lambda uow: faces.delete_face(uow, one))

    @rule(face=WHICH, person=WHICH)
    def reject(self, face: int, person: int) -> None:
        """Not this person."""
        one, who = self._face(face), self._person(person)
        self._do(lambda uow: faces.reject_person(uow, one, who))

    @rule(person=WHICH, other=WHICH)
    def tell_apart(self, person: int, other: int) -> None:
        """Two persons are two."""
        one, second = self._person(person), self._person(other)
        self._do(lambda uow: suggestions.tell_apart(uow, one, second))

    @rule(ids=st.lists(WHICH, min_size=1, max_size=4), person=WHICH)
    def confirm(self, ids: list[int], person: int) -> None:
        """Faces are whose they are said to be."""
        some, who = list(map(self._face, ids)), self._person(person)
        self._do(lambda uow: suggestions.confirm_faces(uow, who, some))

    @rule(photo=PHOTO, person=st.none() | WHICH)
    def draw(self, photo: int, person: int | None) -> None:
        """Draw a face."""
        content, who = self.world.contents[photo], None if person is None else self._person(person)
        self._do(lambda uow: faces.draw_face(uow, content, Box(0.6, 0.6, 0.2, 0.2), None, who))

    @rule(photo=PHOTO, name=NAMES, put_on=st.booleans())
    def tag(self, photo: int, name: str, put_on: bool) -> None:
        """Tag and untag."""
        act = tags.tag_contents if put_on else tags.untag_contents
        self._do(lambda uow: act(uow, [self.world.contents[photo]], name))

    @rule(tag=st.integers(1, 3), name=st.none() | NAMES)
    def change_tag(self, tag: int, name: str | None) -> None:
        """Rename a tag, or delete it."""
        self._do(lambda uow: tags.delete_tag(uow, tag) if name is None else tags.change_tag(uow, tag, name=name))

    @rule(tag=st.integers(1, 3), into=st.integers(1, 3))
    def merge_tags(self, tag: int, into: int) -> None:
        """Put one tag wherever another is, and delete that one."""
        self._do(lambda uow: tags.merge_tags(uow, tag, into))

    @rule(tag=st.integers(1, 3), color=st.sampled_from([None, "#aa0000", "#00BB00"]))
    def colour_tag(self, tag: int, color: str | None) -> None:
        """Give a tag a colour, or take it away."""
        self._do(lambda uow: tags.change_tag(uow, tag, color=color))

    @rule(photo=PHOTO, model=st.sampled_from(["model-1", "model-2"]), boxes=st.sampled_from(FOUND))
    def detect(self, photo: int, model: str, boxes: tuple[Box, ...]) -> None:
        """Look at a photo again, also with another model, which may find more or fewer faces."""
        self.world.detect(self.world.contents[photo], photo, model, boxes)

    @rule(photo=PHOTO)
    def fail(self, photo: int) -> None:
        """A model cannot use a photo."""
        with self.world.ledger.transaction(WATCHER) as uow:
            uow.begin("detect", "looked for faces")
            mark_failed(uow, self.world.contents[photo], "model-3", "too dark")

    @rule(photo=PHOTO, place=st.integers(0, 4))
    def move_file(self, photo: int, place: int) -> None:
        """A file is found at another place, and no longer at the old one."""
        ledger, content = self.world.ledger, self.world.contents[photo]
        with ledger.transaction(WATCHER) as uow:
            uow.begin("scan", "scanned")
            media = uow.media.of_contents([content])
            moved = ReadFile(f"album {place}/{photo}.jpg", content, facts_of(photo))
            record_files(uow, self.world.library, [moved], vanished=[file.id for file in media])

    @rule(photo=PHOTO)
    def rewrite_file(self, photo: int) -> None:
        """An editor saves a file anew: decisions about its faces go along."""
        self.rewritten += 1
        ledger, old = self.world.ledger, self.world.contents[photo]
        new = content_of(1000 + self.rewritten)
        with ledger.transaction(WATCHER) as uow:
            uow.begin("scan", "scanned")
            for media in uow.media.of_contents([old]):
                record_files(uow, self.world.library, [ReadFile(media.path, new, facts_of(1000 + self.rewritten))])
        self.world.contents[photo] = new
        self.world.detect(new, photo)

    @rule(face=WHICH, person=st.none() | WHICH, ignored=st.booleans())
    def decide_and_save_anew(self, face: int, person: int | None, ignored: bool) -> None:
        """What was decided before a file was saved anew is taken back of the face that inherited it, and done again."""
        one, who = self._face(face), None if person is None else self._person(person)
        before = self.world.stand().faces.get(one)
        changes = FaceChanges(person_id=who, ignored=ignored)
        if before is None or not self._run(lambda uow: faces.change_face(uow, one, changes)):
            return
        after = self.world.stand().faces[one]
        self.rewrite_file(self.world.contents.index(bytes.fromhex(before[0].content_hash)))
        heirs = self.world.heirs_of(one)
        for stands in (before, after):
            assert self._run(partial(undo, operation_id=self.operations[-1]))
            shown = self.world.stand().faces
            assert {_decided(shown[heir]) for heir in heirs} <= {_decided(stands)}

    @rule(photo=PHOTO, back=st.booleans())
    def lose(self, photo: int, back: bool) -> None:
        """A file goes away, and may come back."""
        ledger = self.world.ledger
        with ledger.reading(WATCHER) as tables:
            media = tables.media.of_contents([self.world.contents[photo]])[0]
            facts = tables.media.row(media.id)
        with ledger.transaction(WATCHER) as uow:
            uow.begin("scan", "scanned")
            record_missing(uow, [media.id])
        if back and facts is not None:
            kept = FileFacts(media.size, media.mtime_ns, media.kind, width=100, height=100, taken_at=facts["taken_at"])
            with ledger.transaction(WATCHER) as uow:
                uow.begin("scan", "scanned")
                record_files(uow, self.world.library, [ReadFile(media.path, media.content_hash, kept)])

    @rule(name=NAMES, root=st.sampled_from(["/photos", "/elsewhere"]))
    def change_library(self, name: str, root: str) -> None:
        """Call the library something else, or say that its files are elsewhere."""
        self._do(lambda uow: libraries.change_library(uow, self.world.library, name=name, root=root))

    @rule(person=WHICH, name=NAMES)
    def do_without_the_library(self, person: int, name: str) -> None:
        """Remove the library and undo that; it shows what it showed, and what was decided meanwhile."""
        before, known = self.world.stand(), len(self.operations)
        assert self._do(lambda uow: libraries.remove_library(uow, self.world.library))
        removal = self.operations[-1]
        assert self.world.stand().faces == {}
        one = self._person(person)
        renamed = self._run(lambda uow: persons.change_person(uow, one, PersonChanges(name=name)))
        rename = self.operations[-1]
        assert self._run(lambda uow: undo(uow, removal))
        if renamed:
            assert self.world.stand().persons[one].name == name
            assert self._run(lambda uow: undo(uow, rename))
        assert self.world.stand() == before
        del self.operations[known:]  # to be without it for good would leave the other rules nothing to do

    @rule(photo=PHOTO, name=NAMES)
    def write_insight(self, photo: int, name: str) -> None:
        """A model writes about a photo."""
        writing = Writing(f"{name} at the lake", f"It is {name}'s day.", "model", "local")
        said = turn_of(f"Who but {name}?", name)
        self._do(lambda uow: insights.write_insight(uow, self.world.contents[photo], writing, said))

    @rule(insight=WHICH, name=NAMES, anew=st.booleans())
    def talk(self, insight: int, name: str, anew: bool) -> None:
        """Go on with a conversation, or write the insight anew with it."""
        one, said = self._insight(insight), turn_of(f"Tell me of {name}.", name)
        if anew:
            writing = Writing(f"More of {name}", "It rained.", "model", "local", agentic=True)
            self._do(lambda uow: insights.amend_insight(uow, one, writing, said))
        else:
            self._do(lambda uow: insights.continue_transcript(uow, one, said))

    @rule(insight=WHICH, index=st.integers(0, 4))
    def rewind(self, insight: int, index: int) -> None:
        """Go back in a conversation."""
        one = self._insight(insight)
        self._do(lambda uow: insights.rewind_transcript(uow, one, index))

    @rule(insight=WHICH, rating=st.none() | st.sampled_from(RATINGS))
    def rate(self, insight: int, rating: str | None) -> None:
        """Rate what was written."""
        one = self._insight(insight)
        self._do(lambda uow: insights.rate_insight(uow, one, rating))

    @rule(name=NAMES, type_=TYPE, description=st.sampled_from(["", "by the sea"]), alias=NAMES)
    def make_entity(self, name: str, type_: str, description: str, alias: str) -> None:
        """Make an entity."""
        self._do(lambda uow: entities.create_entity(uow, name, type_, description, [alias]))

    @rule(entity=WHICH, name=NAMES, type_=TYPE, description=st.sampled_from(["", "tall"]), alias=st.none() | NAMES)
    def change_entity(self, entity: int, name: str, type_: str, description: str, alias: str | None) -> None:
        """Rename an entity, and say what it is."""
        one, changes = self._entity(entity), EntityChanges(name, type_, description, [alias] if alias else [])
        self._do(lambda uow: entities.change_entity(uow, one, changes))

    @rule(entity=WHICH, into=WHICH)
    def merge_entities(self, entity: int, into: int) -> None:
        """Merge two entities: no fact is lost."""
        one, other = self._entity(entity), self._entity(into)
        before = self.world.stand().entities
        if self._do(lambda uow: entities.merge_entities(uow, one, other)):
            after = self.world.stand().entities
            facts_of = [{fact.id for fact in said} for _, said in (before[one], before[other], after[other])]
            assert facts_of[0] | facts_of[1] == facts_of[2]

    @rule(entity=WHICH)
    def delete_entity(self, entity: int) -> None:
        """Delete an entity."""
        one = self._entity(entity)
        self._do(lambda uow: entities.delete_entity(uow, one))

    @rule(entity=WHICH, about=st.none() | WHICH, text=SAID, since=st.sampled_from([None, "2012", "2020-05"]))
    def record_fact(self, entity: int, about: int | None, text: str, since: str | None) -> None:
        """Say something of an entity."""
        one, other = self._entity(entity), None if about is None else self._entity(about)
        self._do(lambda uow: entities.record_fact(uow, one, Statement(text, other, since)))

    @rule(fact=WHICH, text=st.none() | SAID)
    def correct_or_delete_fact(self, fact: int, text: str | None) -> None:
        """Say what is right, or that it is wrong."""
        entity, one = self._fact(fact)
        if text is None:
            self._do(lambda uow: entities.delete_fact(uow, entity, one))
        else:
            self._do(lambda uow: entities.correct_fact(uow, entity, one, FactChanges(text=text)))

    @rule(insight=WHICH, names=st.lists(NAMES, min_size=1, max_size=3), type_=TYPE, text=SAID, model=NAMES)
    def learn(self, insight: int, names: list[str], type_: str, text: str, model: str) -> None:
        """A model reads an insight: what a user wrote is as before, and nobody is bridged."""
        one = self._insight(insight)
        known = tuple(ProposedEntity(name, type_, "") for name in names)
        said = Proposals(
            known, tuple(ProposedFact(at, text, 0 if at else None, None, None) for at in range(len(names)))
        )
        before = self.world.stand()

        def read(uow: UnitOfWork) -> None:
            found = uow.insights.get(one)
            if found is not None:
                learn_from_insight(uow, found, model, said)

        learned = self._run(read)
        after = self.world.stand()
        if learned and after != before and self.taking_back:  # what told nothing new leaves nothing to take back
            self._take_back_and_do_again(self.operations[-1], before)
        assert after.persons == before.persons
        for id_, (view, told) in before.entities.items():
            assert set(told) <= set(after.entities[id_][1])
            assert replace(after.entities[id_][0], fact_count=view.fact_count) == view

    @rule(person=WHICH, entity=st.none() | WHICH)
    def bridge(self, person: int, entity: int | None) -> None:
        """Bridge a person to an entity, or take the bridge away."""
        who, one = self._person(person), None if entity is None else self._entity(entity)
        self._do(lambda uow: persons.change_person(uow, who, PersonChanges(entity_id=one)))

    @rule(day=st.integers(1, 2), name=NAMES, other=NAMES, seed=st.integers(0, 2), embedded=st.booleans())
    def summarise(self, day: int, name: str, other: str, seed: int, embedded: bool) -> None:
        """A model summarises a conversation of a day, or finds that done."""
        source = SummarySource(f"2020-05-0{day}", name, name_key(name), bytes([seed]) * 32, seed + 1)
        telling = Telling(f"{name} and {other.upper()} met.", "model", 1)
        vector = Embedding("embedder", bytes([seed + 1]) * 8) if embedded else None
        self._run(lambda uow: summaries.write_summary(uow, source, telling, ["model"], vector, again=False))

    @rule(summary=WHICH, model=st.sampled_from(["embedder", "embedder-2"]))
    def embed(self, summary: int, model: str) -> None:
        """A summary gets a vector, be it of another model."""
        one = self._summary(summary)
        self._run(lambda uow: summaries.embed_summaries(uow, {one: Embedding(model, bytes(8))}))

    @rule(summary=WHICH)
    def delete_summary(self, summary: int) -> None:
        """A user takes a summary away."""
        one = self._summary(summary)
        self._do(lambda uow: summaries.delete_summary(uow, one))

    @invariant()
    def one_summary_at_most_stands_for_a_day_and_contact(self) -> None:
        """However often it was made anew; those that an erasure masked may have come to share their contact's name."""
        shown = self.world.stand().summaries.values()
        pairs = [(each.day, each.contact_key) for each in shown if each.superseded_by is None and not each.masked]
        assert len(pairs) == len(set(pairs))

    @invariant()
    def transcripts_are_what_their_events_come_to(self) -> None:
        """What was gone back behind is nowhere but in the log."""
        for insight, (_, said) in self.world.stand().insights.items():
            past = self.world.ledger.history([f"insight-{insight}"], 1000)
            assert said == folded(recorded.event for recorded in reversed(past))

    @precondition(lambda self: self.operations and self.erased < MOST_ERASURES)
    @rule(subject=WHICH | st.sampled_from(["a photo"]), photo=PHOTO)
    def erase_something(self, subject: int | str, photo: int) -> None:
        """Erase a person or the faces of a photo: neither is ever seen again, whatever is undone later."""
        of = self.world.contents[photo] if isinstance(subject, str) else self._person(subject)
        shown = self.world.stand().faces
        try:
            erasure = erasure_of(self.world.ledger, CLI, of)
            erase(self.world.ledger, CLI, of)
        except LibraryError:
            return
        self.erased += 1
        self.world.forget_scratch()
        self.gone |= set(erasure.tombstones)
        assert set(self.world.stand().faces) == set(shown) - set(erasure.tombstones)

    @invariant()
    def erased_faces_stay_so(self) -> None:
        """No undo, detection or carrying over brings back what was erased."""
        if self.gone:
            assert not self.gone & set(self.world.stand().faces)

    @precondition(lambda self: self.operations)
    @rule(data=st.data(), with_later=st.booleans())
    def undo_something(self, data: st.DataObject, with_later: bool) -> None:
        """Undo any operation, also an undo."""
        operation = data.draw(st.sampled_from(self.operations))
        if with_later:
            self._run(lambda uow: undo_with_later(uow, operation))
        else:
            self._do(lambda uow: undo(uow, operation))

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
            max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.long
@pytest.mark.timeout(7200)  # it takes some twenty minutes on two slow cores
def test_live_tables_equal_replayed_ones_after_any_history_at_length() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=150, stateful_step_count=200, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
