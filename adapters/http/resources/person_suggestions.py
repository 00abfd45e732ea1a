"""Which persons may be one, and which faces of a person somebody else's, each with its evidence: to be accepted by what
merges and assigns, or refused for good."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from adapters.http.web import Call, Cursor, Id, LibraryParam, Reply, Routes, next_cursor, place_of, within, write
from adapters.http.web.face_models import compared_model
from adapters.http.web.validation import OneOf
from adapters.http.web.views.faces import BatchOutcome, Suggestion
from adapters.store.transaction import Transaction
from adapters.vectors.alike_persons import LikelyAnothers, LikelyOne, Suggested
from domain.base.errors import RuleViolation
from domain.commands.faces import LARGEST_BATCH, Outcome
from domain.commands.suggestions import confirm_faces, tell_apart
from domain.rules.recognition import Likely
from projections.queries.faces import FaceView
from projections.queries.persons_with_faces import PersonView
from projections.queries.reading import Lookups

routes = Routes("Review")

SAMPLES: Final = 6
"""Faces of a suggestion that come with it in full."""


class SuggestionsQuery(msgspec.Struct):
    """Which suggestions: `merge` who may be one, `split` who may be two; left out: both, in this order."""

    kind: Literal["merge", "split"] | None = None
    library: LibraryParam | None = None
    limit: Annotated[int, Meta(ge=1, le=200, description="how many items at most")] = 20
    cursor: Cursor | None = None


class AlikeFaces(msgspec.Struct):
    """A face of the one person and a face of the other, with their cosine."""

    face_id: int
    other_face_id: int
    similarity: float


class MergeSuggestion(msgspec.Struct, tag_field="kind", tag="merge"):
    """Two persons that are likely one, never on the same photo: `person` would be merged `into` the one with more
    faces.

    `similarity` is the mean cosine between their faces, of one age where they have many, at least `threshold`;
    `names_alike` says that the one name is, or begins, a part of the other; `examples` are the faces most alike, those
    of `person` first.
    """

    person: PersonView
    into: PersonView
    similarity: float
    threshold: float
    names_alike: bool
    examples: list[AlikeFaces]


class SplitSuggestion(msgspec.Struct, tag_field="kind", tag="split"):
    """Faces of a person that are likely one other's: alike among themselves, and like none of the person's others.

    `face_ids` are all of them (at most 5000), `faces` the first six in full; `similarity` is their mean likeness to the
    person's others, which for each lies below `threshold`; `nearest` is the other person that they are likest to, where
    one is near.
    """

    person: PersonView
    size: int
    face_ids: list[int]
    faces: list[FaceView]
    similarity: float
    threshold: float
    nearest: Suggestion | None


class PersonSuggestionPage(msgspec.Struct):
    """One page of suggestions; `next_cursor` is null on the last one."""

    items: list[MergeSuggestion | SplitSuggestion]
    next_cursor: str | None


class AfterSuggestion(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The cursor: what the last suggestion of the page before is sorted by."""

    kind: Literal[0, 1]
    first: Annotated[float, Meta(ge=-(2**53), le=2**53)]
    second: Annotated[float, Meta(ge=-2, le=2)]
    person: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    other: Annotated[int, Meta(ge=0, le=2**53 - 1)]


class SuggestionRefused(msgspec.Struct):
    """Why a suggestion is wrong: the two `persons` are not one; or the faces `face_ids` are those of the person
    `person_id` after all."""

    excludes: ClassVar = (OneOf(("persons", "face_ids")),)

    persons: Annotated[list[Id], Meta(min_length=2, max_length=2)] | None = None
    person_id: Id | None = None
    face_ids: Annotated[list[Id], Meta(min_length=1, max_length=LARGEST_BATCH)] | None = None


@routes("GET", "/persons/suggestions", query=SuggestionsQuery, answers=PersonSuggestionPage, errors=(404,))
def list_person_suggestions(call: Call, query: SuggestionsQuery) -> Reply:
    """Persons that may be one, the likest first; then faces of a person that may be somebody else's, the largest group
    first.

    Accept the one by `POST /persons/{id}/merge`, the other by `POST /image/faces/batch`; `POST
    /persons/suggestions/refuse` says that one is wrong, and it never comes again. Hidden persons are left out, and so
    are faces that wait for a vector of the current model.
    """
    after = None if query.cursor is None else _cursor_place(place_of(query.cursor, AfterSuggestion))
    with call.dependencies.ledger.reading(call.actor) as tables:
        narrowed = within(tables, query.library)
        suggested = _suggested(call, narrowed, tables)
        found = [] if suggested is None else _found(suggested, query.kind)
        following = [each for each in found if after is None or _place(each) > after]
        items = [] if suggested is None else _views(narrowed, suggested, following[: query.limit])
    cursor = next_cursor(following, query.limit, lambda each: AfterSuggestion(*_place(each)))
    return Reply(PersonSuggestionPage(items, cursor))


