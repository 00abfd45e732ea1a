"""Which files of a folder one press of the shutter left: those of one name, as long as nothing that they state speaks
against it, and those whose names programs have made of one.

Times speak against it where both files state one and they are more than a minute apart, but for whole time zones, since
one may tell UTC and the other what the clock on the wall showed; cameras do where both are named and differ. A clip
belongs to one picture at most, and never to one of a format that no camera takes live photos in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from domain.base.paths import name_of
from domain.events.burst import Shot
from domain.events.media import CLIP, PICTURE, STATED_TIMES
from domain.rules.stacks import RAW_FORMATS, stack_key

APART_MICROS: Final = 60_000_000
"""How far apart two times of one press of the shutter may be: a clip begins before it and may be dated by its end."""
ZONES: Final = frozenset(
    [*(60 * hours for hours in range(15)), *(150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825)]
)
"""Minutes that clocks on walls are ahead of UTC, or behind it."""
LIVE_FORMATS: Final = {"heic": 0, "jpeg": 1, "avif": 2, **dict.fromkeys(sorted(RAW_FORMATS), 3)}
"""What cameras take live photos in; the clip of two pictures belongs to that of the least number."""
_APPLE_CLIP: Final = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})_3", re.IGNORECASE)
"""How Apple's library names the clip of the photo that is called by the rest."""
_MINUTE: Final = 60_000_000


def stacks_in(shots: Iterable[Shot]) -> list[list[Shot]]:
    """The files of one folder by the stacks that they are of, those that are of none left out; in each the one that
    stands for the others comes first."""
    names: dict[str, list[Shot]] = {}
    for shot in sorted(shots, key=lambda shot: (shot.rank, shot.path)):
        if shot.rank >= PICTURE:
            names.setdefault(stack_key(shot.path), []).append(shot)
    partners = _partners(names)
    behind: dict[int, list[Shot]] = {}
    for clip, photo in partners.values():
        behind.setdefault(photo.id, []).append(clip)
    return [stack for files in names.values() for stack in _parted(files, partners, behind)]


def keys_of(stacks: Iterable[Sequence[Shot]]) -> Mapping[int, str]:
    """What the stack of each file is called that is not with just those of its name, by its id."""
    listed = list(stacks)
    sizes: dict[str, int] = {}
    for stack in listed:
        for shot in stack:
            sizes[stack_key(shot.path)] = sizes.get(stack_key(shot.path), 0) + 1
    return {
        shot.id: f"file {name_of(stack[0].path)}"
        for stack in listed
        if len({stack_key(shot.path) for shot in stack}) > 1 or len(stack) < sizes[stack_key(stack[0].path)]
        for shot in stack
    }


def agree(one: Shot, other: Shot) -> bool:
    """Whether nothing that two files state speaks against their being of one press of the shutter."""
    return _times_agree(one, other) and _cameras_agree(one, other)


def _times_agree(one: Shot, other: Shot) -> bool:
    if not {one.taken_source, other.taken_source} <= STATED_TIMES or one.taken_at is None or other.taken_at is None:
        return True
    apart = one.taken_at - other.taken_at
    ahead = (one.taken_offset or 0) - (other.taken_offset or 0)
    is_known = one.taken_offset is not None and other.taken_offset is not None
    if is_known and abs(apart - ahead * _MINUTE) <= APART_MICROS:
        return True
    return any(abs(abs(apart) - zone * _MINUTE) <= APART_MICROS for zone in ZONES)


def _cameras_agree(one: Shot, other: Shot) -> bool:
    """Models are compared without their make, which some write before them, and makes by their first word."""
    makes = {_plain(make.split()[0]) for make in (one.make, other.make) if make and make.strip()}
    if one.model and other.model:
        mine, theirs = _plain(one.model), _plain(other.model)
        return any(mine.removeprefix(a) == theirs.removeprefix(b) for a in {"", *makes} for b in {"", *makes})
    return not (one.make and other.make) or len(makes) < 2


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _partners(names: Mapping[str, Sequence[Shot]]) -> dict[int, tuple[Shot, Shot]]:
    """The photo that each clip belongs to, by the id of the clip."""
    photos = {stem: [shot for shot in files if shot.rank != CLIP] for stem, files in names.items()}
    by_name = {f"{stem}.{_ending(shot)}": shot for stem, files in photos.items() for shot in files}
    found: dict[int, tuple[Shot, Shot]] = {}
    for stem, files in names.items():
        for clip in files:
            if clip.rank == CLIP:
                fitting = [
                    photo
                    for photo in _called_like(stem, clip, photos, by_name)
                    if _is_live(photo) and agree(photo, clip)
                ]
                if fitting:
                    found[clip.id] = clip, min(fitting, key=lambda photo: _before(photo, clip))
    return found


def _called_like(
    stem: str, clip: Shot, photos: Mapping[str, Sequence[Shot]], by_name: Mapping[str, Shot]
) -> Iterator[Shot]:
    """The photos whose names say that a clip is theirs: `X.HEIC` with `X.MOV` or `X.HEIC.MOV`, `X.MP.jpg` with `X.MP`
    (Google Takeout), a number of Apple's library with the same and `_3`."""
    yield from photos.get(stem, ())
    if stem in by_name:
        yield by_name[stem]
    yield from photos.get(f"{stem}.{_ending(clip)}", ())
    folder, slash, name = stem.rpartition("/")
    if (match := _APPLE_CLIP.fullmatch(name)) is not None:
        yield from photos.get(f"{folder}{slash}{match[1]}", ())


def _ending(shot: Shot) -> str:
    return name_of(shot.path).rpartition(".")[2].casefold()


def _is_live(photo: Shot) -> bool:
    return photo.format is None or photo.format in LIVE_FORMATS


def _before(photo: Shot, clip: Shot) -> tuple[int, int, int, str]:
    """The order in which photos are given a clip that fits several."""
    apart = abs((photo.taken_at or 0) - (clip.taken_at or 0))
    return photo.rank, LIVE_FORMATS.get(photo.format or "", 9), apart, photo.path


def _parted(
    files: Sequence[Shot], partners: Mapping[int, tuple[Shot, Shot]], behind: Mapping[int, Sequence[Shot]]
) -> Iterator[list[Shot]]:
    """The stacks of the files of one name: pictures that have no clip stand together, as none hides another, and a RAW
    with those that it agrees with."""
    pictures = [shot for shot in files if shot.rank == PICTURE]
    others = [shot for shot in pictures if shot.id not in behind]
    stacks = [[shot] for shot in pictures if shot.id in behind] + ([others] if others else [])
    for raw in (shot for shot in files if shot.rank not in (PICTURE, CLIP)):
        _put(raw, stacks)
    alone = [shot for shot in files if shot.rank == CLIP and shot.id not in partners]
    if stacks:
        stacks += [[clip] for clip in alone]
    elif alone:
        stacks.append(alone)
    for stack in stacks:
        yield stack + [clip for shot in stack for clip in behind.get(shot.id, ())]


def _put(raw: Shot, stacks: list[list[Shot]]) -> None:
    """Put a RAW into the stack all of which it agrees with, else with the part of one, else by itself."""
    for stack in stacks:
        if all(agree(raw, shot) for shot in stack):
            stack.append(raw)
            return
    for stack in stacks:
        fitting = [shot for shot in stack if agree(raw, shot)]
        if fitting:
            stack[:] = [shot for shot in stack if shot not in fitting]
            stacks.append([*fitting, raw])
            return
    stacks.append([raw])
