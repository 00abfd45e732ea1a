"""Everything that is recorded about one file when it is discovered, and the renditions made of it on the way.

These functions run in worker processes: they take and give plain values, keep no state, and may be killed at any moment
without leaving more than a temporary file.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import Final

import msgspec
from PIL import ExifTags, Image

from adapters.media.coded_data import film_hash, picture_hash
from adapters.media.contents import Content, open_media, packets_in, read_content
from adapters.media.dates import WallClock
from adapters.media.exif import CameraFacts, directory, named_tags, orientation_of
from adapters.media.film import Film, film_of
from adapters.media.magic import MediaKind
from adapters.media.motion import FORMATS, PhoneXmp, apple_burst, motion_of, phone_xmp
from adapters.media.opening import Photo, open_photo
from adapters.media.pictures import Decoded, open_picture, shrunk
from adapters.media.placeholder import placeholder_of
from adapters.media.renditions import QUALITIES, SIDES, Note, encoded, note_of, rendition_path, write_whole
from adapters.media.stated import Stated, stated_of, stated_of_film, thumbnail_in
from adapters.media.taking import Times, taken_of
from adapters.media.video_frames import poster_of
from adapters.media.zones import offset_at
from domain.base.errors import NotFound, NotInTime, Unavailable, Unreadable

Size = tuple[int | None, int | None]
THUMBNAIL_SHOWN: Final = "shown is the small picture in its EXIF"
"""Ends the problem of a photo whose own picture cannot be decoded."""
_TIMES: Final = frozenset({"taken", "digitised", "modified"})


class IndexedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file as it was found.

    `content_hash` is the SHA-256 of its bytes (32 of them), None where they cannot be read. `kind` and `format` are
    what the bytes are, whatever the name says. `width` and `height` are upright pixels, `orientation` how EXIF says
    that it is stored (1..8). `taken_at` is the time on the wall clock in microseconds since 1970 as if it were UTC, and
    `taken_offset_minutes` how far that clock was ahead of UTC, where known. Position in degrees north and east,
    `altitude` in metres, `exposure` in seconds, `focal_length` in millimetres. `placeholder` is a ThumbHash in base64.
    `problem` says in plain words what is wrong with the file; `has_renditions` whether it can be shown all the same. Of
    videos: `duration` in seconds, `frame_rate` frames a second, `bit_rate` bits a second. Of photos: `motion_at` and
    `motion_bytes` say where a short video lies in the file, `burst` what the camera calls the series it is of. What
    people wrote is as in `FileFacts`.
    """

    content_hash: bytes | None
    size: int
    mtime_ns: int
    kind: MediaKind
    taken_at: int
    taken_source: str
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
    title: str | None = None
    description: str | None = None
    rating: int | None = None
    keywords: tuple[str, ...] = ()
    written_place: str | None = None
    offset_source: str | None = None
    picture_hash: str | None = None


def index_file(
    path: bytes, renditions_root: str | None, kind: MediaKind, sidecars: Sequence[bytes] = ()
) -> IndexedFile:
    """Read a file once, and tell what it is; its preview and thumbnail are made where they are missing.

    `kind` is what the name suggests, `sidecars` are the paths of those beside the file. Without `renditions_root`
    nothing is decoded or written. A file that cannot be read or decoded is told with its `problem`, and is no error.

    Raises:
        NotFound: it is not there any more.
        StillChanging: somebody is still writing it; look again later.
        Unavailable: the file system does not answer, or the renditions cannot be written now.
    """
    name, packets = os.path.basename(path).decode("utf-8", "replace"), packets_in(sidecars)
    try:
        content = read_content(path, kind)
    except Unreadable as error:
        return _unread(path, name, kind, str(error))
    if content.kind == "video" and content.problem is None:
        return _film_indexed(path, name, content, renditions_root, packets)
    if content.photo is None or content.format is None:
        return _indexed(name, content, stated_of(None, None, None, packets), problem=content.problem)
    return _photo_indexed(name, content, renditions_root, packets)


