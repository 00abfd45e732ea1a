"""Adds golden files for topics that have none: `python -m tests.golden.add`. What is there is never written again.

`events` holds each topic with every field set, `least` with nothing but the fields that it must have.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from adapters.store.log import MsgpackTranscoder
from domain.events.event import Event, topics
from tests.golden.examples import examples, least_of

FOLDER = Path(__file__).resolve().parent / "events"
LEAST = FOLDER.parent / "least"


class Golden(msgspec.Struct):
    """What the log held at the time: the payload in hexadecimal, and what it meant."""

    topic: str
    payload: str
    fields: dict[str, object]


def file_of(topic: str, folder: Path = FOLDER) -> Path:
    """Where a golden file of a topic lies."""
    return folder / f"{topic.replace(':', '.')}.json"


def told(event: msgspec.Struct) -> dict[str, object]:
    """Every field of an event, those with their defaults too, as JSON can hold it."""
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return {
        name: told(value) if isinstance(value, msgspec.Struct) else msgspec.to_builtins(value)
        for name, value in fields.items()
    }


def main() -> None:
    """Write what is missing."""
    for topic, event in examples().items():
        _add(file_of(topic), event, msgspec.to_builtins(event))
    for topic, cls in sorted(topics().items()):
        least = least_of(cls)
        _add(file_of(topic, LEAST), least, told(least))


def _add(file: Path, event: Event, fields: dict[str, object]) -> None:
    if file.exists():
        return
    golden = Golden(event.topic, MsgpackTranscoder().encode(event).hex(), fields)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(golden), indent=1) + b"\n")
    print(f"added {file.parent.name}/{file.name}")  # noqa: T201 - it talks to whoever runs it


if __name__ == "__main__":
    main()
