"""What a user does with faces: draw, assign, move, put aside, reject, delete, one or many."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from domain.base.errors import Conflict, Forbidden, NotFound, RuleViolation
from domain.base.face_quality import FaceQuality
from domain.base.geometry import Box
from domain.commands.persons import check_version, live_person
from domain.events.event import Event, Recorded
from domain.events.face import (
    BY_USER,
    Face,
    FaceAssigned,
    FaceDeleted,
    FaceDrawn,
    FaceIgnored,
    FaceMoved,
    FaceNoticed,
    FaceRejected,
    FaceUnassigned,
    MarkerLifted,
    faces_in_words,
)
from domain.events.person import Person, PersonCreated
from domain.ports.face_engine import Embedding
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import known_person, seen_face
from domain.rules.unique_names import free_person_name

PENDING = "pending"
"""The model version of a drawn face whose engine did not say which model could not use it."""
SMALLEST_SIDE = 0.002
"""A box below this part of the picture's side is a slip of the hand: 3 pixels of a preview."""
LARGEST_BATCH = 5000
_GO_ON = frozenset({"cluster.accept", "face.batch", "face.change", "face.draw"})
"""Kinds of operation to which the confirming of likely faces may be added."""


class FaceChanges(msgspec.Struct, frozen=True):
    """What to write about a face; what is left unset stays as it is. `embedding` belongs to `box`: None where the model
    `model_version` could not use the crop."""

    person_id: int | UnsetType | None = UNSET
    ignored: bool | UnsetType = UNSET
    box: Box | UnsetType = UNSET
    embedding: Embedding | None = None
    model_version: str = PENDING


class Outcome(msgspec.Struct, frozen=True):
    """What became of one item of a batch: `error` says why not."""

    id: int
    ok: bool
    error: str | None = None


def visible_face(uow: UnitOfWork, face_id: int, expected: int | None = None) -> Face:
    """The face that a command is about.

    Raises:
        NotFound: no such face, it was deleted, or no file that the actor may see shows it.
        Stale: its version is not `expected`.
    """
    face = seen_face(uow, face_id)
    check_version("face", face.version, expected)
    return face


def whose_is(uow: UnitOfWork, face: Face) -> Person | None:
    """The canonical person of a face; None where it is nobody's, or was one's who was deleted."""
    person = None if face.person_id is None else uow.persons.get(face.person_id)
    if person is None or person.canonical_id is None:
        return None
    return uow.persons.get(person.canonical_id)


def never(uow: UnitOfWork, face: Face, *, by_undo: bool = True) -> set[int]:
    """The canonical persons that a face was said not to be, and those that it was taken from, since that too was
    somebody's decision; taken by an undo as well, unless `by_undo` says otherwise."""
    taken_from = {
        recorded.event.was
        for recorded in uow.later_in(f"face-{face.id}", 0)
        if isinstance(recorded.event, FaceUnassigned) and (by_undo or not was_undo(uow, recorded))
    }
    persons = (uow.persons.get(person_id) for person_id in taken_from)
    canonical = {person.canonical_id for person in persons if person is not None and person.canonical_id is not None}
    return canonical | uow.faces.rejected(face.id)


def was_undo(uow: UnitOfWork, recorded: Recorded) -> bool:
    """Whether an event was appended by taking an operation back, or by doing it again."""
    operation = uow.operations.get(recorded.operation_id)
    return operation is not None and operation.undoes is not None


def checked_box(box: Box) -> Box:
    """The box of a face.

    Raises:
        RuleViolation: it does not lie on the picture, or is too small to be meant.
    """
    inside = 0 <= box.x < 1 and 0 <= box.y < 1 and box.x + box.w <= 1 + 1e-6 and box.y + box.h <= 1 + 1e-6
    if not inside:
        raise RuleViolation("a box lies within the picture: x, y, x + w and y + h are 0 to 1", "box")
    if box.w < SMALLEST_SIDE or box.h < SMALLEST_SIDE:
        raise RuleViolation("this box is too small to hold a face", "box")
    return Box(box.x, box.y, min(box.w, 1 - box.x), min(box.h, 1 - box.y))


def draw_face(
    uow: UnitOfWork,
    content_hash: bytes,
    box: Box,
    embedding: Embedding | None,
    person_id: int | None = None,
    model_version: str = PENDING,
) -> int:
    """Add a face that a person drew; without an embedding it waits for another model than `model_version`, which could
    not use the crop. Its id.

    Raises:
        RuleViolation: the box cannot be.
        NotFound: no such person, or no visible file has this content.
    """
    uow.actor.require("editor")
    if not uow.media.shows_content(content_hash):
        raise NotFound("there is no such photo")
    box = checked_box(box)
    person = None if person_id is None else live_person(uow, person_id)
    uow.begin("face.draw", f"drew a face of {person.name}" if person else "drew a face")
    model, embedding_id, quality = _attached(uow, content_hash, embedding, model_version)
    face_id = uow.new_id("face")
    events: list[Event] = [MarkerLifted(id_, content_hash) for id_, _, _ in uow.faces.markers(content_hash)]
    events.append(FaceDrawn(face_id, content_hash, box, model, embedding_id, quality=quality))
    if person is not None:
        events.append(FaceAssigned(face_id, person.id, BY_USER))
    uow.append(*events)
    return face_id


