"""Tags: labels on what photos show; copies of a photo share them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.http.web import (
    AsOf,
    Call,
    Done,
    FilePath,
    Id,
    LibraryParam,
    LibraryRef,
    Name,
    Page,
    Reply,
    Routes,
    photo_at,
    tables_as_of,
    within,
    write,
)
from adapters.http.web.validation import OneOf
from adapters.http.web.views.media import PhotoQuery, PhotoWords, narrowing
from adapters.store.transaction import Transaction
from domain.base.errors import RuleViolation
from domain.commands.faces import LARGEST_BATCH, Outcome
from domain.commands.tags import change_tag, delete_tag, merge_tags, tag_contents, untag_contents
from domain.events.tag import Tag

routes = Routes("Tags")

MOST_FITTING: Final = 50_000
"""Contents that one operation tags by a filter: some seconds of the write lock."""


class TagsOfPhoto(PhotoQuery):
    """Which photo, and when."""

    as_of: AsOf | None = None


class TagOfPhoto(msgspec.Struct):
    """Which tag of which photo."""

    path: str
    name: str
    library: LibraryParam | None = None


class NewTag(msgspec.Struct):
    """A tag for a photo."""

    path: FilePath
    name: Name
    library: LibraryRef | None = None


class TagsBatch(msgspec.Struct):
    """The same tag for many photos: by their media ids, or for everything that fits the words of `GET /photos`."""

    excludes: ClassVar = (OneOf(("ids", "filter")),)

    name: Name
    ids: Annotated[list[Id], Meta(min_length=1, max_length=LARGEST_BATCH)] | None = None
    filter: PhotoWords | None = None
    action: Literal["add", "remove"] = "add"


class TagsBatchOutcome(msgspec.Struct):
    """One row a photo where ids were given, how many contents (copies count once) fitted, and the operation that undo
    takes, null where nothing had to change."""

    results: list[Outcome]
    fitted: int
    operation_id: int | None


Color = Annotated[str, Meta(pattern="^#[0-9A-Fa-f]{6}$", description="#rrggbb")]


class TagPatch(msgspec.Struct):
    """What to change about a tag; what is left out stays."""

    name: Name | UnsetType = UNSET
    color: Color | UnsetType | None = UNSET


class MergeTag(msgspec.Struct):
    """The tag that takes over."""

    into: Id


class TagCount(msgspec.Struct):
    """A tag and on how many photos it is, copies counted once."""

    id: int
    name: str
    color: str | None
    version: int
    count: int


@routes("GET", "/image/tags", query=TagsOfPhoto, answers=Page[Tag], errors=(404,))
def list_tags_of_photo(call: Call, query: TagsOfPhoto) -> Reply:
    """The tags of one photo, by name; with `as_of` those of then."""
    with tables_as_of(call, query.as_of) as tables:
        media = photo_at(tables, query.path, query.library)
        return Reply(Page(tables.tagged.of_content(media.content_hash or b"")))


@routes("POST", "/image/tags", body=NewTag, answers=Tag, status=201, role="editor", errors=(404,), rehearses=True)
def tag_photo(call: Call, body: NewTag) -> Reply:
    """Put a tag on a photo; it is made where there is none of that name."""

    def tag(uow: Transaction) -> int:
        media = photo_at(uow, body.path, body.library)
        return tag_contents(uow, [media.content_hash or b""], body.name)

    return write(call, tag, lambda uow, tag_id: uow.tags.get(tag_id), status=201)


@routes("DELETE", "/image/tags", query=TagOfPhoto, answers=Done, role="editor", errors=(404,), rehearses=True)
def untag_photo(call: Call, query: TagOfPhoto) -> Reply:
    """Take a tag off a photo."""

    def untag(uow: Transaction) -> int:
        media = photo_at(uow, query.path, query.library)
        return untag_contents(uow, [media.content_hash or b""], query.name)

    return write(call, untag)


@routes(
    "POST", "/image/tags/batch", body=TagsBatch, answers=TagsBatchOutcome, role="editor", errors=(404,), rehearses=True
)
def tag_many(call: Call, body: TagsBatch) -> Reply:
    """Put a tag on many photos or take it off, in one operation, with one answer a photo."""

    def tag(uow: Transaction) -> tuple[list[Outcome], int]:
        if body.filter is None:
            outcomes, contents = _contents_of(uow, body.ids or ())
        else:
            outcomes, contents = [], _contents_that_fit(uow, body.filter)
        if contents:
            (tag_contents if body.action == "add" else untag_contents)(uow, contents, body.name)
        return outcomes, len(set(contents))

    return write(call, tag, lambda uow, done: TagsBatchOutcome(*done, uow.operation_id))


def _contents_of(uow: Transaction, ids: Sequence[int]) -> tuple[list[Outcome], list[bytes]]:
    """One row a photo, and the contents of those that are there."""
    outcomes, contents = [], []
    for media_id in dict.fromkeys(ids):
        media = uow.media.get(media_id)
        if media is None or media.content_hash is None or not media.present:
            outcomes.append(Outcome(media_id, ok=False, error=f"there is no photo {media_id}"))
        else:
            outcomes.append(Outcome(media_id, ok=True))
            contents.append(media.content_hash)
    return outcomes, contents


def _contents_that_fit(uow: Transaction, words: PhotoWords) -> list[bytes]:
    """Raises `RuleViolation` where more fit than one operation may tag."""
    contents = within(uow, words.library).timeline.contents(narrowing(words), MOST_FITTING + 1)
    if len(contents) > MOST_FITTING:
        raise RuleViolation(f"more than {MOST_FITTING} photos fit: narrow the filter, and tag them in parts", "filter")
    return contents


@routes("GET", "/image/tags/all", answers=Page[TagCount])
def list_tags(call: Call) -> Reply:
    """Every tag with the number of visible photos that have it, by name."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        return Reply(Page([TagCount(**row) for row in tables.tagged.counts()]))


@routes(
    "PATCH", "/tags/{id}", body=TagPatch, answers=Tag, role="editor", errors=(404, 409), versioned=True, rehearses=True
)
def patch_tag(call: Call, id: int, body: TagPatch) -> Reply:
    """Give a tag another name, another colour, or both; a colour of null takes it away."""
    name = None if body.name is UNSET else body.name
    return write(
        call,
        lambda uow: change_tag(uow, id, name=name, color=body.color, expected=call.expected),
        lambda uow, _: uow.tags.get(id),
    )


@routes(
    "POST", "/tags/{id}/merge", body=MergeTag, answers=Tag, role="editor", errors=(404,), versioned=True, rehearses=True
)
def merge_tag(call: Call, id: int, body: MergeTag) -> Reply:
    """Put another tag on everything that has this one, which goes; answers the other one. Undo brings both back."""
    return write(
        call, lambda uow: merge_tags(uow, id, body.into, call.expected), lambda uow, _: uow.tags.get(body.into)
    )


@routes("DELETE", "/tags/{id}", answers=Done, role="editor", errors=(404,), versioned=True, rehearses=True)
def remove_tag(call: Call, id: int) -> Reply:
    """Take a tag off everything."""
    return write(call, lambda uow: delete_tag(uow, id, call.expected))
