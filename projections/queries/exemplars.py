"""Queries on exemplars: the faces that stand for a person where others are compared with that person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from domain.events.face import DETECTED
from domain.rules.recognition import EXEMPLARS, Candidate, chosen
from projections.tables.attachments import read_vector
from projections.tables.face_detections import QUALITY
from projections.tables.schema import ReadTables

CONSIDERED: Final = 2000
"""Faces of a person that are looked at, the clearest, where exemplars are chosen among them: so many that other years
are there where the clearest hundreds are all of a few, and no more, at 11 ms, of somebody with tens of thousands."""
YEAR: Final = 365_250_000 * 86_400
"""A year in microseconds, as `media.taken_at` counts."""


class Exemplars:
    """Queries on the faces that stand for persons, seen or unseen: what recognises is the same for everybody."""

    def __init__(self, connection: Connection, tables: ReadTables) -> None:
        self._connection = connection
        self._statements = _statements_on(tables)
        self._known: dict[tuple[int, str], list[tuple[int, int]]] = {}

    def of(self, person_ids: Collection[int], model_version: str) -> Mapping[int, list[tuple[int, int]]]:
        """The exemplars of canonical persons among their faces of one model: face id and embedding id, by person; those
        who have none are left out. Of each they are chosen once in a snapshot."""
        for person_id in person_ids:
            if (person_id, model_version) not in self._known:
                self._known[person_id, model_version] = self._chosen_of(person_id, model_version)
        found = {person_id: self._known[person_id, model_version] for person_id in person_ids}
        return {person_id: kept for person_id, kept in found.items() if kept}

    def _chosen_of(self, person_id: int, model_version: str) -> list[tuple[int, int]]:
        rows = self._connection.execute(self._statements.clearest, {"person": person_id, "model": model_version}).all()
        kept = _chosen(rows) if len(rows) > EXEMPLARS else {row.id for row in rows}
        return [(row.id, row.embedding_id) for row in rows if row.id in kept]

    def vectors_of(self, person_id: int, model_version: str) -> list[bytes]:
        """The vectors of a canonical person's exemplars of one model, as the tables stand now."""
        ids = [embedding_id for _, embedding_id in self._chosen_of(person_id, model_version)]
        rows = self._connection.execute(self._statements.vectors, {"ids": ids})
        return [read_vector(row.vector) for row in rows]


def _chosen(rows: Sequence[Row[*tuple[object, ...]]]) -> set[int]:
    candidates = [
        Candidate(row.id, bool(row.touched), None if row.taken_at is None else row.taken_at // YEAR) for row in rows
    ]
    return {each.face_id for each in chosen(candidates)}


class _Statements(NamedTuple):
    """What is asked, made once: a search asks it of dozens of persons."""

    clearest: Select[*tuple[object, ...]]
    vectors: Select[*tuple[object, ...]]


@lru_cache(maxsize=8)
def _statements_on(tables: ReadTables) -> _Statements:
    f, p, m, e = tables.faces.table, tables.persons.table, tables.media.table, tables.embeddings
    taken = select(func.min(m.c.taken_at)).where(m.c.content_hash == f.c.content_hash)
    behind = select(p.c.id).where(p.c.canonical_id == bindparam("person"))
    clearest = (
        select(f.c.id, f.c.embedding_id, f.c.touched, taken.scalar_subquery().label("taken_at"))
        .where(
            f.c.person_id.in_(behind),
            f.c.status == DETECTED,
            f.c.model_version == bindparam("model"),
            f.c.embedding_id.is_not(None),
        )
        .order_by(QUALITY.desc(), f.c.id.desc())
        .limit(CONSIDERED)
    )
    vectors = select(e.c.vector).where(e.c.id.in_(bindparam("ids", expanding=True))).order_by(e.c.id)
    return _Statements(clearest, vectors)
