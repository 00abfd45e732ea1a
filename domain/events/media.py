"""Media: one file in one library, and what is known of its bytes."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from domain.base.geometry import Placement
from domain.events.event import Event, Payload, recorded_as

NEEDS_FFMPEG: Final = "ffmpeg is not installed: `make tools` or your system's package `ffmpeg` lets videos be shown"
"""The problem of a video that was found while nothing could decode it; a full scan tries again once something can."""

NOT_IN_TIME: Final = "it could not be decoded in time, as the machine was busy: it is tried again when that is idle"
"""The problem of a file of which nobody knows yet whether it can be shown."""

READINGS: Final = {"photo": 2, "video": 2}
"""How many times more became known of the files of a kind. Raise it when a reading finds more than before: what was
read before that is read again, though it did not change."""


class FileFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one reading of a file found.

    `size` in bytes, `mtime_ns` nanoseconds since 1970 UTC, `width` and `height` pixels of the upright picture,
    `taken_at` microseconds of the camera's wall clock counted as if it were UTC, `taken_offset` minutes east of UTC
    where they are known, `taken_source` one of `TAKEN_SOURCES`, `latitude` and `longitude` degrees WGS 84,
    `placeholder` a thumbhash in base64, `problem` why the file is not (or not wholly) shown. Of videos: `duration` in
    seconds, `frame_rate` frames a second on average, `bit_rate` bits a second, codecs by ffmpeg's names. Of photos:
    `motion_at` and `motion_bytes` where a short video lies in the file, `burst` what the camera calls the series that
    it belongs to. `reading` is the number of `READINGS` by which it was read, 0 before there was one.

    What people wrote, in the file or its sidecar: `title` and `keywords` in one line each, `description`, `rating` 1 to
    5 stars or -1 for rejected, `place` the names of where it was taken, the nearest first. `sidecar` tells one state of
    the file's sidecar from another, None where it has none. `offset_source` says where the offset of a video that knows
    only UTC is from (`position`, or `photos` around it); `utc` where nothing tells it. `picture_hash` is the SHA-256,
    in hexadecimal, of the coded picture without what is written about it.
    """

    size: int
    mtime_ns: int
    kind: str
    format: str | None = None
    width: int | None = None
    height: int | None = None
    taken_at: int | None = None
    taken_offset: int | None = None
    taken_source: str | None = None
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    placeholder: str | None = None
    problem: str | None = None
    duration: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    frame_rate: float | None = None
    bit_rate: int | None = None
    reading: int = 0
    motion_at: int | None = None
    motion_bytes: int | None = None
    burst: str | None = None
    title: str | None = None
    description: str | None = None
    rating: int | None = None
    keywords: tuple[str, ...] = ()
    place: str | None = None
    sidecar: str | None = None
    offset_source: str | None = None
    picture_hash: str | None = None


TAKEN_SOURCES: Final = (*("user", "sidecar", "exif", "xmp", "iptc", "png", "video", "filename", "modified", "mtime"),)
"""Who says when a photo was taken, in the order in which they are believed: `video` is the container of a video,
`filename` the name of the file, `modified` what an editor wrote when it saved the photo, `mtime` the file system. An
event of version 1 says `exif` of what an editor wrote, too."""
STATED_TIMES: Final = frozenset({"user", "sidecar", "exif", "xmp", "iptc", "png", "video"})
"""Of these, who states when it was taken."""
CAMERA_TIMES: Final = frozenset({"sidecar", "exif", "xmp"})
"""Of these, who may have it from a camera to fractions of a second."""
_NOT_READ: Final[dict[str, Any]] = {
    "title": None,
    "description": None,
    "rating": None,
    "keywords": (),
    "place": None,
    "sidecar": None,
    "offset_source": None,
    "picture_hash": None,
}


def _lifted(old: Payload) -> Payload:
    """Facts of version 1, when what people wrote was not read."""
    return {**old, "facts": {**_NOT_READ, **old["facts"]}}


BY_DATA: Final = "data"
BY_PICTURE: Final = "picture"
BY_CAMERA: Final = "camera"


