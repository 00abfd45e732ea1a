"""What the faces of a photo and those of a cluster are answered with."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from domain.commands.faces import Outcome
from domain.rules.recognition import Likely
from projections.queries.reading import Lookups


class Suggestion(msgspec.Struct):
    """Who a face may be: `similarity` is the mean cosine to that person's nearest three faces, `preselected` says that
    it is high enough to be presumed until somebody looks."""

    person_id: int
    name: str
    similarity: float
    preselected: bool
    cover_face_id: int | None


def suggestions(lookups: Lookups, likely: Mapping[int, Likely]) -> list[Suggestion]:
    """Those of the persons that the actor may know of, in their order."""
    views = {view.id: view for view in lookups.persons_with_faces.views(list(likely))}
    known = ((views[id_], each) for id_, each in likely.items() if id_ in views)
    return [
        Suggestion(view.id, view.name, each.similarity, each.preselected, view.cover_face_id)
        for view, each in known
        if view.face_count or not lookups.actor.is_restricted
    ]


class BatchOutcome(msgspec.Struct):
    """One row a face, and the operation that undo takes, null where nothing had to change."""

    results: list[Outcome]
    operation_id: int | None
