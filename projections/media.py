"""The read table `media`: one row a file, present or missing, and the queries of the timeline."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    Float,
    FromClause,
    Index,
    Integer,
    LargeBinary,
    Row,
    RowMapping,
    Select,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    case,
    func,
    insert,
    select,
    update,
)

from domain.bursts import BurstJoined, BurstLeft, Shot
from domain.faces import WITHDRAWN
from domain.media import (
    FileFacts,
    Media,
    MediaChanged,
    MediaDiscovered,
    MediaMissing,
    MediaMoved,
    MediaReturned,
)
from domain.names import search_key
from domain.paths import folder_of, name_of
from domain.stacks import RANKS, burst_of, stack_of, stack_rank
from projections.projection import Id, Projection, id_column

_FACTS = FileFacts.__struct_fields__
_WRITTEN = (*_FACTS, "camera_key", "stack_rank")
Ordered = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its code points, as SQLite has it."""


class MediaTable(Projection):
    """One row a file of a library. A missing file keeps its row and its path until another file takes the place."""

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
            Column("present", Boolean, nullable=False),
            Column("discovered_at", BigInteger, nullable=False),
            UniqueConstraint("library_id", "path", name=self.named("media_place")),
            CheckConstraint("kind IN ('photo', 'video')", name=self.named("media_kind")),
            CheckConstraint(
                "content_hash IS NOT NULL OR problem IS NOT NULL", name=self.named("media_unread_says_why")
            ),
        )
        self.before, self.of_names = t.alias("before"), t.alias("of_names")
        self._define_indexes(t)
        self._define_writes(t)

    def by(
        self, statement: Select[*tuple[Any, ...]], index: str, table: FromClause | None = None
    ) -> Select[*tuple[Any, ...]]:
        """The statement with the index that it takes on SQLite, whose planner knows no sizes."""
        named = self.table if table is None else table
        return statement.with_hint(named, f"INDEXED BY {self.named(index)}", "sqlite")

    def _define_indexes(self, t: Table) -> None:
        """Of the timeline, of the other orders, and of folders and contents. On SQLite the first holds what the filters
        ask; PostgreSQL limits the length of what an index holds, and reads the rows."""
        shown = t.c.present & t.c.content_hash.is_not(None)
        timeline = (t.c.taken_at, t.c.id)
        asked = (t.c.library_id, t.c.kind, t.c.latitude, t.c.longitude, t.c.folder, t.c.path_key, t.c.camera_key)
        rank = t.c.stack_rank
        of_stack = (t.c.stack, rank)
        Index(self.named("media_timeline"), *timeline, rank, *asked, sqlite_where=shown).ddl_if("sqlite")
        Index(self.named("media_timeline_narrow"), *timeline, postgresql_where=shown).ddl_if("postgresql")
        for name, columns in (
            ("media_library_timeline", (t.c.library_id, *timeline, rank)),
            ("media_name", (t.c.name, t.c.id, rank)),
            ("media_discovered", (t.c.discovered_at, t.c.id, rank)),
        ):
            Index(self.named(name), *columns, sqlite_where=shown, postgresql_where=shown)
        behind = shown & (rank > 0)
        told = (t.c.taken_at, t.c.latitude, t.c.longitude, t.c.camera_key)
        for name, where, held in (
            ("media_stack", shown, told),
            ("media_companion", behind, (*told, t.c.library_id, t.c.kind, t.c.folder, t.c.path_key)),
        ):
            Index(self.named(name), *of_stack, *held, sqlite_where=where).ddl_if("sqlite")
            Index(self.named(f"{name}_narrow"), *of_stack, postgresql_where=where).ddl_if("postgresql")
        of_content = (t.c.content_hash, t.c.library_id, t.c.present, t.c.taken_at, rank, t.c.stack)
        Index(self.named("media_content"), *of_content)
        of_folder = (t.c.library_id, t.c.folder, t.c.present, t.c.content_hash, t.c.taken_at, rank)
        Index(self.named("media_folder"), *of_folder)
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
        self.on(MediaMissing, update(t).where(key).values(present=False), lambda e, r: {"key": e.media_id})
        self.on(
            MediaReturned,
            update(t).where(key).values(present=True, mtime_ns=bindparam("to_mtime")),
            lambda e, r: {"key": e.media_id, "to_mtime": e.mtime_ns},
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
            BurstLeft,
            update(t).where(key).values(stack=bindparam("to_stack"), stack_rank=of_name),
            lambda e, r: {"key": e.media_id, "to_stack": stack_of(e.library_id, e.path)},
        )


def _facts(facts: FileFacts) -> dict[str, Any]:
    camera = " ".join(word for word in (facts.make, facts.model) if word)
    key = f"{search_key(camera)}\n{search_key(facts.lens or '')}"
    return {**msgspec.structs.asdict(facts), "camera_key": key, "stack_rank": stack_rank(facts)}


