"""The one shape of every write: a command in a transaction, then the row as it stands now; or a rehearsal of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from adapters.http.web.routes import Call, Reply
from adapters.store.transaction import Transaction
from projections.queries.reading import Change

T = TypeVar("T")


class Rehearsal(msgspec.Struct):
    """What a write would change, had `dry_run` not been asked for: `text` in words, and every row before and after."""

    text: str
    changes: list[Change]


class Done(msgspec.Struct):
    """What was done: the operation that undo takes, null where nothing had to change."""

    operation_id: int | None


def write(
    call: Call,
    command: Callable[[Transaction], T],
    answer: Callable[[Transaction, T], object] = lambda uow, _: Done(uow.operation_id),
    *,
    status: int = 200,
) -> Reply:
    """Run `command` as the caller, and answer what `answer` reads back in the same transaction.

    The header `Operation-Id` names the operation. In a dry run everything is rolled back and a `Rehearsal` answered.
    """
    with call.dependencies.ledger.transaction(call.actor, dry_run=call.dry_run) as uow:
        result = command(uow)
        if call.dry_run:
            return Reply(Rehearsal(uow.text or "nothing would change", uow.rehearsed()))
        content = answer(uow, result)
        operation_id = uow.operation_id
    return Reply(content, status, headers_of(operation_id))


def headers_of(operation_id: int | None) -> dict[str, str]:
    """What every answer to a write carries; no operation where nothing had to change."""
    named = {} if operation_id is None else {"Operation-Id": str(operation_id)}
    return {"Cache-Control": "no-store", **named}
