"""One photo: its bytes and what its file says of itself."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from adapters.files.sidecars import sidecars_of
from adapters.http.web import Call, Reply, Routes, photo_at, wall_clock
from adapters.http.web.file_responses import TYPES, UNKNOWN, original, picture
from adapters.http.web.views.media import Companion, PhotoQuery, companions_of
from adapters.media.magic import MediaKind
from domain.base.errors import NotFound, Unavailable
from domain.events.media import Media

routes = Routes("Photos")


class ImageQuery(PhotoQuery):
    """Which photo, and how large: the file itself, a JPEG of up to 1440 pixels, or one of up to 512."""

    size: Literal["full", "preview", "thumb"] = "full"


class PlaceShown(msgspec.Struct):
    """Where a photo was taken: `text` is one line ("Home, Lisbon, Portugal"), `personal` the user's own name for it,
    the rest the nearest place, `distance_m` the metres to its centre. Show `attribution` with the text."""

    text: str
    personal: str | None
    name: str | None
    region: str | None
    country: str | None
    country_code: str | None
    distance_m: float | None
    attribution: str | None


class Metadata(msgspec.Struct):
    """What the file says of itself now: facts, camera, position and all EXIF by name, or a video's tags. Units:
    seconds, millimetres, metres, degrees north and east, bits a second; `orientation` is EXIF's 1 to 8. `place` names
    the position, where that is known; `motion` says that a short video is in the photo, which `/video/stream` plays.
    What people wrote into the file or its sidecar, and who says when it was taken, as in `GET /photos`."""

    library_id: int
    path: str
    kind: str
    size: int
    content_hash: str | None
    format: str | None
    width: int | None
    height: int | None
    orientation: int | None
    taken_at: str | None
    taken_source: str | None
    offset_source: str | None
    title: str | None
    description: str | None
    rating: int | None
    keywords: Sequence[str]
    written_place: str | None
    make: str | None
    model: str | None
    lens: str | None
    exposure: float | None
    f_number: float | None
    iso: int | None
    focal_length: float | None
    latitude: float | None
    longitude: float | None
    altitude: float | None
    place: PlaceShown | None
    duration: float | None
    video_codec: str | None
    audio_codec: str | None
    frame_rate: float | None
    bit_rate: int | None
    motion: bool
    problem: str | None
    companions: Sequence[Companion]
    exif: dict[str, Any]


@routes(
    "GET",
    "/image",
    query=ImageQuery,
    media_types=("image/jpeg", *sorted({*TYPES.values()} - {"image/jpeg"}), UNKNOWN),
    errors=(404, 416),
)
def show_image(call: Call, query: ImageQuery) -> Reply:
    """The file itself, with ranges, or a smaller upright JPEG of it.

    A single range is answered with 206. The tag of a file is its content's hash, as long as the file is the one that
    was indexed.
    """
    with call.dependencies.ledger.reading(call.actor) as tables:
        media = photo_at(tables, query.path, query.library)
        row = tables.media.row(media.id)
    if query.size == "full":
        return original(call, media, None if row is None else row["format"])
    which: Literal["preview", "thumb"] = "preview" if query.size == "preview" else "thumb"
    key = f"{(media.content_hash or b'').hex()}-{which}"
    return picture(call, key, lambda: _rendition(call, media, which))


@routes("GET", "/image/metadata", query=PhotoQuery, answers=Metadata, errors=(404,))
def show_metadata(call: Call, query: PhotoQuery) -> Reply:
    """What a file says of itself: times, camera, lens, exposure, size, orientation, position; and its companions."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        media = photo_at(tables, query.path, query.library)
        row = tables.media.row(media.id)
        companions = companions_of(media.id, {} if row is None else tables.timeline.companions([row]))
    file = call.dependencies.locate(media.library_id, media.path)
    kind: MediaKind = "video" if media.kind == "video" else "photo"
    facts = dict(call.dependencies.pictures.metadata(file, kind, sidecars_of(os.fsencode(file))))
    if row is not None and facts.get("content_hash") == (media.content_hash or b"").hex():
        facts |= {"problem": media.problem, "width": row["width"], "height": row["height"]}  # as it was decoded
    if row is not None and row["offset_source"] == "photos" and facts.get("offset_source") == "utc":
        known = {"taken_at": "taken_at", "taken_offset": "taken_offset_minutes", "offset_source": "offset_source"}
        facts |= {name: row[column] for column, name in known.items()}  # what the photos around it tell
    return Reply(_metadata(media, {**facts, "place": _place(call, facts), "companions": companions}))


def _place(call: Call, facts: Mapping[str, Any]) -> PlaceShown | None:
    """Where the photo was taken; asked outside of every transaction, as it may ask another server."""
    latitude, longitude = facts.get("latitude"), facts.get("longitude")
    if call.dependencies.location is None or latitude is None or longitude is None:
        return None
    found = call.dependencies.location(latitude, longitude)
    if found is None:
        return None
    personal, place = found.personal, found.place
    return PlaceShown(
        text=found.text,
        personal=personal.name if personal else None,
        name=place.name if place else None,
        region=place.region or None if place else None,
        country=place.country or None if place else None,
        country_code=place.country_code or None if place else None,
        distance_m=round(place.distance_m) if place else None,
        attribution=place.attribution if place else None,
    )


def _metadata(media: Media, facts: Mapping[str, Any]) -> Metadata:
    known: dict[str, Any] = {name: facts.get(name) for name in Metadata.__struct_fields__}
    known["taken_at"] = wall_clock(facts.get("taken_at"), facts.get("taken_offset_minutes"))
    known["keywords"] = facts.get("keywords") or ()
    known["exif"], known["motion"] = facts.get("exif") or {}, facts.get("motion_at") is not None
    return Metadata(**{**known, "library_id": media.library_id, "path": media.path})


def _rendition(call: Call, media: Media, which: Literal["preview", "thumb"]) -> bytes:
    path = call.dependencies.pictures.made(media, which)
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound("the picture was just removed; ask again") from error
    except OSError as error:
        raise Unavailable(f"the picture cannot be read now: {error.strerror}") from error
