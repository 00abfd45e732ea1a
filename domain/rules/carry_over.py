"""What a person decided about the faces of a photo outlives a rewrite of its file.

When a content is looked at for the first time that took the place of another (`domain.rules.succession`), the faces of
the older one are found on it again: where they lie by what is known of how the one picture shows the other, by their
likeness, and else where they lie once the picture is turned. What was decided about them goes along. Where no file
holds the older content any more, the faces themselves do, with their ids; where one does, its faces stay, and what was
decided is repeated of the new ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from domain.base.geometry import Box, Placement
from domain.events.erasure import FaceErased
from domain.events.event import Event
from domain.events.face import (
    AUTO,
    DELETED,
    DETECTED,
    MANUAL,
    Face,
    FaceAssigned,
    FaceCarried,
    FaceConfirmed,
    FaceDeleted,
    FaceFollowed,
    FaceIgnored,
    FaceRejected,
    Why,
)
from domain.ports.face_engine import DetectedFace, Resemblance
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.face_pairing import is_same_face, paired
from domain.rules.succession import Predecessor, predecessors

CARRIED: Final = Why("carried")
TURNS: Final = (Placement(), Placement(orientation=6), Placement(orientation=3), Placement(orientation=8))
"""How a picture may be turned where nothing tells how it is: not at all, and by 90, 180 and 270 degrees."""


class Look(msgspec.Struct, frozen=True):
    """What a model found on a content that it had not seen: `found` where none stands, and the vectors of those faces
    that stand there already and that it `saw`, by their ids. `resemblance` compares two faces."""

    model_version: str
    found: Sequence[DetectedFace]
    saw: Mapping[int, bytes]
    resemblance: Resemblance


class Placed(msgspec.Struct, frozen=True):
    """A face of an older content and where it lies on the newer one: in `box`, where the model `found` it or not, or as
    the face `stands` that somebody drew there."""

    face: Face
    box: Box
    found: DetectedFace | None = None
    stands: Face | None = None


class Carrying(msgspec.Struct, frozen=True):
    """What a content takes over from its predecessors: the `placed` faces, the decided ones that are `unmatched`, and
    the `predecessors` that are the same picture. `erased` are found faces that an erasure took from one of them."""

    placed: tuple[Placed, ...] = ()
    unmatched: tuple[Face, ...] = ()
    predecessors: tuple[Predecessor, ...] = ()
    erased: tuple[DetectedFace, ...] = ()


def is_first_look(standing: Sequence[Face]) -> bool:
    """Whether no engine found any of the faces that stand on a content: whoever drew on it looked at it by himself."""
    return all(face.source != AUTO for face in standing)


def carrying(uow: UnitOfWork, content_hash: bytes, standing: Sequence[Face], look: Look) -> Carrying:
    """What goes along to a content at its first look, on which `standing` faces were drawn before."""
    whole = Carrying()
    found = list(look.found)
    for chain in predecessors(uow, content_hash):
        one = _from_chain(uow, content_hash, standing, chain, msgspec.structs.replace(look, found=found))
        taken = {id(placed.found) for placed in one.placed} | {id(face) for face in one.erased}
        found = [face for face in found if id(face) not in taken]
        whole = Carrying(
            whole.placed + one.placed,
            whole.unmatched + one.unmatched,
            whole.predecessors + one.predecessors,
            whole.erased + one.erased,
        )
    return whole


def _from_chain(
    uow: UnitOfWork, content_hash: bytes, standing: Sequence[Face], chain: Sequence[Predecessor], look: Look
) -> Carrying:
    old: list[_Old] = []
    links: list[Predecessor] = []
    for predecessor in chain:
        faces = uow.faces.on_content(predecessor.content_hash)
        for face in faces:
            box = predecessor.place(face.box)
            if box is None or not any(later.box and is_same_face(_at(later.face, later.box), box) for later in old):
                old.append(_Old(face, predecessor, box))
        links.append(predecessor)
        if not is_first_look(faces):
            break
    erased = [one for one in old if _was_erased(uow, one.face)]
    gone = tuple(box for _, box in paired(_mapped(erased), look.found).same)
    look = msgspec.structs.replace(look, found=[face for face in look.found if face not in gone])
    old = [one for one in old if not _was_erased(uow, one.face) and not _was_carried(uow, one.face, content_hash)]
    placed, missed = _places(uow, old, standing, look)
    is_same = bool(placed) or any(link.same is not None for link in links)
    unmatched = tuple(one.face for one in missed if one.face.status == DETECTED and _is_named(one.face))
    return Carrying(tuple(placed), unmatched, tuple(links) if is_same else (), gone)


class _Old(msgspec.Struct, frozen=True):
    """A face of an older content, and the box in which it lies on the newer one as far as that is known."""

    face: Face
    predecessor: Predecessor
    box: Box | None

    @property
    def is_sure(self) -> bool:
        """Whether it is known to lie there, whatever a model finds."""
        return self.predecessor.same is not None and self.predecessor.placements is not None and self.box is not None


def _mapped(old: Sequence[_Old], turn: Placement | None = None) -> list[Face]:
    """The faces as they lie on the newer content, further turned where asked; without those that are not on it."""
    faces = []
    for one in old:
        box = one.box if turn is None or one.box is None else turn.of(one.box)
        if box is not None:
            faces.append(_at(one.face, box))
    return faces


def _at(face: Face, box: Box) -> Face:
    """A face as it lies elsewhere."""
    return msgspec.structs.replace(face, box=box)


def _places(
    uow: UnitOfWork, old: Sequence[_Old], standing: Sequence[Face], look: Look
) -> tuple[list[Placed], list[_Old]]:
    """Where the old faces are, one to one, and those that are nowhere."""
    vectors = _vectors(uow, [one.face for one in old], look.model_version)
    pairs, turn = _by_place(old, look, vectors, Placement()), Placement()
    if not pairs and not any(one.is_sure for one in old):
        turns = [(turn, _by_place(old, look, vectors, turn)) for turn in TURNS]
        turn, pairs = max(turns, key=lambda turned: len(turned[1]))
    is_known = bool(pairs)
    pairs |= _by_likeness(old, look, vectors, pairs)
    placed, left = [], []
    for one in old:
        box = one.box if one.box is None else turn.of(one.box)
        found = pairs.get(one.face.id)
        stands = None if found is not None else _drawn_there(one.face, box, standing, look, vectors)
        if found is not None:
            placed.append(Placed(one.face, _kept(one.face, box, found), found))
        elif stands is not None:
            is_known = True
            placed.append(Placed(one.face, stands.box, stands=stands))
        else:
            left.append((one, box))
    taken = [face.box for face in standing] + [each.box for each in placed]
    missed = []
    for one, box in left:
        is_there = one.is_sure and is_decided(one.face)
        is_there = is_there or (is_known and one.face.source == MANUAL)
        if box is None or not is_there or any(is_same_face(_at(one.face, box), other) for other in taken):
            missed.append(one)
        else:
            placed.append(Placed(one.face, box))
    return placed, missed


def _kept(face: Face, box: Box | None, found: DetectedFace) -> Box:
    """The box of a face that was found: a person's own where it lies there."""
    is_there = box is not None and is_same_face(_at(face, box), found.box)
    return box if box is not None and is_there and face.source == MANUAL else found.box


