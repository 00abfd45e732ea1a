"""Taking back what was done to tags."""

from __future__ import annotations

from collections.abc import Iterable

from domain.events.event import Event, Recorded
from domain.events.tag import MediaTagged, MediaUntagged, TagCreated, TagDeleted, TagRecoloured, TagRenamed, TagRestored
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import require_photo_in_sight, require_tag_in_sight
from domain.undo.heirs import content_heirs
from domain.undo.inverses import blocked, require_last_write
from domain.undo.undoable import takes_back


def _everywhere(uow: UnitOfWork, recorded: Recorded, content_hash: bytes) -> list[bytes]:
    """A content and those to which what was said of it went along since, each once: an original may be back."""
    return list(dict.fromkeys((content_hash, *content_heirs(uow, recorded, content_hash))))


def _require_in_sight(uow: UnitOfWork, recorded: Recorded, content_hash: bytes) -> None:
    """Raises `Forbidden` where no file that the actor sees shows the content, or one that it went along to."""
    heirs = content_heirs(uow, recorded, content_hash)
    if not any(uow.media.shows_content(heir) for heir in heirs):
        require_photo_in_sight(uow, content_hash, "a photo")


@takes_back(MediaTagged)
def _tagged(uow: UnitOfWork, recorded: Recorded, event: MediaTagged) -> Iterable[Event]:
    _require_in_sight(uow, recorded, event.content_hash)
    for content in _everywhere(uow, recorded, event.content_hash):
        if event.tag_id in uow.tagged.ids_of_content(content):
            yield MediaUntagged(content, event.tag_id)


@takes_back(MediaUntagged)
def _untagged(uow: UnitOfWork, recorded: Recorded, event: MediaUntagged) -> Iterable[Event]:
    _require_in_sight(uow, recorded, event.content_hash)
    for content in _everywhere(uow, recorded, event.content_hash):
        if event.tag_id not in uow.tagged.ids_of_content(content):
            yield MediaTagged(content, event.tag_id)


@takes_back(TagRenamed)
def _tag_renamed(uow: UnitOfWork, recorded: Recorded, event: TagRenamed) -> Iterable[Event]:
    tag = uow.tags.get(event.tag_id)
    stands = tag is not None and tag.name == event.name
    require_last_write(uow, recorded, (TagRenamed, TagDeleted), "changed the tag", stands=stands)
    holder = uow.tags.named(event.was)
    if holder is not None and holder.id != event.tag_id:
        takes = (TagCreated, TagRenamed, TagRestored)
        raise blocked(uow, recorded, f"tag-{holder.id}", takes, f"took the name {event.was}")
    yield TagRenamed(event.tag_id, event.was, event.name)


@takes_back(TagRecoloured)
def _tag_recoloured(uow: UnitOfWork, recorded: Recorded, event: TagRecoloured) -> Iterable[Event]:
    tag = uow.tags.get(event.tag_id)
    stands = tag is not None and tag.color == event.color
    require_last_write(uow, recorded, (TagRecoloured, TagDeleted), "changed the tag", stands=stands)
    yield TagRecoloured(event.tag_id, event.was, event.color)


@takes_back(TagCreated)
def _tag_created(uow: UnitOfWork, recorded: Recorded, event: TagCreated) -> Iterable[Event]:
    if uow.tags.get(event.tag_id) is None:
        raise blocked(uow, recorded, recorded.stream, (TagDeleted,), "deleted the tag")
    if not uow.tagged.uses(event.tag_id):
        yield TagDeleted(event.tag_id)


@takes_back(TagDeleted)
def _tag_deleted(uow: UnitOfWork, recorded: Recorded, event: TagDeleted) -> Iterable[Event]:
    require_tag_in_sight(uow, event.tag_id)
    name = uow.tags.name_of(event.tag_id)
    holder = uow.tags.named(name)
    if holder is not None and holder.id != event.tag_id:
        takes = (TagCreated, TagRenamed, TagRestored)
        raise blocked(uow, recorded, f"tag-{holder.id}", takes, f"took the name {name}")
    if uow.tags.get(event.tag_id) is None:
        yield TagRestored(event.tag_id)


@takes_back(TagRestored)
def _tag_restored(uow: UnitOfWork, recorded: Recorded, event: TagRestored) -> Iterable[Event]:
    require_tag_in_sight(uow, event.tag_id)
    if uow.tags.get(event.tag_id) is not None:
        yield TagDeleted(event.tag_id)
