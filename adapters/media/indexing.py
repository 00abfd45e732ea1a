"""Everything that is recorded about one file when it is discovered, and the renditions made of it on the way.

These functions run in worker processes: they take and give plain values, keep no state, and may be killed at any moment
without leaving more than a temporary file.
"""

from __future__ import annotations

import contextlib
import os
from typing import Literal

import msgspec
from PIL import ExifTags

from adapters.media.contents import Content, read_content
from adapters.media.dates import WallClock, wall_clock_of_change, wall_clock_of_name
from adapters.media.exif import CameraFacts, camera_facts, directory, named_tags, raw_exif
from adapters.media.film import film_of
from adapters.media.magic import RAWS, MediaKind
from adapters.media.motion import FORMATS, PhoneXmp, apple_burst, motion_of, phone_xmp
from adapters.media.opening import Photo, open_photo
from adapters.media.pictures import Decoded, shrunk
from adapters.media.placeholder import placeholder_of
from adapters.media.renditions import QUALITIES, SIDES, Note, encoded, note_of, rendition_path, write_whole
from adapters.media.video_frames import poster_of
from domain.base.errors import NotFound, NotInTime, Unavailable, Unreadable

TakenSource = Literal["exif", "filename", "mtime"]
Size = tuple[int | None, int | None]


class IndexedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file as it was found.

    `content_hash` is the SHA-256 of its bytes (32 of them), None where they cannot be read. `kind` and `format` are
    what the bytes are, whatever the name says. `width` and `height` are upright pixels, `orientation` how EXIF says
    that it is stored (1..8). `taken_at` is the time on the wall clock in microseconds since 1970 as if it were UTC, and
    `taken_offset_minutes` how far that clock was ahead of UTC, where known. Position in degrees north and east,
    `altitude` in metres, `exposure` in seconds, `focal_length` in millimetres. `placeholder` is a ThumbHash in base64.
    `problem` says in plain words what is wrong with the file; `has_renditions` whether it can be shown all the same. Of
    videos: `duration` in seconds, `frame_rate` frames a second, `bit_rate` bits a second. Of photos: `motion_at` and
    `motion_bytes` say where a short video lies in the file, `burst` what the camera calls the series it is of.
    """

    content_hash: bytes | None
    size: int
    mtime_ns: int
    kind: MediaKind
    taken_at: int
    taken_source: TakenSource
    taken_offset_minutes: int | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    orientation: int | None = None
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    exposure: float | None = None
    f_number: float | None = None
    iso: int | None = None
    focal_length: float | None = None
    placeholder: str | None = None
    problem: str | None = None
    has_renditions: bool = False
    duration: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    frame_rate: float | None = None
    bit_rate: int | None = None
    motion_at: int | None = None
    motion_bytes: int | None = None
    burst: str | None = None


def index_file(path: bytes, renditions_root: str | None, kind: MediaKind) -> IndexedFile:
    """Read a file once, and tell what it is; its preview and thumbnail are made where they are missing.

    `kind` is what the name suggests. Without `renditions_root` nothing is decoded or written. A file that cannot be
    read or decoded is told with its `problem`, and is no error.

    Raises:
        NotFound: it is not there any more.
        StillChanging: somebody is still writing it; look again later.
        Unavailable: the file system does not answer, or the renditions cannot be written now.
    """
    name = os.path.basename(path).decode("utf-8", "replace")
    try:
        content = read_content(path, kind)
    except Unreadable as error:
        return _unread(path, name, kind, str(error))
    if content.kind == "video" and content.problem is None:
        return _film_indexed(path, name, content, renditions_root)
    if content.photo is None or content.format is None:
        return _indexed(name, content, CameraFacts(), problem=content.problem)
    return _photo_indexed(name, content, content.photo, content.format, renditions_root)


def _photo_indexed(
    name: str, content: Content, photo: bytes, format_name: str, renditions_root: str | None
) -> IndexedFile:
    """A photo with its renditions, or why there are none."""
    try:
        picture = open_photo(photo, format_name)
    except Unreadable as error:
        return _indexed(name, content, CameraFacts(), problem=str(error))
    facts, size = camera_facts(picture.exif), (picture.width, picture.height)
    note, problem = None, picture.doubt if renditions_root is None else None
    if renditions_root is not None:
        try:
            note, size = _rendered(picture, content.sha256, renditions_root)
        except Unreadable as error:
            size, problem = (None, None), str(error)
    indexed = _indexed(name, content, facts, picture=picture, size=size, note=note, problem=problem)
    return _with_series(indexed, photo, picture)


def _with_series(indexed: IndexedFile, photo: bytes, picture: Photo) -> IndexedFile:
    """The same with the video in the photo and the series that it is of."""
    xmp = phone_xmp(photo) if indexed.format in FORMATS else PhoneXmp()
    motion = motion_of(photo, xmp) if indexed.format in FORMATS else None
    note = directory(picture.exif, ExifTags.IFD.Exif).get(ExifTags.Base.MakerNote)
    return msgspec.structs.replace(
        indexed,
        motion_at=motion.at if motion else None,
        motion_bytes=motion.length if motion else None,
        burst=apple_burst(note) or xmp.burst,
    )


def index_undecoded(path: bytes, kind: MediaKind, problem: str) -> IndexedFile:
    """Read a file whose decoding hangs or ends its process: what it is, its hash and its RAW's facts, no picture.

    Raises:
        NotFound, StillChanging, Unavailable: as `index_file`.
    """
    name = os.path.basename(path).decode("utf-8", "replace")
    try:
        content = read_content(path, kind)
    except Unreadable as error:
        return _unread(path, name, kind, str(error))
    facts = CameraFacts()
    if content.photo is not None and content.format in RAWS:
        facts = camera_facts(raw_exif(content.photo, content.format))
    return _indexed(name, content, facts, problem=content.problem or problem)


def metadata(path: bytes, kind: MediaKind = "photo") -> dict[str, object]:
    """A file's facts and all its EXIF tags by name, or the tags of a video's container, as values that JSON can hold;
    read from the file as it is now.

    Raises:
        NotFound, StillChanging, Unavailable: as `index_file`.
    """
    indexed = index_file(path, None, kind)
    facts = msgspec.to_builtins(indexed)
    facts["content_hash"] = indexed.content_hash.hex() if indexed.content_hash else None
    del facts["placeholder"], facts["has_renditions"]
    if indexed.kind == "video":
        return {**facts, "exif": _film_tags(path)}
    tags: dict[str, object] = {}
    if indexed.content_hash and indexed.format:
        content = read_content(path, kind)
        with contextlib.suppress(Unreadable):
            if content.photo is not None and content.format is not None:
                photo = open_photo(content.photo, content.format)
                tags = named_tags(photo.exif)
                if "Orientation" in tags:
                    tags["Orientation"] = photo.orientation  # a decoder may have turned it and said so
    return {**facts, "exif": tags}


def _rendered(picture: Photo, content_hash: bytes, root: str) -> tuple[Note, Size]:
    """Make the renditions of a photo from one decode, the thumbnail last; nothing is done where both are there.

    Told with the size of the photo, which for some RAW files only the decoded picture shows.
    """
    size = picture.width, picture.height
    known = note_of(root, content_hash) if size[0] is not None else None
    if known is not None:
        return known, size
    decoded = picture.decoded(SIDES["preview"])
    note = _written(decoded, content_hash, root)
    return note, (size if size[0] is not None else (decoded.pixels.shape[1], decoded.pixels.shape[0]))


def _written(decoded: Decoded, content_hash: bytes, root: str) -> Note:
    """Write the renditions of what was decoded, the thumbnail last."""
    thumb = shrunk(decoded.pixels, SIDES["thumb"])
    note = Note(placeholder_of(thumb), decoded.problem)
    try:
        write_whole(rendition_path(root, content_hash, "preview"), encoded(decoded.pixels, QUALITIES["preview"]))
        write_whole(rendition_path(root, content_hash, "thumb"), encoded(thumb, QUALITIES["thumb"], note))
    except OSError as error:
        raise Unavailable(f"previews cannot be written to {root}: {error.strerror}") from error
    return note


def _film_indexed(path: bytes, name: str, content: Content, root: str | None) -> IndexedFile:
    """A video with its poster as renditions; without ffmpeg its bytes alone, and that as the problem."""
    try:
        film = film_of(path, name)
    except NotInTime:
        raise
    except (Unreadable, Unavailable) as error:
        return _indexed(name, content, CameraFacts(), problem=str(error))
    note, problem = None, None
    if root is not None:
        try:
            note = note_of(root, content.sha256) or _written(
                Decoded(poster_of(path, film, SIDES["preview"]), None), content.sha256, root
            )
        except Unreadable as error:
            problem = str(error)
    facts = CameraFacts(
        taken=film.taken,
        make=film.make,
        model=film.model,
        latitude=film.latitude,
        longitude=film.longitude,
        altitude=film.altitude,
    )
    indexed = _indexed(name, content, facts, size=(film.width, film.height), note=note, problem=problem)
    return msgspec.structs.replace(
        indexed,
        duration=film.duration,
        video_codec=film.video_codec,
        audio_codec=film.audio_codec,
        frame_rate=film.frame_rate,
        bit_rate=film.bit_rate,
    )


def _film_tags(path: bytes) -> dict[str, object]:
    try:
        return film_of(path, "").tags
    except (Unreadable, Unavailable):
        return {}  # the facts say why


def _indexed(
    name: str,
    content: Content,
    facts: CameraFacts,
    *,
    picture: Photo | None = None,
    size: Size = (None, None),
    note: Note | None = None,
    problem: str | None = None,
) -> IndexedFile:
    taken, source = _taken(facts.taken, name, content.mtime_ns)
    camera = {field: getattr(facts, field) for field in facts.__struct_fields__ if field != "taken"}
    return IndexedFile(
        content_hash=content.sha256,
        size=content.size,
        mtime_ns=content.mtime_ns,
        kind=content.kind,
        format=content.format,
        width=size[0],
        height=size[1],
        orientation=picture.orientation if picture else None,
        taken_at=taken.micros,
        taken_offset_minutes=taken.offset_minutes,
        taken_source=source,
        placeholder=note.placeholder if note else None,
        problem=problem or (note.problem if note else None),
        has_renditions=note is not None,
        **camera,
    )


def _unread(path: bytes, name: str, kind: MediaKind, problem: str) -> IndexedFile:
    """A file whose bytes the operating system keeps back: what its folder tells of it, and why."""
    try:
        facts = os.stat(path)
    except FileNotFoundError as error:
        raise NotFound("the file is not there any more") from error
    except OSError as error:
        raise Unavailable(f"{problem}; nor can its folder be entered") from error
    taken, source = _taken(None, name, facts.st_mtime_ns)
    return IndexedFile(
        content_hash=None,
        size=facts.st_size,
        mtime_ns=facts.st_mtime_ns,
        kind=kind,
        taken_at=taken.micros,
        taken_offset_minutes=taken.offset_minutes,
        taken_source=source,
        problem=problem,
    )


def _taken(exif: WallClock | None, name: str, mtime_ns: int) -> tuple[WallClock, TakenSource]:
    if exif is not None:
        return exif, "exif"
    named = wall_clock_of_name(name)
    return (named, "filename") if named is not None else (wall_clock_of_change(mtime_ns), "mtime")
