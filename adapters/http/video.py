"""Videos: played as they are, as HLS where a browser could not, and as short clips for a wall of them."""

from __future__ import annotations

from typing import Final

import msgspec

from adapters.http.declaring import Answer, Call, Routes
from adapters.http.serving import TYPES, UNKNOWN, original
from adapters.http.sight import LibraryParam, photo_at
from domain.errors import NotFound
from domain.media import Media
from projections.lookups import Lookups

routes = Routes("Videos")

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


def _video_at(lookups: Lookups, path: str, library: int | str | None) -> Media:
    media = photo_at(lookups, path, library)
    if media.kind != "video":
        raise NotFound(f"'{path}' is a photo: GET /image shows it")
    return media
