"""What naming a place and embedding a text cost: the time to the first answer, memory, the time of the next ones.

Run it from the checkout: `python -m bench.places`.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from adapters.places.offline import OfflineGeocoder
from adapters.text_embedding.bundled import BundledEmbedder, prepare
from adapters.workers.pool import WorkerPool

POSITIONS = 5_000
SENTENCE = "We had lunch at the harbour in Lisbon with Anna and talked about the move. "


def resident_megabytes() -> float:
    """This process's memory (Linux)."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def milliseconds(work: Iterable[Callable[[], object]]) -> list[float]:
    """How long each took, sorted."""
    times = []
    for each in work:
        before = time.perf_counter()
        each()
        times.append((time.perf_counter() - before) * 1000)
    return sorted(times)


def main() -> None:
    """Print the figures."""
    geocoder, before = OfflineGeocoder(), resident_megabytes()
    (first,) = milliseconds([lambda: geocoder.nearest(38.7, -9.1)])
    print(f"places: first answer after {first:.0f} ms, {resident_megabytes() - before:.0f} MB more memory")
    chance = random.Random(3)
    spots = [(48 + chance.random(), 11 + chance.random()) for _ in range(POSITIONS)]
    times = milliseconds([lambda spot=spot: geocoder.nearest(*spot) for spot in spots])  # type: ignore[misc]  # mypy does not infer a lambda with a default
    print(f"places: {statistics.median(times):.3f} ms an answer, 95 % under {times[int(0.95 * POSITIONS)]:.3f} ms")
    embedder = BundledEmbedder(WorkerPool(1, initializer=prepare))
    (first,) = milliseconds([lambda: embedder.embed(["lunch in Lisbon"], "query")])
    queries = milliseconds([lambda: embedder.embed(["lunch in Lisbon"], "query")] * 30)
    summaries = milliseconds([lambda: embedder.embed([SENTENCE * 10] * 8)] * 4)
    embedder.close()
    print(f"texts: first vector after {first:.0f} ms, then {statistics.median(queries):.0f} ms a query", end=", ")
    print(f"{statistics.median(summaries) / 8:.0f} ms a text of {len(SENTENCE * 10)} characters")


if __name__ == "__main__":
    main()
