"""What programs say of a photo in XMP: its keywords, and whose faces are where."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from domain.base.geometry import Box
from domain.base.names import name_key
from domain.events.face import DETECTED, MANUAL, Face
from domain.rules.face_pairing import paired


class Region(msgspec.Struct, frozen=True):
    """A face that somebody marked: `box` on the upright picture, `name` as it was written, empty where nobody said."""

    box: Box
    name: str = ""


class Description(msgspec.Struct, frozen=True):
    """The keywords and face regions of one photo."""

    keywords: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()


def described(
    faces: Sequence[Face],
    names: Mapping[int, str],
    decided: Collection[int],
    tags: Sequence[str],
    once: Collection[str],
    other: Description,
) -> Description:
    """What is to be written about a photo, where `other` is what its sidecar says already.

    `faces` are all of its content, deleted ones too, `names` those of the persons by face id, `decided` the faces that
    somebody decided anything about, `tags` its own, `once` the name keys of all that somebody gave it. Said are the
    faces that have a name or were drawn, and the tags. Of the other program's words those stay about which nothing was
    decided here: keywords that were never tags of this photo, regions where no face stands or where one stands that
    nobody said anything of.
    """
    spoken_for = [face for face in faces if face.id in names or face.id in decided]
    ours = [
        Region(face.box, names.get(face.id, ""))
        for face in spoken_for
        if face.status == DETECTED and (face.id in names or face.source == MANUAL)
    ]
    theirs = paired(spoken_for, other.regions, drawn=True).new
    kept = [word for word in other.keywords if name_key(word) not in once]
    words = {name_key(word): word for word in (*kept, *tags)}
    return Description(tuple(words[key] for key in sorted(words)), (*ours, *theirs))
