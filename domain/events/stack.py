"""Files that stand with others in a stack, or apart from them, against what their names alone would tell."""

from __future__ import annotations

from domain.events.event import Event, recorded_as


@recorded_as("StackJoined", "media", "media_id")
class StackJoined(Event, frozen=True, omit_defaults=True):
    """A file was seen to be of a stack that is not that of its name; `stack` tells the stacks of a folder apart."""

    media_id: int
    library_id: int
    folder: str
    stack: str