def _by_place(
    old: Sequence[_Old], look: Look, vectors: Mapping[int, bytes], turn: Placement
) -> dict[int, DetectedFace]:
    """What was found where the old faces lie and may be they, by the ids of these: what is known to lie there is they,
    however a turn changed their vectors."""
    sure = {one.face.id for one in old if one.is_sure}
    return {
        face.id: found
        for face, found in paired(_mapped(old, turn), look.found).same
        if face.id in sure or _may_be(face, found.vector, look, vectors)
    }


def _by_likeness(
    old: Sequence[_Old], look: Look, vectors: Mapping[int, bytes], pairs: Mapping[int, DetectedFace]
) -> dict[int, DetectedFace]:
    """What was found elsewhere and is surely one of the other old faces, the likest first, by the ids of these."""
    free = [face for face in look.found if all(face is not found for found in pairs.values())]
    likenesses = sorted(
        (
            (look.resemblance.likeness(vectors[one.face.id], [face.vector]), -one.face.id, -place)
            for one in old
            if one.face.id in vectors and one.face.id not in pairs
            for place, face in enumerate(free)
        ),
        reverse=True,
    )
    found: dict[int, DetectedFace] = {}
    for likeness, negative_id, negative_place in likenesses:
        face = free[-negative_place]
        if likeness >= look.resemblance.sure and -negative_id not in found and face not in found.values():
            found[-negative_id] = face
    return found


