"""Files that joined a burst of their folder or left it, and what is known of a file where bursts are told."""

from __future__ import annotations

import msgspec

from domain.events.event import Event, recorded_as
from domain.events.media import RANKS


@recorded_as("BurstJoined", "media", "media_id")
class BurstJoined(Event, frozen=True, omit_defaults=True):
    """A file was seen to be of a burst of its folder; `order` counts its photos from 0, which stands for all."""

    media_id: int
    library_id: int
    folder: str
    burst: str
    order: int


@recorded_as("BurstLeft", "media", "media_id")
class BurstLeft(Event, frozen=True, omit_defaults=True):
    """A file is of no burst and no other stack any more but that of its name; `path` is where it lies."""

    media_id: int
    library_id: int
    path: str


class Shot(msgspec.Struct, frozen=True):
    """A present file as bursts and stacks see it: times in microseconds and minutes as in `FileFacts`, `burst` what the
    camera says, `stack` and `stack_rank` as they stand."""

    id: int
    library_id: int
    path: str
    make: str | None
    model: str | None
    taken_at: int | None
    taken_source: str | None
    burst: str | None
    stack: int
    stack_rank: int
    format: str | None = None
    taken_offset: int | None = None

    @property
    def rank(self) -> int:
        """Its place among the files of its name, as in `domain.rules.stacks`."""
        return self.stack_rank % RANKS if self.stack_rank >= 0 else self.stack_rank
