"""Files of the corpus of formats by their extensions, and files that are no media by their names."""

from __future__ import annotations

from collections.abc import Iterator

from bench.corpus_files import CorpusFile


def extension_files() -> Iterator[CorpusFile]:
    """Every file of this line of the table."""
    yield from ()
