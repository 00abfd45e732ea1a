"""How SQLite answers what a page of photos asks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from projections.queries.photo_filter import PhotoFilter
from projections.queries.timeline import Place


def plans_of(ledger: Ledger, narrowed: PhotoFilter, sort: str, after: Place | None = None) -> list[list[str]]:
    """The steps of each statement for a page of a hundred, the first one with its total."""
    asked: list[tuple[str, Any]] = []

    def listen(_connection: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        asked.append((statement, parameters))

    with ledger.reading(CLI) as lookups:
        event.listen(lookups.connection, "before_cursor_execute", listen)
        if after is None:
            lookups.timeline.first_page(narrowed, sort=sort, limit=100)
        else:
            lookups.timeline.page(narrowed, sort=sort, after=after, limit=100)
        event.remove(lookups.connection, "before_cursor_execute", listen)
        explained = [
            lookups.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            for statement, parameters in asked
        ]
        return [[row[3] for row in plan] for plan in explained]
