"""Photos found by meaning: `/photos/search` and what lies below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from adapters.http.web import (
    USUAL_LIMIT,
    Call,
    Cursor,
    FieldError,
    Invalid,
    Limit,
    Reply,
    Routes,
    next_cursor,
    place_of,
    within,
)
from adapters.http.web.views.media import MediaRow, PhotoWords, media_row, narrowing
from adapters.meaning.semantic_search import FoundPhoto, PhotoSearch
from domain.base.errors import Unavailable
from domain.base.names import search_key
from projections.queries.photo_filter import EVERYTHING
from projections.queries.reading import Lookups

routes = Routes("Photos")

ABSENT: Final = "nothing embeds texts: run `imageapi setup --search`, or set OLLAMA_PRIMARY_URL"


class PhotoSearchQuery(PhotoWords, kw_only=True):
    """What to look for, and what the photos are narrowed to."""

    q: Annotated[
        str, Meta(min_length=1, max_length=500, description="what the photos show or are about, in your own words")
    ]
    stacked: Annotated[
        bool, Meta(description="whether a RAW or short clip is left to the photo of its name, as a companion")
    ] = True
    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


class FoundRow(MediaRow):
    """A photo that was found. `score` is the sum of 1 / (60 + rank) over the search by words, in which all that holds
    every word has rank 1, and the search by meaning: it orders, and is no measure of how well a photo fits."""

    score: float


class EmbeddingProgress(msgspec.Struct):
    """How many of the photos that the asker sees can be found by meaning already."""

    done: int
    total: int


class FoundPhotos(msgspec.Struct):
    """One page of what was found; `embedding` is null once all photos can be found by meaning."""

    items: list[FoundRow]
    next_cursor: str | None
    embedding: EmbeddingProgress | None


class SearchState(msgspec.Struct):
    """Whether photos can be searched by meaning now, why not, and how far embedding them is; `embedding` as above."""

    usable: bool
    reason: str | None
    embedding: EmbeddingProgress | None


class FoundCursor(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Where the last photo of a page stands."""

    by_words: bool
    likeness: Annotated[int, Meta(ge=-(2**40), le=2**40)]
    id: Annotated[int, Meta(ge=0, le=2**53 - 1)]


@routes("GET", "/photos/search", query=PhotoSearchQuery, answers=FoundPhotos, errors=(404, 502))
def search_photos(call: Call, query: PhotoSearchQuery) -> Reply:
    """Photos and videos by what is said of them: insights, tags, people, places, dates and names of files.

    What holds every word comes first, then what is likest in meaning; the newest first among equals. Every filter of
    `GET /photos` narrows what is found. 503 says what is missing where nothing embeds texts.
    """
    if call.dependencies.search is None:
        raise Unavailable(ABSENT)
    words = " ".join(query.q.split())
    if not search_key(words).strip():
        raise Invalid((FieldError("q", "say in words what to look for"),))
    narrowed = msgspec.structs.replace(narrowing(query), q=None, stacked=query.stacked)
    after = None if query.cursor is None else place_of(query.cursor, FoundCursor)
    question = call.dependencies.search.question(words)
    with call.dependencies.ledger.reading(call.actor) as everything:
        tables = within(everything, query.library)
        found = call.dependencies.search.find(tables, narrowed, question)
        if after is not None:
            before = (after.by_words, after.likeness, after.id)
            found = [each for each in found if (each.place.by_words, each.place.likeness, each.place.media_id) < before]
        page = found[: query.limit]
        items = _rows(tables, page)
        embedding = _embedding(tables, call.dependencies.search)
    cursor = next_cursor(found, query.limit, lambda row: FoundCursor(*row.place))
    return Reply(FoundPhotos(items, cursor, embedding))


@routes("GET", "/photos/search/state", answers=SearchState)
def show_search_state(call: Call) -> Reply:
    """Whether photos can be searched by meaning now, and how far they are."""
    search = call.dependencies.search
    if search is None:
        return Reply(SearchState(usable=False, reason=ABSENT, embedding=None))
    with call.dependencies.ledger.reading(call.actor) as tables:
        embedding = _embedding(tables, search)
    trouble = search.trouble
    reason = trouble if trouble is None or call.actor.is_admin else "search by meaning does not work now"
    return Reply(SearchState(usable=trouble is None, reason=reason, embedding=embedding))


def _rows(tables: Lookups, page: Sequence[FoundPhoto]) -> list[FoundRow]:
    rows = tables.timeline.rows([each.place.media_id for each in page])
    tags = tables.tagged.of_contents({bytes(row["content_hash"]) for row in rows})
    companions = tables.timeline.companions(rows)
    scores = {each.place.media_id: round(each.score, 6) for each in page}
    shown = (media_row(row, tags, companions) for row in rows)
    return [FoundRow(**msgspec.structs.asdict(row), score=scores[row.id]) for row in shown]


def _embedding(tables: Lookups, search: PhotoSearch) -> EmbeddingProgress | None:
    """How far it is among the photos of the libraries that the asker sees; None where it is done."""
    done, total = search.embedded(tables.visible), tables.timeline.count(EVERYTHING)
    return None if done >= total else EmbeddingProgress(done, total)
