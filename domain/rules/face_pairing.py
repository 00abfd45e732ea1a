"""Which boxes, found by an engine or told by another program, are faces that stand already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from domain.base.geometry import Box, intersection_over_union
from domain.events.face import AUTO, SAME_FACE_IOU, Face

DRAWN_FACE_IOU: Final = 0.25
"""A person draws a head where an engine finds what lies between brow and chin: a box of 1.6 times the side, say, around
the same middle has an overlap of 0.39. Neighbours who touch stay below it."""


class Boxed(Protocol):
    """Anything that lies somewhere on a picture."""

    @property
    def box(self) -> Box:
        """Where."""


Other = TypeVar("Other", bound=Boxed)


class Pairing(msgspec.Struct, Generic[Other], frozen=True):
    """How boxes meet the faces that stand: `same` pairs of old and found, `new` without an old one, `gone` old ones not
    found."""

    same: tuple[tuple[Face, Other], ...]
    new: tuple[Other, ...]
    gone: tuple[Face, ...]


def is_same_face(face: Face, box: Box, *, drawn: bool = False) -> bool:
    """Whether a box shows a face that stands: they overlap by more than `SAME_FACE_IOU`, or `DRAWN_FACE_IOU` where a
    person drew either (`drawn` says so of the box)."""
    least = DRAWN_FACE_IOU if drawn or face.source != AUTO else SAME_FACE_IOU
    return intersection_over_union(face.box, box) > least


def paired(
    old: Sequence[Face], found: Sequence[Other], *, drawn: bool = False, model_version: str | None = None
) -> Pairing[Other]:
    """Pair old faces and boxes that show the same one, the best overlap first, one to one. `drawn` says that a person
    drew the boxes; `model_version` which model found them: what another one found need overlap no more than what was
    drawn."""
    overlaps = sorted(
        (
            (intersection_over_union(face.box, box.box), -face.id, -place)
            for face in old
            for place, box in enumerate(found)
            if is_same_face(face, box.box, drawn=drawn or face.model_version != (model_version or face.model_version))
        ),
        reverse=True,
    )
    by_id = {face.id: face for face in old}
    partner: dict[int, int] = {}
    for _, negative_id, negative_place in overlaps:
        if -negative_id not in partner and -negative_place not in partner.values():
            partner[-negative_id] = -negative_place
    taken = set(partner.values())
    return Pairing(
        tuple((by_id[id_], found[place]) for id_, place in sorted(partner.items())),
        tuple(box for place, box in enumerate(found) if place not in taken),
        tuple(face for face in old if face.id not in partner),
    )
