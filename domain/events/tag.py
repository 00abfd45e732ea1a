"""Tags: labels on media; they belong to the content, so that a copy or a moved file keeps them."""

from __future__ import annotations

import msgspec

from domain.events.event import Event, recorded_as


class Tag(msgspec.Struct, frozen=True):
    """A tag row as a command sees it; `color` is `#rrggbb`, None where nobody chose one."""

    id: int
    name: str
    version: int
    color: str | None = None


@recorded_as("TagCreated", "tag", "tag_id", opens=True)
class TagCreated(Event, frozen=True, omit_defaults=True):
    """A tag was used for the first time."""

    tag_id: int
    name: str


@recorded_as("TagRenamed", "tag", "tag_id")
class TagRenamed(Event, frozen=True, omit_defaults=True):
    """A tag got another name."""

    tag_id: int
    name: str
    was: str


@recorded_as("TagRecoloured", "tag", "tag_id")
class TagRecoloured(Event, frozen=True, omit_defaults=True):
    """A tag got another colour, `#rrggbb`, or none."""

    tag_id: int
    color: str | None
    was: str | None


@recorded_as("TagDeleted", "tag", "tag_id")
class TagDeleted(Event, frozen=True, omit_defaults=True):
    """A tag was taken off every media and is no longer offered; what it was on is kept for undo."""

    tag_id: int


@recorded_as("TagRestored", "tag", "tag_id")
class TagRestored(Event, frozen=True, omit_defaults=True):
    """A deleted tag is back on the media that it was on."""

    tag_id: int


@recorded_as("MediaTagged", "content", "content_hash")
class MediaTagged(Event, frozen=True, omit_defaults=True):
    """A content got a tag."""

    content_hash: bytes
    tag_id: int

    def touches(self) -> tuple[tuple[str, int], ...]:
        """The tag, whose count changes."""
        return (("tag", self.tag_id),)


@recorded_as("MediaUntagged", "content", "content_hash")
class MediaUntagged(Event, frozen=True, omit_defaults=True):
    """A tag was taken off a content."""

    content_hash: bytes
    tag_id: int

    def touches(self) -> tuple[tuple[str, int], ...]:
        """The tag, whose count changes."""
        return (("tag", self.tag_id),)
