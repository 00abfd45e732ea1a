"""What a user says of many at once in a review: whose a cluster of faces is, and which tags are the names of people."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.base.errors import Conflict, Forbidden, NameTaken, NotFound, RuleViolation
from domain.commands.faces import LARGEST_BATCH, Outcome, visible_face, whose_is
from domain.commands.persons import live_person
from domain.events.event import Event
from domain.events.face import BY_USER, Face, FaceAssigned, faces_in_words
from domain.events.person import PersonCreated
from domain.events.tag import Tag
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import known_person, knows_tag
from domain.rules.unique_names import free_person_name

MOST_TAGS = 1000
"""Tags that one bootstrap takes."""


class Bootstrapped(msgspec.Struct, frozen=True):
    """What became of one tag: `id` is the tag's, `person_id` the new person's, `error` says why there is none."""

    id: int | None
    name: str
    ok: bool
    person_id: int | None = None
    error: str | None = None


def accept_cluster(
    uow: UnitOfWork, face_ids: Sequence[int], person_id: int | None = None, name: str | None = None
) -> list[Outcome]:
    """Say whose the faces of a cluster are, an existing person's or a new one's called `name`, in one operation.

    One row a face comes back: one that was named, put aside, deleted or said not to be this person since the cluster
    was shown says so, and leaves the others alone.

    Raises:
        RuleViolation: no faces, too many, or not exactly one of `person_id` and `name`.
        NotFound: no such person.
        AlreadyMerged: the person was merged.
        NameTaken: the name of the new person is taken.
    """
    uow.actor.require("editor")
    if person_id is not None:
        known_person(uow, person_id)
    if not face_ids:
        raise RuleViolation("name at least one face", "ids")
    if len(face_ids) > LARGEST_BATCH:
        raise RuleViolation(f"at most {LARGEST_BATCH} faces at once", "ids")
    if (person_id is None) == (name is None):
        raise RuleViolation("say whose the cluster is: a person_id or the name of a new person, not both", "person_id")
    called = live_person(uow, person_id or 0).name if name is None else free_person_name(uow, name)
    outcomes: list[Outcome] = []
    faces: list[Face] = []
    for face_id in dict.fromkeys(face_ids):
        try:
            faces.append(_still_nobodys(uow, face_id, person_id, called))
            outcomes.append(Outcome(face_id, ok=True))
        except (NotFound, Forbidden, Conflict) as error:
            outcomes.append(Outcome(face_id, ok=False, error=str(error)))
    if not faces:
        return outcomes
    uow.begin("cluster.accept", f"said that a cluster of {faces_in_words(len(faces))} is {called}")
    events: list[Event] = []
    if person_id is None:
        person_id = uow.new_id("person")
        events.append(PersonCreated(person_id, called))
    uow.append(*events, *(FaceAssigned(face.id, person_id, BY_USER, face.person_id) for face in faces))
    return outcomes


def bootstrap_persons(uow: UnitOfWork, tags: Sequence[int | str]) -> list[Bootstrapped]:
    """Make a person of each of these tags, named by id or by name, which the user says are people, in one operation.

    One row a tag comes back: where the name is taken, or the actor knows of no such tag, it says so and leaves the
    others alone. The tags stay, and the rule that binds by tag follows them from now on.

    Raises:
        RuleViolation: no tags, or too many.
    """
    uow.actor.require("editor")
    if not tags:
        raise RuleViolation("name at least one tag", "tags")
    if len(tags) > MOST_TAGS:
        raise RuleViolation(f"at most {MOST_TAGS} tags at once", "tags")
    rows: list[Bootstrapped] = []
    events: list[PersonCreated] = []
    for tag in dict.fromkeys(_known_tag(uow, tag) for tag in tags):
        if isinstance(tag, str):
            rows.append(Bootstrapped(None, tag, ok=False, error=f"there is no tag {tag}"))
            continue
        try:
            name = free_person_name(uow, tag.name)
        except (NameTaken, RuleViolation) as error:
            rows.append(Bootstrapped(tag.id, tag.name, ok=False, error=str(error)))
            continue
        events.append(PersonCreated(uow.new_id("person"), name))
        rows.append(Bootstrapped(tag.id, name, ok=True, person_id=events[-1].person_id))
    if events:
        names = ", ".join(event.name for event in events[:3]) + (", …" if len(events) > 3 else "")
        persons = "a person" if len(events) == 1 else f"{len(events)} persons"
        uow.begin("bootstrap", f"made {persons} from tags: {names}")
        uow.append(*events)
    return rows


def _known_tag(uow: UnitOfWork, written: int | str) -> Tag | str:
    """The live tag that the actor may know of; what is none stays as it was written."""
    tag = uow.tags.named(written) if isinstance(written, str) else uow.tags.get(written)
    return str(written) if tag is None or not knows_tag(uow, tag.id) else tag


def _still_nobodys(uow: UnitOfWork, face_id: int, person_id: int | None, called: str) -> Face:
    """The face, where it can still be given to the person.

    Raises:
        NotFound: it is not there, or not to be seen.
        Conflict: somebody decided about it meanwhile.
    """
    face = visible_face(uow, face_id)
    whose = whose_is(uow, face)
    if whose is not None:
        raise Conflict(f"face {face_id} is {whose.name}'s meanwhile")
    if face.ignored:
        raise Conflict(f"face {face_id} was put aside as a stranger's meanwhile")
    if person_id is not None and person_id in uow.faces.rejected(face_id):
        raise Conflict(f"face {face_id} was said not to be {called}")
    return face
