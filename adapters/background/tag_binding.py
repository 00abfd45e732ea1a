"""Binds new faces by the tag rule, after a photo was looked at or tagged, and once more when a change of the face model
is through; what is decided stands in the domain."""

from __future__ import annotations

import logging
from collections.abc import Collection

from adapters.store.ledger import Ledger
from adapters.vectors.similarity import Similarity, likeness
from domain.base.actor import AUTOBIND, WATCHER
from domain.commands.autobind import Comparison, bind_by_tag
from domain.events.event import Recorded
from domain.events.face import FaceDetected, FaceEmbedded, FaceRedetected
from domain.events.operation import LOOKED_AGAIN, OperationEnded
from domain.events.tag import MediaTagged
from domain.ports.face_engine import FaceEngine
from projections.queries.reading import Lookups

log = logging.getLogger(__name__)


class BindsByTag:
    """Binds new faces, and faces on newly tagged photos, to the persons whose names are tags there.

    While the face model changes, a photo may come to its turn before the faces that it would be compared with: so all
    tagged photos are asked for once more when that is over.
    """

    TOPICS = tuple(e.topic for e in (FaceDetected, FaceRedetected, FaceEmbedded, MediaTagged, OperationEnded))

    def __init__(self, ledger: Ledger, engine: FaceEngine, similarity: Similarity, least: float | None) -> None:
        """`least` is the cosine to bind from; None takes the engine's own."""
        self._ledger, self._engine, self._similarity = ledger, engine, similarity
        self._least = least

    def answer(self, events: list[Recorded]) -> None:
        """Look once at each content that the events are about; what is bound is one operation."""
        with self._ledger.reading(WATCHER) as tables:
            contents: dict[bytes, int] = {}
            for recorded in events:
                contents |= dict.fromkeys(self._contents_of(tables, recorded), recorded.position)
            tagged = [content for content in contents if tables.tagged.of_content(content)]
        if not tagged:
            return
        operation_id, names, photos = None, set(), 0
        for content in tagged:
            comparison = self._comparison(content)
            with self._ledger.transaction(AUTOBIND, operation_id=operation_id, causation=contents[content]) as uow:
                bound = bind_by_tag(uow, content, comparison)
                operation_id = uow.operation_id
            for each in bound:
                log.info("bound face %s to %s (%s)", each.face_id, each.person.name, each.why.rule)
            names |= {each.person.name for each in bound}
            photos += bool(bound)
        if operation_id is not None and photos > 1:
            with self._ledger.transaction(AUTOBIND, operation_id=operation_id) as uow:
                uow.end(f"recognised {', '.join(sorted(names))} on {photos} photos with their tags")

    def _contents_of(self, tables: Lookups, recorded: Recorded) -> Collection[bytes]:
        """The contents that an event is about."""
        event = recorded.event
        if isinstance(event, (FaceDetected, MediaTagged)):
            return [event.content_hash]
        if isinstance(event, (FaceRedetected, FaceEmbedded)):
            face = tables.faces.get(event.face_id)
            return [] if face is None else [face.content_hash]
        operation = tables.operations.get(recorded.operation_id)
        if operation is None or operation.kind != LOOKED_AGAIN:
            return []
        return tables.embedded_faces.unassigned_with_names(self._engine.model_version)

    def _comparison(self, content: bytes) -> Comparison:
        """How the faces on a content are compared: with whom each is likest to is looked up before anything is
        locked."""
        model, thresholds = self._engine.model_version, self._engine.thresholds
        likest: dict[int, tuple[int, float]] = {}
        with self._ledger.reading(WATCHER) as tables:
            for face in tables.faces.on_content(content):
                # A face of somebody who was deleted is nobody's, and may be bound as others are.
                person = None if face.person_id is None else tables.persons.get(face.person_id)
                if face.model_version == model and (person is None or person.canonical_id is None):
                    for person_id, likely in self._similarity.suggest(tables, face, 1, thresholds).items():
                        likest[face.id] = person_id, likely.similarity
        least = thresholds.autobind if self._least is None else self._least
        return Comparison(model, least, likeness, likest)
