"""What the routes that watch over the server reach: its jobs, its figures, its read tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

GenerationStateName = Literal["live", "building", "other", "old", "scratch"]


class Job(Protocol):
    """One piece of long work: times in microseconds since 1970 UTC, `rate` items a second."""

    @property
    def id(self) -> int:
        """Its number in this process."""

    @property
    def kind(self) -> str:
        """`scan`, `detect`, `thumbnails` or `rebuild`."""

    @property
    def title(self) -> str:
        """What is done, in words; may name a library."""

    @property
    def state(self) -> str:
        """`running`, `waiting` or `done`."""

    @property
    def done(self) -> int:
        """Items done."""

    @property
    def total(self) -> int | None:
        """Items in all, where that is known."""

    @property
    def rate(self) -> float | None:
        """Items a second lately."""

    @property
    def seconds_left(self) -> float | None:
        """An estimate."""

    @property
    def note(self) -> str | None:
        """Why it waits, or what came of it."""

    @property
    def began_at(self) -> int:
        """When it began."""

    @property
    def ended_at(self) -> int | None:
        """When it ended."""


class Figure(Protocol):
    """One figure for whoever watches the server; `samples` are values, each under labels of the same names."""

    @property
    def name(self) -> str:
        """As Prometheus names figures, without the ending that says that it is a counter."""

    @property
    def meaning(self) -> str:
        """What it counts or measures."""

    @property
    def kind(self) -> Literal["gauge", "counter"]:
        """A counter only rises."""

    @property
    def samples(self) -> Sequence[tuple[Mapping[str, str], float]]:
        """Labels and value of each."""


class GenerationState(Protocol):
    """How one generation of read tables stands."""

    @property
    def number(self) -> int:
        """Which."""

    @property
    def state(self) -> GenerationStateName:
        """`live`, `building`, `other` (live for another version), `old` (swapped out), `scratch` (of a comparison)."""

    @property
    def fingerprint(self) -> str:
        """Names the shape of its tables."""

    @property
    def position(self) -> int:
        """The last event that it holds."""

    @property
    def head(self) -> int:
        """The last event of the log then."""

    @property
    def rows(self) -> Mapping[str, int]:
        """How many each table has."""


class Meters(Protocol):
    """Counts and times the requests."""

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""

    def told(self, figures: Iterable[Figure]) -> bytes:
        """The requests and these figures in Prometheus' text format."""


@dataclass(frozen=True)
class Upkeep:
    """What keeps the server in order. `policies` says how far each has come; `rebuild` begins one, which raises
    `Conflict` where something is at it, and takes whether to drop the tables of other versions."""

    figures: Callable[[], Sequence[Figure]]
    generations: Callable[[], Sequence[GenerationState]]
    policies: Callable[[], Mapping[str, int]]
    rebuild: Callable[[bool], Job]
    meters: Meters
