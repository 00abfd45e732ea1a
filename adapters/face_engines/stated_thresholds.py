"""Thresholds as a model card or a face service states them, in the words of today or of before."""

from __future__ import annotations

import msgspec

from domain.ports.face_engine import Thresholds


class StatedThresholds(msgspec.Struct, frozen=True, omit_defaults=True):
    """`domain.ports.Thresholds` where it may say less: `suggest` is what `offer` was called, and where nobody says from
    where a face is presumed to be somebody's, from `autobind` on it is."""

    autobind: float
    cluster: float
    offer: float | None = None
    preselect: float | None = None
    suggest: float | None = None

    @classmethod
    def of(cls, thresholds: Thresholds) -> StatedThresholds:
        """Everything that a model's thresholds say, in the words of before too: so an older client understands it."""
        return cls(thresholds.autobind, thresholds.cluster, thresholds.offer, thresholds.preselect, thresholds.offer)

    def resolved(self) -> Thresholds:
        """All four; nothing is presumed that would not be asked."""
        offer = self.offer if self.offer is not None else self.suggest
        offer = self.autobind if offer is None else offer
        preselect = self.autobind if self.preselect is None else self.preselect
        return Thresholds(self.autobind, offer, max(offer, preselect), self.cluster)
