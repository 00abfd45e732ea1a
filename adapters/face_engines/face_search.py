"""All faces on a picture: small ones and those that are turned too. Runs in worker processes only.

CenterFace looks at the whole picture at 576 pixels, which finds the faces of about 35 pixels of a preview of 1440 and
more that are upright or nearly so. What it is unsure of, what YuNet proposes and what lies on its side is looked at
once more (`closer_look`), so that every box, confidence and landmark is CenterFace's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import cv2
import numpy as np

from adapters.face_engines.centerface import MAX_SIDE, SURE, CenterFace, FoundFace, Points
from adapters.face_engines.closer_look import CloserLook, LookedAt
from adapters.face_engines.decoding import Pixels
from adapters.face_engines.yunet import YuNet

_DOUBTFUL: Final = 0.12
"""Confidence from which the first look's doubts are worth another: at 0.1 three things a picture, at 0.05 ten."""
_TURNED_DOUBT: Final = 0.3
_CLEAR: Final = 0.7
_SUSPECT: Final = 0.25
_UPRIGHT: Final = 45.0
"""Degrees of turn up to which a face is seen as upright ones are: beyond, its landmarks are out by a tenth of its width
and a vector by them is another's."""
_SMALL_SIDE: Final = 1024
_TURNED_SIDE: Final = 256
_LARGEST_FACE: Final = 1 / 6
"""Of the picture's long side: where a face is larger this is a portrait, and nobody is looked for far behind."""
_MOST: Final = 9.0
_MOST_TURNED: Final = 24.0
"""Tiles of the small size that one closer look takes for what is doubtful, a large one counting as three."""
_LIKELY: Final = 0.5
"""From this score on a place is looked at however many others there are, as on a group of sixty: 53 of 60 faces that
are 24 pixels wide have it, and what is none seldom has."""
_CROWD: Final = 240
"""And so many places at most, which bounds what one picture costs."""
_SMALL_TILE: Final = 96
_LARGE_TILE: Final = 160
_LARGE_FACE: Final = 56.0
# A drawn face is looked for in its box grown by a whole box on each side and scaled to 320 pixels: against the vectors
# of automatic detection that gave cosines of 0.97 (0.93 at worst) where people draw 12 % beside the mark; the drawn box
# itself gave 0.94 (0.85), and a crop of the box alone 0.96 (0.86).
_SURROUNDINGS: Final = 1.0
_LOOK_SIDE: Final = 320
_MIN_OVERLAP: Final = 0.3
_TURNS: Final = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, -90: cv2.ROTATE_90_CLOCKWISE}
"""How a picture is turned so that a face that is turned clockwise by so many degrees stands upright."""


