"""Tags: labels on what photos show; copies of a photo share them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from adapters.http.declaring import Answer, Call, Routes
from adapters.http.paging import Page
from adapters.http.past import AsOf, tables_as_of
from adapters.http.sight import Id, LibraryParam, LibraryRef, is_restricted, photo_at
from adapters.http.writing import Done, write
from domain.commands.faces import LARGEST_BATCH, Outcome
from domain.commands.tags import delete_tag, rename_tag, tag_contents, untag_contents
from domain.errors import NotFound
from domain.tag import Tag
from projections.lookups import Lookups, Transaction

routes = Routes("Tags")


class PhotoQuery(msgspec.Struct):
    """Which photo."""

    path: str
    library: LibraryParam | None = None


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

    path: str
    name: str
    library: LibraryRef | None = None


class TagsBatch(msgspec.Struct):
    """The same tag for many photos, by their media ids."""

    ids: Annotated[list[Id], Meta(min_length=1, max_length=LARGEST_BATCH)]
    name: str
    action: Literal["add", "remove"] = "add"


class TagsBatchOutcome(msgspec.Struct):
    """One row a photo, and the operation that undo takes, null where nothing had to change."""

    results: list[Outcome]
    operation_id: int | None


class TagName(msgspec.Struct):
    """A tag's new name."""

    name: str


class TagCount(msgspec.Struct):
    """A tag and on how many photos it is, copies counted once."""

    id: int
    name: str
    version: int
    count: int


@routes("GET", "/image/tags", query=TagsOfPhoto, answers=Page[Tag], errors=(404,))
def list_tags_of_photo(call: Call, query: TagsOfPhoto) -> Answer:
    """The tags of one photo, by name; with `as_of` those of then."""
    with tables_as_of(call, query.as_of) as tables:
        media = photo_at(tables, query.path, query.library)
        return Answer(Page(tables.tagged.of_content(media.content_hash or b"")))


@routes("POST", "/image/tags", body=NewTag, answers=Tag, status=201, role="editor", errors=(404,), rehearses=True)
def tag_photo(call: Call, body: NewTag) -> Answer:
    """Put a tag on a photo; it is made where there is none of that name."""

    def tag(turn: Transaction) -> int:
        media = photo_at(turn, body.path, body.library)
        return tag_contents(turn, [media.content_hash or b""], body.name)

    return write(call, tag, lambda turn, tag_id: turn.tags.get(tag_id), status=201)


@routes("DELETE", "/image/tags", query=TagOfPhoto, answers=Done, role="editor", errors=(404,), rehearses=True)
def untag_photo(call: Call, query: TagOfPhoto) -> Answer:
    """Take a tag off a photo."""

    def untag(turn: Transaction) -> int:
        media = photo_at(turn, query.path, query.library)
        return untag_contents(turn, [media.content_hash or b""], query.name)

    return write(call, untag)


@routes(
    "POST", "/image/tags/batch", body=TagsBatch, answers=TagsBatchOutcome, role="editor", errors=(404,), rehearses=True
)
def tag_many(call: Call, body: TagsBatch) -> Answer:
    """Put a tag on many photos or take it off, in one operation, with one answer a photo."""

    def tag(turn: Transaction) -> list[Outcome]:
        outcomes, contents = [], []
        for media_id in dict.fromkeys(body.ids):
            media = turn.media.get(media_id)
            if media is None or media.content_hash is None or not media.present:
                outcomes.append(Outcome(media_id, ok=False, error=f"there is no photo {media_id}"))
            else:
                outcomes.append(Outcome(media_id, ok=True))
                contents.append(media.content_hash)
        if contents:
            (tag_contents if body.action == "add" else untag_contents)(turn, contents, body.name)
        return outcomes

    return write(call, tag, lambda turn, outcomes: TagsBatchOutcome(outcomes, turn.operation_id))


@routes("GET", "/image/tags/all", answers=Page[TagCount])
def list_tags(call: Call) -> Answer:
    """Every tag with the number of visible photos that have it, by name."""
    with call.parts.ledger.reading(call.actor) as tables:
        rows = [TagCount(**row) for row in tables.tagged.counts()]
        if is_restricted(tables):
            rows = [row for row in rows if row.count]
    return Answer(Page(rows))


@routes(
    "PATCH",
    "/tags/{id}",
    body=TagName,
    answers=Tag,
    role="editor",
    errors=(404, 409),
    versioned=True,
    rehearses=True,
)
def patch_tag(call: Call, id: int, body: TagName) -> Answer:
    """Give a tag another name."""

    def rename(turn: Transaction) -> None:
        _demand_seen(turn, id)
        rename_tag(turn, id, body.name, call.expected)

    return write(call, rename, lambda turn, _: turn.tags.get(id))


@routes("DELETE", "/tags/{id}", answers=Done, role="editor", errors=(404,), versioned=True, rehearses=True)
def remove_tag(call: Call, id: int) -> Answer:
    """Take a tag off everything."""

    def delete(turn: Transaction) -> None:
        _demand_seen(turn, id)
        delete_tag(turn, id, call.expected)

    return write(call, delete)


def _demand_seen(lookups: Lookups, tag_id: int) -> None:
    """Raises `NotFound` where a tag is only on photos that the user may not see."""
    if is_restricted(lookups) and not any(row["id"] == tag_id and row["count"] for row in lookups.tagged.counts()):
        raise NotFound(f"there is no tag {tag_id}")
