"""The read table `libraries`."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, Table, Text, bindparam, insert, update

from domain.base.names import name_key
from domain.events.library import (
    LibraryAdded,
    LibraryKeywordsChosen,
    LibraryRelocated,
    LibraryRemoved,
    LibraryRenamed,
    LibraryRestored,
)
from projections.tables.projection import Projection, id_column


class LibrariesTable(Projection):
    """One row a library; a removed one keeps its row, so that what was decided in it can be brought back."""

    def define(self) -> None:
        """Columns, the unique name among libraries that are shown, and the writes."""
        self.table = t = Table(
            self.named("libraries"),
            self.metadata,
            id_column(),
            Column("name", Text, nullable=False),
            Column("name_key", Text, nullable=False),
            Column("root", Text, nullable=False),
            Column("removed", Boolean, nullable=False),
            Column("version", Integer, nullable=False),
            Column("keywords_as_tags", Boolean, nullable=False),
        )
        shown = t.c.removed.is_(False)
        self.unique_name("libraries_name", shown)
        self.on(
            LibraryAdded,
            insert(t),
            lambda e, r: {
                "id": e.library_id,
                "name": e.name,
                "name_key": name_key(e.name),
                "root": e.root,
                "removed": False,
                "version": 1,
                "keywords_as_tags": False,
            },
        )
        key = t.c.id == bindparam("key")
        one_more = {"version": t.c.version + 1}
        self.on(
            LibraryRenamed,
            update(t).where(key).values(name=bindparam("to"), name_key=bindparam("to_key"), **one_more),
            lambda e, r: {"key": e.library_id, "to": e.name, "to_key": name_key(e.name)},
        )
        self.on(
            LibraryRelocated,
            update(t).where(key).values(root=bindparam("to"), **one_more),
            lambda e, r: {"key": e.library_id, "to": e.root},
        )
        self.on(
            LibraryKeywordsChosen,
            update(t).where(key).values(keywords_as_tags=bindparam("to"), **one_more),
            lambda e, r: {"key": e.library_id, "to": e.as_tags},
        )
        removed = update(t).where(key).values(removed=bindparam("to"), **one_more)
        self.on(LibraryRemoved, removed, lambda e, r: {"key": e.library_id, "to": True})
        self.on(LibraryRestored, removed, lambda e, r: {"key": e.library_id, "to": False})
