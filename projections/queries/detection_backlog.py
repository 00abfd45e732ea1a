"""Which photos wait for face detection."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, true, tuple_

from domain.events.face import AUTO, WITHDRAWN
from domain.events.media import Media
from projections.queries.index_hints import by_index
from projections.tables.schema import ReadTables


class Waiting(msgspec.Struct, frozen=True):
    """How many contents a model has still to look at: `fresh` ones, which no model did, and those to be looked at
    `again`, since only an earlier one did."""

    fresh: int
    again: int


class BacklogPlace(msgspec.Struct, frozen=True):
    """A place in the order of the backlog: when a photo was taken (microseconds since 1970; None comes last), and its
    id."""

    taken_at: int | None
    id: int


class DetectionBacklog:
    """Photos whose contents no model, or an older one, looked at; `libraries` are the ids that the asker may see."""

    def __init__(self, connection: Connection, tables: ReadTables, libraries: Collection[int]) -> None:
        self._connection = connection
        self._projection = tables.media
        self._media, self._faces = tables.media.table, tables.faces.table
        self._libraries = tuple(libraries)

    def waiting(
        self,
        model_version: str,
        limit: int,
        *,
        again: bool = False,
        after: BacklogPlace | None = None,
        away: Collection[int] = (),
        among: Collection[int] | None = None,
    ) -> Sequence[tuple[BacklogPlace, Media]]:
        """Present readable photos, the last taken first, behind the place `after`, for whose content nothing stands
        that this model found: no face, no deleted face and no marker. With `again` those that an earlier model looked
        at, otherwise those that none did; none of the libraries that are `away`, and only those `among` these ids where
        given."""
        m = self._media
        earlier = self._was_seen(m.c.content_hash, model_version)
        is_meant = and_(*self._is_due(model_version, away, among), earlier if again else ~earlier)
        dated, undated = is_meant & m.c.taken_at.is_not(None), is_meant & m.c.taken_at.is_(None)
        if after is not None and after.taken_at is None:
            undated &= m.c.id < after.id
        elif after is not None:
            dated &= tuple_(m.c.taken_at, m.c.id) < tuple_(after.taken_at, after.id)
        photos: list[tuple[BacklogPlace, Media]] = []
        for part in (undated,) if after is not None and after.taken_at is None else (dated, undated):
            if len(photos) < limit:
                photos += self._last_taken(part, limit - len(photos), is_everywhere=among is None)
        return photos

    def _last_taken(
        self, which: ColumnElement[bool], limit: int, *, is_everywhere: bool
    ) -> list[tuple[BacklogPlace, Media]]:
        m = self._media
        statement = select(m.c.taken_at, *(m.c[name] for name in Media.__struct_fields__)).where(which)
        statement = statement.order_by(m.c.taken_at.desc(), m.c.id.desc()).limit(limit)
        if is_everywhere:
            statement = by_index(self._projection, statement, "media_timeline")
        rows = self._connection.execute(statement)
        photos = [(taken_at, Media(*facts)) for taken_at, *facts in rows]
        return [(BacklogPlace(taken_at, media.id), media) for taken_at, media in photos]

    def counts(self, model_version: str, away: Collection[int] = (), among: Collection[int] | None = None) -> Waiting:
        """How many contents wait, in libraries that are not `away`; only those of the files `among` these ids where
        given."""
        is_due = self._is_due(model_version, away, among)
        due = select(self._media.c.content_hash).where(*is_due).distinct().subquery()
        earlier = self._was_seen(due.c.content_hash, model_version)
        statement = select(func.count().filter(~earlier), func.count().filter(earlier)).select_from(due)
        fresh, again = self._connection.execute(statement).one()
        return Waiting(fresh, again)

    def _is_due(
        self, model_version: str, away: Collection[int], among: Collection[int] | None
    ) -> Sequence[ColumnElement[bool]]:
        m, f = self._media, self._faces
        stands = (f.c.model_version == model_version) & (f.c.status != WITHDRAWN)
        found = select(f.c.id).where(f.c.content_hash == m.c.content_hash, stands)
        return (
            m.c.kind == "photo",
            m.c.present,
            m.c.content_hash.is_not(None),
            m.c.width.is_not(None),
            m.c.library_id.in_(tuple(set(self._libraries) - set(away))),
            ~found.exists(),
            true() if among is None else m.c.id.in_(tuple(among)),
        )

    def _was_seen(self, content_hash: ColumnElement[bytes], model_version: str) -> ColumnElement[bool]:
        """Whether another model left anything on a content; what a person drew there waits for the first that looks."""
        f = self._faces
        by_engine = or_(f.c.source.is_(None), f.c.source == AUTO, f.c.embedding_id.is_not(None))
        is_others = (f.c.model_version != model_version) & (f.c.status != WITHDRAWN)
        return select(f.c.id).where(f.c.content_hash == content_hash, is_others, by_engine).exists()
