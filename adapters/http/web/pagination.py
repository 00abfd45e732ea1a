"""Pages of lists: `limit` and an opaque `cursor` that says where the page before ended."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from msgspec import Meta

from adapters.http.web.problems import FieldError, Invalid

T = TypeVar("T")
C = TypeVar("C", bound=msgspec.Struct)

USUAL_LIMIT: Final = 100
MOST_ITEMS: Final = 1000
Limit = Annotated[int, Meta(ge=1, le=MOST_ITEMS, description="how many items at most")]
ClampedLimit = Annotated[int, Meta(ge=1, description=f"how many items at most; above {MOST_ITEMS} counts as that")]
"""The limit of the lists that clients of before page: they send larger ones."""
Cursor = Annotated[str, Meta(max_length=40_000, description="next_cursor of the page before")]
Offset = Annotated[int, Meta(ge=0, le=1_000_000, description="how many items to skip; a cursor is faster")]


class Page(msgspec.Struct, Generic[T], omit_defaults=False):
    """One page of a list; `next_cursor` is null on the last one."""

    items: Sequence[T]
    next_cursor: str | None = None


class AfterId(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The cursor of a list in the order of ids."""

    id: Annotated[int, Meta(ge=0, le=2**53 - 1)]


class Sorted(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The cursor of a list in a chosen order: the order, and the value and id of the last row."""

    sort: str
    value: Annotated[int, Meta(ge=-(2**62), le=2**62)] | Annotated[str, Meta(max_length=8000, pattern=r"^[^\x00]*$")]
    id: Annotated[int, Meta(ge=0, le=2**53 - 1)]


def clamped(limit: int) -> int:
    """A `ClampedLimit` as it counts."""
    return min(limit, MOST_ITEMS)


def cursor_of(place: msgspec.Struct) -> str:
    """A place in a list as a cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def next_cursor(
    rows: Sequence[Any], limit: int, place: Callable[[Any], msgspec.Struct] = lambda row: AfterId(row.id)
) -> str | None:
    """The cursor behind the first `limit` rows, None where there are no more; `place` says where a row stands."""
    return cursor_of(place(rows[limit - 1])) if len(rows) > limit else None


def place_with_value(sort: str) -> Callable[[tuple[Any, int | str]], Sorted]:
    """Says where a row stands that comes with the value it is sorted by."""

    def place(row: tuple[Any, int | str]) -> Sorted:
        shown, value = row
        return Sorted(sort, value, shown.id)

    return place


def id_of(cursor: str | None) -> int | None:
    """The id at which a list in the order of ids goes on, None at its beginning; raises as `place_of`."""
    return None if cursor is None else place_of(cursor, AfterId).id


def place_of(cursor: str, shape: type[C]) -> C:
    """The place that a cursor names.

    Raises:
        Invalid: it is none of this list's.
    """
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, binascii.Error, UnicodeError, RecursionError) as error:
        message = "is no cursor of this list: take next_cursor of the page before, or none for the first page"
        raise Invalid((FieldError("cursor", message),)) from error


def sorted_place(cursor: str, sort: str, kind: type[str | int]) -> tuple[int | str, int]:
    """The sort value and id that a cursor of a sorted list names; raises as `place_of`, also for another order's."""
    place = place_of(cursor, Sorted)
    if place.sort != sort or not isinstance(place.value, kind):
        raise Invalid((FieldError("cursor", f"is of a list in another order than {sort}"),))
    return place.value, place.id
