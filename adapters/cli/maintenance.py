"""Commands that look at, check or mend: status, doctor, config, rebuild, verify, undo."""

from __future__ import annotations

import argparse
import sys

from rich.table import Table

from adapters.cli.application import ApplicationParts
from adapters.cli.doctor import findings, meaning_state
from adapters.cli.libraries import line_of
from adapters.cli.progress import console_on, progress_of
from adapters.face_engines.model_card import face_model
from adapters.settings import FaceEngineChoice
from adapters.store.generations import rebuild as rebuild_tables
from adapters.store.generations import verify as verify_tables
from domain.base.actor import CLI
from domain.base.errors import InTheWay, Unavailable
from domain.undo.operations import undo_or_say_what_is_in_the_way, undo_with_later
from projections.queries.detection_backlog import Waiting


def status(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Libraries, photos, faces and persons in numbers."""
    if not application.ledger.is_ready():
        print("the read tables of this version are not built yet: `imageapi serve` or `imageapi rebuild` builds them")
        return 1
    with application.ledger.reading(CLI) as tables:
        counts = tables.media.counts()
        for library in tables.libraries.shown():
            print(line_of(library, counts.get(library.id, (0, 0, 0))))
        stats = tables.faces.stats(None)
        last = tables.operations.latest(1)
        model = _embedded_model(application)
        again = Waiting(0, 0) if model is None else tables.detection_backlog.counts(model)
    print(f"faces: {stats.faces} on {stats.with_faces} of {stats.photos} photos, {stats.unassigned} nobody's")
    looked_at = f"{stats.scanned} of {stats.photos} photos ({_percent(stats.scanned, stats.photos)} %)"
    print(f"looked for faces: {looked_at}, {stats.no_faces} without, {stats.failed} failed, {stats.pending} to come")
    if again.again:
        print(f"face model changed: {again.again} of these photos are still to be looked at again")
    print(f"persons: {stats.persons}")
    print(f"search by meaning: {meaning_state(application)}")
    print(f"log: {application.ledger.head()} events" + (f", last: {last[0].text} ({last[0].actor})" if last else ""))
    return 0


def _embedded_model(application: ApplicationParts) -> str | None:
    """The model of the engine on this machine; None where it is another's, which may take long to say so, or cannot be
    had."""
    if application.settings.face_engine is not FaceEngineChoice.EMBEDDED:
        return None
    try:
        return face_model(application.settings.face_model).version
    except Unavailable:
        return None


def _percent(part: int, whole: int) -> int:
    """Rounded down, so that 100 says that nothing is left."""
    return 100 * part // whole if whole else 100


def doctor(application: ApplicationParts, words: argparse.Namespace) -> int:
    """What is installed, reachable and missing; 1 where something that is on does not work."""
    failing = []
    for finding in [*findings(application)]:
        print(f"{finding.what}: {finding.found}\n    {finding.adds}")
        if finding.works is False:
            failing.append(finding.what)
    if failing:
        print(f"does not work now: {', '.join(failing)}", file=sys.stderr)
        return 1
    return 0


def config(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Every setting, its value and where it came from."""
    console = console_on(sys.stdout)
    if not console.is_terminal:
        for row in application.settings.rows():
            print(f"{row.name}={row.value}\t{row.origin}")
        return 0
    table = Table("setting", "value", "from", "meaning", box=None, pad_edge=False)
    for row in application.settings.rows():
        table.add_row(row.name, row.value, row.origin, row.meaning)
    console.print(table, markup=False)
    return 0


def rebuild(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Build the read tables anew beside the live ones, then swap."""
    application.settings.make_data_folder()
    with progress_of("rebuilding") as report:
        print(rebuild_tables(application.ledger, report, drop_old=words.drop_old))
    return 0


def verify(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Replay the log and compare; 1 where a row differs."""
    differences = verify_tables(application.ledger)
    for difference in differences:
        print(difference)
    if differences:
        print(f"{len(differences)} differences: `imageapi rebuild` makes the tables anew from the log", file=sys.stderr)
        return 1
    print(f"equal: every row is what {application.ledger.head()} events say")
    return 0


def undo(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Take an operation back."""
    try:
        with application.ledger.transaction(CLI) as uow:
            undo = undo_with_later if words.with_later else undo_or_say_what_is_in_the_way
            undone_by = undo(uow, words.operation)
            text = uow.text
    except InTheWay as error:
        if error.operations:
            too = ", ".join(f"{later.id} ({later.text})" for later in error.operations)
            print(f"with --with-later these are taken back first: {too}", file=sys.stderr)
        raise
    print(f"operation {undone_by}: {text}")
    return 0
