"""The ledger as the settings have it, and what a server does with it before it serves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from adapters.settings import Settings
from adapters.store.database import Database
from adapters.store.erase import finish, is_unfinished
from adapters.store.first_look import require_ours
from adapters.store.ledger import Ledger
from adapters.store.locks import alone, serving


def build_ledger(settings: Settings) -> Ledger:
    """The log and its read tables, in the database that is set; a data folder is made where there is none.

    Raises:
        Unavailable: the database cannot be reached.
        RuleViolation: it is another program's.
    """
    settings.make_data_folder()
    database = Database(settings.database_url)
    require_ours(database)
    return Ledger(database)


@contextmanager
def served(ledger: Ledger) -> Iterator[None]:
    """Serve from this ledger: an erasure that was interrupted is finished first, and none begins meanwhile.

    Raises:
        Unavailable: an erasure is at work.
        Conflict: one was interrupted, and another server keeps it from being finished.
    """
    if is_unfinished(ledger):
        with alone(ledger.database):
            finish(ledger)
    with serving(ledger.database):
        yield
