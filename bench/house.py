"""The measures of the house: how the source is laid out, as it was, as it stands, and beside five peers.

    python -m bench.house [--at REVISION] [--json]

Source is `app.py` and every module below `adapters`, `domain` and `projections`; tests, benchmarks, scripts and the
page's own files do not count. "Before" is read out of git, "now" from the work tree, with files not yet added. What
each measure counts stands at its function in `bench.house_measures` and `bench.house_repeats`. Below the table stands
what there is to mend now; `--json` prints all of it for both trees.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path, PurePosixPath

from bench.house_measures import Tree
from bench.house_table import PEERS, ROWS, Figures, measured

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ("app.py", "adapters", "domain", "projections")
BEFORE = "67a44cc"
"""The last revision before the source was laid out anew."""


def is_source(path: str) -> bool:
    """Whether a file counts as source."""
    return path.endswith(".py") and PurePosixPath(path).parts[0] in SOURCE


def tree_at(revision: str, root: Path = ROOT) -> Tree:
    """The source as a commit holds it."""
    archive = subprocess.run(["git", "archive", revision], cwd=root, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = ((member.name, tar.extractfile(member)) for member in tar if is_source(member.name))
        return Tree({path: content.read().decode() for path, content in files if content})


def tree_now(root: Path = ROOT) -> Tree:
    """The source as it lies in the work tree: what git tracks and what it would track, as far as it is there."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=root, check=True, capture_output=True, text=True).stdout.split("\0")
    return Tree(
        {path: (root / path).read_text() for path in names if path and is_source(path) and (root / path).exists()}
    )


def table(revision: str, before: Figures, now: Figures) -> Iterator[str]:
    """The lines of the table, each column as wide as its widest cell."""
    rows: list[tuple[str, ...]] = [("measure", revision, "now", "aim", *PEERS)]
    rows += [(row.label, row.shown(before), row.shown(now), row.aim, *row.peers) for row in ROWS]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def to_mend(now: Figures) -> Iterator[str]:
    """What the figures of a tree count, by name, as far as there is something to mend in it."""
    listed = {name: at for name, at in now.module_names.doubled.items() if name not in now.unlisted_names}
    classes = now.public_classes.doubled | now.private_classes.doubled
    yield from titled("Module names in more than one folder, no listed subject", places(now.unlisted_names))
    yield from titled("Module names in more than one folder, listed subjects", places(listed))
    yield from titled("Class names defined twice or more", places(classes))
    yield from titled("Files over 400 lines", (f"{path}: {length}" for path, length in now.long_files.items()))
    yield from titled("Functions over McCabe 10", now.complex_functions)
    yield from titled("Repeated lines", (f"{one} = {other}" for one, other in now.repeats))
    for way, arrows in now.back_up.items():
        yield from titled(f"Arrows back up, {way}", arrows)


def places(doubled: Mapping[str, list[str]]) -> list[str]:
    """Each name with where it stands."""
    return [f"{name}: {', '.join(at)}" for name, at in doubled.items()]


def titled(title: str, lines: Iterable[str]) -> list[str]:
    """The lines below their title and how many they are, or nothing where there are none."""
    found = list(lines)
    return ["", f"{title} ({len(found)}):", *(f"  {line}" for line in found)] if found else []


def main(arguments: list[str] | None = None) -> None:
    """Measure both trees and print the figures."""
    parser = argparse.ArgumentParser(prog="bench.house", description="The measures of the house.")
    parser.add_argument("--at", metavar="REVISION", default=BEFORE, help=f"the tree to compare with ({BEFORE})")
    parser.add_argument("--json", action="store_true", help="print every figure and name as JSON")
    asked = parser.parse_args(arguments)
    before, now = measured(tree_at(asked.at)), measured(tree_now())
    if asked.json:
        peers = {peer: {row.label: row.peers[n] for row in ROWS if row.peers[n]} for n, peer in enumerate(PEERS)}
        print(json.dumps({"at": asked.at, "before": asdict(before), "now": asdict(now), "peers": peers}, indent=2))
    else:
        print(*table(asked.at, before, now), *to_mend(now), sep="\n")


if __name__ == "__main__":
    main()
