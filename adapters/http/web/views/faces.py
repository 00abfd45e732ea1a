"""What the faces of a photo and those of a cluster are answered with."""

from __future__ import annotations

import msgspec

from domain.commands.faces import Outcome


class Suggestion(msgspec.Struct):
    """Who a face may be, with the cosine to that person's nearest faces."""

    person_id: int
    name: str
    similarity: float
    cover_face_id: int | None


class BatchOutcome(msgspec.Struct):
    """One row a face, and the operation that undo takes, null where nothing had to change."""

    results: list[Outcome]
    operation_id: int | None
