"""How a command names a library."""

from __future__ import annotations

from domain.base.errors import NotFound
from projections.queries.reading import Lookups


def library_named(tables: Lookups, name: str | None) -> int | None:
    """The id of a library by its name or number, None for all.

    Raises:
        NotFound: there is none of that name, or none at all.
    """
    known = tables.libraries.shown()
    if not known:
        raise NotFound("there is no library yet: `imageapi scan DIR` makes one")
    if name is None:
        return None
    for library in known:
        if name in (library.name, str(library.id)):
            return library.id
    raise NotFound(f"there is no library {name}; there are: {', '.join(library.name for library in known)}")
