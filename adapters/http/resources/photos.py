"""The timeline: `/photos` and `/folders`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from adapters.http.web import (
    USUAL_LIMIT,
    Call,
    Cursor,
    LibraryParam,
    Limit,
    Reply,
    Routes,
    Sorted,
    next_cursor,
    sorted_place,
    within,
)
from adapters.http.web.views.media import MediaRow, PhotoWords, media_row, narrowing
from projections.queries.timeline import SORTS

routes = Routes("Photos")


class PhotosQuery(PhotoWords):
    """Which photos, and in which order."""

    stacked: Annotated[
        bool,
        Meta(description="whether what stands behind another file that fits too (a RAW, a clip, a burst) is left out"),
    ] = True
    sort: Literal["taken_at", "name", "discovered"] = "taken_at"
    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


class Photos(msgspec.Struct):
    """One page of photos; `total` counts all of them and comes with the first page, unless `q` finds a thousand."""

    items: list[MediaRow]
    next_cursor: str | None
    total: int | None


class Folder(msgspec.Struct):
    """A folder of a library and how many files it holds itself; the root's path is empty."""

    library_id: int
    path: str
    count: int


class Folders(msgspec.Struct):
    """Every folder."""

    items: list[Folder]
    next_cursor: None = None


class FoldersQuery(msgspec.Struct):
    """Which folders."""

    library: LibraryParam | None = None


@routes("GET", "/photos", query=PhotosQuery, answers=Photos, errors=(404,))
def list_photos(call: Call, query: PhotosQuery) -> Reply:
    """Photos and videos that fit every filter, newest first, A to Z by `sort=name`."""
    narrowed = msgspec.structs.replace(narrowing(query), stacked=query.stacked)
    after = (
        None if query.cursor is None else sorted_place(query.cursor, query.sort, str if query.sort == "name" else int)
    )
    with call.dependencies.ledger.reading(call.actor) as everything:
        tables = within(everything, query.library)
        total: int | None = None
        if after is None:
            rows, total = tables.timeline.first_page(narrowed, sort=query.sort, limit=query.limit + 1)
        else:
            rows = tables.timeline.page(narrowed, sort=query.sort, after=after, limit=query.limit + 1)
        kept = rows[: query.limit]
        tags = tables.tagged.of_contents({bytes(row["content_hash"]) for row in kept})
        companions = tables.timeline.companions(kept)
    column = SORTS[query.sort][0]
    cursor = next_cursor(rows, query.limit, lambda row: Sorted(query.sort, row[column], row["id"]))
    return Reply(Photos([media_row(row, tags, companions) for row in kept], cursor, total))


@routes("GET", "/folders", query=FoldersQuery, answers=Folders, errors=(404,))
def list_folders(call: Call, query: FoldersQuery) -> Reply:
    """Every folder that holds files itself."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        rows = within(tables, query.library).timeline.folders()
    return Reply(Folders([Folder(*row) for row in rows]))
