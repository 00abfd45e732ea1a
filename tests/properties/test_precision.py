"""However much of a person is named, what is presumed to be theirs is right as often as before, or oftener.

On faces that are made, whose persons are known: see bench/recognition_made.py.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.face_engines.model_card import FACENET, SFACE, ModelCard
from bench import recognition_made as made
from domain.ports.face_engine import Thresholds
from domain.rules.recognition import similarity_to_person

TWO_STRANGERS = 0.003
"""Precision that two strangers among the thousand faces that are found here cost: what chance may make of a step."""
FEW = 0.03
"""The same where the thresholds are lowered, and a sibling brings strangers by the dozen."""
MODELS = [
    pytest.param(made.SFACE, SFACE, 0.05, id="SFace"),
    pytest.param(made.SFACE_HARD, SFACE, 0.02, id="SFace on yearbooks"),
    pytest.param(made.FACENET, FACENET, 0.14, id="FaceNet"),
]
"""How faces lie, the card of the model, and by how much its thresholds are lowered so that some strangers pass."""


def lowered(card: ModelCard, by: float) -> Thresholds:
    """The thresholds of a card, from which on so many strangers pass that one sees their number change."""
    own = card.thresholds.resolved()
    return Thresholds(own.autobind, own.offer, own.preselect - by, own.cluster)


@pytest.mark.parametrize(("spread", "card", "by"), MODELS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=3, deadline=None)
def test_the_more_faces_are_named_the_surer_is_what_is_ticked(
    seed: int, spread: made.Spread, card: ModelCard, by: float
) -> None:
    faces, whose = made.library(spread, 40, 25, seed)
    for lower, slack, least in ((0.0, TWO_STRANGERS, 0.995), (by, FEW, 0.96)):
        found = made.found_as_more_is_named(faces, whose, lowered(card, lower), 40, everybody=False)
        shares = [each.precision for each in found.values()]
        assert all(later >= earlier - slack for earlier, later in pairwise(shares)), shares
        assert shares[-1] >= least


def test_faces_that_others_are_liker_to_are_left_out() -> None:
    faces, whose = made.library(made.SFACE, 40, 30)
    low = lowered(SFACE, 0.2)
    alone, beside = (
        made.found_as_more_is_named(faces, whose, low, 40, everybody=everybody, steps=[1])[1]
        for everybody in (False, True)
    )
    assert alone.precision < 0.9
    assert beside.precision > 0.99


def test_the_bench_compares_by_the_rule_itself() -> None:
    faces, _ = made.library(made.SFACE, 5, 4)
    for exemplars in (1, 2, 3, 4):
        ours = made.similarities(faces, faces[:exemplars])
        rule = [similarity_to_person(cosines) for cosines in (faces @ faces[:exemplars].T).tolist()]
        assert ours.tolist() == pytest.approx(rule, abs=1e-6)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("everybody", [False, True])
@pytest.mark.parametrize(("spread", "card", "by"), MODELS)
def test_in_a_library_of_twenty_thousand_faces_precision_never_falls(
    spread: made.Spread, card: ModelCard, by: float, everybody: bool
) -> None:
    faces, whose = made.library(spread, 500, 40)
    found = made.found_as_more_is_named(faces, whose, lowered(card, 0.0), 60, everybody=everybody)
    shares = [each.precision for each in found.values()]
    assert all(later >= earlier - 0.001 for earlier, later in pairwise(shares)), shares
