"""Adds golden files for topics that have none, and pins what each writes: `python -m tests.golden.add`."""

from __future__ import annotations

from tests.golden.files import add_missing
from tests.golden.rows import pin

if __name__ == "__main__":
    add_missing()
    pin()
