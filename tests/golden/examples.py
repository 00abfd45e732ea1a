"""Two examples of every event that can be recorded, with every field set and with as few as can be: what the golden
files are made from, once."""

from __future__ import annotations

from typing import Any

import msgspec

from domain.events.event import Event, topics

HASH = bytes(range(32))
_VALUES: dict[str, Any] = {"content_hash": HASH, "was_hash": HASH}


def example_of(cls: type[Event]) -> Event:
    """An event of this class whose fields hold values that can be told apart."""
    return cls(**_full(cls))


def least_of(cls: type[Event]) -> Event:
    """An event of this class with nothing but what it must say, so that its other fields are left to their defaults."""
    return cls(**_required(cls))


def _required(cls: type[msgspec.Struct]) -> dict[str, Any]:
    fields = [*enumerate(msgspec.structs.fields(cls), start=1)]
    return {f.name: _value(f.type, f.name, number, least=True) for number, f in fields if f.required}


def _full(cls: type[msgspec.Struct]) -> dict[str, Any]:
    return {f.name: _value(f.type, f.name, number) for number, f in enumerate(msgspec.structs.fields(cls), start=1)}


def _value(kind: Any, name: str, number: int, *, least: bool = False) -> Any:
    info = msgspec.inspect.type_info(kind)
    if isinstance(info, msgspec.inspect.UnionType):
        info = next(option for option in info.types if not isinstance(option, msgspec.inspect.NoneType))
    if isinstance(info, msgspec.inspect.StructType):
        return info.cls(**(_required(info.cls) if least else _full(info.cls)))
    if isinstance(info, msgspec.inspect.VarTupleType):
        if isinstance(info.item_type, msgspec.inspect.StructType):
            return (_value(info.item_type.cls, name, number, least=least),)
        is_text = isinstance(info.item_type, msgspec.inspect.StrType)
        return (f"{name} ü {number}",) if is_text else (number, number + 1)
    if isinstance(info, msgspec.inspect.BytesType):
        return HASH
    plain = {msgspec.inspect.FloatType: number / 8, msgspec.inspect.IntType: number, msgspec.inspect.BoolType: True}
    return plain.get(type(info), f"{name} ü {number}")


def examples() -> dict[str, Event]:
    """An example of every current topic."""
    return {topic: example_of(cls) for topic, cls in sorted(topics().items())}
