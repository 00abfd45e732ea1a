"""What a resource is made of, in one place: how a route is declared and answers, what its caller may see, pages, times
and problems.

The modules of this package import one another and never this face. What only a few resources need (`chat_responses`,
`file_responses`, `sse`, `authentication`, `views`) they take from where it stands.
"""

from adapters.http.web.as_of import AsOf, tables_as_of
from adapters.http.web.dependencies import Dependencies
from adapters.http.web.operation_visibility import events_in_sight, is_known, known_operation
from adapters.http.web.pagination import (
    USUAL_LIMIT,
    AfterId,
    ClampedLimit,
    Cursor,
    Limit,
    Offset,
    Page,
    Sorted,
    clamped,
    id_of,
    next_cursor,
    place_of,
    place_with_value,
    sorted_place,
)
from adapters.http.web.problems import FieldError, Invalid, Unauthenticated
from adapters.http.web.routes import Call, Reply, Routes
from adapters.http.web.scope import (
    FilePath,
    Id,
    LibraryParam,
    LibraryRef,
    Name,
    NamePart,
    library_id,
    person_of,
    photo_at,
    within,
)
from adapters.http.web.times import Moment, moment, wall_clock
from adapters.http.web.writes import Done, write

__all__ = [
    "USUAL_LIMIT",
    "AfterId",
    "AsOf",
    "Call",
    "ClampedLimit",
    "Cursor",
    "Dependencies",
    "Done",
    "FieldError",
    "FilePath",
    "Id",
    "Invalid",
    "LibraryParam",
    "LibraryRef",
    "Limit",
    "Moment",
    "Name",
    "NamePart",
    "Offset",
    "Page",
    "Reply",
    "Routes",
    "Sorted",
    "Unauthenticated",
    "clamped",
    "events_in_sight",
    "id_of",
    "is_known",
    "known_operation",
    "library_id",
    "moment",
    "next_cursor",
    "person_of",
    "photo_at",
    "place_of",
    "place_with_value",
    "sorted_place",
    "tables_as_of",
    "wall_clock",
    "within",
    "write",
]
