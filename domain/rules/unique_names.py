"""That names are unique: no two live persons, tags, libraries, users, keys of a user or entities of a type share one.

Two names are the same where their `name_key` is, so in any case; the databases hold that with an index of their own. An
undo that would bring a taken name back is refused in `domain.undo`, with the operation that took it.
"""

from __future__ import annotations

from domain.base.actor import signature_by_key
from domain.base.errors import NameTaken, RuleViolation
from domain.base.names import clean_name, name_key
from domain.events.account import User
from domain.ports.lookups import Snapshot
from domain.rules.access import knows_person, knows_tag

_PARTS_OF_THE_SERVER = frozenset({"watcher", "autobind", "cli", "insight"})


def free_person_name(tables: Snapshot, name: str, besides: int | None = None) -> str:
    """The cleaned name, where no live person (besides this one) has it.

    Raises:
        NameTaken: someone has it, in any case.
        RuleViolation: it cannot be a name.
    """
    cleaned = clean_name(name)
    holder = tables.persons.named(cleaned)
    if holder is not None and holder.id != besides:
        if not knows_person(tables, holder.id):
            raise _taken_out_of_sight("person")
        text = f"person {holder.id} is called {holder.name} already: choose another name, or merge the two"
        raise NameTaken(text, holder.id)
    return cleaned


def free_tag_name(tables: Snapshot, name: str, besides: int) -> str:
    """The cleaned name, where no live tag besides this one has it; raises as `free_person_name`."""
    cleaned = clean_name(name)
    holder = tables.tags.named(cleaned)
    if holder is not None and holder.id != besides:
        if not knows_tag(tables, holder.id):
            raise _taken_out_of_sight("tag")
        raise NameTaken(f"tag {holder.id} is called {holder.name} already", holder.id)
    return cleaned


def free_library_name(tables: Snapshot, name: str, besides: int | None = None) -> str:
    """The cleaned name, where no shown library (besides this one) has it; raises as `free_person_name`."""
    cleaned = clean_name(name)
    if cleaned.isdecimal():
        raise RuleViolation("a library's name cannot be a number: it would be taken for an id", "name")
    holder = tables.libraries.named(cleaned)
    if holder is not None and holder.id != besides:
        raise NameTaken(f"library {holder.id} is called {holder.name} already")
    return cleaned


def library_name_of(tables: Snapshot, root: str) -> str:
    """A name for the library in this folder that no shown library has: the folder's own, with a number where needed."""
    last = root.rstrip("/").rpartition("/")[2] or "root"
    base = "".join(letter for letter in last if letter.isprintable())[:150].strip() or "library"
    base = f"folder {base}" if base.isdecimal() else base
    name, number = base, 2
    while tables.libraries.named(clean_name(name)) is not None:
        name, number = f"{base} ({number})", number + 1
    return clean_name(name)


def free_user_name(tables: Snapshot, name: str) -> str:
    """The cleaned name, where no account has or had it, no part of the server has it, and it reads like no key's deed.

    Raises:
        NameTaken: it is taken, in any case.
        RuleViolation: it cannot be a user's name.
    """
    cleaned = clean_name(name, field="username")
    if name_key(cleaned) in _PARTS_OF_THE_SERVER:
        raise NameTaken(f"{cleaned} is the name of a part of the server: choose another")
    if signature_by_key("").casefold() in name_key(cleaned):
        raise RuleViolation("this reads like what somebody's key did: choose another name", "username")
    if tables.users.named(cleaned) is not None:
        raise NameTaken(f"there is a user {cleaned} already")
    if tables.users.was_named(cleaned):
        raise NameTaken(
            f"a closed account was called {cleaned}, and its history stands under that name: choose another"
        )
    return cleaned


def require_free_key_name(tables: Snapshot, user: User, cleaned: str) -> None:
    """Raises `NameTaken` where one of the user's keys has this name."""
    if tables.api_keys.named(user.id, cleaned) is not None:
        raise NameTaken(f"{user.name} has a key {cleaned} already")


def require_free_entity_name(tables: Snapshot, cleaned: str, type_: str, besides: int | None = None) -> None:
    """Raises `NameTaken` where a live entity of this type (besides this one) has this name."""
    holder = tables.entities.named(cleaned, type_)
    if holder is not None and holder != besides:
        if not tables.entities.sees(holder):
            raise _taken_out_of_sight("thing")
        text = f"entity {holder} of the type {type_} has this name already: choose another, or merge the two"
        raise NameTaken(text, holder)


def _taken_out_of_sight(what: str) -> NameTaken:
    return NameTaken(f"the name of a {what} that you may not see: choose another, or ask an admin", None)