def _photo_indexed(name: str, content: Content, root: str | None, packets: Sequence[bytes]) -> IndexedFile:
    """A photo with its renditions, or why there are none."""
    photo, format_name = content.photo or b"", content.format or ""
    try:
        picture = open_photo(photo, format_name)
    except Unreadable as error:
        stated = stated_of(photo, format_name, None, packets)
        return _with_series(_undecoded(name, content, stated, root, str(error)), photo, stated.exif)
    stated, size = stated_of(photo, format_name, picture.exif, packets), (picture.width, picture.height)
    note, problem = None, picture.doubt if root is None else None
    if root is not None:
        try:
            note, size = _rendered(picture, content.sha256, root)
        except Unreadable as error:
            return _with_series(_undecoded(name, content, stated, root, str(error), size), photo, stated.exif)
    indexed = _indexed(name, content, stated, orientation=picture.orientation, size=size, note=note, problem=problem)
    return _with_series(indexed, photo, stated.exif)


def _undecoded(
    name: str, content: Content, stated: Stated, root: str | None, problem: str, size: Size = (None, None)
) -> IndexedFile:
    """A photo that no decoder can make a picture of, with what it states, and shown by the small picture in its EXIF
    where there is one; `size` is what its header says."""
    jpeg = thumbnail_in(stated.exif) if root is not None else None
    orientation = orientation_of(stated.exif) if len(stated.exif) else None
    if jpeg is not None and root is not None:
        try:
            note = note_of(root, content.sha256)
            picture = open_picture(jpeg, "jpeg")
            decoded = picture.decoded(SIDES["preview"], orientation or 1)
            if note is None:
                note = _written(Decoded(decoded.pixels, f"{problem}; {THUMBNAIL_SHOWN}"), content.sha256, root)
        except Unreadable:
            pass
        else:
            seen = size if size[0] is not None else (decoded.pixels.shape[1], decoded.pixels.shape[0])
            return _indexed(name, content, stated, orientation=orientation, size=seen, note=note)
    return _indexed(name, content, stated, orientation=orientation, problem=problem)


def _with_series(indexed: IndexedFile, photo: bytes, exif: Image.Exif) -> IndexedFile:
    """The same with the video in the photo and the series that it is of."""
    xmp = phone_xmp(photo) if indexed.format in FORMATS else PhoneXmp()
    motion = motion_of(photo, xmp) if indexed.format in FORMATS else None
    note = directory(exif, ExifTags.IFD.Exif).get(ExifTags.Base.MakerNote)
    return msgspec.structs.replace(
        indexed,
        motion_at=motion.at if motion else None,
        motion_bytes=motion.length if motion else None,
        burst=apple_burst(note) or xmp.burst,
    )


def index_undecoded(
    path: bytes, renditions_root: str | None, kind: MediaKind, problem: str, sidecars: Sequence[bytes] = ()
) -> IndexedFile:
    """Read a file whose decoding hangs or ends its process: what it is, its hash and what it states, and of its picture
    no more than the small one in its EXIF.

    Raises:
        NotFound, StillChanging, Unavailable: as `index_file`.
    """
    name, packets = os.path.basename(path).decode("utf-8", "replace"), packets_in(sidecars)
    try:
        content = read_content(path, kind)
    except Unreadable as error:
        return _unread(path, name, kind, str(error))
    stated = stated_of(content.photo, content.format, None, packets)
    return _undecoded(name, content, stated, renditions_root, content.problem or problem)


def metadata(path: bytes, kind: MediaKind = "photo", sidecars: Sequence[bytes] = ()) -> dict[str, object]:
    """A file's facts and all its EXIF tags by name, or the tags of a video's container, as values that JSON can hold;
    read from the file and its sidecars as they are now.

    Raises:
        NotFound, StillChanging, Unavailable: as `index_file`.
    """
    indexed = index_file(path, None, kind, sidecars)
    facts = msgspec.to_builtins(indexed)
    facts["content_hash"] = indexed.content_hash.hex() if indexed.content_hash else None
    del facts["placeholder"], facts["has_renditions"], facts["picture_hash"]
    if indexed.kind == "video":
        return {**facts, "exif": _film_tags(path)}
    tags: dict[str, object] = {}
    if indexed.content_hash and indexed.format:
        content = read_content(path, kind)
        opened = None
        with contextlib.suppress(Unreadable):
            opened = open_photo(content.photo or b"", content.format or "").exif
        tags = named_tags(stated_of(content.photo, content.format, opened).exif)
        if "Orientation" in tags and indexed.orientation is not None:
            tags["Orientation"] = indexed.orientation  # a decoder may have turned it and said so
    return {**facts, "exif": tags}


