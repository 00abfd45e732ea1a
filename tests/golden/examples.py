"""One example of every event that can be recorded, with every field set: what the golden files are made from, once."""

from __future__ import annotations

from typing import Any

import msgspec

from domain.event import Event, topics

HASH = bytes(range(32))
_VALUES: dict[str, Any] = {"content_hash": HASH, "was_hash": HASH}


def example_of(cls: type[Event]) -> Event:
    """An event of this class whose fields hold values that can be told apart."""
    fields = msgspec.structs.fields(cls)
    return cls(**{field.name: _value(field.type, field.name, number) for number, field in enumerate(fields, start=1)})


def _value(kind: Any, name: str, number: int) -> Any:
    info = msgspec.inspect.type_info(kind)
    if isinstance(info, msgspec.inspect.UnionType):
        info = next(option for option in info.types if not isinstance(option, msgspec.inspect.NoneType))
    if isinstance(info, msgspec.inspect.StructType):
        return info.cls(
            **{f.name: _value(f.type, f.name, n) for n, f in enumerate(msgspec.structs.fields(info.cls), start=1)}
        )
    if isinstance(info, msgspec.inspect.VarTupleType):
        return (number, number + 1)
    if isinstance(info, msgspec.inspect.BytesType):
        return HASH
    if isinstance(info, msgspec.inspect.BoolType):
        return True
    if isinstance(info, msgspec.inspect.FloatType):
        return number / 8
    return number if isinstance(info, msgspec.inspect.IntType) else f"{name} ü {number}"


def examples() -> dict[str, Event]:
    """An example of every current topic."""
    return {topic: example_of(cls) for topic, cls in sorted(topics().items())}
