"""The pictures and videos as the settings have them: where their files are kept, and the processes that decode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from adapters.media import worker
from adapters.media.gallery import Gallery
from adapters.media.video_clips import VideoClips
from adapters.media.video_stream import VideoStreams
from adapters.settings import Settings
from adapters.settings.catalogue import cores
from adapters.workers.pool import WorkerPool
from adapters.workers.pools import Pools

Locate = Callable[[int, str], Path]


def _decoders(pools: Pools, workers: int, niceness: int = 10) -> WorkerPool:
    limit, budget = worker.MEMORY_LIMIT, pools.budget
    return WorkerPool(workers, initializer=worker.prepare, memory_limit=limit, niceness=niceness, budget=budget)


def build_gallery(settings: Settings, locate: Locate, pools: Pools) -> Gallery:
    """The pictures, with as many decoders as cores for the background and for people who wait, added to `pools`."""
    background = pools["pictures"] = _decoders(pools, cores())
    waiting = pools["pictures-asked"] = _decoders(pools, cores(), niceness=0)
    return Gallery(background, waiting, settings.renditions, settings.thumbnails, locate)


def build_streams(settings: Settings, open_original: Callable[[int, str], int]) -> VideoStreams:
    """Videos as HLS."""
    return VideoStreams(
        settings.video_path,
        open_original,
        at_once=settings.video_concurrency,
        most_bytes=settings.video_cache_megabytes * 2**20,
    )


def build_clips(settings: Settings, locate: Locate, pools: Pools) -> VideoClips:
    """Short clips of videos, made by one worker process, which is added to `pools`."""
    pools["clips"] = _decoders(pools, 1)
    previews, gifs = settings.preview_clips_directory, settings.gifs_directory
    return VideoClips(pools["clips"], previews, gifs, locate, most_bytes=settings.video_clips_megabytes * 2**20)
