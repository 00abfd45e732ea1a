"""Keeps the tree of thumbnails that mirrors the libraries as these are, event by event."""

from __future__ import annotations

from adapters.media.gallery import Gallery
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.events.event import Recorded
from domain.events.media import MediaChanged, MediaDiscovered, MediaMissing, MediaMoved, MediaReturned
from projections.queries.reading import Lookups


class MirrorsThumbnails:
    """Keeps the tree of thumbnails as the libraries are."""

    TOPICS = tuple(e.topic for e in (MediaDiscovered, MediaChanged, MediaMoved, MediaMissing, MediaReturned))

    def __init__(self, ledger: Ledger, gallery: Gallery) -> None:
        self._ledger = ledger
        self._gallery = gallery

    def answer(self, events: list[Recorded]) -> None:
        """Put thumbnails where files appeared, and take them away where files went."""
        with self._ledger.reading(WATCHER) as tables:
            for recorded in events:
                event = recorded.event
                if isinstance(event, MediaMoved) and not _is_taken(tables, event):
                    self._gallery.remove(event.was_library_id, event.was_path)
                media_id = getattr(event, "media_id", 0)
                media = tables.media.find(media_id)
                if media is None:
                    continue
                if media.present:
                    self._gallery.put(media)
                else:
                    self._gallery.remove(media.library_id, media.path)


def _is_taken(tables: Lookups, event: MediaMoved) -> bool:
    """Whether another file lies by now where one was: files that swapped their names left no place empty."""
    there = tables.media.at_each(event.was_library_id, [event.was_path]).get(event.was_path)
    return there is not None and there.present
