"""What a user does with tags: put on, take off, rename, delete."""

from __future__ import annotations

from collections.abc import Sequence

from domain.commands.people import check_version
from domain.errors import Forbidden, NameTaken, NotFound
from domain.names import clean_name
from domain.ports import Turn
from domain.tag import MediaTagged, MediaUntagged, Tag, TagCreated, TagDeleted, TagRenamed


def tag_contents(turn: Turn, contents: Sequence[bytes], name: str) -> int:
    """Put a tag, made where there is none, on visible contents that lack it; the tag's id.

    Raises:
        RuleViolation: the name cannot be.
    """
    turn.actor.require("editor")
    name = clean_name(name)
    tag = turn.tags.named(name)
    new = [c for c in dict.fromkeys(contents) if tag is None or tag.id not in {t.id for t in turn.tagged.of_content(c)}]
    if tag is not None and not new:
        return tag.id
    photos = "a photo" if len(new) == 1 else f"{len(new)} photos"
    turn.begin("tag.add", f"tagged {photos} with {tag.name if tag else name}")
    tag_id = tag.id if tag else turn.new_id("tag")
    if tag is None:
        turn.append(TagCreated(tag_id, name))
    turn.append(*(MediaTagged(content, tag_id) for content in new))
    return tag_id


def untag_contents(turn: Turn, contents: Sequence[bytes], name: str) -> int:
    """Take a tag off contents that have it; how many had it.

    Raises:
        NotFound: there is no such tag.
    """
    turn.actor.require("editor")
    tag = turn.tags.named(name)
    if tag is None:
        raise NotFound(f"there is no tag {name!r}")
    has = [c for c in dict.fromkeys(contents) if tag.id in {t.id for t in turn.tagged.of_content(c)}]
    if has:
        photos = "a photo" if len(has) == 1 else f"{len(has)} photos"
        turn.begin("tag.remove", f"took the tag {tag.name} off {photos}")
        turn.append(*(MediaUntagged(content, tag.id) for content in has))
    return len(has)


def rename_tag(turn: Turn, tag_id: int, name: str, expected: int | None = None) -> None:
    """Give a tag another name.

    Raises:
        NotFound: there is no such tag.
        NameTaken: another tag has it.
        Forbidden: it is on photos that the actor may not see.
        Stale: the tag changed since the client read it.
    """
    turn.actor.require("editor")
    tag = live_tag(turn, tag_id, expected)
    name = clean_name(name)
    holder = turn.tags.named(name)
    if holder is not None and holder.id != tag_id:
        raise NameTaken(f"tag {holder.id} is called {holder.name} already")
    if name != tag.name:
        require_tag_in_sight(turn, tag_id)
        turn.begin("tag.rename", f"renamed the tag {tag.name} to {name}")
        turn.append(TagRenamed(tag_id, name, tag.name))


def delete_tag(turn: Turn, tag_id: int, expected: int | None = None) -> None:
    """Take a tag off everything.

    Raises:
        NotFound: there is no such tag.
        Forbidden: it is on photos that the actor may not see.
        Stale: the tag changed since the client read it.
    """
    turn.actor.require("editor")
    tag = live_tag(turn, tag_id, expected)
    require_tag_in_sight(turn, tag_id)
    turn.begin("tag.delete", f"deleted the tag {tag.name}")
    turn.append(TagDeleted(tag_id))


def require_tag_in_sight(turn: Turn, tag_id: int) -> None:
    """Raises `Forbidden` where the tag, live or deleted, is on photos in libraries that the actor may not see."""
    actor = turn.actor
    if actor.libraries is not None and not actor.is_admin and turn.tagged.outside(tag_id):
        name = turn.tags.name_of(tag_id)
        raise Forbidden(f"the tag {name} is on photos that {actor.name} may not see: ask an admin")


def live_tag(turn: Turn, tag_id: int, expected: int | None = None) -> Tag:
    """The tag that a command is about; raises `NotFound` or `Stale`."""
    tag = turn.tags.get(tag_id)
    if tag is None:
        raise NotFound(f"there is no tag {tag_id}")
    check_version("tag", tag.version, expected)
    return tag
