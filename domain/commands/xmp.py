"""What is taken over from XMP, where a user asks for it: names of faces and keywords, and never against a decision that
was made here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from domain.base.errors import RuleViolation
from domain.base.geometry import Box
from domain.base.names import clean_name, name_key
from domain.commands.faces import PENDING, checked_box, never, was_undo, whose_is
from domain.events.event import Event, Recorded
from domain.events.face import DELETED, Face, FaceAssigned, FaceDrawn, MarkerLifted, Why
from domain.events.person import Person, PersonCreated, PersonDeleted, PersonRenamed
from domain.events.tag import MediaTagged, MediaUntagged, Tag, TagCreated, TagRenamed
from domain.ports.face_engine import Embedding
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.face_pairing import paired
from domain.rules.xmp import Description, Region

READ_KIND: Final = "xmp.read"
KEYWORDS_KIND: Final = "keywords.tag"
FROM_XMP: Final = Why("xmp")


class TakenOver(msgspec.Struct):
    """What was taken over, in numbers, and with words what was not: `persons` and `tags` are names that were new,
    `left` says what stands against it, `interrupted` that not everything was looked at."""

    photos: int = 0
    named: int = 0
    drawn: int = 0
    tagged: int = 0
    persons: set[str] = msgspec.field(default_factory=set)
    tags: set[str] = msgspec.field(default_factory=set)
    left: list[str] = msgspec.field(default_factory=list)
    interrupted: bool = False

    def add(self, other: TakenOver) -> None:
        """Count another's too."""
        self.photos += other.photos
        self.named += other.named
        self.drawn += other.drawn
        self.tagged += other.tagged
        self.persons |= other.persons
        self.tags |= other.tags
        self.left += other.left

    def __str__(self) -> str:
        """In words."""
        return (
            f"{_some(self.photos, 'photo')}, {_some(self.named, 'face')} named, {self.drawn} drawn, "
            f"{_some(len(self.persons), 'new person')}, {_some(self.tagged, 'tag')} put on ({len(self.tags)} new)"
        )


def to_draw(faces: Sequence[Face], description: Description) -> list[Region]:
    """The regions that are faces which stand nowhere yet."""
    return list(paired(faces, description.regions, drawn=True).new)


def take_over(
    uow: UnitOfWork, content_hash: bytes, description: Description, embedded: Mapping[Box, Embedding] | None = None
) -> TakenOver:
    """Take over what XMP says of one content; what already stands so appends nothing.

    A region that shows a face which is nobody's names it; one that shows none draws it, with its embedding where
    `embedded` has one for its box. Decisions stand: another's face stays another's; a face that was deleted, put aside
    as a stranger's, or said or taken away not to be this person is left so, and a tag that was taken off stays off. A
    name that was only ever read from XMP follows it to another one.
    """
    uow.actor.require("editor")
    reading = _TakingOver(uow, content_hash)
    reading.take_regions(description.regions, embedded or {})
    reading.let_go()
    reading.take_keywords(description.keywords)
    if reading.events:
        uow.begin(READ_KIND, "read names and keywords from XMP")
        uow.append(*reading.new, *reading.events)
        reading.taken.photos = 1
    return reading.taken


def tag_by_keywords(uow: UnitOfWork, content_hash: bytes, keywords: Iterable[str]) -> TakenOver:
    """Make tags of the keywords of one content, as `take_over` does, where its library says so; nobody asked for it
    now, so what was undone stays undone."""
    uow.actor.require("editor")
    reading = _TakingOver(uow, content_hash, after_undo=False)
    reading.take_keywords(keywords)
    if reading.events:
        uow.begin(KEYWORDS_KIND, "made tags of keywords in files")
        uow.append(*reading.new, *reading.events)
        reading.taken.photos = 1
    return reading.taken


