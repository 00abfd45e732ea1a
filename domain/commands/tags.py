"""What a user does with tags: put on, take off, rename, colour, merge, delete."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from domain.base.errors import NotFound, RuleViolation
from domain.base.names import clean_name
from domain.commands.persons import check_version
from domain.events.event import Event
from domain.events.tag import MediaTagged, MediaUntagged, Tag, TagCreated, TagDeleted, TagRecoloured, TagRenamed
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import knows_tag, require_known_tag, require_photos, require_tag_in_sight
from domain.rules.unique_names import free_tag_name


def tag_contents(uow: UnitOfWork, contents: Sequence[bytes], name: str) -> int:
    """Put a tag, made where there is none, on contents that lack it; the tag's id.

    Raises:
        NotFound: one of them is on no photo that the actor may see.
        RuleViolation: the name cannot be.
    """
    uow.actor.require("editor")
    require_photos(uow, contents)
    name = clean_name(name)
    tag = uow.tags.named(name)
    has = set() if tag is None else uow.tagged.contents_of(tag.id)
    new = [content for content in dict.fromkeys(contents) if content not in has]
    if tag is not None and not new:
        return tag.id
    photos = "a photo" if len(new) == 1 else f"{len(new)} photos"
    uow.begin("tag.add", f"tagged {photos} with {tag.name if tag else name}")
    tag_id = tag.id if tag else uow.new_id("tag")
    if tag is None:
        uow.append(TagCreated(tag_id, name))
    uow.append(*(MediaTagged(content, tag_id) for content in new))
    return tag_id


def untag_contents(uow: UnitOfWork, contents: Sequence[bytes], name: str) -> int:
    """Take a tag off contents that have it; how many had it.

    Raises:
        NotFound: there is no such tag, or one of them is on no photo that the actor may see.
    """
    uow.actor.require("editor")
    require_photos(uow, contents)
    tag = uow.tags.named(name)
    if tag is None:
        raise NotFound(f"there is no tag {name!r}")
    tagged = uow.tagged.contents_of(tag.id)
    has = [content for content in dict.fromkeys(contents) if content in tagged]
    if has:
        photos = "a photo" if len(has) == 1 else f"{len(has)} photos"
        uow.begin("tag.remove", f"took the tag {tag.name} off {photos}")
        uow.append(*(MediaUntagged(content, tag.id) for content in has))
    return len(has)


def change_tag(
    uow: UnitOfWork,
    tag_id: int,
    *,
    name: str | None = None,
    color: str | UnsetType | None = UNSET,
    expected: int | None = None,
) -> None:
    """Give a tag another name, another colour (`#rrggbb`; None for none), or both; what is left out stays.

    Raises:
        NotFound: there is no such tag.
        NameTaken: another tag has the name.
        RuleViolation: the name or colour cannot be.
        Forbidden: it is on photos that the actor may not see.
        Stale: the tag changed since the client read it.
    """
    uow.actor.require("editor")
    tag = live_tag(uow, tag_id, expected)
    called = tag.name if name is None else free_tag_name(uow, name, besides=tag_id)
    painted = tag.color if color is UNSET else _clean_color(color)
    events: list[Event] = []
    done = []
    if called != tag.name:
        events.append(TagRenamed(tag_id, called, tag.name))
        done.append(f"renamed the tag {tag.name} to {called}")
    if painted != tag.color:
        events.append(TagRecoloured(tag_id, painted, tag.color))
        done.append(f"gave the tag {called} {'no colour' if painted is None else f'the colour {painted}'}")
    if events:
        require_tag_in_sight(uow, tag_id)
        uow.begin("tag.rename" if called != tag.name else "tag.colour", ", ".join(done))
        uow.append(*events)


def _clean_color(color: str | None) -> str | None:
    if color is not None and re.fullmatch("#[0-9a-f]{6}", color.lower(), re.ASCII) is None:
        raise RuleViolation("a colour is written #rrggbb, such as #1f77b4", "color")
    return None if color is None else color.lower()


def merge_tags(uow: UnitOfWork, tag_id: int, into: int, expected: int | None = None) -> int:
    """Put the tag `into` on everything that has the tag `tag_id`, and delete that one; on how many contents it was not
    yet. Undo brings both back as they were.

    Raises:
        NotFound: there is no such tag.
        RuleViolation: it is the same tag.
        Forbidden: one of them is on photos that the actor may not see.
        Stale: the tag changed since the client read it.
    """
    uow.actor.require("editor")
    require_known_tag(uow, tag_id)
    require_known_tag(uow, into)
    tag, survivor = live_tag(uow, tag_id, expected), live_tag(uow, into, None)
    if tag.id == survivor.id:
        raise RuleViolation("a tag cannot be merged into itself", "into")
    require_tag_in_sight(uow, tag_id)
    require_tag_in_sight(uow, into)
    new = sorted(uow.tagged.contents_of(tag_id) - uow.tagged.contents_of(into))
    uow.begin("tag.merge", f"merged the tag {tag.name} into {survivor.name}")
    uow.append(*(MediaTagged(content, into) for content in new), TagDeleted(tag_id))
    return len(new)


def delete_tag(uow: UnitOfWork, tag_id: int, expected: int | None = None) -> None:
    """Take a tag off everything.

    Raises:
        NotFound: there is no such tag.
        Forbidden: it is on photos that the actor may not see.
        Stale: the tag changed since the client read it.
    """
    uow.actor.require("editor")
    tag = live_tag(uow, tag_id, expected)
    require_tag_in_sight(uow, tag_id)
    uow.begin("tag.delete", f"deleted the tag {tag.name}")
    uow.append(TagDeleted(tag_id))


def live_tag(uow: UnitOfWork, tag_id: int, expected: int | None = None) -> Tag:
    """The tag that a command is about; raises `NotFound`, also of one that the actor may not know of, or `Stale`."""
    tag = uow.tags.get(tag_id)
    if tag is None or not knows_tag(uow, tag_id):
        raise NotFound(f"there is no tag {tag_id}")
    check_version("tag", tag.version, expected)
    return tag
