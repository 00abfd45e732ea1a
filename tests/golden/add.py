"""Adds golden files for topics that have none: `python -m tests.golden.add`. What is there is never written again."""

from __future__ import annotations

from pathlib import Path

import msgspec

from adapters.store.log import MsgpackTranscoder
from tests.golden.examples import examples

FOLDER = Path(__file__).resolve().parent / "events"


class Golden(msgspec.Struct):
    """What the log held at the time: the payload in hexadecimal, and what it meant."""

    topic: str
    payload: str
    fields: dict[str, object]


def file_of(topic: str) -> Path:
    """Where the golden file of a topic lies."""
    return FOLDER / f"{topic.replace(':', '.')}.json"


def main() -> None:
    """Write what is missing."""
    FOLDER.mkdir(exist_ok=True)
    for topic, event in examples().items():
        if not file_of(topic).exists():
            payload = MsgpackTranscoder().encode(event).hex()
            golden = Golden(topic, payload, msgspec.to_builtins(event))
            file_of(topic).write_bytes(msgspec.json.format(msgspec.json.encode(golden), indent=1) + b"\n")
            print(f"added {file_of(topic).name}")  # noqa: T201 - it talks to whoever runs it


if __name__ == "__main__":
    main()
