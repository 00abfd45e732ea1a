"""Which of the counts by sets of libraries somebody may add up."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, literal, or_

from projections.tables.visible_counts import VisibleCounts


def within(counts: VisibleCounts, libraries: Collection[int]) -> ColumnElement[bool]:
    """The rows whose contents somebody sees who may see these libraries."""
    sets = counts.table.c.libraries
    return or_(literal(False), *(sets.contains(f",{library},") for library in sorted(libraries)))
