"""Queries on faces: what a photo shows, what a person has, what an engine or a policy asks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, Subquery, and_, func, select, true

from domain.base.face_quality import FaceQuality
from domain.base.geometry import Box
from domain.events.face import DELETED, DETECTED, FAILED, NO_FACES, WITHDRAWN, Face
from projections.tables.attachments import read_vector
from projections.tables.schema import ReadTables


class FaceView(msgspec.Struct, frozen=True):
    """A face as clients see it: `person_id` is the canonical person, `library_id` and `path` a visible file that shows
    it; `quality` is missing of a face that was found before it was measured, or by an engine that does not."""

    id: int
    content_hash: str
    box: Box
    confidence: float | None
    quality: FaceQuality | None
    source: str
    status: str
    model_version: str
    person_id: int | None
    person_name: str | None
    ignored: bool
    embedded: bool
    library_id: int
    path: str
    version: int


class FaceStats(msgspec.Struct, frozen=True):
    """How far detection is among the visible photos, counted by content, videos left out: `photos` are `scanned` and
    `pending` (nothing stands there of the current model); `scanned` are `with_faces` (strangers' too), `no_faces` (none
    was found, or all were deleted) and `failed` (the problems of its library say why, or the history of the photo)."""

    photos: int
    scanned: int
    with_faces: int
    no_faces: int
    failed: int
    pending: int
    faces: int
    unassigned: int
    persons: int


class StoredVector(msgspec.Struct, frozen=True):
    """A face with its vector (512 little-endian float32) and canonical person."""

    face_id: int
    content_hash: str
    person_id: int | None
    model_version: str
    vector: bytes


class Faces:
    """Queries on faces; `libraries` are the ids that the asker may see."""

    def __init__(self, connection: Connection, tables: ReadTables, libraries: Collection[int]) -> None:
        self._connection = connection
        self._faces = tables.faces.table
        self._persons = tables.persons.table
        self._media = tables.media.table
        self._rejections = tables.rejections.table
        self._confirmations = tables.confirmations.table
        self._unmatched = tables.unmatched.table
        self._embeddings = tables.embeddings
        self._libraries = tuple(libraries)

    # What commands ask

    def _few(self) -> Select[*tuple[Any, ...]]:
        f = self._faces
        return select(
            f.c.id,
            f.c.content_hash,
            f.c.status,
            f.c.x,
            f.c.y,
            f.c.w,
            f.c.h,
            f.c.confidence,
            f.c.source,
            f.c.model_version,
            f.c.embedding_id,
            f.c.person_id,
            f.c.ignored,
            f.c.touched,
            f.c.version,
        )

    def get(self, face_id: int) -> Face | None:
        """The face with this id, deleted ones too, whether or not a visible file shows it; markers are not faces."""
        f = self._faces
        row = self._connection.execute(self._few().where(f.c.id == face_id, f.c.x.is_not(None))).one_or_none()
        return None if row is None else _face(row)

    def on_content(self, content_hash: bytes) -> list[Face]:
        """Every face of one content, deleted ones too but none that was withdrawn, by id."""
        f = self._faces
        stands = f.c.x.is_not(None) & (f.c.status != WITHDRAWN)
        statement = self._few().where(f.c.content_hash == content_hash, stands).order_by(f.c.id)
        return [_face(row) for row in self._connection.execute(statement)]

    def has_rows(self, content_hash: bytes, model_version: str) -> bool:
        """Whether anything, a face, a deleted face or a marker, stands for this content and model."""
        f = self._faces
        stands = (f.c.model_version == model_version) & (f.c.status != WITHDRAWN)
        statement = select(f.c.id).where(f.c.content_hash == content_hash, stands)
        return self._connection.execute(statement.limit(1)).first() is not None

    def markers(self, content_hash: bytes) -> list[tuple[int, str, str]]:
        """The markers of one content: id, status, model version."""
        f = self._faces
        statement = select(f.c.id, f.c.status, f.c.model_version).where(
            f.c.content_hash == content_hash, f.c.status.in_([NO_FACES, FAILED])
        )
        return [(id_, status, model) for id_, status, model in self._connection.execute(statement)]

    def rejected(self, face_id: int) -> set[int]:
        """The canonical persons that this face was said not to be."""
        r, p = self._rejections, self._persons
        statement = select(p.c.canonical_id).join(r, r.c.person_id == p.c.id).where(r.c.face_id == face_id)
        return {person for person in self._connection.execute(statement).scalars() if person is not None}

    def rejections(self, face_id: int) -> set[int]:
        """The persons that this face was said not to be, as they were named then."""
        r = self._rejections
        return set(self._connection.execute(select(r.c.person_id).where(r.c.face_id == face_id)).scalars())

    def confirmations(self, face_id: int) -> set[int]:
        """The persons that this face was said to be all the same, as they were named then."""
        c = self._confirmations
        return set(self._connection.execute(select(c.c.person_id).where(c.c.face_id == face_id)).scalars())

    def unmatched_on(self, content_hash: bytes) -> set[int]:
        """The faces that found no place on this content, which took the place of theirs."""
        u = self._unmatched
        return set(self._connection.execute(select(u.c.face_id).where(u.c.content_hash == content_hash)).scalars())

    def unmatched_contents(self, face_id: int) -> list[bytes]:
        """The contents on which this face found no place."""
        u = self._unmatched
        found = self._connection.execute(select(u.c.content_hash).where(u.c.face_id == face_id)).scalars()
        return [bytes(content) for content in found]

    def some_of(self, person_ids: Collection[int], limit: int) -> list[Face]:
        """Some of the faces that say one of these persons, the newest ones."""
        f = self._faces
        statement = self._few().where(f.c.person_id.in_(tuple(person_ids)), f.c.status == DETECTED)
        return [_face(row) for row in self._connection.execute(statement.order_by(f.c.id.desc()).limit(limit))]

    def deleted_with(self, person_id: int, persons: Collection[int]) -> list[int]:
        """The faces that were deleted with a person, of those that say one of `persons`, by id."""
        f = self._faces
        theirs = f.c.person_id.in_(tuple(persons)) & (f.c.status == DELETED)
        statement = select(f.c.id).where(theirs, f.c.deleted_with == person_id).order_by(f.c.id)
        return list(self._connection.execute(statement).scalars())

    def count_of(self, person_ids: Collection[int]) -> int:
        """How many faces say one of these persons, seen or unseen."""
        f = self._faces
        statement = select(func.count()).where(f.c.person_id.in_(tuple(person_ids)), f.c.status == DETECTED)
        return self._connection.execute(statement).scalar_one()

    def vectors(self, embedding_ids: Iterable[int]) -> Mapping[int, bytes]:
        """Attachments by id; those that were erased are left out."""
        e = self._embeddings
        wanted = list(embedding_ids)
        found: dict[int, bytes] = {}
        for start in range(0, len(wanted), 500):
            statement = select(e.c.id, e.c.vector).where(e.c.id.in_(wanted[start : start + 500]))
            found.update((id_, read_vector(vector)) for id_, vector in self._connection.execute(statement))
        return found

    def knows_model(self, model_version: str) -> bool:
        """Whether any vector that was ever recorded is of this model."""
        e = self._embeddings
        statement = select(e.c.id).where(e.c.model_version == model_version).limit(1)
        return self._connection.execute(statement).first() is not None

    # What clients see

    def _is_visible(self) -> ColumnElement[bool]:
        f, m = self._faces, self._media
        shown = select(m.c.id).where(
            m.c.content_hash == f.c.content_hash, m.c.present, m.c.library_id.in_(self._libraries)
        )
        return shown.exists()

    def _views(self) -> Select[*tuple[Any, ...]]:
        f, p, m = self._faces, self._persons, self._media
        canonical = p.alias("canonical")
        other = m.alias("other")
        first = select(func.min(other.c.id)).where(
            other.c.content_hash == f.c.content_hash, other.c.present, other.c.library_id.in_(self._libraries)
        )
        return (
            select(
                f.c.id,
                f.c.content_hash,
                f.c.x,
                f.c.y,
                f.c.w,
                f.c.h,
                f.c.confidence,
                f.c.sharpness,
                f.c.size,
                f.c.yaw,
                f.c.source,
                f.c.status,
                f.c.model_version,
                canonical.c.id.label("person_id"),
                canonical.c.name.label("person_name"),
                f.c.ignored,
                f.c.embedding_id,
                m.c.library_id,
                m.c.path,
                f.c.version,
            )
            .select_from(f)
            .join(m, m.c.id == first.correlate(f).scalar_subquery())
            .outerjoin(p, p.c.id == f.c.person_id)
            .outerjoin(canonical, canonical.c.id == p.c.canonical_id)
            .where(f.c.status == DETECTED)
        )

    def _seen(self, statement: Select[*tuple[Any, ...]]) -> list[FaceView]:
        return [_view(row) for row in self._connection.execute(statement)]

    def view(self, face_id: int) -> FaceView | None:
        """A visible face that is not deleted."""
        return next(iter(self._seen(self._views().where(self._faces.c.id == face_id))), None)

    def views(self, face_ids: Sequence[int]) -> list[FaceView]:
        """Visible faces, by id."""
        f = self._faces
        return self._seen(self._views().where(f.c.id.in_(tuple(face_ids))).order_by(f.c.id))

    def shown_on(self, content_hash: bytes) -> list[FaceView]:
        """The faces of one content, from left to right as they stand in the log."""
        f = self._faces
        return self._seen(self._views().where(f.c.content_hash == content_hash).order_by(f.c.id))

    def newest(self, *, unassigned: bool, before: int | None, limit: int) -> list[FaceView]:
        """Visible faces, the newest first, below the id `before`; only those of nobody, strangers left out, where
        asked."""
        f, p = self._faces, self._persons
        statement = self._views().order_by(f.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(f.c.id < before)
        if unassigned:
            statement = statement.where(p.c.canonical_id.is_(None), f.c.ignored.is_(False))
        return self._seen(statement)

    def of_person(self, person_id: int, after: int, limit: int, offset: int = 0) -> list[FaceView]:
        """A canonical person's visible faces, by id from `after` (and `offset`), with those of everyone merged into
        it."""
        f, p = self._faces, self._persons
        behind = select(p.c.id).where(p.c.canonical_id == person_id)
        statement = self._views().where(f.c.person_id.in_(behind), f.c.id > after)
        return self._seen(statement.order_by(f.c.id).limit(limit).offset(offset))

    def embeddings(self, *, unassigned: bool, after: int, limit: int, offset: int) -> list[StoredVector]:
        """Visible faces with their vectors, by id from `after` (or `offset`), only the unassigned ones where asked."""
        f, p, e = self._faces, self._persons, self._embeddings
        statement = (
            select(f.c.id, f.c.content_hash, p.c.canonical_id, f.c.model_version, e.c.vector)
            .select_from(f)
            .join(e, e.c.id == f.c.embedding_id)
            .outerjoin(p, p.c.id == f.c.person_id)
            .where(f.c.status == DETECTED, f.c.id > after, self._is_visible())
            .order_by(f.c.id)
            .limit(limit)
            .offset(offset)
        )
        if unassigned:
            statement = statement.where(p.c.canonical_id.is_(None), f.c.ignored.is_(False))
        rows = self._connection.execute(statement)
        return [
            StoredVector(face_id, bytes(content).hex(), person_id, model, read_vector(vector))
            for face_id, content, person_id, model, vector in rows
        ]

    def stats(self, model_version: str | None) -> FaceStats:
        """How far detection by `model_version` is; None counts any model."""
        p = self._persons
        looked_at = self._looked_at(model_version)
        persons = select(func.count()).where(p.c.merged_into.is_(None), p.c.deleted.is_(False))
        counted = self._connection.execute(looked_at).mappings().one()
        return FaceStats(
            **{name: int(count) for name, count in counted.items()},
            persons=self._connection.execute(persons).scalar_one(),
        )

    def _looked_at(self, model_version: str | None) -> Select[*tuple[Any, ...]]:
        """Counts each visible photo content once: as pending, or scanned and one of the three outcomes. Of what can
        never be decoded there is no picture to look at: it failed, whatever model asks."""
        m = self._media
        photos = (
            select(m.c.content_hash, func.max(m.c.width).label("width"))
            .where(m.c.kind == "photo", m.c.present, m.c.content_hash.is_not(None), m.c.library_id.in_(self._libraries))
            .group_by(m.c.content_hash)
            .subquery()
        )
        seen = self._seen_by(model_version)
        faces = func.coalesce(seen.c.faces, 0)
        by_model = func.coalesce(seen.c.current, 0) > 0
        scanned = by_model | photos.c.width.is_(None)
        failed = (func.coalesce(seen.c.failed, 0) > 0) & (seen.c.no_faces == 0) | ~by_model
        return select(
            func.count().label("photos"),
            func.count().filter(scanned).label("scanned"),
            func.count().filter(scanned, faces > 0).label("with_faces"),
            func.count().filter(scanned, faces == 0, ~failed).label("no_faces"),
            func.count().filter(scanned, faces == 0, failed).label("failed"),
            func.count().filter(~scanned).label("pending"),
            func.coalesce(func.sum(seen.c.faces), 0).label("faces"),
            func.coalesce(func.sum(seen.c.unassigned), 0).label("unassigned"),
        ).select_from(photos.outerjoin(seen, seen.c.content_hash == photos.c.content_hash))

    def _seen_by(self, model_version: str | None) -> Subquery:
        """What stands on each content: faces, markers, and how much of it is of `model_version`, deleted faces too."""
        f, p = self._faces, self._persons
        current: ColumnElement[bool] = true() if model_version is None else f.c.model_version == model_version
        return (
            select(
                f.c.content_hash,
                func.count().filter(f.c.status == DETECTED).label("faces"),
                func.count().filter(and_(f.c.status == NO_FACES, current)).label("no_faces"),
                func.count().filter(and_(f.c.status == FAILED, current)).label("failed"),
                func.count().filter(current).label("current"),
                func.count()
                .filter(f.c.status == DETECTED, p.c.canonical_id.is_(None), f.c.ignored.is_(False))
                .label("unassigned"),
            )
            .select_from(f.outerjoin(p, p.c.id == f.c.person_id))
            .where(f.c.status != WITHDRAWN)
            .group_by(f.c.content_hash)
            .subquery()
        )


# Rows of faces are taken apart and not read by their names: by thousands that takes a third of the time.


def _face(row: Row[*tuple[Any, ...]]) -> Face:
    id_, content, status, x, y, w, h, confidence, source, model, embedding_id, person_id, ignored, touched, version = (
        row
    )
    return Face(
        id=id_,
        content_hash=bytes(content),
        status=status,
        box=Box(x, y, w, h),
        confidence=confidence,
        source=source,
        model_version=model,
        embedding_id=embedding_id,
        person_id=person_id,
        ignored=ignored,
        touched=touched,
        version=version,
    )


def _view(row: Row[*tuple[Any, ...]]) -> FaceView:
    measured = row.sharpness is not None
    return FaceView(
        id=row.id,
        content_hash=bytes(row.content_hash).hex(),
        box=Box(row.x, row.y, row.w, row.h),
        confidence=row.confidence,
        quality=FaceQuality(row.sharpness, row.size, row.yaw) if measured else None,
        source=row.source,
        status=row.status,
        model_version=row.model_version,
        person_id=row.person_id,
        person_name=row.person_name,
        ignored=bool(row.ignored),
        embedded=row.embedding_id is not None,
        library_id=row.library_id,
        path=row.path,
        version=row.version,
    )