class SamePicture(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why other bytes are taken for the picture that was there: `by` its coded `data`, since only what is written about
    it differs; its `picture`, which shows the older one as `placement` says; or the `camera` and the moment that both
    name. `placement` is None where nothing tells how it shows the older one."""

    by: str
    placement: Placement | None = None

    @property
    def is_untouched(self) -> bool:
        """Whether it shows the very same, so that nothing has to be looked for anew."""
        return self.by == BY_DATA and self.placement == Placement()


class Media(msgspec.Struct, frozen=True):
    """A media row as a command sees it; `content_hash` is SHA-256 (32 bytes), None where the file could not be read;
    `reading`, `motion_at`, `motion_bytes`, `sidecar` and `picture_hash` as in `FileFacts`."""

    id: int
    library_id: int
    path: str
    content_hash: bytes | None
    size: int
    mtime_ns: int
    kind: str
    problem: str | None
    present: bool
    reading: int = 0
    motion_at: int | None = None
    motion_bytes: int | None = None
    sidecar: str | None = None
    picture_hash: str | None = None

    @property
    def has_motion(self) -> bool:
        """Whether it is a photo with a short video in it."""
        return self.motion_at is not None and self.motion_bytes is not None

    @property
    def is_outdated(self) -> bool:
        """Whether a reading would find more than is known of it; what could not be read is tried again anyway."""
        return self.content_hash is not None and self.reading < READINGS.get(self.kind, 0)


@recorded_as("MediaDiscovered", "media", "media_id", version=2, opens=True, upcasts={1: _lifted})
class MediaDiscovered(Event, frozen=True, omit_defaults=True):
    """A file was seen for the first time at this place."""

    media_id: int
    library_id: int
    path: str
    content_hash: bytes | None
    facts: FileFacts


@recorded_as("MediaChanged", "media", "media_id", version=2, upcasts={1: _lifted})
class MediaChanged(Event, frozen=True, omit_defaults=True):
    """The file at this place was read again; `was` is the hash it had before. Where other bytes are taken for the same
    picture, `same` says why. `came_from` is the path at which these bytes lay before they took this place."""

    media_id: int
    content_hash: bytes | None
    was: bytes | None
    facts: FileFacts
    same: SamePicture | None = None
    came_from: str | None = None


@recorded_as("MediaMoved", "media", "media_id")
class MediaMoved(Event, frozen=True, omit_defaults=True):
    """The same bytes vanished at one place and appeared at another."""

    media_id: int
    library_id: int
    path: str
    mtime_ns: int
    was_library_id: int
    was_path: str


@recorded_as("MediaMissing", "media", "media_id")
class MediaMissing(Event, frozen=True, omit_defaults=True):
    """The file is no longer there; everything decided about its content stays."""

    media_id: int


@recorded_as("MediaDisplaced", "media", "media_id")
class MediaDisplaced(Event, frozen=True, omit_defaults=True):
    """Another file took its place at `path`; where it is now is not known, unless it is moved in the same breath.
    Everything decided about its content stays."""

    media_id: int
    library_id: int
    path: str


@recorded_as("MediaReturned", "media", "media_id")
class MediaReturned(Event, frozen=True, omit_defaults=True):
    """A missing file is back with the bytes it had."""

    media_id: int
    mtime_ns: int


@recorded_as("VideoZoned", "media", "media_id")
class VideoZoned(Event, frozen=True, omit_defaults=True):
    """A video that knows only UTC got its offset, in minutes east of it, from the photos around it, and with that the
    time that clocks on walls showed."""

    media_id: int
    taken_at: int
    taken_offset: int


class UtcVideo(msgspec.Struct, frozen=True):
    """A video that knows only UTC: where it lies, when it was taken in microseconds since 1970 UTC, and its offset in
    minutes where photos told it already."""

    id: int
    folder: str
    utc: int
    taken_offset: int | None


ALONE: Final = -1
"""Of no stack: a longer video, and a file that should hold a picture and has none."""
PICTURE: Final = 0
RAW: Final = 1
CLIP: Final = 2
RAW_WITHOUT_PICTURE: Final = 3
RANKS: Final = 4
"""How many there are of a name. In a burst, whose photos have a name each, they follow one another photo by photo."""
