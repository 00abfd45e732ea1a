"""All read tables of one generation, and the fingerprint that says whether a stored generation fits this code.

A rebuild makes a new generation beside the live one; tables, indexes and constraints carry the generation's number, so
both exist at once and the swap is the change of one row (`read_generations`, owned by the store).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Dialect, MetaData, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.schema import CreateIndex, CreateTable

from projections.tables.api_keys import ApiKeysTable
from projections.tables.attachments import embeddings_table
from projections.tables.counting_triggers import triggers
from projections.tables.entities import EntitiesTable, EntityAliasesTable
from projections.tables.face_confirmations import FaceConfirmationsTable
from projections.tables.face_detections import FaceDetectionsTable
from projections.tables.face_rejections import FaceRejectionsTable
from projections.tables.facts import ExaminationsTable, FactsTable
from projections.tables.insights import InsightsTable
from projections.tables.libraries import LibrariesTable
from projections.tables.media import MediaTable
from projections.tables.operation_persons import OperationPersonsTable
from projections.tables.operations import OperationsTable
from projections.tables.person_faces import PersonFacesTable
from projections.tables.persons import PersonsTable
from projections.tables.persons_told_apart import PersonsToldApartTable
from projections.tables.projection import Projection
from projections.tables.summaries import SummariesTable
from projections.tables.tagged_media import TaggedMediaTable
from projections.tables.tags import TagsTable
from projections.tables.transcripts import TranscriptsTable
from projections.tables.unmatched_faces import UnmatchedFacesTable
from projections.tables.users import UsersTable
from projections.tables.visible_counts import PersonCountsTable, TagCountsTable

REVISION = 3
"""Raise it when a projection changes what it writes while its SQL stays the same, as tests/golden/test_rows.py says;
every other change shows in the fingerprint."""


class ReadTables:
    """Every projection of one generation, in an order in which each table's references come before it."""

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.metadata = MetaData()
        self.embeddings = embeddings_table(self.metadata)
        self.libraries = LibrariesTable(self.metadata, generation)
        self.operations = OperationsTable(self.metadata, generation)
        self.users = UsersTable(self.metadata, generation)
        self.api_keys = ApiKeysTable(self.metadata, generation)
        self.entities = EntitiesTable(self.metadata, generation)
        self.entity_aliases = EntityAliasesTable(self.metadata, generation)
        self.persons = PersonsTable(self.metadata, generation)
        self.told_apart = PersonsToldApartTable(self.metadata, generation)
        self.operation_persons = OperationPersonsTable(self.metadata, generation)
        self.media = MediaTable(self.metadata, generation)
        self.tags = TagsTable(self.metadata, generation)
        self.tagged_media = TaggedMediaTable(self.metadata, generation)
        self.faces = FaceDetectionsTable(self.metadata, generation)
        self.rejections = FaceRejectionsTable(self.metadata, generation)
        self.confirmations = FaceConfirmationsTable(self.metadata, generation)
        self.person_faces = PersonFacesTable(self.metadata, generation)
        self.unmatched = UnmatchedFacesTable(self.metadata, generation)
        self.insights = InsightsTable(self.metadata, generation)
        self.transcripts = TranscriptsTable(self.metadata, generation)
        self.facts = FactsTable(self.metadata, generation)
        self.examinations = ExaminationsTable(self.metadata, generation)
        self.summaries = SummariesTable(self.metadata, generation)
        self.person_counts = PersonCountsTable(self.metadata, generation)
        self.tag_counts = TagCountsTable(self.metadata, generation)

    @property
    def projections(self) -> Sequence[Projection]:
        """The projections, referenced tables first."""
        return (
            self.libraries,
            self.operations,
            self.users,
            self.api_keys,
            self.entities,
            self.entity_aliases,
            self.persons,
            self.told_apart,
            self.operation_persons,
            self.media,
            self.tags,
            self.tagged_media,
            self.faces,
            self.rejections,
            self.confirmations,
            self.person_faces,
            self.unmatched,
            self.insights,
            self.transcripts,
            self.facts,
            self.examinations,
            self.summaries,
            self.person_counts,
            self.tag_counts,
        )

    def statements(self, dialect: Dialect) -> Sequence[str]:
        """What makes the tables of this generation with their indexes and triggers, in order."""
        found: list[str] = []

        def note(ddl: Any, *_parameters: object, **_more: object) -> None:
            found.append(str(ddl.compile(dialect=dialect)))

        self.metadata.create_all(MockConnection(dialect, note), tables=list(self.tables), checkfirst=False)
        return (*found, *triggers(self.generation, dialect.name))

    @property
    def tables(self) -> Sequence[Table]:
        """The tables that belong to this generation; the attachments belong to the log."""
        return tuple(projection.table for projection in self.projections)


@lru_cache(maxsize=8)
def read_tables(generation: int) -> ReadTables:
    """The read tables of one generation, described once a process: nothing changes a description."""
    return ReadTables(generation)


def fingerprint() -> str:
    """Names the shape of the read tables and what their projections write; equal fingerprints can share a
    generation."""
    return _fingerprint_of(REVISION)


@cache
def _fingerprint_of(revision: int) -> str:
    tables = read_tables(0)
    dialect = sqlite.dialect()
    parts = [f"revision {revision}"]
    for projection in tables.projections:
        parts.append(str(CreateTable(projection.table).compile(dialect=dialect)))
        parts += sorted(str(CreateIndex(index).compile(dialect=dialect)) for index in projection.table.indexes)
        for kind, writes in sorted(projection.writes.items(), key=lambda item: item[0].topic):
            parts += [f"{kind.topic} {write.statement.compile(dialect=dialect)}" for write in writes]
    parts += triggers(0, "sqlite")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
