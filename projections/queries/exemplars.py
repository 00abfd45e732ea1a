"""Queries on exemplars: the faces that stand for a person where others are compared with that person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, Row, func, select

from domain.events.face import DETECTED
from domain.rules.recognition import EXEMPLARS, Candidate, chosen
from projections.tables.attachments import read_vector
from projections.tables.face_detections import QUALITY
from projections.tables.schema import ReadTables

CONSIDERED: Final = 200
"""Faces of a person that are looked at, the clearest, where exemplars are chosen among them: so somebody with tens of
thousands of faces costs no more than others."""
YEAR: Final = 365_250_000 * 86_400
"""A year in microseconds, as `media.taken_at` counts."""


class Exemplars:
    """Queries on the faces that stand for persons, seen or unseen: what recognises is the same for everybody."""

    def __init__(self, connection: Connection, tables: ReadTables) -> None:
        self._connection = connection
        self._faces, self._persons, self._media = tables.faces.table, tables.persons.table, tables.media.table
        self._embeddings = tables.embeddings

    def of(self, person_ids: Collection[int], model_version: str) -> Mapping[int, list[tuple[int, int]]]:
        """The exemplars of canonical persons among their faces of one model: face id and embedding id, by person; those
        who have none are left out."""
        found = {}
        for person_id in person_ids:
            rows = self._clearest(person_id, model_version)
            candidates = self._candidates(rows) if len(rows) > EXEMPLARS else []
            kept = {each.face_id for each in chosen(candidates)} if candidates else {row.id for row in rows}
            if kept:
                found[person_id] = [(row.id, row.embedding_id) for row in rows if row.id in kept]
        return found

    def vectors_of(self, person_id: int, model_version: str) -> list[bytes]:
        """The vectors of a canonical person's exemplars of one model."""
        ids = [embedding_id for _, embedding_id in self.of([person_id], model_version).get(person_id, [])]
        e = self._embeddings
        statement = select(e.c.vector).where(e.c.id.in_(ids))
        return [read_vector(vector) for vector in self._connection.execute(statement).scalars()]

    def _clearest(self, person_id: int, model_version: str) -> Sequence[Row[*tuple[object, ...]]]:
        f, p = self._faces, self._persons
        behind = select(p.c.id).where(p.c.canonical_id == person_id)
        statement = (
            select(f.c.id, f.c.embedding_id, f.c.content_hash, f.c.touched)
            .where(
                f.c.person_id.in_(behind),
                f.c.status == DETECTED,
                f.c.model_version == model_version,
                f.c.embedding_id.is_not(None),
            )
            .order_by(QUALITY.desc(), f.c.id.desc())
            .limit(CONSIDERED)
        )
        return self._connection.execute(statement).all()

    def _candidates(self, rows: Sequence[Row[*tuple[object, ...]]]) -> list[Candidate]:
        m = self._media
        contents = {row.content_hash for row in rows}
        taken = select(m.c.content_hash, func.min(m.c.taken_at).label("taken_at"))
        statement = taken.where(m.c.content_hash.in_(contents)).group_by(m.c.content_hash)
        years = {
            row.content_hash: None if row.taken_at is None else row.taken_at // YEAR
            for row in self._connection.execute(statement)
        }
        return [Candidate(row.id, bool(row.touched), years.get(row.content_hash)) for row in rows]
