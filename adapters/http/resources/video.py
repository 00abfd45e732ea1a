"""Videos: played as they are, as HLS where a browser could not, and as short clips for a wall of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from starlette.responses import Response

from adapters.http.web import Call, FilePath, LibraryRef, Reply, Routes, photo_at
from adapters.http.web.authentication import BY_WHOM
from adapters.http.web.etags import has_tag, tag_of
from adapters.http.web.file_responses import KEPT, TYPES, UNKNOWN, FileResponse, WaitedFor, motion, original
from adapters.http.web.views.media import PhotoQuery
from domain.base.errors import NotFound, Unavailable, Unreadable
from domain.events.media import Media
from projections.queries.reading import Lookups

routes = Routes("Videos")

ClipKind = Literal["preview", "gif"]

_PLAYLIST: Final = "index.m3u8"
_PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
_PART_TYPE: Final = "video/mp2t"
_HASH: Final = re.compile("[0-9a-f]{64}", re.ASCII)
_PART: Final = re.compile(r"(0|[1-9][0-9]{0,5})\.ts", re.ASCII)
_MOST_ITEMS: Final = 500
_CLIP_SECONDS: Final = 2
"""What `Retry-After` says while a clip is being made, which takes about that long."""
_KEPT_FOR_A_WHILE: Final = {"Cache-Control": "private, max-age=600", "Vary": BY_WHOM}
_VIDEO_TYPES: Final = sorted({kind for kind in TYPES.values() if kind.startswith("video/")})


@routes("GET", "/video/stream", query=PhotoQuery, media_types=(*_VIDEO_TYPES, UNKNOWN), errors=(404, 416))
def stream(call: Call, query: PhotoQuery) -> Reply:
    """The video file itself, with ranges, for players that know its format; of a photo the short video in it."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        media = _video_at(tables, query.path, query.library)
        row = tables.media.row(media.id)
    if media.has_motion:
        return motion(call, media)
    return original(call, media, None if row is None else row["format"])


class VideoWanted(msgspec.Struct):
    """Which video."""

    path: FilePath
    library: LibraryRef | None = None


class Playlist(msgspec.Struct):
    """Where the HLS playlist of a video is; its parts are relative to it."""

    playlist: str


@routes("POST", "/video/generate", body=VideoWanted, answers=Playlist, errors=(404,), records=False)
def play(call: Call, body: VideoWanted) -> Reply:
    """Make a video ready to be played as HLS, by any player.

    H.264 with AAC goes into the parts as it is, unless its picture has to be turned; everything else is encoded so,
    with at most 1080 lines. The playlist is whole at once, parts are made as they are asked for.
    """
    with call.dependencies.ledger.reading(call.actor) as tables:
        media = _video_at(tables, body.path, body.library)
        copies = _copies(tables, media.content_hash or b"")
    call.dependencies.videos.playlist(copies)
    return Reply(Playlist(f"/video/hls/{(media.content_hash or b'').hex()}/{_PLAYLIST}"))


@routes("GET", "/video/hls/{hash}/{file}", media_types=(_PLAYLIST_TYPE, _PART_TYPE), errors=(404, 416))
def show_hls(call: Call, hash: str, file: str) -> Reply:
    """The playlist of a video's content, `index.m3u8`, or one of its parts, `0.ts` and on.

    A part that is not there yet is made while the request waits.
    """
    number = _part_number(file)
    if _HASH.fullmatch(hash) is None or (number is None and file != _PLAYLIST):
        raise NotFound(f"there is no {file} of a video {hash}")
    with call.dependencies.ledger.reading(call.actor) as tables:
        copies = _copies(tables, bytes.fromhex(hash))
    if not copies:
        raise NotFound(f"there is no {file} of a video {hash}")
    if number is None:
        return _answered(call, call.dependencies.videos.playlist(copies).encode())

    def made(is_left: Callable[[], bool]) -> Response:
        descriptor = call.dependencies.videos.part(copies, number, is_left)
        return _file(call, descriptor, f"{hash[:32]}-{number}-{os.fstat(descriptor).st_size:x}", _PART_TYPE)

    return Reply(response=WaitedFor(made))


class ClipStatus(msgspec.Struct):
    """How it stands with a clip: `detail` says why it `failed`; one that is `pending` will be there soon."""

    status: Literal["ready", "pending", "failed"]
    detail: str | None = None


class ClipRow(msgspec.Struct):
    """One clip that was asked about; `library_id` is None where there is no such video."""

    path: str
    library_id: int | None
    status: Literal["ready", "pending", "failed"]
    detail: str | None


