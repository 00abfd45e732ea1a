"""Taking back what was done to tags."""

from __future__ import annotations

from collections.abc import Iterable

from domain.commands.tags import require_tag_in_sight
from domain.events.event import Event, Recorded
from domain.events.tag import MediaTagged, MediaUntagged, TagCreated, TagDeleted, TagRecoloured, TagRenamed, TagRestored
from domain.ports.unit_of_work import Turn
from domain.undo.rules import blocked, require_last_write, require_photo_in_sight, takes_back


@takes_back(MediaTagged)
def _tagged(turn: Turn, recorded: Recorded, event: MediaTagged) -> Iterable[Event]:
    require_photo_in_sight(turn, event.content_hash, "a photo")
    if event.tag_id in turn.tagged.ids_of_content(event.content_hash):
        yield MediaUntagged(event.content_hash, event.tag_id)


@takes_back(MediaUntagged)
def _untagged(turn: Turn, recorded: Recorded, event: MediaUntagged) -> Iterable[Event]:
    require_photo_in_sight(turn, event.content_hash, "a photo")
    if event.tag_id not in turn.tagged.ids_of_content(event.content_hash):
        yield MediaTagged(event.content_hash, event.tag_id)


@takes_back(TagRenamed)
def _tag_renamed(turn: Turn, recorded: Recorded, event: TagRenamed) -> Iterable[Event]:
    tag = turn.tags.get(event.tag_id)
    stands = tag is not None and tag.name == event.name
    require_last_write(turn, recorded, (TagRenamed, TagDeleted), "changed the tag", stands=stands)
    holder = turn.tags.named(event.was)
    if holder is not None and holder.id != event.tag_id:
        takes = (TagCreated, TagRenamed, TagRestored)
        raise blocked(turn, recorded, f"tag-{holder.id}", takes, f"took the name {event.was}")
    yield TagRenamed(event.tag_id, event.was, event.name)


@takes_back(TagRecoloured)
def _tag_recoloured(turn: Turn, recorded: Recorded, event: TagRecoloured) -> Iterable[Event]:
    tag = turn.tags.get(event.tag_id)
    stands = tag is not None and tag.color == event.color
    require_last_write(turn, recorded, (TagRecoloured, TagDeleted), "changed the tag", stands=stands)
    yield TagRecoloured(event.tag_id, event.was, event.color)


@takes_back(TagCreated)
def _tag_created(turn: Turn, recorded: Recorded, event: TagCreated) -> Iterable[Event]:
    if turn.tags.get(event.tag_id) is None:
        raise blocked(turn, recorded, recorded.stream, (TagDeleted,), "deleted the tag")
    if not turn.tagged.uses(event.tag_id):
        yield TagDeleted(event.tag_id)


@takes_back(TagDeleted)
def _tag_deleted(turn: Turn, recorded: Recorded, event: TagDeleted) -> Iterable[Event]:
    require_tag_in_sight(turn, event.tag_id)
    name = turn.tags.name_of(event.tag_id)
    holder = turn.tags.named(name)
    if holder is not None and holder.id != event.tag_id:
        takes = (TagCreated, TagRenamed, TagRestored)
        raise blocked(turn, recorded, f"tag-{holder.id}", takes, f"took the name {name}")
    if turn.tags.get(event.tag_id) is None:
        yield TagRestored(event.tag_id)


@takes_back(TagRestored)
def _tag_restored(turn: Turn, recorded: Recorded, event: TagRestored) -> Iterable[Event]:
    require_tag_in_sight(turn, event.tag_id)
    if turn.tags.get(event.tag_id) is not None:
        yield TagDeleted(event.tag_id)
