"""Which of the boxes that an engine found are faces that stand already."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.faces import SAME_FACE_IOU, Face
from domain.geometry import intersection_over_union
from domain.ports import DetectedFace


class Pairing(msgspec.Struct, frozen=True):
    """How a detection meets what stands: `same` pairs of old and found, `new` without an old one, `gone` old ones not
    found."""

    same: tuple[tuple[Face, DetectedFace], ...]
    new: tuple[DetectedFace, ...]
    gone: tuple[Face, ...]


def paired(old: Sequence[Face], found: Sequence[DetectedFace]) -> Pairing:
    """Pair old and found boxes, the best overlap first, one to one, where they overlap by more than `SAME_FACE_IOU`."""
    overlaps = sorted(
        (
            (intersection_over_union(face.box, box.box), -face.id, -place)
            for face in old
            for place, box in enumerate(found)
        ),
        reverse=True,
    )
    by_id = {face.id: face for face in old}
    partner: dict[int, int] = {}
    for overlap, negative_id, negative_place in overlaps:
        if overlap <= SAME_FACE_IOU:
            break
        if -negative_id not in partner and -negative_place not in partner.values():
            partner[-negative_id] = -negative_place
    taken = set(partner.values())
    return Pairing(
        tuple((by_id[id_], found[place]) for id_, place in sorted(partner.items())),
        tuple(box for place, box in enumerate(found) if place not in taken),
        tuple(face for face in old if face.id not in partner),
    )
