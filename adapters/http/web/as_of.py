"""`as_of`: the tables as they stood at a time or position, with the asker's grants of today."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Final

from msgspec import Meta

from adapters.http.web.problems import FieldError, Invalid
from adapters.http.web.routes import Call
from adapters.http.web.validation import EMPTY_COUNTS
from adapters.store.ledger import Ledger
from projections.queries.reading import Lookups

AsOf = Annotated[
    str,
    Meta(max_length=40, description="a time (RFC 3339) or a position: answers as the tables stood then"),
    EMPTY_COUNTS,
]
_POSITION: Final = re.compile(r"\d{1,15}")


@contextmanager
def tables_as_of(call: Call, as_of: str | None) -> Iterator[Lookups]:
    """Queries on the tables as they stood, or as they stand where no time is named.

    Raises:
        Invalid: it is neither a time nor a position.
        RuleViolation: the history does not reach that far.
    """
    ledger = call.dependencies.ledger
    if as_of is None:
        with ledger.reading(call.actor) as tables:
            yield tables
    else:
        with ledger.past(call.actor, _position(ledger, as_of)) as tables:
            yield tables


def _position(ledger: Ledger, as_of: str) -> int:
    if _POSITION.fullmatch(as_of):
        return int(as_of)
    try:
        at = datetime.fromisoformat(as_of)
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        micros = round(at.timestamp() * 1_000_000)
    except (ValueError, OverflowError) as error:
        message = "write a time as 2026-05-01T12:00:00Z, or a position as a number"
        raise Invalid((FieldError("as_of", message),)) from error
    return ledger.position_at(micros)
