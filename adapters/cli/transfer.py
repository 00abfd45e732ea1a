"""`imageapi export` and `import`: the whole log out of one database and into another."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from adapters.cli.application import ApplicationParts
from adapters.cli.progress import progress_of
from adapters.store.export_import import export_log, import_log
from domain.base.errors import NotFound, Unavailable


def export(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Write the whole log to a file, wholly or not at all, or to standard output."""
    with progress_of("exporting") as report:
        if words.file is None:
            events = export_log(application.ledger, sys.stdout.buffer, report)
        else:
            events = _to_file(application, Path(words.file), report)
    print(
        f"exported {events} events; they hold names, notes, embeddings and password hashes: keep them safe",
        file=sys.stderr,
    )
    return 0


def import_(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Fill an empty database, wholly or not at all."""
    application.settings.make_data_folder()
    with progress_of("importing") as report:
        if words.file is None:
            events = import_log(application.ledger, sys.stdin.buffer, report)
        else:
            try:
                with Path(words.file).open("rb") as lines:
                    events = import_log(application.ledger, lines, report)
            except FileNotFoundError as error:
                raise NotFound(f"there is no file {words.file}") from error
    print(f"imported {events} events")
    return 0


def _to_file(application: ApplicationParts, target: Path, report: Callable[[int, int], None]) -> int:
    part = target.with_name(f"{target.name}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            events = export_log(application.ledger, out, report)
        part.replace(target)
    except OSError as error:
        raise Unavailable(f"cannot write {target}: {error.strerror}") from error
    return events
