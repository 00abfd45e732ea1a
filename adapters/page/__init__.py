"""The page: static files that call only the public API. `FILES` is the folder that the HTTP adapter serves.

`index.html` belongs at `/`, `welcome.html` beside it and `assets/` at `/assets`; every URL in them is relative, so a
reverse proxy may put them under a path of its own. Nothing is built, and nothing is asked of another host.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

FILES: Final = Path(__file__).resolve().parent
"""Holds `index.html`, `welcome.html` and `assets/`."""
