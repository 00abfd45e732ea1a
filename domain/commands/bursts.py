"""What a scan records of bursts, once it knows all files of a folder."""

from __future__ import annotations

from domain.events.burst import BurstJoined
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.bursts import changes_of


def link_bursts(uow: UnitOfWork, library_id: int, folder: str) -> int:
    """Record which files of a folder are of which burst, where that changed; the number of files that joined one."""
    changes = changes_of(uow.media.shots_in(library_id, folder))
    uow.append(*changes)
    return sum(isinstance(change, BurstJoined) for change in changes)
