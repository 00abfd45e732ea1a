"""`imageapi serve`, `scan` and `faces serve`: the long-running commands."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from adapters.cli.application import ApplicationParts
from adapters.cli.libraries import known_at, make_libraries
from adapters.cli.progress import console_on, shown
from domain.base.actor import CLI, WATCHER
from domain.base.errors import NotFound, RuleViolation
from domain.events.library import Library


def serve(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Serve until interrupted, after making libraries of the folders that were named. A folder that is not there is
    refused, but where it is a library's already: its disk may come back."""
    base = application.settings.base_path
    roots = [*([] if base is None else [base.absolute()]), *map(_absolute, words.folders)]
    for root in roots:
        if not root.is_dir() and not _is_known(application, root):
            if root == roots[0] and base is not None:
                raise NotFound(f"BASE_PATH says {base}, and there is no such folder: name one that is there")
            raise NotFound(f"there is no folder {root}")
    application.settings.make_data_folder()
    serve_until_interrupted = application.server()
    console = console_on(sys.stderr)
    if application.ledger.is_ready():
        for line in make_libraries(application, roots, is_base=base is not None).said:
            console.print(line, highlight=False, markup=False, soft_wrap=True)

    def ready(base_url: str) -> None:
        console.print(f"imageapi is serving at {base_url}", highlight=False, markup=False)
        link = _link(application, base_url, on_terminal=console.is_terminal)
        if link is not None:
            console.print(link, highlight=False, markup=False, soft_wrap=True)
        console.print("Stop with Ctrl+C.", highlight=False, markup=False)

    with shown(application.board, console), suppress(KeyboardInterrupt):
        serve_until_interrupted(ready)
    return 0


def _link(application: ApplicationParts, base_url: str, *, on_terminal: bool) -> str | None:
    """The first admin's one-time link, or on a terminal one to sign in with."""
    if not application.ledger.is_ready():
        return None
    with application.ledger.reading(CLI) as tables:
        admin = next((user for user in tables.users.all() if user.role == "admin"), None)
    return application.links.at_start(base_url, admin, on_terminal=on_terminal)


def scan(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Look at libraries once."""
    roots = list(map(_absolute, words.folders))
    for root in roots:
        if not root.is_dir():
            raise NotFound(f"there is no folder {root}")
    application.settings.make_data_folder()
    with application.ledger.reading(CLI) as tables:
        libraries = tables.libraries.shown()
    if roots:
        made = make_libraries(application, roots)
        libraries = made.libraries
        for line in made.said:
            print(line, file=sys.stderr)
    if not libraries:
        raise NotFound("there is no library yet: name a folder, as in `imageapi scan ~/Pictures`")
    scanned = [_scanned(application, library, words) for library in libraries]
    with application.ledger.reading(WATCHER) as tables:
        counts = tables.media.counts()
    problems = sum(counts.get(library.id, (0, 0, 0))[2] for library in libraries)
    if problems:
        print(
            f"{problems} files are not, or not wholly, shown; the log above names each with its reason", file=sys.stderr
        )
    return 0 if all(scanned) else 1


def _scanned(application: ApplicationParts, library: Library, words: argparse.Namespace) -> bool:
    """Look at one library; whether that could be done. The log says why not."""
    watcher = application.watcher
    if not words.as_new and watcher.waits(library):
        return False
    return watcher.look_at(library, full=words.full, accept_missing=words.accept_missing) is not None


def serve_faces(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Offer the embedded engine to other machines until interrupted."""
    host, _, port = words.bind.rpartition(":")
    if not port.isdecimal() or not host:
        raise RuleViolation(f"--bind is HOST:PORT; {words.bind!r} is not")
    offer = application.faces_server(words.key)
    with suppress(KeyboardInterrupt):
        offer(host.strip("[]"), int(port), lambda url: print(f"the face engine is offered at {url}", file=sys.stderr))
    return 0


def _absolute(folder: Path) -> Path:
    return folder.expanduser().resolve()


def _is_known(application: ApplicationParts, root: Path) -> bool:
    """Whether a library has this root; without a database none has."""
    file = application.settings.database_path
    if (file is not None and not file.exists()) or not application.ledger.is_ready():
        return False
    with application.ledger.reading(CLI) as tables:
        return known_at(tables, root) is not None
