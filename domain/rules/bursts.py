"""Bursts: photos of one camera taken in quick succession, which are shown as one, the first or the chosen one.

Three things tell of a burst, in this order: what the camera wrote into its photos, how phones name them, and, with
care, their times. A burst never reaches beyond its folder. What was saved several times under one name is of no burst,
since somebody edited it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from domain.base.paths import folder_of, name_of
from domain.events.burst import BurstJoined, BurstLeft, Shot
from domain.events.event import Event
from domain.events.media import CAMERA_TIMES, RANKS, RAW
from domain.events.stack import StackJoined
from domain.rules.stacking import keys_of, stacks_in
from domain.rules.stacks import burst_of, stack_of

GAP_MICROS: Final = 1_000_000
"""The longest time between two photos of a burst that nothing but their times tells of."""
LONGEST_MICROS: Final = 30_000_000
"""A series of photos that is longer tells how something went, and each of them may be wanted."""
FEWEST: Final = 3
"""Two photos within a second may be two tries."""
_BY_TIME: Final = re.compile(r"burst(\d{14,20})(_cover)?", re.IGNORECASE)
"""`00001IMG_00001_BURST20180718160253123_COVER` (Google) and `DSC_0002_BURST20180718160253123` (Sony)."""
_BY_NUMBER: Final = re.compile(
    r"[._-](?:burst[_-]?\d{1,4}|raw-\d{2}(?=\.))([._-]cover)?(?:\.original)?$", re.IGNORECASE
)
"""`IMG_20160814_145910_BURST001_COVER` (Huawei), `PXL_20240131_235959123.BURST-01.COVER` (Google): behind the name of
the series, in which there is a date. Google names a photo and its RAW so, too: `.RAW-01.COVER`, `.RAW-02.ORIGINAL`."""
_DATE: Final = re.compile(r"\d{8}")


class _Photo(NamedTuple):
    """All files of one stack, and the one that stands for them."""

    lead: Shot
    files: Sequence[Shot]

    @property
    def is_cover(self) -> bool:
        named = _named(self.lead.path)
        return named is not None and named[1]


def bursts_of(shots: Iterable[Shot]) -> Mapping[int, tuple[str, int]]:
    """The burst and the order in it of each file of one folder that is of a burst, by its id."""
    named: dict[str, list[_Photo]] = {}
    rest: list[_Photo] = []
    for photo in _photos(shots):
        burst = _burst(photo)
        if burst is None:
            rest.append(photo)
        else:
            named.setdefault(burst, []).append(photo)
    found = {burst: photos for burst, photos in named.items() if len(photos) > 1}
    found.update(_by_time(rest))
    return {
        file.id: (burst, order)
        for burst, photos in found.items()
        for order, photo in enumerate(sorted(photos, key=_place))
        for file in photo.files
    }


def changes_of(shots: Sequence[Shot]) -> list[Event]:
    """What has to be said of the files of one folder so that they are of the bursts and stacks that they should be
    of."""
    wanted, keys = bursts_of(shots), keys_of(stacks_in(shots))
    changes: list[Event] = []
    for shot in shots:
        place, folder = (shot.id, shot.library_id), folder_of(shot.path)
        burst, key, now = wanted.get(shot.id), keys.get(shot.id), (shot.stack, shot.stack_rank)
        if burst is not None:
            if now != (burst_of(shot.library_id, folder, burst[0]), burst_rank(shot.rank, burst[1])):
                changes.append(BurstJoined(*place, folder, *burst))
        elif key is not None:
            if now != (burst_of(shot.library_id, folder, key), shot.rank):
                changes.append(StackJoined(*place, folder, key))
        elif shot.stack != stack_of(shot.library_id, shot.path):
            changes.append(BurstLeft(*place, shot.path))
    return changes


def burst_rank(rank: int, order: int) -> int:
    """The place of a file in its burst; `rank` is that among the files of its name."""
    return rank if rank < 0 else order * RANKS + rank


def _photos(shots: Iterable[Shot]) -> Iterator[_Photo]:
    for files in stacks_in(shots):
        files.sort(key=lambda shot: (shot.rank, shot.path))
        leads = [shot for shot in files if shot.rank == files[0].rank]
        if len(leads) == 1 and leads[0].rank <= RAW:
            yield _Photo(leads[0], files)


def _burst(photo: _Photo) -> str | None:
    """The burst that the camera names, or else the file's name."""
    written = next((shot.burst for shot in photo.files if shot.burst), None)
    named = _named(photo.lead.path)
    return f"id {written}" if written else (f"name {named[0]}" if named else None)


def _named(path: str) -> tuple[str, bool] | None:
    """The burst that a name tells of, and whether it says that this is the photo chosen."""
    stem = name_of(path).rpartition(".")[0]
    if (match := _BY_TIME.search(stem)) is not None:
        return match[1], match[2] is not None
    if (match := _BY_NUMBER.search(stem)) is not None and _DATE.search(stem, 0, match.start()):
        return stem[: match.start()].casefold(), match[1] is not None
    return None


def _by_time(photos: Iterable[_Photo]) -> Iterator[tuple[str, list[_Photo]]]:
    """The bursts that times alone tell of: cameras that write no fractions of seconds have none."""
    cameras: dict[tuple[str, str], list[_Photo]] = {}
    for photo in photos:
        lead = photo.lead
        if lead.taken_source in CAMERA_TIMES and (lead.make or lead.model):
            cameras.setdefault((lead.make or "", lead.model or ""), []).append(photo)
    for camera, taken in cameras.items():
        for run in _runs(taken):
            first, last = _time(run[0]), _time(run[-1])
            parts = sum(_time(photo) % 1_000_000 != 0 for photo in run)
            if len(run) >= FEWEST and last - first <= LONGEST_MICROS and 2 * parts > len(run):
                yield f"time {first} {' '.join(camera)}", run


def _runs(photos: Iterable[_Photo]) -> Iterator[list[_Photo]]:
    """Photos that follow each other closely; where several have one time they are copies, and none is taken."""
    by_time = itertools.groupby(sorted(photos, key=_place), key=_time)
    single = [same[0] for same in (list(group) for _, group in by_time) if len(same) == 1]
    run: list[_Photo] = []
    for photo in single:
        if run and _time(photo) - _time(run[-1]) > GAP_MICROS:
            yield run
            run = []
        run.append(photo)
    if run:
        yield run


def _time(photo: _Photo) -> int:
    return photo.lead.taken_at or 0


def _place(photo: _Photo) -> tuple[bool, int, list[str], str]:
    """The chosen one first, then as they were taken, then by the numbers in their names."""
    name = name_of(photo.lead.path)
    numbers = [part.zfill(12) if part.isdecimal() else part for part in re.split(r"(\d+)", name.casefold())]
    return not photo.is_cover, _time(photo), numbers, name
