"""`imageapi user`: accounts from the terminal, for whoever may read the data folder."""

from __future__ import annotations

import argparse
import getpass
import sys

from adapters.accounts.passwords import Passwords
from adapters.cli.application import ApplicationParts
from domain.base.actor import CLI
from domain.base.errors import NotFound, RuleViolation
from domain.commands import accounts
from domain.events.account import User


def add(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Open an account."""
    application.settings.make_data_folder()
    with application.ledger.reading(CLI) as tables:
        named = {library.name: library.id for library in tables.libraries.shown()}
    granted = None
    if words.library:
        unknown = [name for name in words.library if name not in named]
        if unknown:
            raise NotFound(f"there is no library {unknown[0]}; there are: {', '.join(named) or 'none'}")
        granted = tuple(sorted(named[name] for name in words.library))
    stored = Passwords().hash(_password(), user_name=words.name)
    with application.ledger.transaction(CLI) as uow:
        accounts.add_user(uow, words.name, words.role, stored, granted)
        print(uow.text)
    return 0


def listing(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Every account with role and libraries."""
    with application.ledger.reading(CLI) as tables:
        names = {library.id: library.name for library in tables.libraries.shown()}
        for user in tables.users.all():
            granted = (
                "all libraries" if user.libraries is None else ", ".join(names.get(i, str(i)) for i in user.libraries)
            )
            print(f"{user.name}\t{user.role}\t{granted}")
    return 0


def passwd(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Set a password."""
    user = named_user(application, words.name)
    stored = Passwords().hash(_password(), user_name=user.name)
    with application.ledger.transaction(CLI) as uow:
        accounts.set_password(uow, user.id, stored)
        print(uow.text)
    return 0


def remove(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Close an account."""
    user = named_user(application, words.name)
    with application.ledger.transaction(CLI) as uow:
        accounts.remove_user(uow, user.id)
        print(uow.text)
    return 0


def named_user(application: ApplicationParts, name: str) -> User:
    """The open account of this name; raises `NotFound`."""
    with application.ledger.reading(CLI) as tables:
        user = tables.users.named(name)
    if user is None:
        raise NotFound(f"there is no user {name}")
    return user


def _password() -> str:
    """The new password: asked for twice on a terminal, one line of standard input elsewhere."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("new password: ")
    if first != getpass.getpass("again: "):
        raise RuleViolation("the two passwords are not the same")
    return first