def change_face(uow: UnitOfWork, face_id: int, changes: FaceChanges, expected: int | None = None) -> None:
    """Assign, unassign, put aside or move one face; what already stands so appends nothing.

    Raises:
        NotFound: no such face or person.
        RuleViolation: the box cannot be.
        Stale: the face changed since the client read it.
    """
    uow.actor.require("editor")
    face = visible_face(uow, face_id, expected)
    events: list[Event] = []
    done: list[str] = []
    if changes.person_id is not UNSET:
        assigned, words = _assignment(uow, face, changes.person_id)
        events += assigned
        done += words
    if changes.ignored is not UNSET and changes.ignored != face.ignored:
        events.append(FaceIgnored(face_id) if changes.ignored else FaceNoticed(face_id))
        done.append("put a stranger's face aside" if changes.ignored else "took a face back from the strangers")
    if changes.box is not UNSET and changes.box != face.box:
        done.append("moved the box of a face")
    if not done:
        return
    uow.begin("face.change", ", ".join(done))
    if changes.box is not UNSET and changes.box != face.box:
        events.append(_moved(uow, face, checked_box(changes.box), changes))
    uow.append(*events)


def delete_face(uow: UnitOfWork, face_id: int, expected: int | None = None) -> None:
    """Say 'not a face': it stays deleted through every later detection.

    Raises:
        NotFound: no such face.
        Stale: the face changed since the client read it.
    """
    uow.actor.require("editor")
    face = visible_face(uow, face_id, expected)
    uow.begin("face.delete", "deleted a face")
    uow.append(FaceDeleted(face.id))


def reject_person(uow: UnitOfWork, face_id: int, person_id: int) -> None:
    """Say 'not this person', remembered: never suggested or bound to that person again; unassigns where it was
    assigned.

    Raises:
        NotFound: no such face or person.
    """
    uow.actor.require("editor")
    known_person(uow, person_id)
    face = visible_face(uow, face_id)
    person = live_person(uow, person_id)
    events: list[Event] = []
    if face.person_id is not None and face.person_id in uow.persons.behind(person_id):
        events.append(FaceUnassigned(face_id, face.person_id))
    if person_id not in uow.faces.rejected(face_id):
        events.append(FaceRejected(face_id, person_id))
    if events:
        uow.begin("face.reject", f"said that a face is not {person.name}")
        uow.append(*events)


def change_faces(
    uow: UnitOfWork, face_ids: Sequence[int], action: str, person_id: int | None = None, name: str | None = None
) -> list[Outcome]:
    """Assign (to a person, or to a new one called `name`), unassign, ignore, notice or delete many faces in one
    operation, or `reject` a person for all of them.

    One row an item comes back; an item that cannot be done leaves the others alone.

    Raises:
        RuleViolation: no faces, too many, an unknown action, or no person for `assign` or `reject`.
        NotFound: no such person.
        NameTaken: the name of the new person is taken.
    """
    uow.actor.require("editor")
    if person_id is not None:
        known_person(uow, person_id)
    if not face_ids:
        raise RuleViolation("name at least one face", "ids")
    if len(face_ids) > LARGEST_BATCH:
        raise RuleViolation(f"at most {LARGEST_BATCH} faces at once", "ids")
    outcomes: list[Outcome] = []
    faces: list[Face] = []
    for face_id in dict.fromkeys(face_ids):
        try:
            faces.append(visible_face(uow, face_id))
            outcomes.append(Outcome(face_id, ok=True))
        except (NotFound, Forbidden) as error:
            outcomes.append(Outcome(face_id, ok=False, error=str(error)))
    if not faces:
        return outcomes
    if action == "assign":
        _assign_all(uow, faces, person_id, name)
    elif action == "reject":
        _reject_all(uow, faces, person_id)
    else:
        _change_all(uow, faces, action)
    return outcomes


