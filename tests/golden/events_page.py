"""Writes what the documents say of every event, from the classes themselves: `python -m tests.golden.events_page`.

That is `docs/events.md` as a whole and the table at the end of `docs/architecture.md`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import msgspec

from domain.events.event import Event, topics
from projections.tables.schema import ReadTables

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "events.md"
ARCHITECTURE = DOCS / "architecture.md"
MARK = "[Events](events.md) says it for every event. From the table's side:\n\n"
HEAD = """\
# Events

Every fact that the log can hold, by what it is about. This page is made from the classes in `domain/events/`
(`python -m tests.golden.events_page`), and a test holds it to them.

The *stored name* is the event's name and the version of its fields; what is stored under it never changes.
*Stream* names the thing that the event is about: `person-12` has everything that happened to person 12, in order.
*Moves* says which read tables it changes. A field with `= …` may be left out of what is stored. **private** events
never leave through the feed. An `embedding_id` names an attachment: a vector that is kept beside the events
([export](export.md) tells its two forms).
"""


def page() -> str:
    """The whole page as Markdown."""
    moved = tables_moved()
    by_subject = sorted(topics().values(), key=attrgetter("subject", "__module__"))
    parts = [HEAD]
    for subject, classes in groupby(by_subject, key=attrgetter("subject")):
        parts.append(f"## {subject}\n")
        parts += (section(cls, moved.get(cls, [])) for cls in classes)
    return "\n".join(parts)


def tables_moved() -> dict[type[Event], list[str]]:
    """The read tables that each event changes, in the order in which they are written."""
    moved: dict[type[Event], list[str]] = {}
    for projection in ReadTables(0).projections:
        for event in projection.writes:
            moved.setdefault(event, []).append(projection.table.name.removesuffix("_0"))
    return moved


def section(cls: type[Event], tables: list[str]) -> str:
    """What there is to know of one event."""
    where = f"`{cls.__module__.replace('.', '/')}.py`"
    marks = [f"stream `{cls.subject}-<{cls.key}>`", f"moves {', '.join(f'`{name}`' for name in tables) or 'no table'}"]
    marks += ["**private**"] if cls.private else []
    head = f"### {cls.topic}\n\n{inspect.cleandoc(cls.__doc__ or '')}\n\n{where}; {'; '.join(marks)}.\n"
    return head + "\n" + "\n".join(fields_of(cls)) + "\n"


def fields_of(cls: type[msgspec.Struct]) -> Iterator[str]:
    """One line a field: its name, its type as the class says it, and its default."""
    annotations = {
        name: text for base in reversed(cls.__mro__) for name, text in vars(base).get("__annotations__", {}).items()
    }
    for field in msgspec.structs.fields(cls):
        default = (
            "" if field.required else f" = {field.default!r}" if field.default is not msgspec.NODEFAULT else " = …"
        )
        yield f"- `{field.name}: {annotations[field.name]}{default}`"


def architecture() -> str:
    """The page of the architecture with its table of what moves each read table."""
    text = ARCHITECTURE.read_text()
    before = text[: text.index(MARK) + len(MARK)]
    moves: dict[str, list[str]] = {
        projection.table.name.removesuffix("_0"): [] for projection in ReadTables(0).projections
    }
    for event, tables in tables_moved().items():
        for table in tables:
            moves[table].append(event.topic.partition(":")[0])
    rows = (f"| `{name}` | {', '.join(sorted(events)) or 'triggers on the others'} |" for name, events in moves.items())
    return before + "\n".join(["| table | moved by |", "| --- | --- |", *rows]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    ARCHITECTURE.write_text(architecture())
