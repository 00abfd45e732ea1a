"""Persons: `/persons` and what lies below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.http.web import (
    USUAL_LIMIT,
    AsOf,
    Call,
    ClampedLimit,
    Cursor,
    Done,
    Id,
    LibraryParam,
    Limit,
    Name,
    NamePart,
    Offset,
    Page,
    Reply,
    Routes,
    Sorted,
    clamped,
    id_of,
    next_cursor,
    person_of,
    place_with_value,
    sorted_place,
    tables_as_of,
    within,
    write,
)
from adapters.http.web.face_models import compared_model
from adapters.store.transaction import Transaction
from domain.commands.persons import PersonChanges, change_person, create_person, delete_person, merge_persons
from projections.queries.faces import FaceView
from projections.queries.persons_with_faces import PersonView
from projections.queries.reading import Lookups

routes = Routes("Persons")

LIKENESS_STEPS: Final = 10_000
"""Steps in which a likeness is sorted: as it is answered."""
LAST: Final = 2**62
"""Sorts what has no time or likeness behind everything that has."""


class PersonFace(FaceView, frozen=True):
    """A face of a person: sorted by likeness with its `similarity`, the mean cosine to the nearest three of the
    person's others that hang together; null where there is none, or no vector of the current model."""

    similarity: float | None = None


class PersonsQuery(msgspec.Struct):
    """Which persons."""

    library: LibraryParam | None = None
    with_faces: Annotated[bool, Meta(description="leave out who has no face to be seen")] = False
    include_hidden: bool = False
    q: NamePart | None = None
    sort: Literal["name", "faces"] = "name"
    as_of: AsOf | None = None
    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


class PersonQuery(msgspec.Struct):
    """When."""

    as_of: AsOf | None = None


BirthDate = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$", description="YYYY-MM-DD")]


class NewPerson(msgspec.Struct):
    """A person to make."""

    name: Name
    notes: str = ""
    birth_date: BirthDate | None = None
    hidden: bool = False
    entity_id: Id | None = None
    cover_face_id: Annotated[Id, Meta(description="a face of nobody's, which becomes this person's")] | None = None


class PersonPatch(msgspec.Struct):
    """What to write about a person; what is left out stays."""

    name: Name | UnsetType = UNSET
    notes: str | UnsetType = UNSET
    entity_id: Id | UnsetType | None = UNSET
    cover_face_id: Id | UnsetType | None = UNSET
    birth_date: BirthDate | UnsetType | None = UNSET
    hidden: bool | UnsetType = UNSET


class Deletion(msgspec.Struct):
    """What becomes of the faces: nobody's, or deleted with the person."""

    cascade: Literal["set_null", "delete"] = "set_null"


class MergeInto(msgspec.Struct):
    """The person that the other one turns out to be."""

    into: Id


class FacesOfPerson(msgspec.Struct):
    """Which faces, in which order: by `id`, by `time`, when the photo was taken, or by `likeness`, how alike a face is
    to the person's others, so that with `asc` the least alike come first. What has no time or likeness comes last."""

    library: LibraryParam | None = None
    sort: Literal["id", "time", "likeness"] = "id"
    order: Literal["asc", "desc"] = "asc"
    limit: ClampedLimit = USUAL_LIMIT
    offset: Offset = 0
    cursor: Cursor | None = None


@routes("GET", "/persons", query=PersonsQuery, answers=Page[PersonView], errors=(404,))
def list_persons(call: Call, query: PersonsQuery) -> Reply:
    """Persons with their face counts and covers.

    With `library`, the counts and covers are of that library, and who has faces elsewhere alone is left out, as with
    `with_faces` is who has none; with `as_of`, everything is as it stood then.
    """
    after = (
        None if query.cursor is None else sorted_place(query.cursor, query.sort, str if query.sort == "name" else int)
    )
    with tables_as_of(call, query.as_of) as tables:
        rows = within(tables, query.library).persons_with_faces.page(
            sort=query.sort,
            after=after,
            limit=query.limit + 1,
            q=query.q,
            include_hidden=query.include_hidden,
            with_faces_only=query.with_faces,
            elsewhere=query.library is None,
        )
    kept = rows[: query.limit]
    cursor = next_cursor(rows, query.limit, place_with_value(query.sort))
    return Reply(Page([view for view, _ in kept], cursor))


@routes(
    "POST", "/persons", body=NewPerson, answers=PersonView, status=201, role="editor", errors=(409,), rehearses=True
)
def add_person(call: Call, body: NewPerson) -> Reply:
    """Name a new person."""

    def create(uow: Transaction) -> int:
        return create_person(uow, **msgspec.structs.asdict(body))

    return write(call, create, lambda uow, person_id: uow.persons_with_faces.view(person_id), status=201)


