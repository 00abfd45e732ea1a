"""`imageapi erase`: the one command that takes something out of the past, and asks before it does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress

from adapters.cli.application import ApplicationParts
from adapters.cli.progress import console_on
from adapters.store.erase import erase, erasure_of, finish, is_unfinished
from adapters.store.locks import alone
from domain.base.actor import CLI
from domain.base.errors import Conflict, RuleViolation
from domain.rules.erasure import Erasure

HASH_BYTES = 32
NOT_TOUCHED = (
    "Your photos and other files (with the names in their paths, keywords and XMP sidecars), earlier exports and "
    "backups are not touched."
)


def person(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Erase a person and everyone merged into it."""
    return _erase(application, words.id, yes=words.yes)


def content(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Erase the faces of a content."""
    try:
        content_hash = bytes.fromhex(words.hash)
    except ValueError:
        content_hash = b""
    if len(content_hash) != HASH_BYTES:
        raise RuleViolation(
            f"a content's hash is {2 * HASH_BYTES} hexadecimal digits, as `content_hash` of a photo or a face tells it"
        )
    return _erase(application, content_hash, yes=words.yes)


def _erase(application: ApplicationParts, subject: int | bytes, *, yes: bool) -> int:
    application.settings.make_data_folder()
    ledger = application.ledger
    with alone(ledger.database), _progress() as report:
        was_left = is_unfinished(ledger)
        if was_left:
            finish(ledger, report)
            _clean_meaning(application)
            print("finished an erasure that was interrupted")
        try:
            erasure = erasure_of(ledger, CLI, subject)
        except Conflict as conflict:
            if was_left:
                print(conflict)
                return 0
            raise
        print("\n".join(_in_words(erasure)))
        if not yes and not _agreed():
            print("nothing was erased", file=sys.stderr)
            return 1
        text = erase(ledger, CLI, subject, report)
        _clean_meaning(application)
        print(text)
    return 0


def _clean_meaning(application: ApplicationParts) -> None:
    """Take the vectors of what was erased out of this host's file; another host's server does it when it reads of the
    erasure in the log."""
    if application.meaning_store.exists():
        application.keeps_meaning.clean()


def _in_words(erasure: Erasure) -> Iterator[str]:
    """What will go, in words."""
    yield "This goes for good, and cannot be undone:"
    if erasure.persons:
        numbers = ", ".join(map(str, sorted(erasure.persons)))
        yield f"- {'person' if len(erasure.persons) == 1 else 'persons'} {numbers}: names, notes and birth dates,"
        yield f"  wherever the history says {', '.join(sorted(set(erasure.called)))}"
    yield (
        f"- {_count(len(erasure.tombstones), 'face')} on {_count(erasure.photos, 'photo')}, with "
        f"{_count(len(erasure.embeddings), 'vector')}; only the places stay, so that they are not found again"
    )
    if erasure.tags:
        yield f"- {_count(len(erasure.tags), 'tag')} of that name"
    yield NOT_TOUCHED


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _agreed() -> bool:
    """Whether the user says so; raises `RuleViolation` where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise RuleViolation("nothing was erased: without a terminal to ask on, say --yes")
    try:
        return input("Type yes to erase it: ").strip() == "yes"
    except EOFError:
        return False


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar that is shown while read tables are built."""
    console = console_on(sys.stderr)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bars:

        def report(done: int, total: int) -> None:
            if not bars.task_ids:
                bars.add_task("building the read tables", total=None)
            bars.update(bars.task_ids[0], completed=done, total=total)

        yield report
