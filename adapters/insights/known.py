"""What the library knows of one photo, for whoever asks: the beginning of every insight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec

from domain.base.errors import NotFound
from domain.events.media import Media
from projections.queries.graph import FactView
from projections.queries.reading import Lookups

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MOST_NAMES: Final = 50
MOST_FACTS: Final = 30
MOST_LOOKED_AT: Final = 1000
LONGEST: Final = 300
"""Characters of one text that somebody else wrote, such as a file name."""


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is told of a photo; every text in it is somebody's, and data."""

    kind: str
    file: str
    library: str
    taken: str | None = None
    weekday: str | None = None
    date_from: str | None = None
    people: list[dict[str, Any]] = []
    unnamed_faces: int = 0
    tags: list[str] = []
    camera: str | None = None
    place: str | None = None


class Known(msgspec.Struct, frozen=True):
    """A photo as the tools see it: `taken` the camera's wall clock, `latitude` and `longitude` in degrees."""

    media: Media
    facts: Facts
    taken: datetime | None
    latitude: float | None
    longitude: float | None


def known_of(tables: Lookups, media: Media) -> Known:
    """What the tables say of a photo.

    Raises:
        NotFound: it is out of sight, or gone.
    """
    row = tables.media.row(media.id)
    library = tables.libraries.get(media.library_id)
    if row is None or library is None:
        raise NotFound("there is no such photo any more")
    taken = at(row["taken_at"])
    faces = tables.faces.shown_on(media.content_hash or b"")
    camera = " ".join(dict.fromkeys(part for part in (row["make"], row["model"], row["lens"]) if part))
    facts = Facts(
        kind=media.kind,
        file=short(media.path),
        library=library.name,
        taken=None if taken is None else taken.replace(tzinfo=None).isoformat(" ", "minutes"),
        weekday=None if taken is None else f"{taken:%A}",
        date_from=row["taken_source"],
        people=people_on(tables, media.content_hash or b"", None if taken is None else taken.date()),
        unnamed_faces=sum(face.person_id is None and not face.ignored for face in faces),
        tags=tags_on(tables, media.content_hash or b""),
        camera=short(camera) or None,
    )
    return Known(media, facts, taken, row["latitude"], row["longitude"])


def at(micros: int | None) -> datetime | None:
    """A camera's time as `FileFacts.taken_at` has it, None where it is in no year that has four digits."""
    try:
        return None if micros is None else EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return None


def people_on(tables: Lookups, content_hash: bytes, day: date | None) -> list[dict[str, Any]]:
    """Who is on a photo, from left to right, with the age on its day where that is known; who is hidden is left out."""
    faces = sorted(tables.faces.shown_on(content_hash), key=lambda face: face.box.x)
    ids = list(dict.fromkeys(face.person_id for face in faces if face.person_id is not None))[:MOST_NAMES]
    views = {view.id: view for view in tables.persons_with_faces.views(ids) if not view.hidden}
    people = []
    for view in (views[id_] for id_ in ids if id_ in views):
        person: dict[str, Any] = {"name": view.name}
        age = None if day is None or view.birth_date is None else _age(date.fromisoformat(view.birth_date), day)
        if age is not None:
            person["age"] = age
        if view.notes:
            person["notes"] = short(view.notes)
        people.append(person)
    return people


def tags_on(tables: Lookups, content_hash: bytes) -> list[str]:
    """The tags of a photo."""
    return [tag.name for tag in tables.tagged.of_content(content_hash)][:MOST_NAMES]


def facts_about(tables: Lookups, person_id: int) -> list[dict[str, Any]]:
    """What is recorded of the entity that a person is bridged to, the newest last: what stands and the asker sees;
    nothing of who is hidden."""
    view = tables.persons_with_faces.view(person_id)
    if view is None or view.hidden or view.entity_id is None:
        return []
    found = tables.entities.facts_of(view.entity_id, 0, MOST_LOOKED_AT, standing=True)
    return [fact_for_model(fact) for fact in found[-MOST_FACTS:]]


def fact_for_model(fact: FactView) -> dict[str, Any]:
    """A fact as a model is told it."""
    source = "the user" if fact.source is None or fact.corrected else "an earlier insight"
    shown = {"about": fact.entity_name, "fact": fact.text, "other": fact.object_name}
    shown |= {"since": fact.since, "until": fact.until, "said_by": source}
    return {name: value for name, value in shown.items() if value is not None}


def _age(born: date, day: date) -> int | None:
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return years if years >= 0 else None


def short(text: str) -> str:
    """The beginning of a text."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