class FaceSearch:
    """The detectors and how they work together, loaded once."""

    def __init__(self, centerface: str, yunet: str) -> None:
        """Load both nets from these files and run each once.

        Raises:
            cv2.error: they cannot be loaded or run.
        """
        self.detector = CenterFace(centerface)
        self.yunet = YuNet(yunet)
        self._small, self._large = (CloserLook(self.detector, tile) for tile in (_SMALL_TILE, _LARGE_TILE))
        self.faces(np.zeros((MAX_SIDE, MAX_SIDE, 3), np.uint8))

    def faces(self, pixels: Pixels) -> list[FoundFace]:
        """The faces on a BGR picture, the surest first."""
        seen = self.detector.faces(pixels, _DOUBTFUL)
        sure = [face for face in seen if face.confidence >= SURE]
        settled = [face for face in sure if abs(face.turn) <= _UPRIGHT]
        places = [LookedAt.of(face, _rounded(face.turn)) for face in seen]
        # CenterFace tells how a face is turned; YuNet takes most for upright.
        places = [place._replace(score=1 + place.score) if place.score >= SURE else place for place in places]
        if may_hold_small_faces(pixels, sure):
            places += [LookedAt.of(face, _rounded(face.turn)) for face in self.yunet.proposals(pixels, _SMALL_SIDE)]
        found = merged(sure, self._closer(pixels, chosen(places, settled, _MOST)), _TURNED_DOUBT)
        if any(place.score >= _SUSPECT for place in places) and not any(is_clear(face) for face in found):
            found = merged(found, self._closer(pixels, chosen(self._turned(pixels), [], _MOST_TURNED)))
        return found

    def face_in(self, pixels: Pixels, drawn: Points) -> FoundFace | None:
        """The face that a person drew a box around (left, top, width, height in pixels); None where none is seen."""
        part, origin, back = _surroundings(pixels, drawn)
        seen = [
            FoundFace(
                np.concatenate([face.box[:2] * back + origin, face.box[2:] * back]),
                face.landmarks * back + origin,
                face.confidence,
            )
            for face in self.detector.faces(part)
        ]
        best = max(seen, key=lambda face: overlap(face.box, drawn), default=None)
        if best is not None and abs(best.turn) <= _UPRIGHT and overlap(best.box, drawn) >= _MIN_OVERLAP:
            return best
        centre, size = drawn[:2] + drawn[2:] / 2, float(np.sqrt(drawn[2] * drawn[3]))
        turned = self._large.faces(pixels, [LookedAt(centre, size, turn, 1.0) for turn in _TURNS])
        surest = max(turned, key=lambda face: face.confidence, default=best)
        return surest if surest is not None and overlap(surest.box, drawn) >= _MIN_OVERLAP else None

    def _closer(self, pixels: Pixels, places: Sequence[LookedAt]) -> list[FoundFace]:
        large = [place for place in places if place.size >= _LARGE_FACE]
        small = [place for place in places if place.size < _LARGE_FACE]
        return [*self._large.faces(pixels, large), *self._small.faces(pixels, small)]

    def _turned(self, pixels: Pixels) -> list[LookedAt]:
        """Where faces may be that lie on a side or stand on their heads."""
        ratio = min(1.0, _TURNED_SIDE / max(pixels.shape[:2]))
        size = (max(1, round(pixels.shape[1] * ratio)), max(1, round(pixels.shape[0] * ratio)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        places = []
        for turn, rotation in _TURNS.items():
            for face in self.yunet.proposals(np.asarray(cv2.rotate(small, rotation), np.uint8), _TURNED_SIDE):
                place = LookedAt.of(face, turn + _rounded(face.turn))
                centre = _turned_back(place.centre, turn, size) / ratio
                places.append(place._replace(centre=centre, size=place.size / ratio))
        return places


def _surroundings(pixels: Pixels, drawn: Points) -> tuple[Pixels, Points, Points]:
    """The picture around a drawn box at `_LOOK_SIDE` pixels, where it begins, and its scale back on each axis."""
    height, width = pixels.shape[:2]
    first = np.maximum(drawn[:2] - _SURROUNDINGS * drawn[2:], 0).astype(int)
    last = np.minimum(np.ceil(drawn[:2] + (1 + _SURROUNDINGS) * drawn[2:]), (width, height)).astype(int)
    part = pixels[first[1] : last[1], first[0] : last[0]]
    ratio = _LOOK_SIDE / max(part.shape[:2])
    size = (max(1, round(part.shape[1] * ratio)), max(1, round(part.shape[0] * ratio)))
    look = cv2.resize(part, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR)
    return np.asarray(look, np.uint8), first.astype(float), np.array(part.shape[1::-1]) / np.array(size)


def overlap(one: Points, other: Points) -> float:
    """How much two boxes share (left, top, width, height): the intersection over the union."""
    first, last = np.maximum(one[:2], other[:2]), np.minimum(one[:2] + one[2:], other[:2] + other[2:])
    shared = float(np.prod(np.maximum(last - first, 0)))
    return shared / max(float(np.prod(one[2:]) + np.prod(other[2:])) - shared, 1e-9)


def may_hold_small_faces(pixels: Pixels, sure: Sequence[FoundFace]) -> bool:
    """Whether faces may be there that the first look is too coarse for: the picture is larger than it looked at, and no
    face fills it."""
    side = max(pixels.shape[:2])
    return side > 720 and all(face.box[2:].max() < _LARGEST_FACE * side for face in sure)


def is_clear(face: FoundFace) -> bool:
    """Whether a face is seen so well, and so upright, that the picture is not turned."""
    return face.confidence >= _CLEAR and abs(face.turn) <= _UPRIGHT


def chosen(places: Iterable[LookedAt], settled: Sequence[FoundFace], most: float) -> list[LookedAt]:
    """The likeliest places, one of those that lie upon each other, without those where a face is known: as many as
    `most` small tiles hold, and beyond that those that hardly are anything but faces."""
    known = [LookedAt.of(face, 0.0) for face in settled]
    taken: list[LookedAt] = []
    room = most
    for place in sorted(places, key=lambda place: -place.score):
        takes = 3.0 if place.size >= _LARGE_FACE else 1.0
        is_wanted = takes <= room or (place.score >= _LIKELY and len(taken) < _CROWD)
        if is_wanted and not any(_is_same(place, other) for other in (*known, *taken)):
            taken.append(place)
            room -= takes
    return taken


def merged(sure: Sequence[FoundFace], closer: Sequence[FoundFace], doubt: float = 0.0) -> list[FoundFace]:
    """What both looks found. A face of the first stays where it was found; where the closer look was surer, its
    landmarks count. Of a face that is turned the first is believed by `doubt` less."""
    faces = list(sure)
    open_to_better = set(range(len(sure)))
    for face in sorted(closer, key=lambda face: -face.confidence):
        place = LookedAt.of(face, 0.0)
        same = next((index for index, other in enumerate(faces) if _is_same(place, LookedAt.of(other, 0.0))), None)
        if same is None:
            faces.append(face)
        elif same in open_to_better:
            open_to_better.remove(same)
            first = faces[same]
            if face.confidence > first.confidence - (0.0 if abs(first.turn) <= _UPRIGHT else doubt):
                surest = max(face.confidence, first.confidence)
                faces[same] = first._replace(landmarks=face.landmarks, confidence=surest)
    return sorted(faces, key=lambda face: -face.confidence)


def _rounded(turn: float) -> float:
    """A turn that is worth correcting; nets see faces that are inclined."""
    return 0.0 if abs(turn) <= _UPRIGHT else turn


def _is_same(one: LookedAt, other: LookedAt) -> bool:
    return bool(np.abs(one.centre - other.centre).max() < 0.5 * max(one.size, other.size))


def _turned_back(point: Points, turn: int, size: tuple[int, int]) -> Points:
    """A point of a picture that was turned upright from `turn`, on the picture of `size` before."""
    across, down = point
    width, height = size
    if turn == 180:
        return np.array([width - across, height - down])
    return np.array([width - down, across]) if turn == 90 else np.array([down, height - across])
