"""`imageapi xmp read` and `write`: names and keywords from other programs, and for them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from adapters.background.xmp import ReadsXmp, WritesXmp
from adapters.cli.application import ApplicationParts
from adapters.cli.libraries import library_named
from adapters.cli.progress import progress_of
from domain.base.actor import CLI
from domain.base.paths import shown


def read(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Take over names of faces and keywords, as one operation; 130 where it was interrupted, with what came of it."""
    library = _library(application, words.library)
    with progress_of("reading XMP") as report:
        reads = ReadsXmp(application.ledger, application.descriptions, application.engine, application.gallery)
        taken, operation_id = reads.run(library, report, dry_run=words.dry_run)
    _print_lines(taken.left)
    if not taken.photos:
        print(
            "nothing was taken over" + (", for the reasons above" if taken.left else ": all that XMP says stands here")
        )
        return 130 if taken.interrupted else 0
    print(f"{'would read' if words.dry_run else 'read'} {taken}")
    for what, names in (("persons", taken.persons), ("tags", taken.tags)):
        if names:
            print(f"new {what}: {', '.join(map(shown, sorted(names)))}")
    if not words.dry_run:
        print(f"`imageapi undo {operation_id}` takes all of it back")
    return 130 if taken.interrupted else 0


def write(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Write names of faces and keywords to sidecars; 1 where one could not be written."""
    library = _library(application, words.library)
    with progress_of("writing XMP") as report:
        became = WritesXmp(application.ledger, application.descriptions).run(library, report)
    _print_lines(became.failed)
    failed = f", {len(became.failed)} could not be written" if became.failed else ""
    print(f"wrote {became.written} sidecars, {became.unchanged} said it all already{failed}")
    return 1 if became.failed else 0


def _library(application: ApplicationParts, name: str | None) -> int | None:
    with application.ledger.reading(CLI) as tables:
        return library_named(tables, name)


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        print(shown(line), file=sys.stderr)