@routes(
    "POST",
    "/persons/suggestions/refuse",
    body=SuggestionRefused,
    answers=BatchOutcome,
    role="editor",
    errors=(404, 409),
    rehearses=True,
)
def refuse_suggestion(call: Call, body: SuggestionRefused) -> Reply:
    """Say that two persons are two, or that faces are whose they are said to be: that is never suggested again.

    It holds for whoever is merged into one of the persons later, and until it is undone. The answer has a row for each
    person or face.
    """

    def refuse(uow: Transaction) -> list[Outcome]:
        if body.persons is not None and body.person_id is not None:
            raise RuleViolation("leave it out beside two persons: it says whose the face_ids are", "person_id")
        if body.persons is not None:
            return tell_apart(uow, *body.persons)
        if body.person_id is None:
            raise RuleViolation("name the person_id whose the faces are", "person_id")
        return confirm_faces(uow, body.person_id, body.face_ids or [])

    return write(call, refuse, lambda uow, outcomes: BatchOutcome(outcomes, uow.operation_id))


def _suggested(call: Call, lookups: Lookups, whole: Lookups) -> Suggested | None:
    model = compared_model(call.dependencies, lookups)
    thresholds = None if model is None else call.dependencies.thresholds_of(model)
    if model is None or thresholds is None:
        return None
    return call.dependencies.person_suggestions.of(lookups, model, thresholds, whole)


def _found(suggested: Suggested, kind: str | None) -> list[LikelyOne | LikelyAnothers]:
    merges = [] if kind == "split" else suggested.likely_one()
    return [*merges, *([] if kind == "merge" else suggested.likely_anothers())]


def _place(each: LikelyOne | LikelyAnothers) -> tuple[Literal[0, 1], float, float, int, int]:
    if isinstance(each, LikelyOne):
        return 0, -each.similarity, 0.0, each.person, each.into
    return 1, -len(each.face_ids), each.similarity, each.person, each.face_ids[0]


def _cursor_place(after: AfterSuggestion) -> tuple[Literal[0, 1], float, float, int, int]:
    return after.kind, after.first, after.second, after.person, after.other


def _views(
    lookups: Lookups, suggested: Suggested, kept: list[LikelyOne | LikelyAnothers]
) -> list[MergeSuggestion | SplitSuggestion]:
    nearest = {at: suggested.nearest(each) for at, each in enumerate(kept) if isinstance(each, LikelyAnothers)}
    ids = {each.person for each in kept} | {each.into for each in kept if isinstance(each, LikelyOne)}
    ids |= {near[0] for near in nearest.values() if near is not None}
    persons = {view.id: view for view in lookups.persons_with_faces.views(sorted(ids))}
    shown: list[MergeSuggestion | SplitSuggestion] = []
    for at, each in enumerate(kept):
        if isinstance(each, LikelyAnothers):
            shown.append(_split(lookups, each, persons, nearest[at]))
        else:
            examples = [AlikeFaces(*pair) for pair in suggested.examples(each)]
            person, into = persons[each.person], persons[each.into]
            suggestion = MergeSuggestion(
                person=person,
                into=into,
                similarity=each.similarity,
                threshold=each.threshold,
                names_alike=each.names_alike,
                examples=examples,
            )
            shown.append(suggestion)
    return shown


def _split(
    lookups: Lookups, each: LikelyAnothers, persons: dict[int, PersonView], near: tuple[int, Likely] | None
) -> SplitSuggestion:
    views = {view.id: view for view in lookups.faces.views(each.face_ids[:SAMPLES])}
    likest = None
    if near is not None:
        other, likely = persons[near[0]], near[1]
        likest = Suggestion(other.id, other.name, likely.similarity, likely.preselected, other.cover_face_id)
    return SplitSuggestion(
        person=persons[each.person],
        size=len(each.face_ids),
        face_ids=list(each.face_ids[:LARGEST_BATCH]),
        faces=[views[face] for face in each.face_ids[:SAMPLES] if face in views],
        similarity=each.similarity,
        threshold=each.threshold,
        nearest=likest,
    )
