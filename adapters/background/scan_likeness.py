"""Which files that have other bytes than before show the same picture: found out before they are recorded, by what the
two files state and by laying one picture on the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future
from typing import NamedTuple

from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.base.errors import AdapterError
from domain.base.geometry import Placement
from domain.base.paths import shown
from domain.commands.media import ReadFile
from domain.events.media import BY_CAMERA, BY_DATA, BY_PICTURE, Media, SamePicture
from domain.rules.succession import last_content_of

log = logging.getLogger(__name__)

Places = Callable[[bytes, bytes], Future[Placement | None]]
"""How the picture of one content shows that of an older one, by their hashes, the older one first
(`adapters.media.gallery.Gallery.placement`)."""


def nothing_is_alike(_older: bytes, _newer: bytes) -> Future[Placement | None]:
    """Where there are no pictures to lay on each other."""
    unknown: Future[Placement | None] = Future()
    unknown.set_result(None)
    return unknown


class _Look(NamedTuple):
    """A file that was read, what stood there `before`, whether it has the same coded picture, and how it shows it."""

    read: ReadFile
    before: Media
    has_its_data: bool
    placement: Future[Placement | None]


class Likenesses:
    """Compares what was just read with what stood there, or with the vanished files whose coded picture it has."""

    def __init__(self, ledger: Ledger, places: Places) -> None:
        self._ledger, self._places = ledger, places

    def of(self, library_id: int, batch: Sequence[ReadFile], vanished: AbstractSet[int]) -> Mapping[str, SamePicture]:
        """Why those of a batch that are the same picture are, by path; of what lay elsewhere before nothing is said."""
        with self._ledger.reading(WATCHER) as tables:
            known = tables.media.at_each(library_id, [read.path for read in batch])
            other = [
                read for read in batch if read.content_hash is not None and not read.has_bytes_of(known.get(read.path))
            ]
            held = {media.content_hash for media in tables.media.of_contents({r.content_hash or b"" for r in other})}
            other = [read for read in other if read.content_hash not in held]
            pictures = {read.facts.picture_hash for read in other if read.facts.picture_hash is not None}
            gone = [media for media in tables.media.of_pictures(pictures) if media.id in vanished or not media.present]
        by_picture = {media.picture_hash: media for media in gone}
        looks: list[_Look] = []
        for read in other:
            before, picture = known.get(read.path), read.facts.picture_hash
            if before is None or (before.picture_hash != picture and picture in by_picture):
                before = by_picture.get(picture)
            older = None if before is None else self._last_content(before)
            if before is None or older is None or before.kind != read.facts.kind or older == read.content_hash:
                continue
            has_its_data = read.has_picture_of(before)
            if has_its_data or before.present or before.content_hash is None:
                looks.append(_Look(read, before, has_its_data, self._places(older, read.content_hash or b"")))
        found = ((look.read.path, self._same(look)) for look in looks)
        return {path: same for path, same in found if same is not None}

    def _same(self, look: _Look) -> SamePicture | None:
        try:
            placement = look.placement.result()
        except AdapterError as error:
            log.info("two versions of %s could not be compared: %s", shown(look.read.path), error)
            placement = None
        if look.has_its_data:
            return SamePicture(BY_DATA, placement)
        if placement is not None:
            return SamePicture(BY_PICTURE, placement)
        return SamePicture(BY_CAMERA) if self._is_one_moment(look.before, look.read) else None

    def _last_content(self, media: Media) -> bytes | None:
        """What a file held before it could not be read."""
        if media.content_hash is not None and media.problem is None:
            return media.content_hash
        events = self._ledger.history([f"media-{media.id}"], 100)
        return last_content_of(list(reversed(events)))

    def _is_one_moment(self, before: Media, read: ReadFile) -> bool:
        """Whether one camera took both at one moment, as both state."""
        with self._ledger.reading(WATCHER) as tables:
            row = tables.media.row(before.id)
        facts = read.facts
        if row is None or facts.taken_source in {None, "mtime", "filename", "modified"} or facts.model is None:
            return False
        return (row["make"], row["model"], row["taken_at"]) == (facts.make, facts.model, facts.taken_at)
