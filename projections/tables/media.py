"""The read table `media`: one row a file, present or missing.

Changes here move `person_counts` and `tag_counts` by triggers: see `counting_triggers.py`.
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
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    case,
    insert,
    update,
)

from domain.base.names import search_key
from domain.base.paths import folder_of, name_of, nowhere
from domain.events.burst import BurstJoined, BurstLeft
from domain.events.media import (
    RANKS,
    FileFacts,
    MediaChanged,
    MediaDiscovered,
    MediaDisplaced,
    MediaMissing,
    MediaMoved,
    MediaReturned,
    VideoZoned,
)
from domain.events.stack import StackJoined
from domain.rules.stacks import burst_of, stack_of, stack_rank
from projections.tables.projection import Id, Projection, id_column

_FACTS = FileFacts.__struct_fields__
_WRITTEN = (*_FACTS, "camera_key", "words_key", "stack_rank")
STAR = "\N{BLACK STAR}"
Ordered = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its code points, as SQLite has it."""


class MediaTable(Projection):
    """One row a file of a library. A missing file keeps its row, and its path until another file takes the place."""

    def define(self) -> None:
        """Columns, constraints, the indexes of timeline, folders and content, and the writes."""
        self.table = t = Table(
            self.named("media"),
            self.metadata,
            id_column(),
            Column("library_id", Id, self.reference("libraries"), nullable=False),
            Column("path", Text, nullable=False),
            Column("folder", Ordered, nullable=False),
            Column("name", Ordered, nullable=False),
            Column("content_hash", LargeBinary),
            Column("size", BigInteger, nullable=False),
            Column("mtime_ns", BigInteger, nullable=False),
            Column("kind", Text, nullable=False),
            Column("format", Text),
            Column("width", Integer),
            Column("height", Integer),
            Column("taken_at", BigInteger),
            Column("taken_offset", Integer),
            Column("taken_source", Text),
            Column("make", Text),
            Column("model", Text),
            Column("lens", Text),
            Column("latitude", Float(53)),
            Column("longitude", Float(53)),
            Column("placeholder", Text),
            Column("problem", Text),
            Column("path_key", Text, nullable=False),
            Column("camera_key", Text, nullable=False),
            Column("stack", BigInteger, nullable=False),
            Column("stack_rank", Integer, nullable=False),
            Column("duration", Float(53)),
            Column("video_codec", Text),
            Column("audio_codec", Text),
            Column("frame_rate", Float(53)),
            Column("bit_rate", BigInteger),
            Column("reading", Integer, nullable=False),
            Column("motion_at", BigInteger),
            Column("motion_bytes", BigInteger),
            Column("burst", Text),
            Column("title", Text),
            Column("description", Text),
            Column("rating", Integer),
            Column("keywords", Text),
            Column("place", Text),
            Column("sidecar", Text),
            Column("offset_source", Text),
            Column("picture_hash", Text),
            Column("words_key", Text, nullable=False),
            Column("present", Boolean, nullable=False),
            Column("discovered_at", BigInteger, nullable=False),
            UniqueConstraint("library_id", "path", name=self.named("media_place")),
            CheckConstraint("kind IN ('photo', 'video')", name=self.named("media_kind")),
            CheckConstraint(
                "content_hash IS NOT NULL OR problem IS NOT NULL", name=self.named("media_unread_says_why")
            ),
        )
        self._define_indexes(t)
        self._define_writes(t)

    def _define_indexes(self, t: Table) -> None:
        """Of the timeline, of the other orders, and of folders and contents. On SQLite the first holds what the filters
        ask; PostgreSQL limits the length of what an index holds, and reads the rows."""
        shown = t.c.present & t.c.content_hash.is_not(None)
        timeline = (t.c.taken_at, t.c.id)
        words = (t.c.path_key, t.c.camera_key, t.c.words_key)
        filtered = (t.c.library_id, t.c.kind, t.c.latitude, t.c.longitude, t.c.folder, *words)
        rank = t.c.stack_rank
        of_stack = (t.c.stack, rank)
        Index(self.named("media_timeline"), *timeline, rank, *filtered, sqlite_where=shown).ddl_if("sqlite")
        Index(self.named("media_timeline_narrow"), *timeline, postgresql_where=shown).ddl_if("postgresql")
        for name, columns in (
            ("media_library_timeline", (t.c.library_id, *timeline, rank)),
            ("media_name", (t.c.name, t.c.id, rank)),
            ("media_discovered", (t.c.discovered_at, t.c.id, rank)),
        ):
            Index(self.named(name), *columns, sqlite_where=shown, postgresql_where=shown)
        behind = shown & (rank > 0)
        described = (t.c.taken_at, t.c.latitude, t.c.longitude, t.c.camera_key)
        for name, where, held in (
            ("media_stack", shown, described),
            (
                "media_companion",
                behind,
                (*described, t.c.library_id, t.c.kind, t.c.folder, t.c.path_key, t.c.words_key),
            ),
        ):
            Index(self.named(name), *of_stack, *held, sqlite_where=where).ddl_if("sqlite")
            Index(self.named(f"{name}_narrow"), *of_stack, postgresql_where=where).ddl_if("postgresql")
        of_content = (t.c.content_hash, t.c.library_id, t.c.present, t.c.taken_at, rank, t.c.stack)
        Index(self.named("media_content"), *of_content)
        of_folder = (t.c.library_id, t.c.folder, t.c.present, t.c.content_hash, t.c.taken_at, rank)
        Index(self.named("media_folder"), *of_folder)
        has_picture = t.c.picture_hash.is_not(None)
        Index(self.named("media_picture"), t.c.picture_hash, sqlite_where=has_picture, postgresql_where=has_picture)
        of_utc = t.c.offset_source.is_not(None)
        Index(self.named("media_utc"), t.c.library_id, sqlite_where=of_utc, postgresql_where=of_utc)
        wrong = t.c.problem.is_not(None)
        Index(self.named("media_problem"), t.c.library_id, sqlite_where=wrong, postgresql_where=wrong)

    def _define_writes(self, t: Table) -> None:
        self.on(
            MediaDiscovered,
            insert(t),
            lambda e, r: {
                "id": e.media_id,
                "library_id": e.library_id,
                "path": e.path,
                "folder": folder_of(e.path),
                "name": name_of(e.path),
                "path_key": search_key(e.path),
                "stack": stack_of(e.library_id, e.path),
                "content_hash": e.content_hash,
                "present": True,
                "discovered_at": r.recorded_at,
                **_facts(e.facts),
            },
        )
        key = t.c.id == bindparam("key")
        rank, to_rank = t.c.stack_rank, bindparam("to_stack_rank", type_=Integer)
        of_name = case((rank < 0, rank), else_=rank % RANKS)
        self.on(
            MediaChanged,
            update(t)
            .where(key)
            .values(
                content_hash=bindparam("to_hash"),
                present=True,
                **{name: bindparam(f"to_{name}") for name in _WRITTEN if name != "stack_rank"},
                stack_rank=case((rank < 0, to_rank), (to_rank < 0, to_rank), else_=rank - rank % RANKS + to_rank),
            ),
            lambda e, r: {
                "key": e.media_id,
                "to_hash": e.content_hash,
                **{f"to_{name}": value for name, value in _facts(e.facts).items()},
            },
        )
        self.on(
            MediaMoved,
            update(t)
            .where(key)
            .values(
                library_id=bindparam("to_library"),
                path=bindparam("to_path"),
                folder=bindparam("to_folder"),
                name=bindparam("to_name"),
                path_key=bindparam("to_key"),
                stack=bindparam("to_stack"),
                stack_rank=of_name,
                mtime_ns=bindparam("to_mtime"),
                present=True,
            ),
            lambda e, r: {
                "key": e.media_id,
                "to_library": e.library_id,
                "to_path": e.path,
                "to_folder": folder_of(e.path),
                "to_name": name_of(e.path),
                "to_key": search_key(e.path),
                "to_stack": stack_of(e.library_id, e.path),
                "to_mtime": e.mtime_ns,
            },
        )
        self.on(
            MediaDisplaced,
            update(t).where(key).values(path=bindparam("to_path"), present=False),
            lambda e, r: {"key": e.media_id, "to_path": nowhere(e.media_id)},
        )
        self.on(MediaMissing, update(t).where(key).values(present=False), lambda e, r: {"key": e.media_id})
        self.on(
            MediaReturned,
            update(t).where(key).values(present=True, mtime_ns=bindparam("to_mtime")),
            lambda e, r: {"key": e.media_id, "to_mtime": e.mtime_ns},
        )
        self.on(
            VideoZoned,
            update(t)
            .where(key)
            .values(
                taken_at=bindparam("to_at"), taken_offset=bindparam("to_offset"), offset_source=bindparam("to_source")
            ),
            lambda e, r: {"key": e.media_id, "to_at": e.taken_at, "to_offset": e.taken_offset, "to_source": "photos"},
        )
        self._define_bursts(t, of_name)

    def _define_bursts(self, t: Table, of_name: ColumnElement[int]) -> None:
        """`of_name` is the rank that a file has among those of its name."""
        key = t.c.id == bindparam("key")
        order = bindparam("to_order", type_=Integer)
        self.on(
            BurstJoined,
            update(t)
            .where(key)
            .values(
                stack=bindparam("to_stack"),
                stack_rank=case((t.c.stack_rank < 0, t.c.stack_rank), else_=order * RANKS + of_name),
            ),
            lambda e, r: {
                "key": e.media_id,
                "to_stack": burst_of(e.library_id, e.folder, e.burst),
                "to_order": e.order,
            },
        )
        self.on(
            StackJoined,
            update(t).where(key).values(stack=bindparam("to_stack"), stack_rank=of_name),
            lambda e, r: {"key": e.media_id, "to_stack": burst_of(e.library_id, e.folder, e.stack)},
        )
        self.on(
            BurstLeft,
            update(t).where(key).values(stack=bindparam("to_stack"), stack_rank=of_name),
            lambda e, r: {"key": e.media_id, "to_stack": stack_of(e.library_id, e.path)},
        )


def _facts(facts: FileFacts) -> dict[str, Any]:
    camera = " ".join(word for word in (facts.make, facts.model) if word)
    stars = None if facts.rating is None else f"rating:{facts.rating} {STAR * facts.rating}"
    texts = (stars, facts.title, facts.description, facts.place, *facts.keywords)
    written = "\n".join(text for text in texts if text)
    return {
        **msgspec.structs.asdict(facts),
        "keywords": "\n".join(facts.keywords) or None,
        "camera_key": f"{search_key(camera)}\n{search_key(facts.lens or '')}",
        "words_key": search_key(written),
        "stack_rank": stack_rank(facts),
    }
