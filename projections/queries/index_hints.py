"""The index that a query takes on SQLite, whose planner knows no sizes; PostgreSQL chooses by itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import FromClause, Select

from projections.tables.projection import Projection


def by_index(
    projection: Projection, statement: Select[*tuple[Any, ...]], index: str, table: FromClause | None = None
) -> Select[*tuple[Any, ...]]:
    """The statement with an index of the projection's table, or of `table`, which is an alias of it; `index` is its
    name without the generation's number."""
    of = projection.table if table is None else table
    return statement.with_hint(of, f"INDEXED BY {projection.named(index)}", "sqlite")
