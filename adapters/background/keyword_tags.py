"""Makes tags of the keywords that stand in files, in the libraries that say so."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.commands.xmp import TakenOver, tag_by_keywords
from domain.events.event import Recorded
from domain.events.library import LibraryKeywordsChosen, LibraryRestored
from domain.events.media import MediaChanged, MediaDiscovered, MediaMoved, MediaReturned

log = logging.getLogger(__name__)

AT_ONCE: Final = 200
"""Files whose keywords are looked at in one transaction."""


class TagsByKeywords:
    """Looks at each file that was read, and at all of a library that begins to want its keywords as tags. What stands
    so already appends nothing, so that a step may be repeated."""

    TOPICS = tuple(
        event.topic
        for event in (MediaDiscovered, MediaChanged, MediaMoved, MediaReturned, LibraryKeywordsChosen, LibraryRestored)
    )

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def answer(self, events: list[Recorded]) -> None:
        """Tag what the events are about; all of it is one operation."""
        with self._ledger.reading(WATCHER) as tables:
            wanted = {library.id for library in tables.libraries.shown() if library.keywords_as_tags}
        if not wanted:
            return
        tagging = _Tagging(self._ledger)
        files: dict[int, int] = {}
        for recorded in events:
            event = recorded.event
            if isinstance(event, (MediaDiscovered, MediaChanged, MediaMoved, MediaReturned)):
                files[event.media_id] = recorded.position
            elif isinstance(event, (LibraryKeywordsChosen, LibraryRestored)) and event.library_id in wanted:
                self._tag_library(event.library_id, tagging, recorded.position)
        ids = sorted(files)
        for start in range(0, len(ids), AT_ONCE):
            with self._ledger.reading(WATCHER) as tables:
                rows = [tables.media.row(id_) for id_ in ids[start : start + AT_ONCE]]
            within = [row for row in rows if row is not None and row["library_id"] in wanted and row["keywords"]]
            tagging.tag(_keywords(within), files[ids[start]])
        tagging.end()

    def _tag_library(self, library_id: int, tagging: _Tagging, causation: int) -> None:
        after = 0
        while True:
            with self._ledger.reading(WATCHER) as tables:
                rows = tables.media.keywords(library_id, after, AT_ONCE)
            if not rows:
                return
            tagging.tag(_keywords(rows), causation)
            after = rows[-1]["id"]


class _Tagging:
    """One operation of tagging, begun with the first tag."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._whole = TakenOver()
        self._operation_id: int | None = None

    def tag(self, keywords: Mapping[bytes, str], causation: int) -> None:
        """Tag contents by their keywords, a line each; `causation` is the position of what brought them."""
        if not keywords:
            return
        with self._ledger.transaction(WATCHER, operation_id=self._operation_id, causation=causation) as uow:
            for content, lines in keywords.items():
                self._whole.add(tag_by_keywords(uow, content, lines.splitlines()))
            reached = uow.operation_id
        self._operation_id = reached

    def end(self) -> None:
        """Say what was done."""
        for each in self._whole.left:
            log.info("a keyword becomes no tag: %s", each)
        if self._operation_id is not None:
            with self._ledger.transaction(WATCHER, operation_id=self._operation_id) as uow:
                uow.end(f"made tags of the keywords in {self._whole.photos} files: {self._whole.tagged} tags put on")


def _keywords(rows: Iterable[Mapping[Any, Any]]) -> dict[bytes, str]:
    return {bytes(row["content_hash"]): row["keywords"] for row in rows if row["content_hash"]}
