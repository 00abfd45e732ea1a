"""`imageapi serve`, `scan` and `faces serve`: the long-running commands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from adapters.cli.application import ApplicationParts
from adapters.cli.progress import console_on, shown
from domain.base.actor import CLI, WATCHER
from domain.base.errors import NotFound, RuleViolation
from domain.base.paths import text_of
from domain.commands.libraries import add_library
from domain.events.library import Library


def serve(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Serve until interrupted, after making libraries of the folders that were named."""
    roots = _folders(words.folders)
    if application.settings.base_path is not None:
        roots.insert(0, application.settings.base_path)
    application.settings.make_data_folder()
    serve_until_interrupted = application.server()
    if application.ledger.is_ready():
        libraries_of(application, roots)
    console = console_on(sys.stderr)

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
    roots = _folders(words.folders)
    application.settings.make_data_folder()
    with application.ledger.reading(CLI) as tables:
        libraries = tables.libraries.shown()
    if roots:
        libraries = libraries_of(application, roots)
    if not libraries:
        raise NotFound("there is no library yet: name a folder, as in `imageapi scan ~/Pictures`")
    for library in libraries:
        application.watcher.look_at(library, full=words.full)
    with application.ledger.reading(WATCHER) as tables:
        counts = tables.media.counts()
    problems = sum(counts.get(library.id, (0, 0, 0))[2] for library in libraries)
    if problems:
        print(
            f"{problems} files are not, or not wholly, shown; the log above names each with its reason", file=sys.stderr
        )
    return 0


def serve_faces(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Offer the embedded engine to other machines until interrupted."""
    host, _, port = words.bind.rpartition(":")
    if not port.isdecimal() or not host:
        raise RuleViolation(f"--bind is HOST:PORT; {words.bind!r} is not")
    offer = application.faces_server(words.key)
    with suppress(KeyboardInterrupt):
        offer(host.strip("[]"), int(port), lambda url: print(f"the face engine is offered at {url}", file=sys.stderr))
    return 0


def libraries_of(application: ApplicationParts, roots: Sequence[Path]) -> list[Library]:
    """The libraries of these folders, made where there is none yet."""
    found = []
    for root in roots:
        text = text_of(os.fsencode(root))
        with application.ledger.reading(CLI) as tables:
            known = [library for library in tables.libraries.shown() if library.root == text]
        if not known:
            with application.ledger.transaction(CLI) as uow:
                add_library(uow, text)
            with application.ledger.reading(CLI) as tables:
                known = [library for library in tables.libraries.shown() if library.root == text]
        found += known
    return found


def _folders(named: Sequence[Path]) -> list[Path]:
    roots = []
    for folder in named:
        root = folder.expanduser().resolve()
        if not root.is_dir():
            raise NotFound(f"there is no folder {folder}")
        roots.append(root)
    return roots
