"""Faces of whole libraries: how many, the newest, and their embeddings; `/faces`."""

from __future__ import annotations

import base64
from collections.abc import Collection
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import RowMapping

from adapters.http.web import (
    USUAL_LIMIT,
    AfterId,
    Call,
    ClampedLimit,
    Cursor,
    Done,
    LibraryParam,
    Limit,
    Offset,
    Page,
    Reply,
    Routes,
    clamped,
    id_of,
    next_cursor,
    within,
    write,
)
from domain.base.errors import Unavailable
from domain.base.geometry import Box
from domain.commands.carrying import settle_unmatched
from domain.ports.face_engine import FaceEngine, dimensions_of, padded_vector
from domain.rules.access import knows_person
from projections.queries.faces import FaceStats, FaceView, StoredVector

routes = Routes("Faces")


class EmbeddingRow(msgspec.Struct):
    """A face as a point of its model's space: `embedding` is base64 of 512 little-endian float32, L2 norm 1, of which
    the first `dimensions` are the model's and the others 0, which keeps every cosine."""

    id: int
    content_hash: str
    person_id: int | None
    model_version: str
    embedding: str
    dimensions: int


class InLibrary(msgspec.Struct):
    """Which library."""

    library: LibraryParam | None = None


class EmbeddingsQuery(msgspec.Struct):
    """Which embeddings."""

    library: LibraryParam | None = None
    unassigned: bool = False
    limit: ClampedLimit = USUAL_LIMIT
    offset: Offset = 0
    cursor: Cursor | None = None


class NewestQuery(msgspec.Struct):
    """Which faces."""

    library: LibraryParam | None = None
    unassigned: Annotated[bool, Meta(description="only those that are nobody's and no stranger's")] = False
    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


class UnmatchedQuery(msgspec.Struct):
    """Which unmatched faces."""

    library: LibraryParam | None = None
    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


class UnmatchedFace(msgspec.Struct):
    """A face that lay in `box` on what a photo was before; `content_hash`, `library_id` and `path` are those of the
    photo as it is now."""

    id: int
    box: Box
    content_hash: str
    library_id: int
    path: str
    person_id: int | None
    person_name: str | None


@routes("GET", "/faces/stats", query=InLibrary, answers=FaceStats, errors=(404,))
def face_stats(call: Call, query: InLibrary) -> Reply:
    """How far detection is among the photos, counted by content: by the engine's model, or by any while it does not
    answer."""
    model = _model(call.dependencies.engine)
    with call.dependencies.ledger.reading(call.actor) as tables:
        narrowed = within(tables, query.library)
        stats = narrowed.faces.stats(model)
        if call.actor.is_restricted:
            known = narrowed.persons_with_faces.page(
                sort="name", after=None, limit=1_000_000, include_hidden=True, with_faces_only=True
            )
            stats = msgspec.structs.replace(stats, persons=len(known))
    return Reply(stats)


def _model(engine: FaceEngine | None) -> str | None:
    try:
        return None if engine is None else engine.model_version
    except Unavailable:
        return None


@routes("GET", "/faces", query=NewestQuery, answers=Page[FaceView], errors=(404,))
def list_newest_faces(call: Call, query: NewestQuery) -> Reply:
    """Faces, the newest first."""
    before = id_of(query.cursor)
    with call.dependencies.ledger.reading(call.actor) as tables:
        rows = within(tables, query.library).faces.newest(
            unassigned=query.unassigned, before=before, limit=query.limit + 1
        )
    return Reply(Page(rows[: query.limit], next_cursor(rows, query.limit)))


@routes("GET", "/faces/embeddings", query=EmbeddingsQuery, answers=Page[EmbeddingRow], errors=(404,))
def list_embeddings(call: Call, query: EmbeddingsQuery) -> Reply:
    """Faces with their embeddings, by id, so that a client can cluster them itself."""
    after, limit = id_of(query.cursor) or 0, clamped(query.limit)
    with call.dependencies.ledger.reading(call.actor) as tables:
        rows = within(tables, query.library).faces.embeddings(
            unassigned=query.unassigned, after=after, limit=limit + 1, offset=query.offset
        )
    items = [_embedding(row) for row in rows[:limit]]
    return Reply(Page(items, next_cursor(rows, limit, lambda row: AfterId(row.face_id))))


def _embedding(row: StoredVector) -> EmbeddingRow:
    return EmbeddingRow(
        id=row.face_id,
        content_hash=row.content_hash,
        person_id=row.person_id,
        model_version=row.model_version,
        embedding=base64.b64encode(padded_vector(row.vector)).decode(),
        dimensions=dimensions_of(row.vector),
    )


@routes("GET", "/faces/unmatched", query=UnmatchedQuery, answers=Page[UnmatchedFace], errors=(404,))
def list_unmatched(call: Call, query: UnmatchedQuery) -> Reply:
    """Named and drawn faces of photos that were saved anew, which could not be found on them again.

    Whoever is named on the photo again is not listed any more.
    """
    after = id_of(query.cursor) or 0
    with call.dependencies.ledger.reading(call.actor) as tables:
        narrowed = within(tables, query.library)
        rows = narrowed.unmatched_faces.shown(after, query.limit + 1)
        known = {row["person_id"] for row in rows if row["person_id"] and knows_person(tables, row["person_id"])}
        items = [_unmatched(row, known) for row in rows]
    return Reply(Page(items[: query.limit], next_cursor(items, query.limit)))


def _unmatched(row: RowMapping, known: Collection[int]) -> UnmatchedFace:
    is_known = row["person_id"] in known
    return UnmatchedFace(
        id=row["face_id"],
        box=Box(row["x"], row["y"], row["w"], row["h"]),
        content_hash=row["content_hash"].hex(),
        library_id=row["library_id"],
        path=row["path"],
        person_id=row["person_id"] if is_known else None,
        person_name=row["person_name"] if is_known else None,
    )


@routes("DELETE", "/faces/unmatched/{id}", answers=Done, role="editor", errors=(404,), rehearses=True)
def settle(call: Call, id: int) -> Reply:
    """Say that a face is not on the photo any more: nobody asks for it again."""
    return write(call, lambda uow: settle_unmatched(uow, id))
