"""Queries on faces by their embeddings: what a search among vectors asks about those that it found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, and_, func, select

from domain.events.face import DETECTED
from projections.tables.schema import ReadTables

CHUNK = 500
"""Ids that one statement takes."""


class EmbeddedFaces:
    """Queries on faces that have an embedding; `libraries` are the ids that the asker may see."""

    def __init__(self, connection: Connection, tables: ReadTables, libraries: Collection[int]) -> None:
        self._connection = connection
        self._faces = tables.faces.table
        self._persons = tables.persons.table
        self._media = tables.media.table
        self._tags, self._tagged = tables.tags.table, tables.tagged_media.table
        self._rejections = tables.rejections.table
        self._libraries = tuple(libraries)

    def newest_model(self) -> str | None:
        """The model of the newest face, None where there is no face."""
        f = self._faces
        statement = select(f.c.model_version).where(f.c.status == DETECTED, f.c.embedding_id.is_not(None))
        return self._connection.execute(statement.order_by(f.c.id.desc()).limit(1)).scalar_one_or_none()

    # Of persons; hidden ones and faces out of sight too

    def assigned_with(self, embedding_ids: Sequence[int]) -> Mapping[int, list[tuple[int, int]]]:
        """The assigned faces that have these embeddings: face id and canonical person, by embedding id."""
        f, p = self._faces, self._persons
        found: dict[int, list[tuple[int, int]]] = {}
        for start in range(0, len(embedding_ids), CHUNK):
            statement = (
                select(f.c.embedding_id, f.c.id, p.c.canonical_id)
                .join(p, p.c.id == f.c.person_id)
                .where(
                    f.c.embedding_id.in_(embedding_ids[start : start + CHUNK]),
                    f.c.status == DETECTED,
                    p.c.canonical_id.is_not(None),
                )
                .order_by(f.c.id)
            )
            for embedding_id, face_id, person_id in self._connection.execute(statement):
                found.setdefault(embedding_id, []).append((face_id, person_id))
        return found

    def assigned(self, model_version: str) -> list[tuple[int, int]]:
        """Every assigned face of one model: embedding id and canonical person."""
        f, p = self._faces, self._persons
        statement = (
            select(f.c.embedding_id, p.c.canonical_id)
            .join(p, p.c.id == f.c.person_id)
            .where(
                f.c.model_version == model_version,
                f.c.status == DETECTED,
                f.c.embedding_id.is_not(None),
                p.c.canonical_id.is_not(None),
            )
        )
        return [(embedding_id, person_id) for embedding_id, person_id in self._connection.execute(statement)]

    def counts_of(self, person_ids: Sequence[int], model_version: str) -> Mapping[int, int]:
        """How many faces of one model each of these canonical persons has."""
        f, p = self._faces, self._persons
        statement = (
            select(p.c.canonical_id, func.count().label("faces"))
            .join(p, p.c.id == f.c.person_id)
            .where(
                p.c.canonical_id.in_(person_ids),
                f.c.status == DETECTED,
                f.c.model_version == model_version,
                f.c.embedding_id.is_not(None),
            )
            .group_by(p.c.canonical_id)
        )
        return {row.canonical_id: row.faces for row in self._connection.execute(statement)}

    def rejected_by_any(self, face_ids: Sequence[int]) -> set[int]:
        """The canonical persons that one of these faces was said not to be."""
        r, p = self._rejections, self._persons
        found: set[int] = set()
        for start in range(0, len(face_ids), CHUNK):
            these = r.c.face_id.in_(face_ids[start : start + CHUNK])
            statement = select(p.c.canonical_id).join(r, r.c.person_id == p.c.id).where(these).distinct()
            found.update(id_ for id_ in self._connection.execute(statement).scalars() if id_ is not None)
        return found

    def refused(self, face_ids: Sequence[int]) -> Mapping[int, set[int]]:
        """The canonical persons that each of these faces was said not to be; faces of which nothing was said are left
        out."""
        r, p = self._rejections, self._persons
        found: dict[int, set[int]] = {}
        for start in range(0, len(face_ids), CHUNK):
            these = r.c.face_id.in_(face_ids[start : start + CHUNK])
            statement = select(r.c.face_id, p.c.canonical_id).join(p, r.c.person_id == p.c.id)
            for face_id, person_id in self._connection.execute(statement.where(these, p.c.canonical_id.is_not(None))):
                found.setdefault(face_id, set()).add(person_id)
        return found

    # Of nobody, and visible

    def _is_nobodys(self) -> ColumnElement[bool]:
        f, p, m = self._faces, self._persons, self._media
        shown = select(m.c.id).where(
            m.c.content_hash == f.c.content_hash, m.c.present, m.c.library_id.in_(self._libraries)
        )
        return and_(
            f.c.status == DETECTED,
            f.c.embedding_id.is_not(None),
            p.c.canonical_id.is_(None),
            f.c.ignored.is_(False),
            shown.exists(),
        )

    def unassigned(self, model_version: str) -> list[tuple[int, int]]:
        """Every visible face of one model that is nobody's and no stranger's: face id, embedding id."""
        f, p = self._faces, self._persons
        statement = (
            select(f.c.id, f.c.embedding_id)
            .select_from(f.outerjoin(p, p.c.id == f.c.person_id))
            .where(f.c.model_version == model_version, self._is_nobodys())
        )
        return [(face_id, embedding_id) for face_id, embedding_id in self._connection.execute(statement)]

    def unassigned_with(self, embedding_ids: Sequence[int]) -> Mapping[int, list[int]]:
        """The visible faces that have these embeddings and are nobody's and no stranger's: face ids by embedding id."""
        f, p = self._faces, self._persons
        found: dict[int, list[int]] = {}
        for start in range(0, len(embedding_ids), CHUNK):
            statement = (
                select(f.c.embedding_id, f.c.id)
                .select_from(f.outerjoin(p, p.c.id == f.c.person_id))
                .where(f.c.embedding_id.in_(embedding_ids[start : start + CHUNK]), self._is_nobodys())
                .order_by(f.c.id)
            )
            for embedding_id, face_id in self._connection.execute(statement):
                found.setdefault(embedding_id, []).append(face_id)
        return found

    def unassigned_with_names(self, model_version: str) -> list[bytes]:
        """The contents with a visible face of one model that is nobody's and no stranger's, and with a tag that is the
        name of a person."""
        f, p, tags, tagged = self._faces, self._persons, self._tags, self._tagged
        named = p.alias("named")
        is_name = (named.c.name_key == tags.c.name_key) & named.c.merged_into.is_(None) & named.c.deleted.is_(False)
        statement = (
            select(f.c.content_hash)
            .distinct()
            .select_from(f.outerjoin(p, p.c.id == f.c.person_id))
            .join(tagged, tagged.c.content_hash == f.c.content_hash)
            .join(tags, tags.c.id == tagged.c.tag_id)
            .join(named, is_name)
            .where(tags.c.deleted.is_(False), f.c.model_version == model_version, self._is_nobodys())
        )
        return [bytes(content) for content in self._connection.execute(statement).scalars()]
