"""Imported once, in the process that commands are forked off: it has done by then what each would have to do first."""

from __future__ import annotations

import tempfile

from adapters.store.database import Database
from adapters.store.ledger import Ledger

with tempfile.TemporaryDirectory() as folder:
    Ledger(Database(f"sqlite:///{folder}/log.db")).close()  # the tables and their statements are described once