def _rendered(picture: Photo, content_hash: bytes, root: str) -> tuple[Note, Size]:
    """Make the renditions of a photo from one decode, the thumbnail last; nothing is done where both are there.

    Told with the size of the photo, which for some RAW files only the decoded picture shows.
    """
    size = picture.width, picture.height
    known = note_of(root, content_hash) if size[0] is not None else None
    if known is not None and not (known.problem or "").endswith(THUMBNAIL_SHOWN):  # else perhaps a decoder can by now
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


def _film_indexed(path: bytes, name: str, content: Content, root: str | None, packets: Sequence[bytes]) -> IndexedFile:
    """A video with its poster as renditions; without ffmpeg its bytes alone, and that as the problem."""
    try:
        film = film_of(path, name)
    except NotInTime:
        raise
    except (Unreadable, Unavailable) as error:
        return _indexed(name, content, stated_of(None, None, None, packets), problem=str(error))
    note, problem = None, None
    if root is not None:
        try:
            note = note_of(root, content.sha256) or _written(
                Decoded(poster_of(path, film, SIDES["preview"]), None), content.sha256, root
            )
        except Unreadable as error:
            problem = str(error)
    facts = CameraFacts(
        make=film.make, model=film.model, latitude=film.latitude, longitude=film.longitude, altitude=film.altitude
    )
    with open_media(path) as file:
        stated = stated_of_film(facts, film.tags, file, packets)
        coded = film_hash(file)
    indexed = _indexed(
        name, content, stated, size=(film.width, film.height), note=note, problem=problem, container=film.taken
    )
    return msgspec.structs.replace(
        _zoned(indexed, film),
        duration=film.duration,
        video_codec=film.video_codec,
        audio_codec=film.audio_codec,
        frame_rate=film.frame_rate,
        bit_rate=film.bit_rate,
        picture_hash=coded,
    )


def _zoned(indexed: IndexedFile, film: Film) -> IndexedFile:
    """A video that tells UTC alone with the time that clocks showed where it was taken, where that is known."""
    if not film.only_utc or indexed.taken_source != "video":
        return indexed
    placed = indexed.latitude is not None and indexed.longitude is not None
    offset = offset_at(indexed.latitude or 0, indexed.longitude or 0, indexed.taken_at) if placed else None
    if offset is None:
        return msgspec.structs.replace(indexed, offset_source="utc")
    local = indexed.taken_at + offset * 60_000_000
    return msgspec.structs.replace(indexed, taken_at=local, taken_offset_minutes=offset, offset_source="position")


def _film_tags(path: bytes) -> dict[str, object]:
    try:
        return dict(film_of(path, "").tags)
    except (Unreadable, Unavailable):
        return {}  # the facts say why


def _indexed(
    name: str,
    content: Content,
    stated: Stated,
    *,
    orientation: int | None = None,
    size: Size = (None, None),
    note: Note | None = None,
    problem: str | None = None,
    container: WallClock | None = None,
) -> IndexedFile:
    taken, source = taken_of(stated.times, name, content.mtime_ns, container)
    facts, written = stated.camera, stated.written
    camera = {field: getattr(facts, field) for field in facts.__struct_fields__ if field not in _TIMES}
    return IndexedFile(
        content_hash=content.sha256,
        size=content.size,
        mtime_ns=content.mtime_ns,
        kind=content.kind,
        format=content.format,
        width=size[0],
        height=size[1],
        orientation=orientation,
        taken_at=taken.micros,
        taken_offset_minutes=taken.offset_minutes,
        taken_source=source,
        placeholder=note.placeholder if note else None,
        problem=problem or (note.problem if note else None),
        has_renditions=note is not None,
        title=written.title,
        description=written.description,
        rating=written.rating,
        keywords=written.keywords,
        written_place=written.place,
        picture_hash=picture_hash(content.photo, content.format) if content.photo and content.format else None,
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
    taken, source = taken_of(Times((), (), ()), name, facts.st_mtime_ns)
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
