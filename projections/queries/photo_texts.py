"""What the read tables say of photos as texts, and of which photos an event changes it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Column, Connection, Select, func, select

from domain.events.event import Event
from domain.events.face import (
    DETECTED,
    FaceAssigned,
    FaceDeleted,
    FaceDetected,
    FaceDrawn,
    FaceFollowed,
    FaceReinstated,
    FaceRestored,
    FaceRetracted,
    FaceUnassigned,
    FaceWithdrawn,
)
from domain.events.insight import InsightDeleted, InsightFollowed, InsightRestored, InsightWritten
from domain.events.media import (
    MediaChanged,
    MediaDiscovered,
    MediaDisplaced,
    MediaMissing,
    MediaMoved,
    MediaReturned,
    VideoZoned,
)
from domain.events.person import (
    PersonDeleted,
    PersonHidden,
    PersonMerged,
    PersonRenamed,
    PersonRestored,
    PersonShown,
    PersonUnmerged,
)
from domain.events.tag import MediaTagged, MediaUntagged, TagDeleted, TagRenamed, TagRestored
from domain.rules.photo_text import PhotoFacts
from projections.tables.schema import ReadTables

_AT_ONCE = 500
_SHORT = ("title", "keywords", "place")
_PERSON_EVENTS = (
    *(PersonRenamed, PersonHidden, PersonShown, PersonMerged, PersonUnmerged),
    *(PersonDeleted, PersonRestored),
)
_TAG_EVENTS = (TagRenamed, TagDeleted, TagRestored)
_CONTENT_EVENTS = (MediaTagged, MediaUntagged)
_INSIGHT_EVENTS = (InsightWritten, InsightDeleted, InsightRestored, InsightFollowed)
_MEDIA_EVENTS = (MediaDiscovered, MediaChanged, MediaMoved, MediaMissing, MediaDisplaced, MediaReturned, VideoZoned)
_FACE_EVENTS = (*(FaceAssigned, FaceUnassigned, FaceDeleted, FaceRestored, FaceWithdrawn, FaceReinstated), FaceFollowed)
FOLLOWED: Final[tuple[type[Event], ...]] = (
    *(*_MEDIA_EVENTS, *_CONTENT_EVENTS, *_TAG_EVENTS, *_PERSON_EVENTS, *_INSIGHT_EVENTS, *_FACE_EVENTS),
    FaceRetracted,
)
"""The events that may change the text of a photo."""
Placed = Callable[[float, float], str]
"""The name of a position in degrees, empty where it has none."""


class DescribedPhoto(msgspec.Struct, frozen=True):
    """A present file and what is known of it."""

    media_id: int
    library_id: int
    facts: PhotoFacts


class PhotoTexts:
    """Queries over every library: what is seen of them is for the one who searches to say, `among` their filter."""

    def __init__(self, connection: Connection, tables: ReadTables) -> None:
        self._connection = connection
        self._tables = tables
        self._media = tables.media.table

    def described(self, media_ids: Sequence[int], placed: Placed) -> list[DescribedPhoto]:
        """What is known of those of these files that are there and readable. A date that the time of the file alone
        says is left out, and so is who is hidden."""
        m = self._media
        names = ("id", "library_id", "path", "content_hash", "kind", "taken_at", "taken_source", "latitude")
        columns = [*(m.c[name] for name in names), m.c.longitude, *(m.c[name] for name in (*_SHORT, "description"))]
        statement = select(*columns).where(m.c.id.in_(media_ids), m.c.present, m.c.content_hash.is_not(None))
        rows = [*self._connection.execute(statement.order_by(m.c.id)).mappings()]
        contents = {bytes(row["content_hash"]) for row in rows}
        tags, persons, insights = self._tags(contents), self._persons(contents), self._insights(contents)
        return [
            DescribedPhoto(row["id"], row["library_id"], _facts(row, tags, persons, insights, placed)) for row in rows
        ]

    def _tags(self, contents: Collection[bytes]) -> Mapping[bytes, list[str]]:
        t, tags = self._tables.tagged_media.table, self._tables.tags.table
        statement = select(t.c.content_hash, tags.c.name).join(tags, t.c.tag_id == tags.c.id)
        statement = statement.where(t.c.content_hash.in_(contents), tags.c.deleted.is_(False))
        return self._gathered(statement.order_by(tags.c.name_key))

    def _persons(self, contents: Collection[bytes]) -> Mapping[bytes, list[str]]:
        f, p = self._tables.faces.table, self._tables.persons.table
        whose = p.alias("whose")
        statement = (
            select(f.c.content_hash, p.c.name)
            .join(whose, whose.c.id == f.c.person_id)
            .join(p, p.c.id == whose.c.canonical_id)
            .where(f.c.content_hash.in_(contents), f.c.status == DETECTED)
            .where(p.c.deleted.is_(False), p.c.hidden.is_(False))
        )
        return self._gathered(statement.distinct().order_by(f.c.content_hash, p.c.name))

    def _gathered(self, statement: Select[*tuple[Any, ...]]) -> Mapping[bytes, list[str]]:
        found: dict[bytes, list[str]] = {}
        for content, name in self._connection.execute(statement):
            found.setdefault(bytes(content), []).append(name)
        return found

    def _insights(self, contents: Collection[bytes]) -> Mapping[bytes, tuple[str, str]]:
        t = self._tables.insights.table
        statement = select(t.c.content_hash, t.c.title, t.c.text)
        statement = statement.where(t.c.content_hash.in_(contents), t.c.deleted.is_(False)).order_by(t.c.id)
        return {bytes(content): (title, text) for content, title, text in self._connection.execute(statement)}

    # Which files an event is about

    def changed_by(self, events: Sequence[Event]) -> set[int]:
        """The files whose texts these events may have changed. Of a retracted face no row is left: the event that began
        it tells where it was."""
        found = {event.media_id for event in events if isinstance(event, _MEDIA_EVENTS)}
        on_contents = (*_CONTENT_EVENTS, FaceDetected, FaceDrawn)
        contents = {event.content_hash for event in events if isinstance(event, on_contents)}
        insights = {event.insight_id for event in events if isinstance(event, _INSIGHT_EVENTS)}
        tags = {event.tag_id for event in events if isinstance(event, _TAG_EVENTS)}
        persons = {event.person_id for event in events if isinstance(event, _PERSON_EVENTS)}
        faces = {event.face_id for event in events if isinstance(event, _FACE_EVENTS)}
        i, t, f = (self._tables.insights.table, self._tables.tagged_media.table, self._tables.faces.table)
        contents |= self._column(i.c.content_hash, i.c.id, insights)
        contents |= self._column(t.c.content_hash, t.c.tag_id, tags)
        contents |= self._column(f.c.content_hash, f.c.id, faces)
        contents |= self._column(f.c.content_hash, f.c.person_id, self._merged_into(persons))
        return found | self._column(self._media.c.id, self._media.c.content_hash, contents)

    def _merged_into(self, persons: Collection[int]) -> set[int]:
        """These persons and everyone who was merged into them, directly or through others."""
        p = self._tables.persons.table
        found = new = set(persons)
        while new:
            new = self._column(p.c.id, p.c.merged_into, new) - found
            found = found | new
        return found

    def _column(self, wanted: Column[Any], by: Column[Any], keys: Collection[Any]) -> set[Any]:
        """The values of a column in the rows where another has one of these."""
        found: set[Any] = set()
        ordered = list(keys)
        for start in range(0, len(ordered), _AT_ONCE):
            found.update(
                self._connection.execute(
                    select(wanted).where(by.in_(ordered[start : start + _AT_ONCE])).distinct()
                ).scalars()
            )
        return found

    def ids(self, after: int, limit: int) -> list[int]:
        """The first `limit` ids of files that are there and readable, above `after`."""
        m = self._media
        statement = select(m.c.id).where(m.c.id > after, m.c.present, m.c.content_hash.is_not(None))
        return list(self._connection.execute(statement.order_by(m.c.id).limit(limit)).scalars())

    def count(self) -> int:
        """How many files are there and readable."""
        m = self._media
        statement = select(func.count()).select_from(m).where(m.c.present, m.c.content_hash.is_not(None))
        return self._connection.execute(statement).scalar_one()


def _facts(
    row: Mapping[Any, Any],
    tags: Mapping[bytes, list[str]],
    persons: Mapping[bytes, list[str]],
    insights: Mapping[bytes, tuple[str, str]],
    placed: Placed,
) -> PhotoFacts:
    content = bytes(row["content_hash"])
    latitude, longitude = row["latitude"], row["longitude"]
    title, text = insights.get(content, ("", ""))
    return PhotoFacts(
        kind=row["kind"],
        path=row["path"],
        taken_at=None if row["taken_source"] == "mtime" else row["taken_at"],
        latitude=latitude,
        place="" if latitude is None or longitude is None else placed(latitude, longitude),
        title=title,
        text=text,
        people=tuple(persons.get(content, ())),
        tags=tuple(tags.get(content, ())),
        written=tuple(", ".join(row[name].splitlines()) for name in _SHORT if row[name]),
        description=row["description"] or "",
    )