def _drawn_there(
    face: Face, box: Box | None, standing: Sequence[Face], look: Look, vectors: Mapping[int, bytes]
) -> Face | None:
    """The face that somebody drew where an old one lies, and that may be it."""
    if box is None:
        return None
    pairing = paired([_at(face, box)], standing, drawn=True)
    there = [stands for _, stands in pairing.same if _may_be(face, look.saw.get(stands.id), look, vectors)]
    return there[0] if there else None


def _may_be(face: Face, vector: bytes | None, look: Look, vectors: Mapping[int, bytes]) -> bool:
    """Whether an old face may be the one with this vector; where either has none of this model its place tells."""
    return face.id not in vectors or vector is None or look.resemblance.is_possible(vectors[face.id], vector)


def _vectors(uow: UnitOfWork, faces: Sequence[Face], model_version: str) -> dict[int, bytes]:
    """The vectors of this model, by the ids of those faces that have one."""
    known = {face.id: face.embedding_id for face in faces if face.model_version == model_version and face.embedding_id}
    vectors = uow.faces.vectors(known.values())
    return {face_id: vectors[embedding_id] for face_id, embedding_id in known.items()}


def is_decided(face: Face) -> bool:
    """Whether anybody, or a rule, decided about a face."""
    return face.touched or face.person_id is not None


def _is_named(face: Face) -> bool:
    """Whether somebody would look for a face: it has a name, or a person drew it."""
    return face.person_id is not None or face.source == MANUAL


def is_bare(uow: UnitOfWork, face: Face) -> bool:
    """Whether nothing was said about a face but that it is one."""
    said = face.person_id is not None or face.ignored or bool(uow.faces.rejections(face.id))
    return face.status == DETECTED and not said


def repeated(uow: UnitOfWork, face: Face, heir: int) -> list[Event]:
    """What was decided about a face, said of its heir."""
    events: list[Event] = []
    if face.person_id is not None:
        events.append(FaceAssigned(heir, face.person_id, CARRIED))
    if face.ignored:
        events.append(FaceIgnored(heir))
    events += [FaceRejected(heir, person_id) for person_id in sorted(uow.faces.rejections(face.id))]
    events += [FaceConfirmed(heir, person_id) for person_id in sorted(uow.faces.confirmations(face.id))]
    if face.status == DELETED:
        events.append(FaceDeleted(heir))
    return [*events, FaceCarried(face.id, heir)]


def _was_carried(uow: UnitOfWork, face: Face, content_hash: bytes) -> bool:
    """Whether a face went to a content already, or has an heir there, from an earlier look: somebody took that back."""
    events = [recorded.event for recorded in uow.later_in(f"face-{face.id}", 0)]
    if any(isinstance(event, FaceFollowed) and event.content_hash == content_hash for event in events):
        return True
    heirs = [uow.faces.get(event.heir) for event in events if isinstance(event, FaceCarried)]
    return any(heir is not None and heir.content_hash == content_hash for heir in heirs)


def _was_erased(uow: UnitOfWork, face: Face) -> bool:
    if face.status != DELETED or face.embedding_id is not None:
        return False
    return isinstance(uow.later_in(f"face-{face.id}", 0)[0].event, FaceErased)
