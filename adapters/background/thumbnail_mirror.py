"""Keeps the mirror of thumbnails as the libraries are."""

from __future__ import annotations

from typing import Protocol

from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.events.event import Recorded
from domain.events.media import Media, MediaChanged, MediaDiscovered, MediaMissing, MediaMoved, MediaReturned


class Mirror(Protocol):
    """The tree of thumbnails that mirrors the libraries."""

    def put(self, media: Media) -> None:
        """Put a file's thumbnail at its place, or the mark that there can be none."""

    def remove(self, library_id: int, path: str) -> None:
        """Take away what stands at a place."""


class MirrorsThumbnails:
    """Keeps the tree of thumbnails as the libraries are."""

    TOPICS = tuple(e.topic for e in (MediaDiscovered, MediaChanged, MediaMoved, MediaMissing, MediaReturned))

    def __init__(self, ledger: Ledger, mirror: Mirror) -> None:
        self._ledger = ledger
        self._mirror = mirror

    def answer(self, events: list[Recorded]) -> None:
        """Put thumbnails where files appeared, and take them away where files went."""
        with self._ledger.reading(WATCHER) as tables:
            for recorded in events:
                event = recorded.event
                if isinstance(event, MediaMoved):
                    self._mirror.remove(event.was_library_id, event.was_path)
                media_id = getattr(event, "media_id", 0)
                media = tables.media.find(media_id)
                if media is None:
                    continue
                if media.present:
                    self._mirror.put(media)
                else:
                    self._mirror.remove(media.library_id, media.path)
