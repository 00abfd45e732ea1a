"""What a scan records of videos that know only UTC, once it knows the photos around them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from domain.events.media import UtcVideo, VideoZoned
from domain.ports.lookups import MediaLookups
from domain.ports.unit_of_work import UnitOfWork

AROUND_MICROS: Final = 12 * 3600 * 1_000_000
"""How far a photo may be apart from a video that takes its offset: who travels further changes zones, too."""


def zones_of(media: MediaLookups, library_id: int, folders: Collection[str]) -> list[VideoZoned]:
    """What photos tell of the videos of a library that know only UTC: of those of which nothing tells it yet, and anew
    of those in these folders."""
    wanted = (video for video in media.utc_videos(library_id) if video.taken_offset is None or video.folder in folders)
    return [*_zoned(media, library_id, wanted)]


def zone_videos(uow: UnitOfWork, library_id: int, folders: Collection[str]) -> int:
    """Record what photos tell of the videos of a library that know only UTC; the number of videos."""
    events = zones_of(uow.media, library_id, folders)
    uow.append(*events)
    return len(events)


def _zoned(media: MediaLookups, library_id: int, videos: Iterable[UtcVideo]) -> Iterable[VideoZoned]:
    for video in videos:
        offset = media.offset_around(library_id, video.folder, video.utc, AROUND_MICROS)
        if offset is not None and offset != video.taken_offset:
            yield VideoZoned(video.id, video.utc + offset * 60_000_000, offset)
