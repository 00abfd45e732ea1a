"""Videos: played as they are, as HLS where a browser could not, and as short clips for a wall of them."""

from __future__ import annotations

import hashlib
import os
import re
from typing import Final

import msgspec
from starlette.responses import Response

from adapters.http.calling import has_tag
from adapters.http.declaring import Answer, Call, Routes
from adapters.http.serving import KEPT, TYPES, UNKNOWN, FileResponse, original
from adapters.http.sight import LibraryParam, LibraryRef, photo_at
from domain.errors import NotFound
from domain.media import Media
from projections.lookups import Lookups

routes = Routes("Videos")

_PLAYLIST: Final = "index.m3u8"
_PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
_PART_TYPE: Final = "video/mp2t"
_HASH: Final = re.compile("[0-9a-f]{64}", re.ASCII)
_PART: Final = re.compile(r"(0|[1-9][0-9]{0,5})\.ts", re.ASCII)
_KEPT_FOR_A_WHILE: Final = {"Cache-Control": "private, max-age=600", "Vary": "Authorization, Cookie"}
_VIDEO_TYPES: Final = sorted({kind for kind in TYPES.values() if kind.startswith("video/")})


class VideoQuery(msgspec.Struct):
    """Which video."""

    path: str
    library: LibraryParam | None = None


@routes("GET", "/video/stream", query=VideoQuery, media_types=(*_VIDEO_TYPES, UNKNOWN), errors=(404, 416))
def stream(call: Call, query: VideoQuery) -> Answer:
    """The video file itself, with ranges, for players that know its format."""
    with call.parts.ledger.reading(call.actor) as tables:
        media = _video_at(tables, query.path, query.library)
        row = tables.media.row(media.id)
    return original(call, media, None if row is None else row["format"])


class VideoWanted(msgspec.Struct):
    """Which video."""

    path: str
    library: LibraryRef | None = None


class Playlist(msgspec.Struct):
    """Where the HLS playlist of a video is; its parts are relative to it."""

    playlist: str


@routes("POST", "/video/generate", body=VideoWanted, answers=Playlist, errors=(404,))
def play(call: Call, body: VideoWanted) -> Answer:
    """Make a video ready to be played as HLS, by any player.

    H.264 with AAC goes into the parts as it is, unless its picture has to be turned; everything else is encoded so,
    with at most 1080 lines. The playlist is whole at once, parts are made as they are asked for.
    """
    with call.parts.ledger.reading(call.actor) as tables:
        media = _video_at(tables, body.path, body.library)
        copies = _copies(tables, media.content_hash or b"")
    call.parts.videos.playlist(copies)
    return Answer(Playlist(f"/video/hls/{(media.content_hash or b'').hex()}/{_PLAYLIST}"))


@routes("GET", "/video/hls/{hash}/{file}", media_types=(_PLAYLIST_TYPE, _PART_TYPE), errors=(404, 416))
def show_hls(call: Call, hash: str, file: str) -> Answer:  # noqa: A002 - the route names it so
    """The playlist of a video's content, `index.m3u8`, or one of its parts, `0.ts` and on.

    A part that is not there yet is made while the request waits.
    """
    number = _part_number(file)
    if _HASH.fullmatch(hash) is None or (number is None and file != _PLAYLIST):
        raise NotFound(f"there is no {file} of a video {hash}")
    with call.parts.ledger.reading(call.actor) as tables:
        copies = _copies(tables, bytes.fromhex(hash))
    if not copies:
        raise NotFound(f"there is no {file} of a video {hash}")
    if number is None:
        return _answered(call, call.parts.videos.playlist(copies).encode())
    descriptor = call.parts.videos.part(copies, number)
    tag = f'"{hash[:16]}-{number}-{os.fstat(descriptor).st_size:x}"'
    headers = {"ETag": tag, **_KEPT_FOR_A_WHILE, "Content-Type": _PART_TYPE}
    if has_tag(call.headers, tag):
        os.close(descriptor)
        return Answer(response=Response(status_code=304, headers=headers))
    return Answer(response=FileResponse(descriptor, call.headers, headers))


def _answered(call: Call, text: bytes) -> Answer:
    tag = f'"{hashlib.blake2b(text, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, **KEPT, "Content-Type": _PLAYLIST_TYPE}
    if has_tag(call.headers, tag):
        return Answer(response=Response(status_code=304, headers=headers))
    return Answer(response=Response(text, 200, headers))


def _part_number(file: str) -> int | None:
    """The number of the part that a file's name means, None where it means none."""
    match = _PART.fullmatch(file)
    return int(match[1]) if match else None


def _copies(lookups: Lookups, content: bytes) -> list[Media]:
    """The present videos with this content that the user may see."""
    found = lookups.media.of_contents([content])
    return [each for each in found if each.present and each.kind == "video" and each.library_id in lookups.visible]


def _video_at(lookups: Lookups, path: str, library: int | str | None) -> Media:
    media = photo_at(lookups, path, library)
    if media.kind != "video":
        raise NotFound(f"'{path}' is a photo: GET /image shows it")
    return media
