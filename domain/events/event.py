"""What an event is, and under which name it is stored.

Owns the registry of stored names: `FaceAssigned:1` is a fact's name and the version of its fields. Moving or renaming a
class changes nothing that is stored. When fields change, the version rises and an upcaster, kept beside the class,
lifts the payloads of the old version; nothing in the log is ever rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

import msgspec

Payload = dict[str, Any]
Upcaster = Callable[[Payload], Payload]


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """A past-tense fact. `stream` names the thing it is about, such as `person-12`."""

    topic: ClassVar[str]
    subject: ClassVar[str]
    key: ClassVar[str]
    opens: ClassVar[bool]
    private: ClassVar[bool]

    @property
    def stream(self) -> str:
        """The name of the sequence that this fact belongs to: `<subject>-<key>`, bytes in hexadecimal."""
        key = getattr(self, self.key)
        return f"{self.subject}-{key.hex() if isinstance(key, bytes) else key}"

    def touches(self) -> tuple[tuple[str, int], ...]:
        """The persons, faces and tags whose rows this fact may change, as (`person` | `face` | `tag`, id)."""
        key = getattr(self, self.key)
        return ((self.subject, key),) if isinstance(key, int) else ()


class Recorded(msgspec.Struct, frozen=True):
    """An event as the log holds it.

    `position` is the total order from 1 without gaps; `version` the place in the stream from 1; `recorded_at`
    microseconds since 1970 UTC; `causation` the position of the event that this one answers, where a policy acted.
    """

    position: int
    stream: str
    version: int
    event: Event
    recorded_at: int
    actor: str
    operation_id: int
    causation: int | None = None


_CLASSES: dict[str, type[Event]] = {}
_UPCASTERS: dict[str, tuple[type[Event], Upcaster]] = {}
EventClass = TypeVar("EventClass", bound=type[Event])


def recorded_as(
    name: str,
    subject: str,
    key: str,
    *,
    version: int = 1,
    opens: bool = False,
    private: bool = False,
    upcasts: Mapping[int, Upcaster] | None = None,
) -> Callable[[EventClass], EventClass]:
    """Register an event class under its stored name.

    `opens` says that the event is always the first of its stream (its id was just taken from the counter), `private`
    that it never leaves through the event feed, `upcasts` maps each older version to a function that lifts its payload
    to today's fields.

    Raises:
        ValueError: the stored name is taken, which would make the log ambiguous.
    """

    def register(cls: EventClass) -> EventClass:
        topic = f"{name}:{version}"
        if topic in _CLASSES:
            raise ValueError(f"the stored name {topic} belongs to {_CLASSES[topic].__name__} already")
        cls.topic, cls.subject, cls.key, cls.opens, cls.private = topic, subject, key, opens, private
        _CLASSES[topic] = cls
        for old, upcast in (upcasts or {}).items():
            _UPCASTERS[f"{name}:{old}"] = (cls, upcast)
        return cls

    return register


def class_of(topic: str) -> tuple[type[Event], Upcaster | None]:
    """The class that a stored name decodes to, and the upcaster for its payload where the version is an old one.

    Raises:
        LookupError: no class is registered under that name: the log was written by a newer imageapi.
    """
    known = _CLASSES.get(topic)
    if known is not None:
        return known, None
    if topic in _UPCASTERS:
        return _UPCASTERS[topic]
    raise LookupError(f"the log holds {topic!r}, which this version does not know: update imageapi")


def topics() -> Mapping[str, type[Event]]:
    """Every current stored name with its class, for the codec, the golden files and the docs."""
    return dict(_CLASSES)


def stored_names(current: Iterable[str]) -> tuple[str, ...]:
    """These current stored names, each with those under which the log holds older versions of the same fact."""
    wanted = dict.fromkeys(current)
    older = [name for name, (cls, _) in _UPCASTERS.items() if cls.topic in wanted]
    return (*wanted, *older)
