"""Photos and videos as clients name them, ask for them and see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import RowMapping

from adapters.http.web.problems import FieldError, Invalid
from adapters.http.web.scope import Id, LibraryParam
from adapters.http.web.times import Moment, WallClock, bound_of, moment, wall_clock
from projections.queries.photo_filter import PhotoFilter

AnyOrAll = Literal["any", "all"]
Part = Annotated[str, Meta(max_length=200)]
Names = Annotated[list[Part], Meta(max_length=50)]


class PhotoQuery(msgspec.Struct):
    """Which photo or video: the path of its file, and its library where several hold that path."""

    path: str
    library: LibraryParam | None = None


class PhotoWords(msgspec.Struct):
    """What photos are narrowed to; `tags`, `exclude_tags` and `persons` may be given several times."""

    library: LibraryParam | None = None
    path: Annotated[str, Meta(description="a folder; / is the root itself")] | None = None
    recursive: Annotated[bool, Meta(description="whether folders below `path` count too")] = True
    kind: Literal["photo", "video"] | None = None
    tags: Names = []
    tag_mode: AnyOrAll = "any"
    exclude_tags: Names = []
    persons: Annotated[list[Id], Meta(max_length=50)] = []
    person_mode: AnyOrAll = "any"
    taken_from: Annotated[str, Meta(description="a day or time of the wall clock")] | None = msgspec.field(
        name="from", default=None
    )
    taken_to: Annotated[str, Meta(description="a day, included, or a time, excluded")] | None = msgspec.field(
        name="to", default=None
    )
    camera: Annotated[str, Meta(max_length=200, description="a part of make and model")] | None = None
    lens: Annotated[str, Meta(max_length=200, description="a part of the name")] | None = None
    has_gps: bool | None = None
    within: Annotated[str, Meta(description="south,west,north,east in degrees")] | None = None
    q: (
        Annotated[
            str,
            Meta(
                max_length=200,
                description="words, each in the path, camera, lens, a tag, a person's name, or what is written in the "
                "file or its sidecar (title, description, keywords, place, `rating:4`), without case and accents",
            ),
        ]
        | None
    ) = None


class Companion(msgspec.Struct):
    """Another file of the same press of the shutter, beside it and of its name: a RAW, a live photo's clip, or the
    photo of either; or one of the same burst."""

    id: int
    path: str
    kind: str
    format: str | None


class MediaRow(msgspec.Struct):
    """One file: `width` and `height` are pixels of the upright picture, `placeholder` a ThumbHash in base64, `problem`
    says why it is not, or not wholly, shown. Of videos: `duration` in seconds, `frame_rate` a second, `bit_rate` in
    bits a second. `motion` says that a short video is in a photo's file, which `/video/stream` plays. What people wrote
    into the file or its sidecar: `title`, `description`, `rating` (1 to 5, -1 for rejected), `keywords` and
    `written_place`. `taken_source` says who tells when it was taken (`sidecar exif xmp iptc png video filename modified
    mtime`), `offset_source` where the offset of a video that knows only UTC is from (`position`, or `photos` around it;
    `utc` where nothing tells it)."""

    id: int
    library_id: int
    path: str
    name: str
    content_hash: str
    kind: str
    format: str | None
    size: int
    width: int | None
    height: int | None
    taken_at: WallClock | None
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
    latitude: float | None
    longitude: float | None
    placeholder: str | None
    problem: str | None
    duration: float | None
    video_codec: str | None
    audio_codec: str | None
    frame_rate: float | None
    bit_rate: int | None
    motion: bool
    modified_at: Moment
    discovered_at: Moment
    tags: Sequence[str]
    companions: Sequence[Companion]


_AS_STORED: Final = tuple(
    name
    for name in MediaRow.__struct_fields__
    if name not in {"content_hash", "taken_at", "motion", "modified_at", "discovered_at", "tags", "companions"}
    and name not in {"keywords", "written_place"}
)
"""The fields of a file that are columns of `media`."""


def media_row(
    row: RowMapping, tags: Mapping[bytes, Sequence[str]], companions: Mapping[int, Sequence[RowMapping]]
) -> MediaRow:
    """A row of `media` as clients see it."""
    content = bytes(row["content_hash"])
    plain: dict[str, Any] = {name: row[name] for name in _AS_STORED}
    return MediaRow(
        content_hash=content.hex(),
        taken_at=wall_clock(row["taken_at"], row["taken_offset"]),
        modified_at=moment(row["mtime_ns"] // 1000),
        discovered_at=moment(row["discovered_at"]),
        motion=row["motion_at"] is not None,
        keywords=(row["keywords"] or "").splitlines(),
        written_place=row["place"],
        tags=tags.get(content, ()),
        companions=companions_of(row["id"], companions),
        **plain,
    )


def companions_of(media_id: int, companions: Mapping[int, Sequence[RowMapping]]) -> list[Companion]:
    """The companions of one file as clients see them."""
    return [Companion(row["id"], row["path"], row["kind"], row["format"]) for row in companions.get(media_id, ())]


def narrowing(query: PhotoWords) -> PhotoFilter:
    """The filter that the words of a query, or of a body, say; the library is left to `within`.

    Raises:
        Invalid: a time or a corner cannot be.
    """
    return PhotoFilter(
        folder=None if query.path is None else query.path.strip("/"),
        recursive=query.recursive,
        kind=query.kind,
        tags=tuple(query.tags),
        all_tags=query.tag_mode == "all",
        exclude_tags=tuple(query.exclude_tags),
        persons=tuple(query.persons),
        all_persons=query.person_mode == "all",
        taken_from=bound_of("from", query.taken_from, is_end=False),
        taken_to=bound_of("to", query.taken_to, is_end=True),
        camera=query.camera,
        lens=query.lens,
        has_gps=query.has_gps,
        within=_corners(query.within),
        q=query.q,
    )


def _corners(text: str | None) -> tuple[float, float, float, float] | None:
    """South, west, north and east in degrees; west may be greater than east, across the date line."""
    if text is None:
        return None
    try:
        south, west, north, east = (float(part) for part in text.split(","))
    except ValueError:
        south = west = north = east = float("nan")
    if not (-90 <= south <= north <= 90 and -180 <= west <= 180 and -180 <= east <= 180):
        message = "write south,west,north,east in degrees, such as 47.2,8.4,47.5,8.7"
        raise Invalid((FieldError("within", message),))
    return south, west, north, east