class ClipsWanted(msgspec.Struct):
    """Whose clips, and whether as GIFs."""

    items: Annotated[list[VideoWanted], Meta(min_length=1, max_length=_MOST_ITEMS)]
    kind: ClipKind = "preview"


class ClipRows(msgspec.Struct):
    """One row for each item, in the same order."""

    items: list[ClipRow]


@routes(
    "GET",
    "/video/preview",
    query=PhotoQuery,
    answers=ClipStatus,
    media_types=("video/mp4",),
    errors=(404, 416),
    also=(202,),
)
def show_preview(call: Call, query: PhotoQuery) -> Reply:
    """A few seconds of a video without sound, at most 480 lines, to be shown in a loop.

    One that is not there yet is made in the background: 202 until then.
    """
    return _clip(call, query, "preview", "video/mp4")


@routes(
    "GET",
    "/video/gif",
    query=PhotoQuery,
    answers=ClipStatus,
    media_types=("image/gif",),
    errors=(404, 416),
    also=(202,),
)
def show_gif(call: Call, query: PhotoQuery) -> Reply:
    """A few seconds of a video as a GIF of at most 320 pixels; 202 as long as it is being made."""
    return _clip(call, query, "gif", "image/gif")


@routes("POST", "/video/preview/status", body=ClipsWanted, answers=ClipRows, records=False)
def tell_clips(call: Call, body: ClipsWanted) -> Reply:
    """Which of these clips are ready; those that are not are made soon, the first of the list first."""
    found: list[Media | NotFound] = []
    with call.dependencies.ledger.reading(call.actor) as tables:
        for item in body.items:
            try:
                found.append(_video_at(tables, item.path, item.library))
            except NotFound as error:
                found.append(error)
    rows = []
    for item, media in reversed([*zip(body.items, found, strict=True)]):  # what is wanted last is made first
        if isinstance(media, NotFound):
            rows.append(ClipRow(item.path, None, "failed", str(media)))
        else:
            clip = call.dependencies.clips.want(media, body.kind)
            rows.append(ClipRow(media.path, media.library_id, clip.status, clip.detail))
    return Reply(ClipRows(rows[::-1]))


def _clip(call: Call, query: PhotoQuery, kind: ClipKind, media_type: str) -> Reply:
    with call.dependencies.ledger.reading(call.actor) as tables:
        media = _video_at(tables, query.path, query.library)
    clip = call.dependencies.clips.want(media, kind)
    if clip.status == "failed":
        raise Unreadable(clip.detail or "no clip can be made of it")
    try:
        descriptor = os.open(call.dependencies.clips.path(media, kind), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        later = {"Retry-After": str(_CLIP_SECONDS), "Cache-Control": "no-store"}
        return Reply(ClipStatus("pending"), 202, later)
    except OSError as error:
        raise Unavailable(f"the clip cannot be read now: {error.strerror}") from error
    tag = f"{(media.content_hash or b'').hex()[:32]}-{kind}-{os.fstat(descriptor).st_mtime_ns:x}"
    return Reply(response=_file(call, descriptor, tag, media_type))


def _file(call: Call, descriptor: int, tag: str, media_type: str) -> Response:
    """A file that imageapi made, which is closed; 304 where the client has it."""
    headers = {"ETag": f'"{tag}"', **_KEPT_FOR_A_WHILE, "Content-Type": media_type}
    if has_tag(call.headers, f'"{tag}"'):
        os.close(descriptor)
        return Response(status_code=304, headers=headers)
    return FileResponse(descriptor, call.headers, headers)


def _answered(call: Call, text: bytes) -> Reply:
    tag = tag_of(text)
    headers = {"ETag": tag, **KEPT, "Content-Type": _PLAYLIST_TYPE}
    if has_tag(call.headers, tag):
        return Reply(response=Response(status_code=304, headers=headers))
    return Reply(response=Response(text, 200, headers))


def _part_number(file: str) -> int | None:
    """The number of the part that a file's name means, None where it means none."""
    match = _PART.fullmatch(file)
    return int(match[1]) if match else None


def _copies(lookups: Lookups, content: bytes) -> list[Media]:
    """The present videos with this content that the user may see, or the photos with a video in them."""
    found = [each for each in lookups.media.of_contents([content]) if each.kind == "video" or each.has_motion]
    return [each for each in found if each.present and each.library_id in lookups.visible]


def _video_at(lookups: Lookups, path: str, library: int | str | None) -> Media:
    media = photo_at(lookups, path, library)
    if media.kind != "video" and not media.has_motion:
        raise NotFound(f"'{path}' is a photo without a video in it: GET /image shows it")
    return media
