"""Broken photos of every format through the whole server: how many are shown, and what it costs the server.

    python -m bench.hostile [FILES]        (default: 2000)

The same run as the test of hostile files, which holds that none is lost and that the memory comes back.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.scenarios.hostile_files import run


def main(count: int = 2000) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as scratch:
        outcome = run(Path(scratch), count)
    became = ", ".join(f"{number} {what}" for what, number in sorted(outcome.files.items()))
    memory = f"{outcome.memory_before / 1024:.0f} MB before, {outcome.memory_after / 1024:.0f} MB after"
    print(f"{count} broken files: {became}; {count / outcome.seconds:.1f} files/s; the server's memory {memory}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