class MediaFiles:
    """Queries on `media`; `libraries` are the ids that the asker may see."""

    def __init__(self, connection: Connection, table: MediaTable, libraries: Collection[int]) -> None:
        self._connection = connection
        self._table = table.table
        self._libraries = tuple(libraries)

    def _few(self) -> Select[*tuple[Any, ...]]:
        t = self._table
        return select(*(t.c[name] for name in Media.__struct_fields__))

    def get(self, media_id: int) -> Media | None:
        """The file with this id in a visible library, missing or not."""
        t = self._table
        statement = self._few().where(t.c.id == media_id, t.c.library_id.in_(self._libraries))
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else _media(row)

    def find(self, media_id: int) -> Media | None:
        """The file with this id, whether or not its library is visible."""
        row = self._connection.execute(self._few().where(self._table.c.id == media_id)).one_or_none()
        return None if row is None else _media(row)

    def at_each(self, library_id: int, paths: Sequence[str]) -> Mapping[str, Media]:
        """The files at these places, missing or not, whether or not the library is visible."""
        t = self._table
        found: dict[str, Media] = {}
        for start in range(0, len(paths), 500):
            some = paths[start : start + 500]
            statement = self._few().where(t.c.library_id == library_id, t.c.path.in_(some))
            found.update((media.path, media) for media in map(_media, self._connection.execute(statement)))
        return found

    def shown_at(self, path: str, library_id: int | None = None) -> Media | None:
        """The present, readable file at `path` in the lowest-id visible library that holds it, or in `library_id`."""
        t = self._table
        within = self._libraries if library_id is None else tuple({library_id} & set(self._libraries))
        statement = self._few().where(
            t.c.path == path, t.c.library_id.in_(within), t.c.present, t.c.content_hash.is_not(None)
        )
        row = self._connection.execute(statement.order_by(t.c.library_id).limit(1)).one_or_none()
        return None if row is None else _media(row)

    def of_contents(self, content_hashes: Collection[bytes]) -> list[Media]:
        """Every file with one of these contents in any library, missing ones too, by id."""
        t = self._table
        wanted = list(content_hashes)
        found: list[Media] = []
        for start in range(0, len(wanted), 500):
            statement = self._few().where(t.c.content_hash.in_(wanted[start : start + 500])).order_by(t.c.id)
            found += map(_media, self._connection.execute(statement))
        return found

    def shows_content(self, content_hash: bytes) -> bool:
        """Whether a present file of a visible library has these bytes."""
        t = self._table
        statement = select(t.c.id).where(
            t.c.content_hash == content_hash, t.c.present, t.c.library_id.in_(self._libraries)
        )
        return self._connection.execute(statement.limit(1)).first() is not None

    def in_folder(self, library_id: int, folder: str) -> Mapping[str, Media]:
        """The files of one folder of a library, missing ones too, by path; for the scanner."""
        t = self._table
        statement = self._few().where(t.c.library_id == library_id, t.c.folder == folder)
        return {media.path: media for media in map(_media, self._connection.execute(statement))}

    def shots_in(self, library_id: int, folder: str) -> Sequence[Shot]:
        """The present, readable files of one folder of a library, whether or not it is visible; for bursts."""
        t = self._table
        statement = select(*(t.c[name] for name in Shot.__struct_fields__)).where(
            t.c.library_id == library_id, t.c.folder == folder, t.c.present, t.c.content_hash.is_not(None)
        )
        return [Shot(*row) for row in self._connection.execute(statement.order_by(t.c.id))]

    def folders_with_files(self, library_id: int) -> list[str]:
        """The folders of a library in which files are thought present."""
        t = self._table
        statement = select(t.c.folder).where(t.c.library_id == library_id, t.c.present).distinct()
        return [row[0] for row in self._connection.execute(statement)]

    def row(self, media_id: int) -> RowMapping | None:
        """All columns of one visible file."""
        t = self._table
        statement = select(t).where(t.c.id == media_id, t.c.library_id.in_(self._libraries))
        return self._connection.execute(statement).mappings().one_or_none()

    def readable(self, after: int, limit: int) -> list[tuple[Media, int | None, int | None]]:
        """Present, readable files of visible libraries, by id from `after`, each with its upright width and height in
        pixels where they are known."""
        t = self._table
        statement = self._few().add_columns(t.c.width, t.c.height)
        statement = statement.where(
            t.c.id > after, t.c.present, t.c.content_hash.is_not(None), t.c.library_id.in_(self._libraries)
        )
        rows = self._connection.execute(statement.order_by(t.c.id).limit(limit))
        return [(Media(*media), width, height) for *media, width, height in rows]

    def problems(self, limit: int) -> list[RowMapping]:
        """Present files of visible libraries that are not, or not wholly, shown, with the reason; by id."""
        t = self._table
        statement = (
            select(t.c.id, t.c.library_id, t.c.path, t.c.problem)
            .where(t.c.problem.is_not(None), t.c.present, t.c.library_id.in_(self._libraries))
            .order_by(t.c.id)
            .limit(limit)
        )
        return [*self._connection.execute(statement).mappings()]

    def counts(self) -> Mapping[int, tuple[int, int, int]]:
        """For each visible library: photos, videos and problems among its present files."""
        t = self._table
        statement = (
            select(
                t.c.library_id,
                func.count().filter((t.c.kind == "photo") & t.c.content_hash.is_not(None)),
                func.count().filter((t.c.kind == "video") & t.c.content_hash.is_not(None)),
                func.count(t.c.problem),
            )
            .where(t.c.present, t.c.library_id.in_(self._libraries))
            .group_by(t.c.library_id)
        )
        return {row[0]: (row[1], row[2], row[3]) for row in self._connection.execute(statement)}

    def waiting_for_detection(self, rows: Table, model_version: str, after: int, limit: int) -> Sequence[Media]:
        """Present readable photos, by id from `after`, whose content has no row of `rows` for this model."""
        t = self._table
        stands = (rows.c.model_version == model_version) & (rows.c.status != WITHDRAWN)
        seen = select(rows.c.id).where(rows.c.content_hash == t.c.content_hash, stands)
        statement = (
            self._few()
            .where(
                t.c.id > after,
                t.c.kind == "photo",
                t.c.present,
                t.c.content_hash.is_not(None),
                t.c.width.is_not(None),
                t.c.library_id.in_(self._libraries),
                ~seen.exists(),
            )
            .order_by(t.c.id)
            .limit(limit)
        )
        return [_media(row) for row in self._connection.execute(statement)]


def _media(row: Row[*tuple[Any, ...]]) -> Media:
    return Media(*row)
