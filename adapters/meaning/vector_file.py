"""The vectors of photos' texts, in one file of the data folder: which file has which text, and what is due.

Everything here is derived: the file can be thrown away. A text itself is never kept, only its SHA-256 and its vector,
and deleted rows are overwritten with zeros. Each host has a file of its own, which all its processes may read; the one
that holds the lock beside it writes.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec

from adapters.side_files.side_file import SideFile, scalar
from domain.base.errors import Unavailable

T = TypeVar("T")

_FORMAT: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY CHECK (one = 1), said BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS text (id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, key BLOB NOT NULL,
    vector BLOB NOT NULL, UNIQUE (model, key));
CREATE TABLE IF NOT EXISTS photo (media_id INTEGER PRIMARY KEY, library_id INTEGER NOT NULL, text_id INTEGER,
    changed INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS photo_text ON photo (text_id);
CREATE INDEX IF NOT EXISTS photo_changed ON photo (changed);
CREATE TABLE IF NOT EXISTS due (media_id INTEGER PRIMARY KEY);
"""


class State(msgspec.Struct, frozen=True):
    """What the file holds: `log` names the log that it was made from, `position` how far that was followed and `mark`
    what stood there; `model` makes the vectors, `made_by` the texts. Every file up to the id `listed` was made due once
    for these two; None: every one was."""

    log: str = ""
    position: int = 0
    mark: str = ""
    model: str = ""
    made_by: str = ""
    listed: int | None = 0


class PhotoRow(NamedTuple):
    """A file and its text, 0 where it has none; `changed` counts up with every change of any."""

    media_id: int
    library_id: int
    text_id: int
    changed: int


class Assigned(NamedTuple):
    """What a file's text is now: its key, and the vector where the file does not hold one for it yet. Both are None
    where the file has no text."""

    media_id: int
    library_id: int
    key: bytes | None
    vector: bytes | None = None


