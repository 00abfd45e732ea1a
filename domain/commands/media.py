"""What a scan records: files found, changed, moved, missing and back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from domain.events.event import Event
from domain.events.media import FileFacts, Media, MediaChanged, MediaDiscovered, MediaMissing, MediaMoved, MediaReturned
from domain.events.tag import MediaTagged
from domain.ports.unit_of_work import UnitOfWork


class ReadFile(msgspec.Struct, frozen=True):
    """One file as it was just read; `content_hash` is None where it could not be, and `facts.problem` says why."""

    path: str
    content_hash: bytes | None
    facts: FileFacts


class RecordedFiles(msgspec.Struct, frozen=True):
    """What became of a batch of files, in numbers; those read `again` did not change."""

    discovered: int
    changed: int
    moved: int
    again: int = 0


def record_files(
    uow: UnitOfWork, library_id: int, files: Sequence[ReadFile], vanished: Collection[int] = ()
) -> RecordedFiles:
    """Record a batch of files that were just read; the facts are checked again here, inside the write lock.

    A new place whose bytes are those of a file in `vanished` (ids that the walk no longer met), or else of one that is
    missing already, is a move: the row, and with it everything decided about the content, goes along.
    """
    known = uow.media.at_each(library_id, [file.path for file in files])
    wanted = {file.content_hash for file in files if file.content_hash is not None and file.path not in known}
    met = {media.id for media in known.values()}
    candidates = [media for media in uow.media.of_contents(wanted) if media.id not in met]
    sources = _vanished_by_content(candidates, vanished)
    events: list[Event] = []
    new: list[ReadFile] = []
    again = 0
    for file in files:
        before = known.get(file.path)
        if before is not None:
            events += _seen_again(uow, before, file)
            again += _is_as_it_was(before, file) and file.facts.reading > before.reading
        elif file.content_hash is not None and sources.get(file.content_hash):
            source = sources[file.content_hash].pop()
            place = (source.library_id, source.path)
            events.append(MediaMoved(source.id, library_id, file.path, file.facts.mtime_ns, *place))
        else:
            new.append(file)
    events = list(dict.fromkeys(events))  # copies that were rewritten alike carry the same tags
    moved = sum(isinstance(event, MediaMoved) for event in events)
    changed = sum(isinstance(event, (MediaChanged, MediaReturned)) for event in events) - again
    if new:
        ids = uow.new_ids("media", len(new))
        events += [
            MediaDiscovered(id_, library_id, file.path, file.content_hash, file.facts)
            for id_, file in zip(ids, new, strict=True)
        ]
    uow.append(*events)
    return RecordedFiles(len(new), changed, moved, again)


def record_missing(uow: UnitOfWork, media_ids: Iterable[int]) -> int:
    """Record that files are no longer where they were; the number of those that were still thought present."""
    events = []
    for media_id in media_ids:
        media = uow.media.find(media_id)
        if media is not None and media.present:
            events.append(MediaMissing(media_id))
    uow.append(*events)
    return len(events)


def _vanished_by_content(candidates: Iterable[Media], vanished: Collection[int]) -> Mapping[bytes, list[Media]]:
    sources: dict[bytes, list[Media]] = {}
    for media in sorted(candidates, key=lambda media: media.id in vanished):  # the last one is taken first
        if media.content_hash is not None and (media.id in vanished or not media.present):
            sources.setdefault(media.content_hash, []).append(media)
    return sources


def _seen_again(uow: UnitOfWork, before: Media, file: ReadFile) -> list[Event]:
    facts = file.facts
    same = file.content_hash == before.content_hash and facts.problem == before.problem
    if _is_as_it_was(before, file) and facts.reading <= before.reading:
        return []
    if same and not before.present:
        return [MediaReturned(before.id, facts.mtime_ns)]
    events: list[Event] = [MediaChanged(before.id, file.content_hash, before.content_hash, facts)]
    if before.content_hash is not None and file.content_hash is not None and not same:
        has = {tag.id for tag in uow.tagged.of_content(file.content_hash)}
        carried = [tag.id for tag in uow.tagged.of_content(before.content_hash) if tag.id not in has]
        events += [MediaTagged(file.content_hash, tag_id) for tag_id in carried]
    return events


def _is_as_it_was(before: Media, file: ReadFile) -> bool:
    """Whether a file is, and is told of, as when it was read last."""
    facts = file.facts
    now = (file.content_hash, facts.problem, facts.size, facts.mtime_ns, facts.sidecar)
    was = (before.content_hash, before.problem, before.size, before.mtime_ns, before.sidecar)
    return before.present and now == was
