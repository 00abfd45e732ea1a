"""Which content took whose place in a file, and how the one shows the other.

A file that is saved anew has other bytes and so another content. What was decided about the one before goes along,
unless it is another picture: a camera that counts from 1 again, or somebody who saves one photo over another. Content
that lay elsewhere before brings its own decisions and takes none, and so does what comes after the file was missing,
but for the very picture with other words written into it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.base.geometry import Box, Placement
from domain.events.event import Recorded
from domain.events.media import (
    MediaChanged,
    MediaDiscovered,
    MediaDisplaced,
    MediaMissing,
    MediaMoved,
    MediaReturned,
    SamePicture,
)
from domain.ports.unit_of_work import UnitOfWork


class Predecessor(msgspec.Struct, frozen=True):
    """A content that another took the place of, by the event at `position`.

    `same` says why it is known to be the same picture, None where only its faces can tell. `placements` lead from a
    place on it to the place on the newer one, None where nothing is known of that.
    """

    content_hash: bytes
    position: int
    same: SamePicture | None
    placements: tuple[Placement, ...] | None

    def place(self, box: Box) -> Box | None:
        """Where a box of it lies on the newer content, as far as is known; None where it does not."""
        placed: Box | None = box
        for placement in self.placements or ():
            placed = None if placed is None else placement.of(placed)
        return placed


class Replacement(msgspec.Struct, frozen=True):
    """One content taking the place of another in a file. `is_fresh` says that it may be the same picture: the file was
    there all the time, and the newer content lay nowhere else."""

    older: bytes
    newer: bytes
    position: int
    same: SamePicture | None
    is_fresh: bool

    @property
    def carries(self) -> bool:
        """Whether decisions about the older may concern the newer."""
        return self.same is not None or self.is_fresh


def links_of(events: Sequence[Recorded]) -> list[Replacement]:
    """What took whose place in one file, the oldest first; `events` are those of its stream. What could not be read in
    between is passed over."""
    links: list[Replacement] = []
    last: bytes | None = None
    is_fresh = True
    for recorded in events:
        event = recorded.event
        if isinstance(event, MediaDiscovered):
            last = event.content_hash
        elif isinstance(event, (MediaMissing, MediaDisplaced)):
            is_fresh = False
        elif isinstance(event, (MediaReturned, MediaMoved)):
            is_fresh = True
        elif isinstance(event, MediaChanged) and event.content_hash is not None and not _is_broken(event):
            if last is not None and last != event.content_hash:
                fresh = is_fresh and event.came_from is None
                links.append(Replacement(last, event.content_hash, recorded.position, event.same, fresh))
            last, is_fresh = event.content_hash, True
    return links


def last_content_of(events: Sequence[Recorded]) -> bytes | None:
    """The last content of a file that showed a picture; `events` are those of its stream, the oldest first."""
    read = [each.event for each in events if isinstance(each.event, (MediaDiscovered, MediaChanged))]
    return next((event.content_hash for event in reversed(read) if not _is_broken(event)), None)


def _is_broken(event: MediaDiscovered | MediaChanged) -> bool:
    """Whether no picture could be made of what was read: it may be half written, and whole the next time."""
    is_shown = event.facts.problem is None or event.facts.placeholder is not None
    return event.content_hash is None or not is_shown


def links_of_file(uow: UnitOfWork, media_id: int) -> list[Replacement]:
    """What took whose place in one file, the oldest first."""
    return links_of(uow.later_in(f"media-{media_id}", 0))


def predecessors(uow: UnitOfWork, content_hash: bytes) -> list[list[Predecessor]]:
    """For each file with this content the contents that it took the place of, one after the other, the last first."""
    chains = (chain_of(links_of_file(uow, media.id), content_hash) for media in uow.media.of_contents([content_hash]))
    return [chain for chain in chains if chain]


def chain_of(links: Sequence[Replacement], content_hash: bytes) -> list[Predecessor]:
    """The contents that one took the place of in a file with these `links`, the last first."""
    chain: list[Predecessor] = []
    newer, is_same, met = content_hash, True, {content_hash}
    placements: tuple[Placement, ...] | None = ()
    for link in reversed(links):
        if link.newer != newer:
            continue
        if not link.carries or link.older in met:
            break
        is_same = is_same and link.same is not None
        known = None if link.same is None else link.same.placement
        placements = None if placements is None or known is None else (known, *placements)
        chain.append(Predecessor(link.older, link.position, link.same if is_same else None, placements))
        newer = link.older
        met.add(newer)
    return chain


def is_alone(uow: UnitOfWork, content_hash: bytes) -> bool:
    """Whether no present file holds this content any more, in any library."""
    return not any(media.present for media in uow.media.of_contents([content_hash]))
