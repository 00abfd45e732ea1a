"""The read table `face_detections`: faces, deleted faces, and the markers of contents that were looked at.

Changes here move `person_counts` by triggers: see `counting_triggers.py`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    update,
)

from domain.base.face_quality import FaceQuality
from domain.base.geometry import Box
from domain.events.erasure import FaceErased
from domain.events.face import (
    AUTO,
    DELETED,
    DETECTED,
    MANUAL,
    WITHDRAWN,
    ContentMarked,
    FaceAssigned,
    FaceConfirmationWithdrawn,
    FaceConfirmed,
    FaceDeleted,
    FaceDetected,
    FaceDrawn,
    FaceEmbedded,
    FaceFollowed,
    FaceIgnored,
    FaceMoved,
    FaceNoticed,
    FaceRedetected,
    FaceReinstated,
    FaceRejected,
    FaceRejectionWithdrawn,
    FaceRestored,
    FaceRetracted,
    FaceUnassigned,
    FaceWithdrawn,
    MarkerLifted,
)
from domain.events.person import PersonDeleted, PersonRestored
from projections.tables.projection import Id, Projection, id_column

QUALITY: ColumnElement[int] = literal_column(
    "CAST(round(w * h * coalesce(confidence, 0.5) * coalesce(clarity, 0.5) * 1000000) AS BIGINT)", BigInteger()
)
"""How much a face shows of its person, larger is better: its share of the picture times the confidence times how clear
it is (`FaceQuality.clarity`: sharp, large enough, seen from the front). A face that was found before that was measured
counts as half clear, and is before or behind others of its kind as ever. Written out, so that an index of it serves."""
_MEASURED = ("sharpness", "size", "yaw", "clarity")
_IS_FACE = "status IN ('detected', 'deleted', 'withdrawn')"


class FaceDetectionsTable(Projection):
    """One row a face or a marker, keyed on the content. Rows stay thin: the embedding is an attachment of the log, and
    a merge or the deletion of a person leaves `person_id` as it was assigned."""

    def define(self) -> None:
        """Columns, the invariants as constraints, and the writes."""
        self.table = t = Table(
            self.named("face_detections"),
            self.metadata,
            id_column(),
            Column("content_hash", LargeBinary, nullable=False),
            Column("status", Text, nullable=False),
            Column("x", Float(53)),
            Column("y", Float(53)),
            Column("w", Float(53)),
            Column("h", Float(53)),
            Column("confidence", Float(53)),
            *(Column(name, Float(53)) for name in _MEASURED),
            Column("source", Text),
            Column("model_version", Text, nullable=False),
            Column("embedding_id", Id, ForeignKey("log_embeddings.id", deferrable=True, initially="DEFERRED")),
            Column("person_id", Id, self.reference("persons")),
            Column("ignored", Boolean, nullable=False),
            Column("touched", Boolean, nullable=False),
            Column("deleted_with", Id, self.reference("persons")),
            Column("reason", Text),
            Column("version", Integer, nullable=False),
            CheckConstraint(
                "status IN ('detected', 'deleted', 'withdrawn', 'no_faces', 'failed')", name=self.named("face_status")
            ),
            CheckConstraint(
                f"({_IS_FACE}) = (x IS NOT NULL AND y IS NOT NULL AND w > 0 AND h > 0)", name=self.named("face_box")
            ),
            CheckConstraint(
                f"{_IS_FACE} OR (x IS NULL AND y IS NULL AND w IS NULL AND h IS NULL AND confidence IS NULL"
                " AND source IS NULL AND embedding_id IS NULL AND person_id IS NULL)",
                name=self.named("face_marker_is_bare"),
            ),
            CheckConstraint(
                "status <> 'detected' OR (source IN ('auto', 'manual')"
                " AND (embedding_id IS NOT NULL OR source = 'manual' OR touched))",
                name=self.named("face_has_embedding"),
            ),
        )
        marker = t.c.status.in_(["no_faces", "failed"])
        Index(
            self.named("face_one_marker"),
            t.c.content_hash,
            t.c.model_version,
            unique=True,
            sqlite_where=marker,
            postgresql_where=marker,
        )
        Index(self.named("face_content"), t.c.content_hash, t.c.model_version)
        Index(self.named("face_embedding"), t.c.embedding_id)
        assigned = t.c.person_id.is_not(None)
        Index(
            self.named("face_person"),
            *(t.c.person_id, t.c.status, QUALITY, t.c.id, t.c.content_hash),
            sqlite_where=assigned,
            postgresql_where=assigned,
        )
        self._define_detection(t)
        self._define_decisions(t)
        self._define_deletions(t)

    def _define_detection(self, t: Table) -> None:
        new = insert(t)
        common = {"person_id": None, "ignored": False, "deleted_with": None, "reason": None, "version": 1}
        self.on(
            FaceDetected,
            new,
            lambda e, r: {
                "id": e.face_id,
                "content_hash": e.content_hash,
                "status": DETECTED,
                **_box(e.box),
                "confidence": e.confidence,
                **_measured(e.quality),
                "source": AUTO,
                "model_version": e.model_version,
                "embedding_id": e.embedding_id,
                "touched": False,
                **common,
            },
        )
        self.on(
            FaceDrawn,
            new,
            lambda e, r: {
                "id": e.face_id,
                "content_hash": e.content_hash,
                "status": DETECTED,
                **_box(e.box),
                "confidence": None,
                **_measured(e.quality),
                "source": MANUAL,
                "model_version": e.model_version,
                "embedding_id": e.embedding_id,
                "touched": True,
                **common,
            },
        )
        self.on(
            ContentMarked,
            new,
            lambda e, r: {
                "id": e.marker_id,
                "content_hash": e.content_hash,
                "status": e.status,
                "x": None,
                "y": None,
                "w": None,
                "h": None,
                "confidence": None,
                **_measured(None),
                "source": None,
                "model_version": e.model_version,
                "embedding_id": None,
                "touched": False,
                **common,
                "reason": e.reason,
            },
        )
        self.on(
            FaceErased,
            new,
            lambda e, r: {
                "id": e.face_id,
                "content_hash": e.content_hash,
                "status": DELETED,
                **_box(e.box),
                "confidence": None,
                **_measured(None),
                "source": e.source,
                "model_version": e.model_version,
                "embedding_id": None,
                "touched": True,
                **common,
            },
        )
        self.on(MarkerLifted, delete(t).where(t.c.id == bindparam("key")), lambda e, r: {"key": e.marker_id})
        self.on(FaceRetracted, delete(t).where(t.c.id == bindparam("key")), lambda e, r: {"key": e.face_id})
        change = update(t).where(t.c.id == bindparam("key"))
        engine: dict[str, Any] = {"model_version": bindparam("to_model"), "embedding_id": bindparam("to_embedding")}
        # What an engine does not measure stays as it was measured last.
        engine |= {name: func.coalesce(bindparam(f"to_{name}", type_=Float(53)), t.c[name]) for name in _MEASURED}
        box: dict[str, Any] = {name: bindparam(f"to_{name}") for name in ("x", "y", "w", "h")}
        self.on(
            FaceRedetected,
            change.values(confidence=bindparam("to_confidence"), **box, **engine),
            lambda e, r: {
                "key": e.face_id,
                "to_confidence": e.confidence,
                "to_model": e.model_version,
                "to_embedding": e.embedding_id,
                **_box(e.box, "to_"),
                **_measured(e.quality, "to_"),
            },
        )
        self.on(
            FaceEmbedded,
            change.values(**engine),
            lambda e, r: {
                "key": e.face_id,
                "to_model": e.model_version,
                "to_embedding": e.embedding_id,
                **_measured(e.quality, "to_"),
            },
        )
        # Of another place, what was measured at the one before tells nothing.
        measured = {name: bindparam(f"to_{name}", type_=Float(53)) for name in _MEASURED}
        self.on(
            FaceMoved,
            change.values(**box, **engine | measured, touched=True, version=t.c.version + 1),
            lambda e, r: {
                "key": e.face_id,
                "to_model": e.model_version,
                "to_embedding": e.embedding_id,
                **_box(e.box, "to_"),
                **_measured(e.quality, "to_"),
            },
        )

        self.on(
            FaceFollowed,
            change.values(
                content_hash=bindparam("to_content"),
                confidence=case(
                    (t.c.source == AUTO, bindparam("to_confidence", type_=Float(53))), else_=t.c.confidence
                ),
                **box,
                **engine,
            ),
            lambda e, r: {
                "key": e.face_id,
                "to_content": e.content_hash,
                "to_confidence": e.confidence,
                "to_model": e.model_version,
                "to_embedding": e.embedding_id,
                **_box(e.box, "to_"),
                **_measured(e.quality, "to_"),
            },
        )

    def _define_decisions(self, t: Table) -> None:
        change = update(t).where(t.c.id == bindparam("key"))
        one_more = {"version": t.c.version + 1}
        self.on(
            FaceAssigned,
            change.values(
                person_id=bindparam("to"), touched=or_(t.c.touched, bindparam("by_user", type_=Boolean)), **one_more
            ),
            lambda e, r: {"key": e.face_id, "to": e.person_id, "by_user": e.why.rule == "user"},
        )
        self.on(
            FaceUnassigned, change.values(person_id=None, touched=True, **one_more), lambda e, r: {"key": e.face_id}
        )
        ignored = change.values(ignored=bindparam("to"), touched=True, **one_more)
        self.on(FaceIgnored, ignored, lambda e, r: {"key": e.face_id, "to": True})
        self.on(FaceNoticed, ignored, lambda e, r: {"key": e.face_id, "to": False})
        decided = change.values(touched=True, **one_more)
        self.on(FaceRejected, decided, lambda e, r: {"key": e.face_id})
        self.on(FaceRejectionWithdrawn, decided, lambda e, r: {"key": e.face_id})
        self.on(FaceConfirmed, decided, lambda e, r: {"key": e.face_id})
        self.on(FaceConfirmationWithdrawn, decided, lambda e, r: {"key": e.face_id})

    def _define_deletions(self, t: Table) -> None:
        status = (
            update(t)
            .where(t.c.id == bindparam("key"))
            .values(status=bindparam("to"), touched=True, version=t.c.version + 1)
        )
        self.on(FaceDeleted, status, lambda e, r: {"key": e.face_id, "to": DELETED})
        self.on(FaceRestored, status, lambda e, r: {"key": e.face_id, "to": DETECTED})
        self._define_withdrawals(t)
        whole = update(t).where(t.c.person_id == bindparam("key"), t.c.status == DETECTED)
        self.on_each(
            PersonDeleted,
            whole.values(status=DELETED, deleted_with=bindparam("to"), touched=True, version=t.c.version + 1),
            lambda e, r: [{"key": person, "to": e.person_id} for person in e.persons] if e.with_faces else [],
        )
        self.on(
            PersonRestored,
            update(t)
            .where(t.c.deleted_with == bindparam("key"))
            .values(status=DETECTED, deleted_with=None, version=t.c.version + 1),
            lambda e, r: {"key": e.person_id},
        )

    def _define_withdrawals(self, t: Table) -> None:
        change = update(t).where(t.c.id == bindparam("key"))
        box: dict[str, Any] = {
            name: func.coalesce(bindparam(f"to_{name}", type_=Float(53)), t.c[name]) for name in ("x", "y", "w", "h")
        }
        nowhere = dict.fromkeys(("to_x", "to_y", "to_w", "to_h"))
        self.on(
            FaceWithdrawn,
            change.values(
                status=bindparam("to"),
                source=bindparam("to_source"),
                touched=bindparam("to_touched", type_=Boolean),
                confidence=bindparam("to_confidence"),
                **box,
                version=t.c.version + 1,
            ),
            lambda e, r: {
                "key": e.face_id,
                "to": WITHDRAWN if e.found is None else DETECTED,
                "to_source": MANUAL if e.found is None else AUTO,
                "to_touched": e.found is None,
                "to_confidence": e.confidence,
                **(nowhere if e.found is None else _box(e.found, "to_")),
            },
        )
        self.on(
            FaceReinstated,
            change.values(
                status=DETECTED, source=MANUAL, touched=True, confidence=None, **box, version=t.c.version + 1
            ),
            lambda e, r: {"key": e.face_id, **(nowhere if e.box is None else _box(e.box, "to_"))},
        )


def _measured(quality: FaceQuality | None, prefix: str = "") -> dict[str, float | None]:
    measured = quality and {"clarity": quality.clarity, **msgspec.structs.asdict(quality)}
    return {f"{prefix}{name}": measured[name] if measured else None for name in _MEASURED}


def _box(box: Box, prefix: str = "") -> dict[str, float]:
    return {f"{prefix}x": box.x, f"{prefix}y": box.y, f"{prefix}w": box.w, f"{prefix}h": box.h}
