"""Queries on files: by id, place and content, for commands, the scanner and whoever shows them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Row, RowMapping, Select, cast, func, select

from domain.events.burst import Shot
from domain.events.media import STATED_TIMES, Media, UtcVideo
from projections.tables.media import MediaTable

_WIDEST: Final = 14 * 3600 * 1_000_000
"""Microseconds that a clock on a wall is apart from UTC at most."""


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
        return self._with_one_of(self._table.c.content_hash, list(content_hashes))

    def of_pictures(self, picture_hashes: Collection[str]) -> list[Media]:
        """Every file with one of these coded pictures in any library, missing ones too, by id."""
        return self._with_one_of(self._table.c.picture_hash, list(picture_hashes))

    def _with_one_of(self, column: Column[Any], wanted: Sequence[object]) -> list[Media]:
        found: list[Media] = []
        for start in range(0, len(wanted), 500):
            statement = self._few().where(column.in_(wanted[start : start + 500])).order_by(self._table.c.id)
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

    def has_any(self, library_id: int) -> bool:
        """Whether a library ever held a file, be it missing now and whether or not the library is visible."""
        t = self._table
        return self._connection.execute(select(t.c.id).where(t.c.library_id == library_id).limit(1)).first() is not None

    def count_present(self, library_id: int) -> int:
        """How many files of a library are thought present, whether or not it is visible."""
        t = self._table
        statement = select(func.count()).where(t.c.library_id == library_id, t.c.present)
        return int(self._connection.execute(statement).scalar_one())

    def standing(self, library_id: int) -> list[tuple[str, int]]:
        """Path and size in bytes of each file of a library that is thought present, whether or not it is visible."""
        t = self._table
        statement = select(t.c.path, t.c.size).where(t.c.library_id == library_id, t.c.present)
        return [(path, size) for path, size in self._connection.execute(statement)]

    def shots_in(self, library_id: int, folder: str) -> Sequence[Shot]:
        """The present, readable files of one folder of a library, whether or not it is visible; for bursts."""
        t = self._table
        statement = select(*(t.c[name] for name in Shot.__struct_fields__)).where(
            t.c.library_id == library_id, t.c.folder == folder, t.c.present, t.c.content_hash.is_not(None)
        )
        return [Shot(*row) for row in self._connection.execute(statement.order_by(t.c.id))]

    def utc_videos(self, library_id: int) -> Sequence[UtcVideo]:
        """The present videos of a library that know only UTC, by id, whether or not it is visible."""
        t = self._table
        columns = (t.c.id, t.c.folder, t.c.taken_at, t.c.taken_offset, t.c.offset_source)
        statement = select(*columns).where(
            t.c.library_id == library_id, t.c.offset_source.in_(("utc", "photos")), t.c.present
        )
        rows = self._connection.execute(statement.order_by(t.c.id)).mappings()
        return [
            UtcVideo(
                row["id"],
                row["folder"],
                row["taken_at"] - row["taken_offset"] * 60_000_000,
                row["taken_offset"] if row["offset_source"] == "photos" else None,
            )
            for row in rows
        ]

    def offset_around(self, library_id: int, folder: str, utc: int, apart: int) -> int | None:
        """The offset of the photo that states when it was taken, nearest to a time, and is at most so far `apart`; of
        the same folder where there is one, else of the library."""
        t = self._table
        taken = t.c.taken_at - cast(t.c.taken_offset, BigInteger) * 60_000_000  # beyond 32 bits on PostgreSQL
        away = func.abs(taken - utc)
        nearest = (
            select(t.c.taken_offset)
            .where(
                t.c.library_id == library_id,
                t.c.present,
                t.c.content_hash.is_not(None),
                t.c.taken_at.between(utc - apart - _WIDEST, utc + apart + _WIDEST),
                t.c.kind == "photo",
                t.c.taken_offset.is_not(None),
                t.c.taken_source.in_(sorted(STATED_TIMES)),
                away <= apart,
            )
            .order_by(away, t.c.id)
            .limit(1)
        )
        here = self._connection.execute(nearest.where(t.c.folder == folder)).scalar_one_or_none()
        return self._connection.execute(nearest).scalar_one_or_none() if here is None else here

    def keywords(self, library_id: int, after: int, limit: int) -> list[RowMapping]:
        """The first present files of a library with keywords above an id: `id`, `content_hash` and `keywords`, a line
        each; whether or not the library is visible."""
        t = self._table
        statement = select(t.c.id, t.c.content_hash, t.c.keywords).where(
            t.c.id > after, t.c.library_id == library_id, t.c.present, t.c.keywords.is_not(None)
        )
        return [*self._connection.execute(statement.order_by(t.c.id).limit(limit)).mappings()]

    def folders_with_files(self, library_id: int) -> list[str]:
        """The folders of a library in which files are thought present."""
        t = self._table
        statement = select(t.c.folder).where(t.c.library_id == library_id, t.c.present).distinct()
        return list(self._connection.execute(statement).scalars())

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
        return {
            library_id: (photos, videos, problems)
            for library_id, photos, videos, problems in self._connection.execute(statement)
        }


def _media(row: Row[*tuple[Any, ...]]) -> Media:
    return Media(*row)
