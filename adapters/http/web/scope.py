"""What the words of a request name: libraries by id or name, photos by path, persons by id. What the user may not see
is not found, as the queries and `domain.rules.access` have it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from domain.base.errors import NotFound
from domain.events.media import Media
from projections.queries.persons_with_faces import PersonView
from projections.queries.reading import Lookups

Id = Annotated[int, Meta(ge=1, le=2**53 - 1)]
"""A public id."""
LibraryRef = Annotated[Id | str, Meta(description="id or name of a library; left out: all of them")]
"""How a body names a library."""
LibraryParam = Annotated[str, Meta(description="id or name of a library; left out: all of them")]
"""How a query names a library."""

Name = Annotated[str, Meta(min_length=1, description="at most 200 characters, without line breaks")]
"""What a person, tag, entity, library or key is to be called."""
FilePath = Annotated[str, Meta(min_length=1, description="where the file lies in its library, as lists have it")]
"""How a body or query names a photo."""
NamePart = Annotated[
    str, Meta(max_length=200, description="words of a name, in any order; case, marks and apostrophes do not matter")
]
"""What is looked for in names."""


def library_id(lookups: Lookups, named: int | str) -> int:
    """The id of a visible library, by id or name.

    Raises:
        NotFound: there is none, or the user may not see it.
    """
    if isinstance(named, int) or (named.isascii() and named.isdigit() and len(named) < 16):
        found = lookups.libraries.get(int(named))
    else:
        found = lookups.libraries.named(named)
    if found is None or found.id not in lookups.visible:
        raise NotFound(f"there is no library {named}")
    return found.id


def within(lookups: Lookups, named: int | str | None) -> Lookups:
    """The same snapshot narrowed to one library, or as it is where none is named; raises as `library_id`."""
    if named is None:
        return lookups
    return Lookups(lookups.connection, lookups.tables, lookups.actor, library_id(lookups, named))


def photo_at(lookups: Lookups, path: str, library: int | str | None) -> Media:
    """The present, readable file at a path text, in the lowest-id visible library that holds it or in the one named.

    Raises:
        NotFound: there is none that the user may see.
    """
    only = None if library is None else library_id(lookups, library)
    media = lookups.media.shown_at(path, only)
    if media is None:
        raise NotFound(f"there is no photo at '{path}'")
    return media


def person_of(lookups: Lookups, person_id: int) -> PersonView:
    """A person, merged or not, that the user may know of.

    Raises:
        NotFound: there is none.
    """
    view = lookups.persons_with_faces.view(person_id)
    if view is None:
        raise NotFound(f"there is no person {person_id}")
    return view
