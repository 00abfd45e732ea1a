"""The faces of photos: drawn, decided about and looked for again; `/image/faces` and what lies below.

The engine is always asked before the write transaction, so that nobody waits for a model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.http.web import (
    AsOf,
    Call,
    ClampedLimit,
    Dependencies,
    Done,
    FilePath,
    Id,
    LibraryRef,
    Name,
    Offset,
    Page,
    Reply,
    Routes,
    clamped,
    person_of,
    photo_at,
    tables_as_of,
    write,
)
from adapters.http.web.file_responses import picture
from adapters.http.web.validation import OneOf
from adapters.http.web.views.faces import BatchOutcome, Suggestion, suggestions
from adapters.http.web.views.media import PhotoQuery
from adapters.store.transaction import Transaction
from domain.base.errors import NotFound, RuleViolation, Unavailable, Unreadable
from domain.base.geometry import Box
from domain.commands.detection import record_detection, wants_embedding
from domain.commands.faces import (
    LARGEST_BATCH,
    FaceChanges,
    Outcome,
    add_to_operation,
    change_face,
    change_faces,
    checked_box,
    delete_face,
    draw_face,
    reject_person,
)
from domain.events.face import Face
from domain.events.media import Media
from domain.ports.face_engine import Detection, Embedding, FaceEngine, Resemblance
from domain.rules.access import seen_face
from projections.queries.faces import FaceView

routes = Routes("Faces")

MOST_LIKEST: Final = 200
"""Of the persons or faces likest to one, as many as are answered at once."""


class SimilarFace(msgspec.Struct):
    """An unassigned face that is likely the same person's as the one that was asked about.

    `similarity` is the mean cosine to the nearest three faces of that person, to the face itself where it is nobody's;
    `preselected` says that it is high enough to be presumed until somebody looks.
    """

    face: FaceView
    similarity: float
    preselected: bool


class FacesQuery(PhotoQuery):
    """Which photo's faces."""

    limit: ClampedLimit = 1000
    offset: Offset = 0
    as_of: AsOf | None = None


class BoxGiven(msgspec.Struct):
    """A rectangle: `x`, `y` its upper left corner, `w`, `h` its sides, all 0..1 of the upright picture."""

    x: float
    y: float
    w: float
    h: float

    def box(self) -> Box:
        """The box; raises `RuleViolation` where it cannot be a face's."""
        return checked_box(Box(self.x, self.y, self.w, self.h))


class DrawnFace(msgspec.Struct):
    """A face drawn by hand."""

    path: FilePath
    box: BoxGiven
    library: LibraryRef | None = None
    person_id: Id | None = None


class FacePatch(msgspec.Struct):
    """What to write about a face; what is left out stays. `person_id` null unassigns."""

    person_id: Id | UnsetType | None = UNSET
    ignored: bool | UnsetType = UNSET
    box: BoxGiven | UnsetType = UNSET


class FacesBatch(msgspec.Struct):
    """The same decision about many faces: `assign` wants the `person_id` of a person or the `name` of a new one,
    `reject` the `person_id` of whom they are not."""

    excludes: ClassVar = (OneOf(("person_id", "name"), required=False),)

    ids: Annotated[list[Id], Meta(min_length=1, max_length=LARGEST_BATCH)]
    action: Literal["assign", "unassign", "ignore", "notice", "delete", "reject"]
    person_id: Id | None = None
    name: Name | None = None
    continues: Annotated[Id, Meta(description="an own operation that named a face, to which this belongs")] | None = (
        None
    )


class NotThisPerson(msgspec.Struct):
    """Who the face is not."""

    person_id: Id


class Likest(msgspec.Struct):
    """How many."""

    limit: Annotated[int, Meta(ge=1, le=MOST_LIKEST)] = 10


class CropSize(msgspec.Struct):
    """How large."""

    size: Annotated[int, Meta(ge=16, le=1024, description="pixels of a side")] = 256


@routes("GET", "/image/faces", query=FacesQuery, answers=Page[FaceView], errors=(404,))
def list_faces(call: Call, query: FacesQuery) -> Reply:
    """The faces of one photo with their persons; with `as_of` those of then."""
    with tables_as_of(call, query.as_of) as tables:
        media = photo_at(tables, query.path, query.library)
        shown = tables.faces.shown_on(media.content_hash or b"")
    return Reply(Page(shown[query.offset : query.offset + clamped(query.limit)]))


