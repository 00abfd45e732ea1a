"""Merges as pointers, for every table whose rows turn out to be one: `merged_into` points one step on, `canonical_id`
to the end of the chain.

The cost is the number of rows merged, never the number of what is said of them, and undo is one update.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Table, bindparam, select, update

from domain.events.event import Event
from projections.tables.projection import Projection


def follow_merges(
    projection: Projection,
    table: Table,
    *,
    merged: type[Event],
    unmerged: type[Event],
    deleted: type[Event],
    restored: type[Event],
) -> Select[int]:
    """Register what merges, deletions and their ways back do to `table`, which has the columns `merged_into`,
    `canonical_id`, `deleted` and `version`; `merged` says `into`, `unmerged` what it `was` merged into.

    The query that comes back has the parameter `key`: the ids of that row and of all that were merged into it.
    """
    t, on = table, projection.on
    change = update(t).where(t.c.id == bindparam("key")).values(version=t.c.version + 1)
    survivor = update(t).where(t.c.id == bindparam("key")).values(version=t.c.version + 1)
    pointer = change.values(merged_into=bindparam("to"))
    on(merged, pointer, lambda e, r: {"key": _key(e), "to": e.into})  # type: ignore[attr-defined]  # merges say it
    on(merged, survivor, lambda e, r: {"key": e.into})  # type: ignore[attr-defined]  # merges say it
    end = t.alias("survivor")
    end_of_chain = select(end.c.canonical_id).where(end.c.id == bindparam("to")).scalar_subquery()
    on(
        merged,
        update(t).where(t.c.canonical_id == bindparam("key")).values(canonical_id=end_of_chain),
        lambda e, r: {"key": _key(e), "to": e.into},  # type: ignore[attr-defined]  # merges say it
    )
    on(unmerged, pointer, lambda e, r: {"key": _key(e), "to": None})
    on(unmerged, survivor, lambda e, r: {"key": e.was})  # type: ignore[attr-defined]  # ways back say it
    behind = everyone_behind(t)
    follow = update(t).where(t.c.id.in_(behind)).values(canonical_id=bindparam("to"))
    on(unmerged, follow, lambda e, r: {"key": _key(e), "to": _key(e)})
    gone = change.values(deleted=bindparam("to"))
    on(deleted, gone, lambda e, r: {"key": _key(e), "to": True})
    on(deleted, follow, lambda e, r: {"key": _key(e), "to": None})
    on(restored, gone, lambda e, r: {"key": _key(e), "to": False})
    on(restored, follow, lambda e, r: {"key": _key(e), "to": _key(e)})
    return behind


def everyone_behind(t: Table) -> Select[int]:
    """The row `key` and every one whose chain of merges ends in or passes through it."""
    first = t.alias("first")
    chain = select(first.c.id).where(first.c.id == bindparam("key")).cte("chain", recursive=True)
    link = t.alias("link")
    chain = chain.union(select(link.c.id).join(chain, link.c.merged_into == chain.c.id))
    return select(chain.c.id)


def _key(event: Event) -> Any:
    return getattr(event, event.key)
