"""Taking events back: for each kind of event, the event that restores what stood before, and what may stand in the way;
looks down on `commands`.

A later operation stands in the way where it wrote the same thing, and is not undone itself: the state then no longer
says what this event wrote. What was only built beside it stays.
"""

from __future__ import annotations

from domain.undo import carried, entities, erasures, faces, insights, libraries, persons, summaries, tags
from domain.undo.inverses import inverse_of
from domain.undo.undoable import kinds_taken_back

__all__ = [
    "carried",
    "entities",
    "erasures",
    "faces",
    "insights",
    "inverse_of",
    "kinds_taken_back",
    "libraries",
    "persons",
    "summaries",
    "tags",
]