class MeaningStore:
    """One file of vectors; thread-safe. Vectors are as `domain.ports.text_embedder` has them, rounded to 16 bits a
    number; an empty one stands for a text that cannot be embedded."""

    def __init__(self, file: Path) -> None:
        self._file = SideFile(file, _SCHEMA, _FORMAT, overwrites_deleted=True)
        self._lock = threading.Lock()
        self._writer: int | None = None

    # Who writes

    def is_writer(self) -> bool:
        """Whether this process is the one that writes, from now on until it closes."""
        with self._lock:
            if self._writer is None:
                self._writer = self._locked()
            return self._writer is not None

    def _locked(self) -> int | None:
        path = self._file.path.with_name(f"{self._file.path.name}.lock")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise Unavailable(f"cannot open {path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return descriptor

    # How far it is

    def exists(self) -> bool:
        """Whether there is a file: looking does not make one."""
        return self._file.path.exists()

    def state(self) -> State:
        """What the file holds."""
        return self._with(_state)

    def begin(self, state: State, *, is_same_log: bool) -> None:
        """Begin anew, with nothing due; of another log nothing stays but the vectors, which are of texts."""

        def begin(book: sqlite3.Connection) -> None:
            _set_state(book, state)
            book.execute("DELETE FROM due")
            if not is_same_log:
                book.execute("UPDATE photo SET text_id = NULL, changed = ?", (_next_change(book),))

        self._with(begin)

    def counts(self, model: str) -> tuple[int, int]:
        """How many files have a vector of this model, and how many are due."""

        def count(book: sqlite3.Connection) -> tuple[int, int]:
            found = "SELECT count(*) FROM photo JOIN text ON text.id = text_id WHERE model = ?"
            return scalar(book.execute(found, (model,))), _due_count(book)

        return self._with(count)

    def progress_text(self, model: str, *, is_ready: bool) -> str:
        """How far that is, in words; `is_ready` says whether there are read tables yet."""
        if not (is_ready and self.exists()):
            return f"{model}: nothing is embedded yet"
        done, due = self.counts(model)
        return f"{model}: {done} photos are found by meaning" + (f", {due} are due" if due else "")

    # What is due

    def add_due(self, media_ids: Iterable[int], state: State | None = None) -> None:
        """These files' texts may have changed; with it, remember how far the log was followed."""

        def add(book: sqlite3.Connection) -> None:
            book.executemany("INSERT OR IGNORE INTO due VALUES (?)", ((media_id,) for media_id in media_ids))
            if state is not None:
                _set_state(book, state)

        self._with(add)

    def due(self, limit: int) -> list[int]:
        """The next files that are due, the newest ones first, since they are looked for soonest."""
        statement = "SELECT media_id FROM due ORDER BY media_id DESC LIMIT ?"
        return self._with(lambda book: [media_id for (media_id,) in book.execute(statement, (limit,))])

    def due_count(self) -> int:
        """How many are due."""
        return self._with(_due_count)

    # Texts

    def known(self, model: str, keys: Sequence[bytes]) -> set[bytes]:
        """Those of these texts (at most 500) that have been embedded by this model."""
        if not keys:
            return set()
        marks = ",".join("?" * len(keys))
        statement = f"SELECT key FROM text WHERE model = ? AND key IN ({marks})"  # noqa: S608 - question marks alone
        return self._with(lambda book: {bytes(key) for (key,) in book.execute(statement, (model, *keys))})

    def assign(self, model: str, assigned: Sequence[Assigned]) -> None:
        """These files have these texts, and are due no more; texts that no file has any more go."""

        def assign(book: sqlite3.Connection) -> None:
            changed = _next_change(book)
            left: set[int] = set()
            for each in assigned:
                text_id = None if each.key is None else _text_id(book, model, each.key, each.vector)
                before = _text_of(book, each.media_id)
                if before not in {None, text_id}:
                    left.add(before)
                book.execute(
                    "INSERT OR REPLACE INTO photo VALUES (?, ?, ?, ?)",
                    (each.media_id, each.library_id, text_id, changed),
                )
                book.execute("DELETE FROM due WHERE media_id = ?", (each.media_id,))
            _drop_unused(book, left)

        self._with(assign)

    def keys(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Files above `after`, in order, and the keys of their texts, of whatever model."""
        keys = "SELECT media_id, key FROM photo JOIN text ON text.id = text_id"
        statement = f"{keys} WHERE media_id > ? ORDER BY media_id LIMIT ?"
        found = self._with(lambda book: book.execute(statement, (after, limit)).fetchall())
        return [(media_id, bytes(key)) for media_id, key in found]

    def forget(self, media_ids: Sequence[int]) -> None:
        """Take these files' texts away at once, with their vectors, and make the files due."""

        def forget(book: sqlite3.Connection) -> None:
            changed = _next_change(book)
            for media_id in media_ids:
                before = _text_of(book, media_id)
                book.execute("UPDATE photo SET text_id = NULL, changed = ? WHERE media_id = ?", (changed, media_id))
                book.execute("INSERT OR IGNORE INTO due VALUES (?)", (media_id,))
                _drop_unused(book, () if before is None else (before,))

        self._with(forget)

    def drop_unused(self) -> None:
        """Drop every text that no file has."""
        self._with(
            lambda book: book.execute(
                "DELETE FROM text WHERE NOT EXISTS (SELECT 1 FROM photo WHERE photo.text_id = text.id)"
            )
        )

    def scrub(self) -> None:
        """Write the file anew, so that nothing deleted stays in it or in its journal."""
        try:
            self._file.rewrite()
        except sqlite3.OperationalError as error:
            raise Unavailable(f"{self._file.path} cannot be written anew: {error}") from error

    # What is kept in memory of it

    def rows_since(self, changed: int, limit: int) -> list[PhotoRow]:
        """Files that changed after a change, in order of their changes; of the last change all of them come, even above
        `limit`."""

        def rows(book: sqlite3.Connection) -> list[PhotoRow]:
            enough = "SELECT changed FROM photo WHERE changed > ? ORDER BY changed LIMIT 1 OFFSET ?"
            last: int | None = scalar(book.execute(enough, (changed, limit)))
            statement = "SELECT media_id, library_id, coalesce(text_id, 0), changed FROM photo WHERE changed > ?"
            until = "" if last is None else f" AND changed <= {last:d}"
            return [PhotoRow(*row) for row in book.execute(f"{statement}{until} ORDER BY changed", (changed,))]

        return self._with(rows)

    def vectors_since(self, model: str, after: int, limit: int) -> list[tuple[int, bytes]]:
        """The next texts of a model that were embedded after the text `after`, in order."""
        statement = "SELECT id, vector FROM text WHERE model = ? AND id > ? ORDER BY id LIMIT ?"
        return self._with(lambda book: book.execute(statement, (model, after, limit)).fetchall())

    def identity(self) -> int:
        """Names the file: another one after it was thrown away."""
        self.state()
        return self._file.path.stat().st_ino

    def close(self) -> None:
        """Close the file, and let another process write."""
        self._file.close()
        with self._lock:
            if self._writer is not None:
                os.close(self._writer)
                self._writer = None

    def _with(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in one transaction.

        Raises:
            Unavailable: the file is locked, or the disk is full.
        """
        try:
            return self._file.transact(work)
        except sqlite3.OperationalError as error:
            raise Unavailable(f"{self._file.path} cannot be used now: {error}") from error


def _state(book: sqlite3.Connection) -> State:
    state: bytes | None = scalar(book.execute("SELECT said FROM state"))
    return State() if state is None else msgspec.json.decode(state, type=State)


def _due_count(book: sqlite3.Connection) -> int:
    return int(scalar(book.execute("SELECT count(*) FROM due")))


def _text_of(book: sqlite3.Connection, media_id: int) -> int | None:
    """The text of a file, None where it has none."""
    text_id: int | None = scalar(book.execute("SELECT text_id FROM photo WHERE media_id = ?", (media_id,)))
    return text_id


def _set_state(book: sqlite3.Connection, state: State) -> None:
    book.execute("INSERT OR REPLACE INTO state VALUES (1, ?)", (msgspec.json.encode(state),))


def _next_change(book: sqlite3.Connection) -> int:
    return int(scalar(book.execute("SELECT coalesce(max(changed), 0) FROM photo"))) + 1


def _text_id(book: sqlite3.Connection, model: str, key: bytes, vector: bytes | None) -> int:
    """The text with this key, which is added with its vector where it is new."""
    known: int | None = scalar(book.execute("SELECT id FROM text WHERE model = ? AND key = ?", (model, key)))
    if known is not None:
        return known
    if vector is None:
        raise LookupError("a text that was never embedded needs its vector")
    return int(
        book.execute("INSERT INTO text (model, key, vector) VALUES (?, ?, ?)", (model, key, vector)).lastrowid or 0
    )


def _drop_unused(book: sqlite3.Connection, text_ids: Iterable[int]) -> None:
    book.executemany(
        "DELETE FROM text WHERE id = ? AND NOT EXISTS (SELECT 1 FROM photo WHERE photo.text_id = text.id)",
        ((text_id,) for text_id in text_ids),
    )
