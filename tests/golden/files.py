"""The golden files: what the log holds of each event, and what it means.

`events` holds each topic with every field set, `least` with nothing but the fields that it must have, `cases` what else
decides about a row. A new topic is added by `python -m tests.golden.add`; a file that is there is never written again.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from adapters.store.log import EventMapper, MsgpackTranscoder
from domain.events.event import Event, topics
from tests.golden.examples import cases, examples, least_of

FOLDER = Path(__file__).resolve().parent / "events"
LEAST = FOLDER.parent / "least"
CASES = FOLDER.parent / "cases"
FOLDERS = (FOLDER, LEAST, CASES)


class Golden(msgspec.Struct):
    """What the log held at the time: the payload in hexadecimal, and what it meant."""

    topic: str
    payload: str
    fields: dict[str, object]


def file_of(topic: str, folder: Path = FOLDER) -> Path:
    """Where a golden file of a topic lies."""
    return folder / f"{topic.replace(':', '.')}.json"


def golden_files() -> list[Path]:
    """Every golden file."""
    return sorted(file for folder in FOLDERS for file in folder.glob("*.json"))


def decoded(file: Path) -> tuple[Golden, Event]:
    """A golden file, and the event that its payload means today."""
    golden = msgspec.json.decode(file.read_bytes(), type=Golden)
    return golden, EventMapper().event_of(golden.topic, bytes.fromhex(golden.payload))


def fields_of(event: msgspec.Struct) -> dict[str, object]:
    """Every field of an event, those with their defaults too, as JSON can hold it."""
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return {
        name: fields_of(value) if isinstance(value, msgspec.Struct) else msgspec.to_builtins(value)
        for name, value in fields.items()
    }


def add_missing() -> None:
    """Write the golden files that are missing."""
    for topic, event in examples().items():
        _add(file_of(topic), event, msgspec.to_builtins(event))
    for topic, cls in sorted(topics().items()):
        least = least_of(cls)
        _add(file_of(topic, LEAST), least, fields_of(least))
    for name, event in cases().items():
        _add(file_of(name, CASES), event, fields_of(event))


def _add(file: Path, event: Event, fields: dict[str, object]) -> None:
    if file.exists():
        return
    golden = Golden(event.topic, MsgpackTranscoder().encode(event).hex(), fields)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(golden), indent=1) + b"\n")
    print(f"added {file.parent.name}/{file.name}")  # noqa: T201 - it talks to whoever runs it
