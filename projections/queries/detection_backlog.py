"""Which photos wait for face detection."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, func, or_, select

from domain.events.face import AUTO, WITHDRAWN
from domain.events.media import Media
from projections.tables.schema import ReadTables


class Waiting(msgspec.Struct, frozen=True):
    """How many contents a model has still to look at: `fresh` ones, which no model did, and those to be looked at
    `again`, since only an earlier one did."""

    fresh: int
    again: int


class DetectionBacklog:
    """Photos whose contents no model, or an older one, looked at; `libraries` are the ids that the asker may see."""

    def __init__(self, connection: Connection, tables: ReadTables, libraries: Collection[int]) -> None:
        self._connection = connection
        self._media, self._faces = tables.media.table, tables.faces.table
        self._libraries = tuple(libraries)

    def waiting(
        self,
        model_version: str,
        limit: int,
        *,
        again: bool = False,
        before: int | None = None,
        away: Collection[int] = (),
    ) -> Sequence[Media]:
        """Present readable photos, the last that came first, by id below `before`, for whose content nothing stands
        that this model found: no face, no deleted face and no marker. With `again` those that an earlier model looked
        at, otherwise those that none did; none of the libraries that are `away`."""
        m = self._media
        earlier = self._was_seen(m.c.content_hash, model_version)
        statement = select(*(m.c[name] for name in Media.__struct_fields__)).where(
            *self._is_due(model_version, away), earlier if again else ~earlier
        )
        if before is not None:
            statement = statement.where(m.c.id < before)
        return [Media(*row) for row in self._connection.execute(statement.order_by(m.c.id.desc()).limit(limit))]

    def counts(self, model_version: str, away: Collection[int] = ()) -> Waiting:
        """How many contents wait, in libraries that are not `away`."""
        due = select(self._media.c.content_hash).where(*self._is_due(model_version, away)).distinct().subquery()
        earlier = self._was_seen(due.c.content_hash, model_version)
        statement = select(func.count().filter(~earlier), func.count().filter(earlier)).select_from(due)
        fresh, again = self._connection.execute(statement).one()
        return Waiting(fresh, again)

    def _is_due(self, model_version: str, away: Collection[int]) -> Sequence[ColumnElement[bool]]:
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
        )

    def _was_seen(self, content_hash: ColumnElement[bytes], model_version: str) -> ColumnElement[bool]:
        """Whether another model left anything on a content; what a person drew there waits for the first that looks."""
        f = self._faces
        by_engine = or_(f.c.source.is_(None), f.c.source == AUTO, f.c.embedding_id.is_not(None))
        is_others = (f.c.model_version != model_version) & (f.c.status != WITHDRAWN)
        return select(f.c.id).where(f.c.content_hash == content_hash, is_others, by_engine).exists()
