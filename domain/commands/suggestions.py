"""What a user says to a suggestion that is wrong: these persons are two, these faces are whose they are said to be."""

from __future__ import annotations

from collections.abc import Sequence

from domain.base.errors import Forbidden, NotFound, RuleViolation
from domain.commands.faces import LARGEST_BATCH, Outcome, visible_face
from domain.commands.persons import live_person
from domain.events.face import FaceConfirmed, faces_in_words
from domain.events.person import PersonsToldApart
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import known_person


def tell_apart(uow: UnitOfWork, person_id: int, other: int) -> list[Outcome]:
    """Say that two persons are two, remembered: it is never suggested again that they are one, whatever is merged into
    either. One row a person comes back; nothing is appended where it was said before.

    Raises:
        NotFound: there is no such person, or the actor may not know of one of the two.
        RuleViolation: a person is one with itself.
        AlreadyMerged: one of the two was merged.
    """
    uow.actor.require("editor")
    known_person(uow, person_id)
    known_person(uow, other)
    if person_id == other:
        raise RuleViolation("name two persons: one cannot be told apart from itself", "persons")
    one, second = live_person(uow, person_id), live_person(uow, other)
    if (min(one.id, second.id), max(one.id, second.id)) not in uow.persons.told_apart():
        uow.begin("person.apart", f"said that {one.name} and {second.name} are two")
        uow.append(PersonsToldApart(one.id, second.id))
    return [Outcome(one.id, ok=True), Outcome(second.id, ok=True)]


def confirm_faces(uow: UnitOfWork, person_id: int, face_ids: Sequence[int]) -> list[Outcome]:
    """Say that faces are the person's that they are said to be, remembered: it is never suggested again that they are
    another's, and they are exemplars like all others.

    One row a face comes back: one that is not this person's says so, and leaves the others alone.

    Raises:
        RuleViolation: no faces, or too many.
        NotFound: no such person.
        AlreadyMerged: the person was merged.
    """
    uow.actor.require("editor")
    known_person(uow, person_id)
    person = live_person(uow, person_id)
    if not face_ids:
        raise RuleViolation("name at least one face", "face_ids")
    if len(face_ids) > LARGEST_BATCH:
        raise RuleViolation(f"at most {LARGEST_BATCH} faces at once", "face_ids")
    behind = frozenset(uow.persons.behind(person_id))
    outcomes: list[Outcome] = []
    events: list[FaceConfirmed] = []
    for face_id in dict.fromkeys(face_ids):
        try:
            face = visible_face(uow, face_id)
        except (NotFound, Forbidden) as error:
            outcomes.append(Outcome(face_id, ok=False, error=str(error)))
            continue
        is_theirs = face.person_id in behind
        why_not = None if is_theirs else f"face {face_id} is not {person.name}'s: read the suggestions again"
        outcomes.append(Outcome(face_id, is_theirs, why_not))
        if is_theirs and behind.isdisjoint(uow.faces.confirmations(face_id)):
            events.append(FaceConfirmed(face_id, person_id))
    if events:
        uow.begin("face.confirm", f"confirmed {faces_in_words(len(events))} of {person.name}")
        uow.append(*events)
    return outcomes