@routes(
    "POST", "/image/faces", body=DrawnFace, answers=FaceView, status=201, role="editor", errors=(404,), rehearses=True
)
def add_face(call: Call, body: DrawnFace) -> Reply:
    """Add a face that was drawn by hand.

    The face engine embeds it from the upright preview; a crop that the model cannot use is kept, with its embedding
    pending. Without an engine the answer is 503.
    """
    box = body.box.box()
    with call.dependencies.ledger.reading(call.actor) as tables:
        media = photo_at(tables, body.path, body.library)
        if body.person_id is not None:
            person_of(tables, body.person_id)  # before the engine works for nothing
    found = embedded(call.dependencies, media, box)

    def draw(uow: Transaction) -> int:
        content = media.content_hash or b""
        return draw_face(
            uow, content, box, found.embedding, person_id=body.person_id, model_version=found.model_version
        )

    return write(call, draw, lambda uow, face_id: uow.faces.view(face_id), status=201)


@routes(
    "PATCH",
    "/image/faces/{id}",
    body=FacePatch,
    answers=FaceView,
    role="editor",
    errors=(404, 409),
    versioned=True,
    rehearses=True,
)
def patch_face(call: Call, id: int, body: FacePatch) -> Reply:
    """Assign a face to a person, unassign it, put it aside as a stranger's, or move its box, which embeds it again."""
    changes = FaceChanges(person_id=body.person_id, ignored=body.ignored)
    with call.dependencies.ledger.reading(call.actor) as tables:
        face = seen_face(tables, id)
        if isinstance(body.person_id, int):
            person_of(tables, body.person_id)  # before the engine works for nothing
        view = tables.faces.view(id)
        media = None if view is None else photo_at(tables, view.path, view.library_id)
    if body.box is not UNSET and media is not None and body.box.box() != face.box:
        box = body.box.box()
        found = embedded(call.dependencies, media, box)
        changes = msgspec.structs.replace(
            changes, box=box, embedding=found.embedding, model_version=found.model_version
        )
    return write(call, lambda uow: change_face(uow, id, changes, call.expected), lambda uow, _: uow.faces.view(id))


@routes("DELETE", "/image/faces/{id}", answers=Done, role="editor", errors=(404,), versioned=True, rehearses=True)
def remove_face(call: Call, id: int) -> Reply:
    """Say 'not a face': it stays deleted through every later detection."""
    return write(call, lambda uow: delete_face(uow, id, call.expected))


@routes(
    "POST",
    "/image/faces/batch",
    body=FacesBatch,
    answers=BatchOutcome,
    role="editor",
    errors=(404, 409),
    rehearses=True,
)
def decide_many(call: Call, body: FacesBatch) -> Reply:
    """Assign, unassign, put aside, take back or delete many faces in one operation, or say who they are not, with one
    answer a face.

    Who named a face and confirms the likely others says so by `continues`: one undo then takes all of it back.
    """

    def decide(uow: Transaction) -> list[Outcome]:
        def change() -> list[Outcome]:
            return change_faces(uow, body.ids, body.action, body.person_id, body.name)

        return change() if body.continues is None else add_to_operation(uow, body.continues, change)

    return write(call, decide, lambda uow, outcomes: BatchOutcome(outcomes, uow.operation_id))


@routes(
    "POST",
    "/image/faces/rerun",
    query=PhotoQuery,
    answers=Page[FaceView],
    role="editor",
    errors=(404, 422),
    rehearses=True,
)
def rerun(call: Call, query: PhotoQuery) -> Reply:
    """Detect again on one photo; what people decided stands. Answers its faces."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        media = photo_at(tables, query.path, query.library)
        faces = tables.faces.on_content(media.content_hash or b"")
    detection, again = looked_for(call.dependencies, media, faces)

    resemblance = Resemblance.of(call.dependencies.likeness, _engine(call.dependencies).thresholds)

    def record(uow: Transaction) -> None:
        uow.begin("detect", f"looked for faces on {media.path} again")
        record_detection(uow, media.content_hash or b"", detection, resemblance, again)

    return write(call, record, lambda uow, _: Page(uow.faces.shown_on(media.content_hash or b"")))


@routes("GET", "/image/faces/{id}/suggestions", query=Likest, answers=Page[Suggestion], errors=(404,))
def suggest(call: Call, id: int, query: Likest) -> Reply:
    """The persons that a face is likest to, each with the mean cosine to the nearest three of that person's faces; none
    that it was said not to be."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        face = seen_face(tables, id)
        thresholds = call.dependencies.thresholds_of(face.model_version)
        if thresholds is None:
            return Reply(Page([]))
        # Those whom the actor may not know of take nobody's place, nor does it show where they stood.
        wanted = MOST_LIKEST if call.actor.is_restricted else query.limit
        scored = call.dependencies.similarity.suggest(tables, face, wanted, thresholds)
        return Reply(Page(suggestions(tables, scored)[: query.limit]))


