"""Examples of every event that can be recorded: what the golden files are made from, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from domain.base.face_quality import FaceQuality
from domain.base.geometry import Box
from domain.events.account import UserAdded
from domain.events.api_key import ApiKeyIssued
from domain.events.burst import BurstJoined, BurstLeft
from domain.events.entity import EntityAliased, EntityCreated, EntityRenamed, FactCorrected, FactRecorded
from domain.events.event import Event, topics
from domain.events.face import (
    FaceAssigned,
    FaceDetected,
    FaceDrawn,
    FaceEmbedded,
    FaceFollowed,
    FaceMoved,
    FaceRedetected,
    Why,
)
from domain.events.library import LibraryAdded, LibraryRenamed
from domain.events.media import FileFacts, MediaChanged, MediaDiscovered, MediaMoved
from domain.events.person import PersonCreated, PersonRenamed
from domain.events.stack import StackJoined
from domain.events.summary import SummaryWritten
from domain.events.tag import TagCreated, TagRenamed

HASH = bytes(range(32))
KEYED: Final[tuple[type[Event], ...]] = (
    *(
        ApiKeyIssued,
        BurstJoined,
        BurstLeft,
        StackJoined,
        EntityAliased,
        EntityCreated,
        EntityRenamed,
        FactCorrected,
        FactRecorded,
    ),
    *(LibraryAdded, LibraryRenamed, MediaChanged, MediaDiscovered, MediaMoved, PersonCreated, PersonRenamed),
    *(SummaryWritten, TagCreated, TagRenamed, UserAdded),
)
"""Events whose texts become keys by which names, words or files of a stack are found."""
MEASURED: Final[tuple[type[Event], ...]] = (FaceDetected, FaceRedetected, FaceEmbedded, FaceMoved, FaceFollowed)
"""Events of faces that say how well one is seen."""
Text = Callable[[str, int], str]


def plain(name: str, number: int) -> str:
    """A text that every key leaves as it is."""
    return f"{name} ü {number}"


def spelled(name: str, number: int) -> str:
    """A text that no key leaves as it is: in a folder, with an ending, in capitals of full width, with an accent, with
    white space and with a character that is not seen."""
    return f"{name.title()}/\uff26\uff35\uff2c\uff2c Stra\u00dfe\u200b  \u00d1 {number}.JPG"


def example_of(cls: type[Event], text: Text = plain) -> Event:
    """An event of this class whose fields hold values that can be told apart."""
    return cls(**_full(cls, text))


def cases() -> Mapping[str, Event]:
    """Examples of what else decides about a row, by the names of their files."""
    return {
        **{f"{cls.topic}.keys": example_of(cls, spelled) for cls in KEYED},
        EntityAliased.topic + ".alike": EntityAliased(1, ("b", "\uff22", "a"), ("c",)),
        FaceAssigned.topic + ".by-user": FaceAssigned(1, 2, Why("user")),
        FaceEmbedded.topic + ".whole": example_of(FaceEmbedded),
        **{f"{cls.topic}.measured": example_of(cls) for cls in MEASURED},
        FaceDrawn.topic + ".from-the-front-or-not": FaceDrawn(
            1, HASH, Box(0.1, 0.2, 0.3, 0.4), "a", quality=FaceQuality(0.25, 30.0)
        ),
        MediaDiscovered.topic + ".raw": _discovered("a.arw", FileFacts(1, 2, "photo", "arw", 3, 4)),
        MediaDiscovered.topic + ".raw-without-picture": _discovered("b.nef", FileFacts(1, 2, "photo", "nef")),
        MediaDiscovered.topic + ".live": _discovered("c/d.mov", FileFacts(1, 2, "video", "mov", duration=5.0)),
        MediaDiscovered.topic + ".clip": _discovered("c/e.mov", FileFacts(1, 2, "video", "mov", duration=5.1)),
        MediaDiscovered.topic + ".unmeasured": _discovered("c/f.mov", FileFacts(1, 2, "video", "mov")),
    }


def _discovered(path: str, facts: FileFacts) -> MediaDiscovered:
    return MediaDiscovered(media_id=1, library_id=2, path=path, content_hash=HASH, facts=facts)


def least_of(cls: type[Event]) -> Event:
    """An event of this class with nothing but what it must say, so that its other fields are left to their defaults."""
    return cls(**_required(cls))


def _required(cls: type[msgspec.Struct]) -> dict[str, Any]:
    fields = [*enumerate(msgspec.structs.fields(cls), start=1)]
    return {f.name: _value(f.type, f.name, number, plain, least=True) for number, f in fields if f.required}


def _full(cls: type[msgspec.Struct], text: Text) -> dict[str, Any]:
    fields = enumerate(msgspec.structs.fields(cls), start=1)
    return {f.name: _value(f.type, f.name, number, text) for number, f in fields}


def _value(kind: Any, name: str, number: int, text: Text, *, least: bool = False) -> Any:
    info = msgspec.inspect.type_info(kind)
    if isinstance(info, msgspec.inspect.UnionType):
        info = next(option for option in info.types if not isinstance(option, msgspec.inspect.NoneType))
    if isinstance(info, msgspec.inspect.StructType):
        return info.cls(**(_required(info.cls) if least else _full(info.cls, text)))
    if isinstance(info, msgspec.inspect.VarTupleType):
        if isinstance(info.item_type, msgspec.inspect.StructType):
            return (_value(info.item_type.cls, name, number, text, least=least),)
        is_text = isinstance(info.item_type, msgspec.inspect.StrType)
        return (text(name, number),) if is_text else (number, number + 1)
    if isinstance(info, msgspec.inspect.BytesType):
        return HASH
    values = {msgspec.inspect.FloatType: number / 8, msgspec.inspect.IntType: number, msgspec.inspect.BoolType: True}
    return values.get(type(info), text(name, number))


def examples() -> dict[str, Event]:
    """An example of every current topic."""
    return {topic: example_of(cls) for topic, cls in sorted(topics().items())}
