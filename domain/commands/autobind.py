"""Binding by itself: faces on a photo that has a tag are given to the person of that name, after a commit and never
during a replay."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from domain.commands.faces import never, whose_is
from domain.events.face import DETECTED, Face, FaceAssigned, Why
from domain.events.person import Person
from domain.ports.face_engine import Likeness
from domain.ports.unit_of_work import UnitOfWork


class Bound(msgspec.Struct, frozen=True):
    """A face that was bound to a person by itself, and why."""

    face_id: int
    person: Person
    why: Why


class Comparison(msgspec.Struct, frozen=True):
    """How faces of one model are compared for binding: bound is from the cosine `threshold` on. `likest` are the
    person, with the similarity, that each face (by its id) was likest to among all who are known."""

    model_version: str
    threshold: float
    likeness: Likeness
    likest: Mapping[int, tuple[int, float]] = {}

    def prefers_another(self, face_id: int, person_id: int, similarity: float) -> bool:
        """Whether a face is liker to somebody else."""
        likest, theirs = self.likest.get(face_id, (person_id, similarity))
        return likest != person_id and theirs > similarity

    def is_anothers(self, face_id: int, person_id: int) -> bool:
        """Whether a face is so like somebody else that a tag of that name would bind it."""
        likest, theirs = self.likest.get(face_id, (person_id, -1.0))
        return likest != person_id and theirs >= self.threshold


def bind_by_tag(uow: UnitOfWork, content_hash: bytes, comparison: Comparison) -> list[Bound]:
    """Bind unassigned faces of a photo to persons whose names are tags on it.

    A face is bound where it is like that person's faces and liker to nobody else, the likest person first; a person
    with no face yet takes the face of a photo that has one face and one such tag, unless it is like enough to somebody
    else to be bound to them. Rejections, deletions and strangers are obeyed, and faces of other models are never
    compared.
    """
    persons = _tagged_persons(uow, content_hash)
    if not persons:
        return []
    faces = [face for face in uow.faces.on_content(content_hash) if face.status == DETECTED]
    free = [
        face
        for face in faces
        if not face.ignored and face.model_version == comparison.model_version and whose_is(uow, face) is None
    ]
    bound = _by_likeness(uow, free, persons, comparison)
    if not bound and len(faces) == 1 and len(persons) == 1 and free:
        bound = _first_face(uow, free[0], persons[0], comparison)
    if bound:
        names = ", ".join(sorted({b.person.name for b in bound}))
        uow.begin("autobind", f"recognised {names} on a photo with that tag")
        uow.append(*(FaceAssigned(b.face_id, b.person.id, b.why) for b in bound))
    return bound


def _tagged_persons(uow: UnitOfWork, content_hash: bytes) -> list[Person]:
    persons = []
    for tag in uow.tagged.of_content(content_hash):
        person = uow.persons.named(tag.name)
        if person is not None:
            persons.append(person)
    return persons


def _by_likeness(uow: UnitOfWork, free: list[Face], persons: list[Person], comparison: Comparison) -> list[Bound]:
    model_version, threshold = comparison.model_version, comparison.threshold
    vectors = uow.faces.vectors([face.embedding_id for face in free if face.embedding_id is not None])
    scored = []
    for person in persons:
        exemplars = uow.exemplars.vectors_of(person.id, model_version)
        for face in free:
            vector = vectors.get(face.embedding_id or 0)
            if vector is None or not exemplars or person.id in never(uow, face):
                continue
            similarity = comparison.likeness(vector, exemplars)
            if not comparison.prefers_another(face.id, person.id, similarity):
                scored.append((similarity, face.id, person))
    bound: dict[int, Bound] = {}
    for similarity, face_id, person in sorted(scored, key=lambda entry: (-entry[0], entry[1], entry[2].id)):
        if similarity >= threshold and face_id not in bound:
            why = Why("tag", model_version, round(similarity, 4), threshold)
            bound[face_id] = Bound(face_id, person, why)
    return list(bound.values())


def _first_face(uow: UnitOfWork, face: Face, person: Person, comparison: Comparison) -> list[Bound]:
    if comparison.is_anothers(face.id, person.id):
        return []
    if uow.faces.count_of(uow.persons.behind(person.id)) or person.id in never(uow, face):
        return []
    return [Bound(face.id, person, Why("only-face", face.model_version))]
