"""Which photos wait for face detection."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select

from domain.events.face import WITHDRAWN
from domain.events.media import Media
from projections.tables.schema import ReadTables


class DetectionBacklog:
    """Photos whose contents no model, or an older one, looked at; `libraries` are the ids that the asker may see."""

    def __init__(self, connection: Connection, tables: ReadTables, libraries: Collection[int]) -> None:
        self._connection = connection
        self._media, self._faces = tables.media.table, tables.faces.table
        self._libraries = tuple(libraries)

    def waiting(self, model_version: str, after: int, limit: int) -> Sequence[Media]:
        """Present readable photos, by id from `after`, for whose content nothing stands that this model found: no
        face, no deleted face and no marker."""
        m, f = self._media, self._faces
        stands = (f.c.model_version == model_version) & (f.c.status != WITHDRAWN)
        found = select(f.c.id).where(f.c.content_hash == m.c.content_hash, stands)
        statement = select(*(m.c[name] for name in Media.__struct_fields__)).where(
            m.c.id > after,
            m.c.kind == "photo",
            m.c.present,
            m.c.content_hash.is_not(None),
            m.c.width.is_not(None),
            m.c.library_id.in_(self._libraries),
            ~found.exists(),
        )
        return [Media(*row) for row in self._connection.execute(statement.order_by(m.c.id).limit(limit))]