def add_to_operation(uow: UnitOfWork, operation_id: int, decide: Callable[[], list[Outcome]]) -> list[Outcome]:
    """Let what `decide` does belong to an operation that the same user made before, so that one undo takes both back.

    Raises:
        NotFound: the actor made no such operation.
        RuleViolation: it was no naming of faces.
        Conflict: it was undone since.
    """
    operation = uow.operations.get(operation_id)
    if operation is None or operation.actor != uow.actor.signature:
        raise NotFound(f"there is no operation {operation_id} of yours")
    if operation.kind not in _GO_ON:
        raise RuleViolation(f"operation {operation_id} did not say whose a face is", "continues")
    if operation.undone_by is not None:
        raise Conflict(f"operation {operation_id} was undone since: leave it out")
    before = uow.position
    uow.resume(operation_id)
    outcomes = decide()
    if uow.position > before:
        uow.end(f"{operation.text}, and {uow.text}")
    return outcomes


def _assign_all(uow: UnitOfWork, faces: Sequence[Face], person_id: int | None, name: str | None) -> None:
    if (person_id is None) == (name is None):
        raise RuleViolation("to assign faces, name a person_id or the name of a new person, not both", "person_id")
    called = live_person(uow, person_id or 0).name if name is None else free_person_name(uow, name)
    faces = [face for face in faces if name is not None or face.person_id != person_id]
    if not faces:
        return
    uow.begin("face.batch", f"assigned {faces_in_words(len(faces))} to {called}")
    if name is not None:
        person_id = uow.new_id("person")
        uow.append(PersonCreated(person_id, called))
    to = person_id or 0
    uow.append(*(FaceAssigned(f.id, to, BY_USER, f.person_id) for f in faces))


def _reject_all(uow: UnitOfWork, faces: Sequence[Face], person_id: int | None) -> None:
    if person_id is None:
        raise RuleViolation("name the person_id of whom the faces are not", "person_id")
    person, behind = live_person(uow, person_id), uow.persons.behind(person_id)
    events: list[Event] = []
    refused = 0
    for face in faces:
        taken = [FaceUnassigned(face.id, face.person_id)] if face.person_id in behind and face.person_id else []
        is_news = person_id not in uow.faces.rejected(face.id)
        events += [*taken, *([FaceRejected(face.id, person_id)] if is_news else [])]
        refused += bool(taken) or is_news
    if events:
        are = "is" if refused == 1 else "are"
        uow.begin("face.batch", f"said that {faces_in_words(refused)} {are} not {person.name}")
        uow.append(*events)


def _change_all(uow: UnitOfWork, faces: Sequence[Face], action: str) -> None:
    changes: dict[str, tuple[str, list[Event]]] = {
        "unassign": ("unassigned {}", [FaceUnassigned(f.id, f.person_id) for f in faces if f.person_id is not None]),
        "delete": ("deleted {}", [FaceDeleted(f.id) for f in faces]),
        "ignore": ("put {} aside as strangers'", [FaceIgnored(f.id) for f in faces if not f.ignored]),
        "notice": ("took {} back from the strangers", [FaceNoticed(f.id) for f in faces if f.ignored]),
    }
    if action not in changes:
        raise RuleViolation(f"an action is assign, reject, {', '.join(changes)}; {action!r} is none", "action")
    done, events = changes[action]
    if events:
        uow.begin("face.batch", done.format(faces_in_words(len(events))))
        uow.append(*events)


def _assignment(uow: UnitOfWork, face: Face, person_id: int | None) -> tuple[list[Event], list[str]]:
    if person_id is None:
        if face.person_id is None:
            return [], []
        was = uow.persons.get(face.person_id)
        return [FaceUnassigned(face.id, face.person_id)], [f"unassigned a face of {was.name if was else 'nobody'}"]
    person = live_person(uow, person_id)
    if face.person_id == person_id:
        return [], []
    return [FaceAssigned(face.id, person_id, BY_USER, face.person_id)], [f"assigned a face to {person.name}"]


def _moved(uow: UnitOfWork, face: Face, box: Box, changes: FaceChanges) -> FaceMoved:
    model, embedding_id, quality = _attached(uow, face.content_hash, changes.embedding, changes.model_version)
    return FaceMoved(
        face.id,
        box,
        was=face.box,
        model_version=model,
        embedding_id=embedding_id,
        was_embedding_id=face.embedding_id,
        was_model_version=face.model_version,
        quality=quality,
    )


def _attached(
    uow: UnitOfWork, content_hash: bytes, embedding: Embedding | None, model_version: str
) -> tuple[str, int | None, FaceQuality | None]:
    """The model version to record of a face, the id of its attached embedding and its quality, None where
    `model_version` could not use the crop. On a photo that the model has not looked at yet the face waits for that look
    with all the others: with a face of this model on it the photo would count as looked at."""
    model = model_version if embedding is None else embedding.model_version
    if not uow.faces.has_rows(content_hash, model):
        return PENDING, None, None
    return (model, None, None) if embedding is None else (model, uow.attach([embedding])[0], embedding.quality)
