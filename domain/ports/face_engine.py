"""The port to face engines: what they find, their vectors and thresholds, and how two faces are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from domain.base.face_quality import FaceQuality
from domain.base.geometry import Box

MOST_DIMENSIONS = 512
"""Numbers of a face's vector at most: what clients and face services are answered is padded to so many."""


class Embedding(msgspec.Struct, frozen=True):
    """A face or a text as a point of one model's space: `vector` is little-endian float32 of L2 norm 1, as many as the
    model gives; of a face at most `MOST_DIMENSIONS`, with its `quality` where the engine measures it."""

    model_version: str
    vector: bytes
    quality: FaceQuality | None = None


def padded_vector(vector: bytes) -> bytes:
    """A face's vector at `MOST_DIMENSIONS`: zeros behind its own numbers, which keeps every cosine."""
    return vector.ljust(4 * MOST_DIMENSIONS, b"\0")


def dimensions_of(vector: bytes) -> int:
    """How many numbers a vector has."""
    return len(vector) // 4


class DetectedFace(msgspec.Struct, frozen=True):
    """One face that an engine found: `box` normalised to 0..1 of the upright picture, `confidence` 0..1,
    `vector` and `quality` as in `Embedding`."""

    box: Box
    confidence: float
    vector: bytes
    quality: FaceQuality | None = None


class Detection(msgspec.Struct, frozen=True):
    """All that one engine found on one picture; no faces is an answer, not a failure."""

    model_version: str
    faces: tuple[DetectedFace, ...]


class Thresholds(msgspec.Struct, frozen=True):
    """Cosine similarities that belong to one model: bind by the tag rule from `autobind`, ask whether a face is
    somebody's from `offer`, presume so from `preselect`, group unassigned faces from `cluster`."""

    autobind: float
    offer: float
    preselect: float
    cluster: float


class FaceEngine(Protocol):
    """Finds and embeds faces. Calls block: they are made from threads, never from the event loop.

    Every method raises `Unreadable` where this picture can never be used (the caller marks it `failed`), and
    `Unavailable` where the engine cannot answer now (the caller defers and marks nothing).
    """

    @property
    def model_version(self) -> str:
        """Names detector and embedder together; vectors of two versions are never compared.

        Raises:
            Unavailable: a remote engine has not been reached yet.
        """

    @property
    def thresholds(self) -> Thresholds:
        """The model's own thresholds, before the environment overrides them."""

    def detect(self, picture: bytes) -> Detection:
        """Find and embed the faces on an encoded upright picture (JPEG, PNG or WebP bytes)."""

    def embed(self, picture: bytes, box: Box) -> Embedding:
        """Embed one face that a person drew: `picture` is the whole upright picture, `box` the drawn box."""

    def close(self) -> None:
        """Give back worker processes and connections; the engine cannot be used afterwards."""


class Likeness(Protocol):
    """Compares faces of one model; the arithmetic lives outside the domain."""

    def __call__(self, vector: bytes, exemplars: Sequence[bytes]) -> float:
        """Cosine of a face to a person known by `exemplars` (vectors as in `Embedding`), -1 to 1."""


class Resemblance(msgspec.Struct, frozen=True):
    """Whether two faces of one model may be one person's: from a `likeness` of `least` on, a cosine from -1 to 1; and
    from `sure` on, far above where faces are bound, they are one face on two versions of a photo."""

    likeness: Likeness
    least: float
    sure: float = 0.75

    @classmethod
    def of(cls, likeness: Likeness, thresholds: Thresholds) -> Resemblance:
        """As a model's thresholds have it: `sure` lies halfway from binding to being equal."""
        return cls(likeness, thresholds.offer, (1 + thresholds.autobind) / 2)

    def is_possible(self, one: bytes, other: bytes) -> bool:
        """Whether these two may be (vectors as in `Embedding`)."""
        return self.likeness(one, [other]) >= self.least
