"""Which new files are old ones that left another library, or a part of their own that is not looked at now."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from adapters.files.existence import ExistingFiles, answers
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.commands.media import ReadFile


def left_elsewhere(ledger: Ledger, library_id: int, batch: Sequence[ReadFile], vanished: AbstractSet[int]) -> set[int]:
    """The ids of files with the same bytes as new ones of a library that are gone from where its scan does not look, be
    it another library: the new ones are those, moved. Those that `vanished` are known already."""
    with ledger.reading(WATCHER) as tables:
        known = tables.media.at_each(library_id, [read.path for read in batch])
        new = [read for read in batch if read.content_hash is not None and not read.has_bytes_of(known.get(read.path))]
        others = list(tables.media.of_contents({read.content_hash or b"" for read in new}))
        others += tables.media.of_pictures({r.facts.picture_hash for r in new if r.facts.picture_hash is not None})
        others = [media for media in others if media.present]
        libraries = {library.id: library for library in tables.libraries.shown()} if others else {}
    gone: set[int] = set()
    for id_, library in libraries.items():
        held = [media for media in others if media.library_id == id_ and media.id not in vanished]
        if held and answers(library.root):
            standing = ExistingFiles(library.root)
            gone.update(media.id for media in held if not standing.has(media.path))
    return gone
