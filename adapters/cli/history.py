"""`imageapi history`: what happened to a person, a face or a photo, newest first, and why a face is whose."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from adapters.cli.application import ApplicationParts
from adapters.cli.libraries import library_named
from domain.base.actor import CLI
from domain.base.errors import NotFound
from domain.base.paths import shown
from domain.events.event import Recorded
from domain.events.face import DELETED, WITHDRAWN, Face
from domain.events.media import Media
from domain.events.operation import Operation
from projections.queries.history import FaceAssignmentReason, everyone_behind, found_by, reasons, streams_of_photo
from projections.queries.reading import Lookups

MOST_EVENTS: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def person(application: ApplicationParts, words: argparse.Namespace) -> int:
    """What was done with a person, and with everyone merged into it; deleted and merged persons too."""
    with application.ledger.reading(CLI) as tables:
        found = tables.persons.get(words.id)
        if found is None:
            raise NotFound(f"there is no person {words.id}")
        now = None if found.canonical_id is None else tables.persons.get(found.canonical_id)
        behind = everyone_behind(tables, words.id)
        rows = tables.operations.latest(words.limit + 1, persons=behind)
    became = "deleted" if now is None else "" if now.id == found.id else f"merged into {now.name} (person {now.id})"
    print(shown(f"person {found.id}, {found.name}" + (f": {became}" if became else "")))
    _print(rows, words.limit)
    return 0


def face(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Why a face is whose: engine, rule, similarity against threshold, and what superseded it; then what was done."""
    stream = f"face-{words.id}"
    events = list(reversed(application.ledger.history([stream], MOST_EVENTS)))
    ids = application.ledger.operations_on([stream], words.limit + 1)
    with application.ledger.reading(CLI) as tables:
        found = tables.faces.get(words.id)
        if found is None:
            raise NotFound(f"there is no face {words.id}")
        lines = _about(tables, found, events)
        rows = tables.operations.these(ids)
    for line in lines:
        print(shown(line))
    _print(rows, words.limit)
    return 0


def photo(application: ApplicationParts, words: argparse.Namespace) -> int:
    """What was done with a photo, its copies, the faces on it and its tags; of a file that is missing too."""
    with application.ledger.reading(CLI) as tables:
        media = _photo(tables, words.photo, words.library)
        library = tables.libraries.get(media.library_id)
        streams = streams_of_photo(tables, media)
    ids = application.ledger.operations_on(streams, words.limit + 1)
    with application.ledger.reading(CLI) as tables:
        rows = tables.operations.these(ids)
    where = media.path if library is None else f"{media.path} in {library.name}"
    print(shown(f"photo {media.id}, {where}" + ("" if media.present else ": missing")))
    _print(rows, words.limit)
    return 0


def _photo(tables: Lookups, named: str, library: str | None) -> Media:
    """A file by its path, a present one before a missing one; or by its number, where no library is named.

    Raises:
        NotFound: there is none.
    """
    only = library_named(tables, library)
    media = tables.media.shown_at(named, only)
    within = sorted(tables.visible) if only is None else [only]
    for each in within:
        media = media or tables.media.at_each(each, [named]).get(named)
    if media is None and library is None and named.isascii() and named.isdigit() and len(named) < 16:
        media = tables.media.get(int(named))
    if media is None:
        raise NotFound(f"there is no photo {shown(named)}: name its path within the library, or its number")
    return media


def _about(tables: Lookups, found: Face, events: Sequence[Recorded]) -> list[str]:
    copies = [copy for copy in tables.media.of_contents([found.content_hash]) if copy.library_id in tables.visible]
    copies.sort(key=lambda copy: (not copy.present, copy.library_id, copy.id))
    where = f" on {copies[0].path}" if copies else ""
    gone = {DELETED: ": deleted, said not to be a face", WITHDRAWN: ": withdrawn"}.get(found.status, "")
    lines = [f"face {found.id}{where}, found by {found_by(events)}{gone}"]
    why = [_why(reason) for reason in reasons(tables, events)]
    return lines + (why or ["nobody's so far: it was given no person"])


def _why(reason: FaceAssignmentReason) -> str:
    """A reason as a line: whose, by which rule and engine, by whom and when, and whether it still holds."""
    named = "somebody" if reason.person is None else reason.person.name
    if reason.now is None:
        named += " (since deleted)"
    elif reason.now.id != reason.person_id:
        named += f" (today {reason.now.name})"
    parts = [f"rule {reason.rule}"]
    if reason.model_version is not None:
        parts.append(f"engine {reason.model_version}")
    if reason.similarity is not None:
        parts.append(f"similarity {reason.similarity:.3f}")
    if reason.threshold is not None:
        parts.append(f"threshold {reason.threshold:.3f}")
    parts.append(f"by {reason.actor} at {_time(reason.at)} in operation {reason.operation_id}")
    holds = "superseded" if reason.superseded else "holds"
    return f"{holds}: {named}: {', '.join(parts)}"


def _print(rows: Sequence[Operation], limit: int) -> None:
    """Operations a line each; on standard error, whether there are more."""
    for row in rows[:limit]:
        undone = "" if row.undone_by is None else f" (undone by operation {row.undone_by})"
        print(shown(f"{_time(row.at)}  operation {row.id}  {row.actor}: {row.text}{undone}"))
    if len(rows) > limit:
        print(f"there is more: --limit shows more than {limit}", file=sys.stderr)


def _time(micros: int) -> str:
    """Microseconds since 1970 UTC, to the second."""
    return (_EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%SZ")
