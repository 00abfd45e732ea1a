"""What a scan records: files found, changed, moved, missing and back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from domain.commands.carrying import carry_over_changes
from domain.events.event import Event
from domain.events.media import (
    BY_DATA,
    FileFacts,
    Media,
    MediaChanged,
    MediaDiscovered,
    MediaDisplaced,
    MediaMissing,
    MediaMoved,
    MediaReturned,
    SamePicture,
)
from domain.ports.unit_of_work import UnitOfWork

NO_LIKENESSES: Final[Mapping[str, SamePicture]] = {}


class ReadFile(msgspec.Struct, frozen=True):
    """One file as it was just read; `content_hash` is None where it could not be, and `facts.problem` says why."""

    path: str
    content_hash: bytes | None
    facts: FileFacts

    def has_bytes_of(self, media: Media | None) -> bool:
        """Whether it holds what is known of a file."""
        return media is not None and media.content_hash == self.content_hash

    def has_picture_of(self, media: Media | None) -> bool:
        """Whether it differs from what is known of a file by no more than what is written into the picture."""
        picture = self.facts.picture_hash
        return media is not None and picture is not None and media.picture_hash == picture


class RecordedFiles(msgspec.Struct, frozen=True):
    """What became of a batch of files, in numbers; those read `again` did not change."""

    discovered: int
    changed: int
    moved: int
    again: int = 0


class _Arrivals(msgspec.Struct, frozen=True):
    """Where the files of a batch come from: `moves` by the path that they came to, and by content the path of a file
    that has it and `stays`."""

    moves: Mapping[str, Media]
    stays: Mapping[bytes, Media]


def record_files(
    uow: UnitOfWork,
    library_id: int,
    files: Sequence[ReadFile],
    vanished: Collection[int] = (),
    *,
    likenesses: Mapping[str, SamePicture] = NO_LIKENESSES,
    faces_follow: bool = True,
) -> RecordedFiles:
    """Record a batch of files that were just read; the facts are checked again here, inside the write lock.

    Bytes that lay elsewhere, in a file of `vanished` (ids that the walk no longer met), in one that is missing already,
    or in one of this batch that has other bytes now, have moved: the row, and with it everything decided about the
    content, goes along, also where all that differs is what is written into the picture. A file whose place is taken
    and which is met nowhere is displaced. `likenesses` say by path which other bytes show the picture that was there.
    What was decided about a content goes to the one that took its place, by an operation of its own; where only the
    faces can tell whether it is the same picture, that waits until they were looked for, if they are (`faces_follow`).
    """
    known = uow.media.at_each(library_id, [file.path for file in files])
    arrivals = _arrivals(uow, files, known, vanished, likenesses)
    gone = {source.id for source in arrivals.moves.values()}
    by_path = {file.path: file for file in files}
    events: list[Event] = list(_moved(library_id, known, arrivals.moves, by_path, likenesses))
    new: list[ReadFile] = []
    changed = again = 0
    for file in files:
        before = known.get(file.path)
        if file.path in arrivals.moves:
            continue
        if before is None or before.id in gone:
            new.append(file)
        elif _is_another_in_its_place(before, file):
            events.append(MediaDisplaced(before.id, library_id, file.path))
            new.append(file)
        else:
            seen = list(_seen_again(before, file, arrivals.stays, likenesses.get(file.path)))
            events += seen
            again += bool(seen) and _is_as_it_was(before, file)
            changed += bool(seen) and not _is_as_it_was(before, file)
    if new:
        ids = uow.new_ids("media", len(new))
        events += [
            MediaDiscovered(id_, library_id, file.path, file.content_hash, file.facts)
            for id_, file in zip(ids, new, strict=True)
        ]
    began = uow.position
    uow.append(*events)
    positions = ((began + place, event) for place, event in enumerate(events, 1))
    changes = [(position, event) for position, event in positions if isinstance(event, MediaChanged)]
    carry_over_changes(uow, changes, faces_follow=faces_follow)
    return RecordedFiles(len(new), changed, len(arrivals.moves), again)


def record_missing(uow: UnitOfWork, media_ids: Iterable[int]) -> int:
    """Record that files are no longer where they were; the number of those that were still thought present."""
    events = []
    for media_id in media_ids:
        media = uow.media.find(media_id)
        if media is not None and media.present:
            events.append(MediaMissing(media_id))
    uow.append(*events)
    return len(events)


def _arrivals(
    uow: UnitOfWork,
    files: Sequence[ReadFile],
    known: Mapping[str, Media],
    vanished: Collection[int],
    likenesses: Mapping[str, SamePicture],
) -> _Arrivals:
    """Which files that have other bytes than were known at their places came from where. A picture that was edited in
    its place has not left it."""
    here = [file for file in files if file.content_hash is not None and not file.has_bytes_of(known.get(file.path))]
    stood = [file for file in here if file.path in known]
    edited = {file.path for file in stood if file.path in likenesses or file.has_picture_of(known[file.path])}
    left = {known[file.path].id for file in stood if file.path not in edited}
    stay = {known[file.path].id for file in files if file.path in known and known[file.path].id not in left}

    def is_free(media: Media) -> bool:
        return media.id in left or (media.id not in stay and (media.id in vanished or not media.present))

    holders = uow.media.of_contents({file.content_hash for file in here if file.content_hash is not None})
    held = {media.content_hash for media in holders}
    sources = _sources([media for media in holders if is_free(media)], vanished)
    stays = {media.content_hash: media for media in holders if not is_free(media) and media.content_hash is not None}
    moves: dict[str, Media] = {}
    for file in here:
        source = _taken(sources.get(file.content_hash or b"", []), known.get(file.path))
        if source is not None:
            moves[file.path] = source
    strangers = [file for file in here if file.content_hash not in held and file.path not in edited]
    pictures = {file.facts.picture_hash for file in strangers if file.facts.picture_hash is not None}
    gone = {media.id for media in moves.values()}
    lost = [media for media in uow.media.of_pictures(pictures) if is_free(media) and media.id not in gone]
    by_picture = _sources(lost, vanished, of_picture=True)
    for file in strangers:
        source = _taken(by_picture.get(file.facts.picture_hash or "", []), known.get(file.path))
        if source is not None:
            moves[file.path] = source
    return _Arrivals(moves, stays)


def _sources(
    candidates: Iterable[Media], vanished: Collection[int], *, of_picture: bool = False
) -> Mapping[bytes | str, list[Media]]:
    """Files that may have moved, by content or picture; the last one is to be taken first."""
    sources: dict[bytes | str, list[Media]] = {}
    for media in sorted(candidates, key=lambda media: (media.id in vanished, media.present)):
        key = media.picture_hash if of_picture else media.content_hash
        if key is not None:
            sources.setdefault(key, []).append(media)
    return sources


def _taken(sources: list[Media], target: Media | None) -> Media | None:
    """The likeliest of the files that may have come to a place, which is no longer to be had for another."""
    for source in reversed(sources):
        if target is None or source.id != target.id:
            sources.remove(source)
            return source
    return None


def _moved(
    library_id: int,
    known: Mapping[str, Media],
    moves: Mapping[str, Media],
    files: Mapping[str, ReadFile],
    likenesses: Mapping[str, SamePicture],
) -> Iterator[Event]:
    """Each place is free when a file comes to it: whatever stands there moves first, or is displaced where it goes
    nowhere, or where it waits for a place in a circle."""
    place_of = {source.id: path for path, source in moves.items()}
    done: set[str] = set()
    for first in moves:
        waiting = [first]
        while waiting:
            path = waiting[-1]
            stands = known.get(path)
            onward = None if stands is None else place_of.get(stands.id)
            if onward is not None and onward not in done and onward not in waiting:
                waiting.append(onward)
                continue
            waiting.pop()
            if path in done:
                continue
            done.add(path)
            if stands is not None and (onward is None or onward not in done or onward in waiting):
                yield MediaDisplaced(stands.id, library_id, path)
            yield from _arrived(moves[path], library_id, files[path], likenesses.get(path))


def _arrived(source: Media, library_id: int, file: ReadFile, same: SamePicture | None) -> Iterator[Event]:
    yield MediaMoved(
        source.id, library_id, file.path, file.facts.mtime_ns, was_library_id=source.library_id, was_path=source.path
    )
    if source.content_hash != file.content_hash:
        why = SamePicture(BY_DATA) if same is None else same
        yield MediaChanged(source.id, file.content_hash, source.content_hash, file.facts, why)


def _seen_again(
    before: Media, file: ReadFile, stays: Mapping[bytes, Media], same: SamePicture | None
) -> Iterator[Event]:
    facts = file.facts
    is_same_content = file.content_hash == before.content_hash
    if _is_as_it_was(before, file) and facts.reading <= before.reading:
        return
    if is_same_content and facts.problem == before.problem and not before.present:
        yield MediaReturned(before.id, facts.mtime_ns)
        return
    if is_same_content or file.content_hash is None:
        yield MediaChanged(before.id, file.content_hash, before.content_hash, facts)
        return
    holder = stays.get(file.content_hash)
    if holder is not None:
        yield MediaChanged(before.id, file.content_hash, before.content_hash, facts, came_from=holder.path)
        return
    if same is None and file.has_picture_of(before):
        same = SamePicture(BY_DATA)
    yield MediaChanged(before.id, file.content_hash, before.content_hash, facts, same)


def _is_another_in_its_place(before: Media, file: ReadFile) -> bool:
    """Whether what came to the place of a missing file is another one."""
    if before.present or file.content_hash is None or before.content_hash is None:
        return False
    return not file.has_bytes_of(before) and not file.has_picture_of(before)


def _is_as_it_was(before: Media, file: ReadFile) -> bool:
    """Whether a file is, and is told of, as when it was read last."""
    facts = file.facts
    now = (file.content_hash, facts.problem, facts.size, facts.mtime_ns, facts.sidecar)
    was = (before.content_hash, before.problem, before.size, before.mtime_ns, before.sidecar)
    return before.present and now == was