@routes("GET", "/image/faces/{id}/similar", query=Likest, answers=Page[SimilarFace], errors=(404,))
def similar(call: Call, id: int, query: Likest) -> Reply:
    """The unassigned faces that are likely the same person's as one, to be confirmed together by `POST
    /image/faces/batch`.

    They are compared with everything that is known of that person. None of them was said not to be that person, or is
    liker to another one.
    """
    with call.dependencies.ledger.reading(call.actor) as tables:
        face = seen_face(tables, id)
        thresholds = call.dependencies.thresholds_of(face.model_version)
        if thresholds is None:
            return Reply(Page([]))
        likely = call.dependencies.similarity.similar(tables, face, query.limit, thresholds)
        views = {view.id: view for view in tables.faces.views(list(likely))}
    rows = [SimilarFace(views[id_], each.similarity, each.preselected) for id_, each in likely.items() if id_ in views]
    return Reply(Page(rows))


@routes(
    "POST",
    "/image/faces/{id}/reject",
    body=NotThisPerson,
    answers=FaceView,
    role="editor",
    errors=(404, 409),
    rehearses=True,
)
def reject(call: Call, id: int, body: NotThisPerson) -> Reply:
    """Say 'not this person', remembered: the face is never suggested or bound to that person again."""

    def say(uow: Transaction) -> None:
        reject_person(uow, id, body.person_id)

    return write(call, say, lambda uow, _: uow.faces.view(id))


@routes("GET", "/image/faces/{id}/crop", query=CropSize, media_types=("image/jpeg",), errors=(404,))
def crop(call: Call, id: int, query: CropSize) -> Reply:
    """The face as a square JPEG."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        face = tables.faces.view(id)
        media = None if face is None else photo_at(tables, face.path, face.library_id)
    if face is None or media is None:
        raise NotFound(f"there is no face {id}")
    box = face.box
    key = f"{face.content_hash}-{box.x}-{box.y}-{box.w}-{box.h}-{query.size}"
    return picture(call, key, lambda: call.dependencies.pictures.crop(media, box, query.size))


log = logging.getLogger(__name__)


class EmbeddedFace(msgspec.Struct, frozen=True):
    """What came of embedding a drawn face: without `embedding`, `model_version` could not use the crop."""

    embedding: Embedding | None
    model_version: str


def embedded(dependencies: Dependencies, media: Media, box: Box) -> EmbeddedFace:
    """Embed one face of a photo from its upright preview.

    Raises:
        Unavailable: no engine is configured, or it cannot answer now.
        RuleViolation: the file has no picture that a face could be on.
    """
    engine = _engine(dependencies)
    picture = preview_of(dependencies, media)
    try:
        found = engine.embed(picture, box)
    except Unreadable as error:
        log.info("a face drawn on %s has no embedding: %s", media.path, error)
        return EmbeddedFace(None, engine.model_version)
    return EmbeddedFace(found, found.model_version)


def looked_for(
    dependencies: Dependencies, media: Media, faces: Sequence[Face]
) -> tuple[Detection, dict[int, Embedding]]:
    """What the engine finds on a photo, and embeddings for those of its old `faces` that stay without being found.

    Raises:
        Unavailable, RuleViolation: as `embedded`; RuleViolation also where the engine can never use the picture.
    """
    engine = _engine(dependencies)
    picture = preview_of(dependencies, media)
    try:
        detection = engine.detect(picture)
    except Unreadable as error:
        raise RuleViolation(f"no faces can be looked for on this photo: {error}", "path") from error
    again = {}
    for face in wants_embedding(faces, detection):
        try:
            again[face.id] = engine.embed(picture, face.box)
        except Unreadable as error:
            log.info("face %s has no embedding of %s: %s", face.id, detection.model_version, error)
    return detection, again


def preview_of(dependencies: Dependencies, media: Media) -> bytes:
    """The upright preview on which boxes are drawn.

    Raises:
        RuleViolation: there can be none.
        NotFound, Unavailable: the file is not to be had now.
    """
    if media.kind != "photo":
        raise RuleViolation("faces are looked for on photos, not on videos", "path")
    try:
        return dependencies.pictures.preview(media)
    except Unreadable as error:
        raise RuleViolation(f"this photo cannot be shown: {error}", "path") from error


def _engine(dependencies: Dependencies) -> FaceEngine:
    if dependencies.engine is None:
        raise Unavailable(dependencies.engine_absent)
    return dependencies.engine
