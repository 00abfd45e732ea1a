"""What a scan records of bursts, once it knows all files of a folder."""

from __future__ import annotations

from domain.events.burst import BurstJoined
from domain.ports.unit_of_work import Turn
from domain.rules.bursts import changes_of


def link_bursts(turn: Turn, library_id: int, folder: str) -> int:
    """Record which files of a folder are of which burst, where that changed; the number of files that joined one."""
    changes = changes_of(turn.media.shots_in(library_id, folder))
    turn.append(*changes)
    return sum(isinstance(change, BurstJoined) for change in changes)