@routes("GET", "/persons/{id}", query=PersonQuery, answers=PersonView, errors=(404,))
def show_person(call: Call, id: int, query: PersonQuery) -> Reply:
    """One person; a merged one says into whom by `merged_into`; with `as_of` as it was then."""
    with tables_as_of(call, query.as_of) as tables:
        return Reply(person_of(tables, id))


@routes(
    "PATCH",
    "/persons/{id}",
    body=PersonPatch,
    answers=PersonView,
    role="editor",
    errors=(404, 409),
    versioned=True,
    rehearses=True,
)
def patch_person(call: Call, id: int, body: PersonPatch) -> Reply:
    """Write what is known of a person."""
    changes = PersonChanges(**msgspec.structs.asdict(body))
    return write(
        call, lambda uow: change_person(uow, id, changes, call.expected), lambda uow, _: uow.persons_with_faces.view(id)
    )


@routes(
    "DELETE",
    "/persons/{id}",
    query=Deletion,
    answers=Done,
    role="editor",
    errors=(404, 409),
    versioned=True,
    rehearses=True,
)
def remove_person(call: Call, id: int, query: Deletion) -> Reply:
    """Delete a person and everyone merged into it.

    With `cascade=set_null` the faces are kept and belong to nobody; with `delete` they are deleted too, and stay so
    through every later detection.
    """
    with_faces = query.cascade == "delete"
    return write(call, lambda uow: delete_person(uow, id, with_faces=with_faces, expected=call.expected))


@routes(
    "POST",
    "/persons/{id}/merge",
    body=MergeInto,
    answers=PersonView,
    role="editor",
    errors=(404, 409),
    versioned=True,
    rehearses=True,
)
def merge(call: Call, id: int, body: MergeInto) -> Reply:
    """Say that this person is another one, which takes over its faces; answers that one.

    Its notes are copied where the other one's are empty. Undo brings it back with exactly the faces that it had.
    """
    return write(
        call,
        lambda uow: merge_persons(uow, id, body.into, call.expected),
        lambda uow, _: uow.persons_with_faces.view(body.into),
    )


@routes("GET", "/persons/{id}/faces", query=FacesOfPerson, answers=Page[PersonFace], errors=(404,))
def list_faces_of_person(call: Call, id: int, query: FacesOfPerson) -> Reply:
    """A person's faces, with those of everyone merged into it.

    By likeness the ones that may be somebody else's come first. Each face is compared with the visible ones of the
    person that hang together; faces that wait for a vector of the current model come last, with `similarity` null.
    """
    limit = clamped(query.limit)
    with call.dependencies.ledger.reading(call.actor) as tables:
        person = person_of(tables, id)
        canonical = person.merged_into or id
        if (query.sort, query.order) == ("id", "asc"):
            faces = within(tables, query.library).faces
            views = faces.of_person(canonical, id_of(query.cursor) or 0, limit + 1, query.offset)
            rows = [_with_similarity(view, None) for view in views]
            return Reply(Page(rows[:limit], next_cursor(rows, limit)))
        return Reply(_sorted_faces(call, tables, canonical, query, limit))


def _sorted_faces(call: Call, tables: Lookups, person_id: int, query: FacesOfPerson, limit: int) -> Page[PersonFace]:
    narrowed, sort = within(tables, query.library), f"{query.sort}.{query.order}"
    after = None if query.cursor is None else sorted_place(query.cursor, sort, int)
    dated = dict(narrowed.faces_of_persons.dated(person_id))
    likenesses = _likenesses(call, tables, person_id) if query.sort == "likeness" else {}
    sign = 1 if query.order == "asc" else -1

    def value(face_id: int) -> int:
        likeness = likenesses.get(face_id)
        known = {
            "id": face_id,
            "time": dated[face_id],
            "likeness": None if likeness is None else round(likeness * LIKENESS_STEPS),
        }[query.sort]
        return LAST if known is None else sign * known

    places = sorted((value(face_id), face_id) for face_id in dated)
    following = [place for place in places if after is None or place > after][query.offset :]
    views = {view.id: view for view in narrowed.faces.views([face_id for _, face_id in following[:limit]])}
    kept = [place for place in following[:limit] if place[1] in views]
    cursor = next_cursor(following, limit, lambda place: Sorted(sort, *place))
    return Page([_with_similarity(views[face_id], likenesses.get(face_id)) for _, face_id in kept], cursor)


def _likenesses(call: Call, tables: Lookups, person_id: int) -> Mapping[int, float]:
    model = compared_model(call.dependencies, tables)
    thresholds = None if model is None else call.dependencies.thresholds_of(model)
    if model is None or thresholds is None:
        return {}
    return call.dependencies.person_suggestions.likenesses(tables, person_id, model, thresholds.offer)


def _with_similarity(view: FaceView, similarity: float | None) -> PersonFace:
    return PersonFace(**msgspec.structs.asdict(view), similarity=similarity)