class _TakingOver:
    """One content's description on its way into events: `new` persons and tags, then what refers to them."""

    def __init__(self, uow: UnitOfWork, content_hash: bytes, *, after_undo: bool = True) -> None:
        """`after_undo` says whether tags are put on again whose putting on was undone."""
        self._after_undo = after_undo
        self._uow = uow
        self._content = content_hash
        self.taken = TakenOver()
        self.new: list[Event] = []
        self.events: list[Event] = []
        self._persons: dict[str, int] = {}
        self._left: Counter[int] = Counter()

    def take_regions(self, regions: Iterable[Region], embedded: Mapping[Box, Embedding]) -> None:
        pairing = paired(self._uow.faces.on_content(self._content), list(regions), drawn=True)
        for face, region in pairing.same:
            self._name(face, region)
        for region in pairing.new:
            self._draw(region, embedded.get(region.box))

    def _name(self, face: Face, region: Region) -> None:
        if not region.name:
            return
        against = self._against(face, region.name)
        if against == "":
            return
        if against is not None:
            self.taken.left.append(against)
            return
        person_id = self._person(region.name)
        if person_id is not None:
            self.events.append(FaceAssigned(face.id, person_id, FROM_XMP, face.person_id))
            self.taken.named += 1
            if face.person_id is not None:
                self._left[face.person_id] += 1

    def _is_only_read(self, face: Face, whose: Person, named: Person | None) -> bool:
        """Whether the file names somebody else, and nobody here ever said whose the face is: its name was read, and the
        person has the name that was read. Such a name follows the file, where another program renamed it."""
        return (
            (named is None or named.id != whose.id)
            and whose.id == face.person_id
            and self._last_in(f"face-{face.id}", FaceAssigned) == READ_KIND
            and self._last_in(f"person-{whose.id}", PersonRenamed) is None
        )

    def _last_in(self, stream: str, kind: type[Event]) -> str | None:
        """By which kind of operation such an event was last appended to a stream; None where none ever was."""
        found = [each for each in self._uow.later_in(stream, 0) if isinstance(each.event, kind)]
        operation = self._uow.operations.get(found[-1].operation_id) if found else None
        return None if operation is None else operation.kind

    def let_go(self) -> None:
        """Delete those who lost their last face to another name, and of whom nothing is known but what was read."""
        for person_id, count in self._left.items():
            stream = self._uow.later_in(f"person-{person_id}", 0)
            is_read = len(stream) == 1 and self._last_in(f"person-{person_id}", PersonCreated) == READ_KIND
            if is_read and self._uow.faces.count_of([person_id]) == count:
                self.events.append(PersonDeleted(person_id, (person_id,)))

    def _against(self, face: Face, name: str) -> str | None:
        """What stands against a name for a face; empty where it has that name, None where nothing does."""
        person = self._uow.persons.named(name)
        if face.status == DELETED:
            return f"{name}: said not to be a face"
        was = None if face.person_id is None else self._uow.persons.get(face.person_id)
        if was is not None and was.deleted and name_key(was.name) == name_key(name):
            return f"{name}: was deleted here"
        whose = whose_is(self._uow, face)
        if whose is not None and not self._is_only_read(face, whose, person):
            return "" if person is not None and whose.id == person.id else f"{name}: the face is {whose.name}'s here"
        if face.ignored:
            return f"{name}: the face was put aside as a stranger's"
        if person is not None and person.id in never(self._uow, face, by_undo=False):
            return f"{name}: the face was said not to be {person.name}"
        return None

    def _draw(self, region: Region, embedding: Embedding | None) -> None:
        try:
            box = checked_box(region.box)
        except RuleViolation as error:
            self.taken.left.append(f"{region.name or 'a face'}: {error}")
            return
        person_id = self._person(region.name) if region.name else None
        if region.name and person_id is None:
            return
        uow = self._uow
        if not any(isinstance(event, MarkerLifted) for event in self.events):
            self.events += [MarkerLifted(id_, self._content) for id_, _, _ in uow.faces.markers(self._content)]
        ids = uow.attach([] if embedding is None else [embedding])
        model = PENDING if embedding is None else embedding.model_version
        face_id = uow.new_id("face")
        quality = None if embedding is None else embedding.quality
        self.events.append(FaceDrawn(face_id, self._content, box, model, ids[0] if ids else None, quality=quality))
        self.taken.drawn += 1
        if person_id is not None:
            self.events.append(FaceAssigned(face_id, person_id, FROM_XMP))
            self.taken.named += 1

    def _person(self, name: str) -> int | None:
        """The person of this name, new where there is none; None where it cannot be a name."""
        try:
            name = clean_name(name)
        except RuleViolation as error:
            self.taken.left.append(f"a face's name: {error}")
            return None
        person = self._uow.persons.named(name)
        if person is not None:
            return person.id
        if name_key(name) not in self._persons:
            self._persons[name_key(name)] = self._uow.new_id("person")
            self.new.append(PersonCreated(self._persons[name_key(name)], name))
            self.taken.persons.add(name)
        return self._persons[name_key(name)]

    def take_keywords(self, keywords: Iterable[str]) -> None:
        wanted: dict[str, str] = {}
        for keyword in keywords:
            try:
                wanted.setdefault(name_key(keyword), clean_name(keyword))
            except RuleViolation as error:
                self.taken.left.append(f"a keyword: {error}")
        if not wanted:
            return
        uow = self._uow
        has = uow.tagged.ids_of_content(self._content)
        off = self._taken_off()
        for name in wanted.values():
            tag = uow.tags.named(name)
            if tag is not None and tag.id in has:
                continue
            if tag is not None and tag.id in off:
                self.taken.left.append(f"{name}: the tag was taken off here")
                continue
            if tag is None and name_key(name) in (once := self._called_once(has | off)):
                now = once[name_key(name)]
                self.taken.left.append(f"{name}: the tag was {f'renamed {now.name}' if now else 'deleted'} here")
                continue
            tag_id = uow.new_id("tag") if tag is None else tag.id
            if tag is None:
                self.new.append(TagCreated(tag_id, name))
                self.taken.tags.add(name)
            self.events.append(MediaTagged(self._content, tag_id))
            self.taken.tagged += 1

    def _called_once(self, tag_ids: Iterable[int]) -> dict[str, Tag | None]:
        """Every name key that these tags ever had, with the tag as it is now, None where it was deleted since."""
        return {
            name_key(recorded.event.name): self._uow.tags.get(tag_id)
            for tag_id in tag_ids
            for recorded in self._uow.later_in(f"tag-{tag_id}", 0)
            if isinstance(recorded.event, (TagCreated, TagRenamed)) and not self._is_undone(recorded)
        }

    def _is_undone(self, recorded: Recorded) -> bool:
        operation = self._uow.operations.get(recorded.operation_id)
        return operation is not None and operation.undone_by is not None

    def _taken_off(self) -> set[int]:
        """The tags that somebody took off this content, undoing aside where that does not count."""
        return {
            recorded.event.tag_id
            for recorded in self._uow.later_in(f"content-{self._content.hex()}", 0)
            if isinstance(recorded.event, MediaUntagged) and not (self._after_undo and was_undo(self._uow, recorded))
        }


def _some(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
