"""The queries of one connection, as commands and routes see them: what the actor may see is fixed once, here."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import Connection

from domain.base.actor import Actor
from domain.rules.access import knows_person
from projections.queries.api_keys import ApiKeys
from projections.queries.detection_backlog import DetectionBacklog
from projections.queries.exemplars import Exemplars
from projections.queries.face_vectors import EmbeddedFaces
from projections.queries.faces import Faces
from projections.queries.graph import KnowledgeGraph
from projections.queries.insights import Insights
from projections.queries.libraries import Libraries
from projections.queries.media import MediaFiles
from projections.queries.memories import DatedFiles
from projections.queries.operations import Operations
from projections.queries.person_likeness import FacesOfPersons
from projections.queries.person_sight import PersonSight
from projections.queries.persons import Persons
from projections.queries.persons_with_faces import PersonsWithFaces
from projections.queries.summaries import Summaries
from projections.queries.tagged import TaggedMedia
from projections.queries.tags import Tags
from projections.queries.timeline import Timeline
from projections.queries.transcripts import Transcripts
from projections.queries.unmatched import UnmatchedFaces
from projections.queries.users import Users
from projections.queries.visibility import Visibility
from projections.tables.schema import ReadTables


class Lookups:
    """Queries bound to one snapshot (or one write transaction) and to the libraries that `actor` may see."""

    def __init__(
        self, connection: Connection, tables: ReadTables, actor: Actor, only_library: int | None = None
    ) -> None:
        self.connection = connection
        self.tables = tables
        self.actor = actor
        self._only = only_library

    @cached_property
    def visible(self) -> frozenset[int]:
        """The ids of the shown libraries that the actor is granted, narrowed to the one asked for."""
        shown = frozenset(library.id for library in self.libraries.shown())
        granted = shown if self.actor.libraries is None else shown & self.actor.libraries
        return granted if self._only is None else granted & {self._only}

    @cached_property
    def visibility(self) -> Visibility:
        """Queries that the rules of access decide by."""
        return Visibility(self.connection, self.tables, self.visible, self._sight)

    @property
    def _sight(self) -> PersonSight:
        return PersonSight(self.tables, self.actor, self.visible)

    @cached_property
    def libraries(self) -> Libraries:
        """Queries on libraries."""
        return Libraries(self.connection, self.tables.libraries)

    @cached_property
    def media(self) -> MediaFiles:
        """Queries on files."""
        return MediaFiles(self.connection, self.tables.media, self.visible)

    @cached_property
    def detection_backlog(self) -> DetectionBacklog:
        """Which photos wait for detection."""
        return DetectionBacklog(self.connection, self.tables, self.visible)

    @cached_property
    def timeline(self) -> Timeline:
        """Pages of photos."""
        return Timeline(self.connection, self.tables, self.visible)

    @cached_property
    def memories(self) -> DatedFiles:
        """When files were taken."""
        return DatedFiles(self.connection, self.tables, self.visible)

    @cached_property
    def persons(self) -> Persons:
        """Queries on persons alone."""
        return Persons(self.connection, self.tables.persons, self.tables.told_apart)

    @cached_property
    def persons_with_faces(self) -> PersonsWithFaces:
        """Queries on the persons that the actor may know of, with their visible faces."""
        return PersonsWithFaces(
            self.connection,
            self.tables,
            self.visible,
            knows=self._knows_person,
            sight=self._sight if self.actor.is_restricted else None,
        )

    def _knows_person(self, person_id: int) -> bool:
        return knows_person(self, person_id)

    @cached_property
    def faces(self) -> Faces:
        """Queries on faces."""
        return Faces(self.connection, self.tables, self.visible)

    @cached_property
    def unmatched_faces(self) -> UnmatchedFaces:
        """Queries on faces that found no place on the photo that was saved in place of theirs."""
        return UnmatchedFaces(self.connection, self.tables, self.visible)

    @cached_property
    def embedded_faces(self) -> EmbeddedFaces:
        """Queries on faces by their embeddings."""
        return EmbeddedFaces(self.connection, self.tables, self.visible)

    @cached_property
    def faces_of_persons(self) -> FacesOfPersons:
        """Queries on the faces of persons by their embeddings."""
        return FacesOfPersons(self.connection, self.tables, self.visible)

    @cached_property
    def exemplars(self) -> Exemplars:
        """Queries on the faces that stand for persons."""
        return Exemplars(self.connection, self.tables)

    @cached_property
    def tags(self) -> Tags:
        """Queries on tags alone."""
        return Tags(self.connection, self.tables.tags)

    @cached_property
    def tagged(self) -> TaggedMedia:
        """Queries on what is tagged."""
        return TaggedMedia(self.connection, self.tables, self.visible, everything=not self.actor.is_restricted)

    @cached_property
    def operations(self) -> Operations:
        """Queries on operations."""
        return Operations(self.connection, self.tables.operations, self.tables.operation_persons)

    @cached_property
    def users(self) -> Users:
        """Queries on accounts."""
        return Users(self.connection, self.tables.users)

    @cached_property
    def api_keys(self) -> ApiKeys:
        """Queries on the keys of programs."""
        return ApiKeys(self.connection, self.tables.api_keys)

    @cached_property
    def entities(self) -> KnowledgeGraph:
        """Queries on the knowledge graph."""
        everything = not self.actor.is_restricted and self._only is None
        return KnowledgeGraph(self.connection, self.tables, self.visible, None if everything else self._sight)

    @cached_property
    def insights(self) -> Insights:
        """Queries on insights."""
        return Insights(self.connection, self.tables.insights, self.tables.media, self.visible)

    @cached_property
    def transcripts(self) -> Transcripts:
        """Queries on conversations."""
        return Transcripts(self.connection, self.tables.transcripts)

    @cached_property
    def summaries(self) -> Summaries:
        """Queries on daily summaries."""
        return Summaries(self.connection, self.tables.summaries, self.tables.embeddings)

    def row_of(self, kind: str, id_: int) -> Any:
        """A `person`, `face`, `tag`, `entity` or `fact` as clients see it, None where it is not (or no longer) to be
        seen."""
        views: dict[str, Callable[[int], Any]] = {
            "person": self.persons_with_faces.view,
            "face": self.faces.view,
            "tag": self.tags.get,
            "entity": self.entities.view,
            "fact": self.entities.fact_view,
        }
        return views[kind](id_) if kind in views else None


class Change(msgspec.Struct, frozen=True):
    """One row that a rehearsed command would change: `kind` is `person`, `face`, `tag`, `entity` or `fact`; None
    where it is not to be seen."""

    kind: str
    id: int
    before: Any
    after: Any
