"""Long operations whose process died: at the next start each is told to its end."""

from __future__ import annotations

from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER


def close_interrupted(ledger: Ledger) -> None:
    """Say of every long operation that never ended that it was interrupted.

    One that another process is still at (`imageapi scan` beside the server) says in the end what came of it all the
    same.
    """
    with ledger.reading(WATCHER) as tables:
        unended = tables.operations.unended()
    for operation in unended:
        with ledger.transaction(WATCHER, operation_id=operation.id) as uow:
            uow.end(operation.text_when_interrupted)
