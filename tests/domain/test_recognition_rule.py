"""Whether a face is somebody's: what is offered and what is presumed."""

from __future__ import annotations

from math import inf

import pytest

from domain.ports.face_engine import Thresholds
from domain.rules.recognition import (
    EXEMPLARS,
    NEAREST,
    OFFER_RISE,
    PRESELECT_RISE,
    Candidate,
    Likely,
    chosen,
    judged,
    likest,
    of_several,
    ranked,
    rise,
    similarity_to_person,
)

THRESHOLDS = Thresholds(autobind=0.45, offer=0.4, preselect=0.5, cluster=0.45)
ANN, BOB, EVE = 1, 2, 3


@pytest.mark.parametrize(
    ("cosines", "similarity"),
    [([0.6], 0.6), ([0.6, 0.4], 0.5), ([0.1, 0.6, 0.5, 0.4, 0.2], 0.5)],
    ids=["one face", "two faces", "the nearest three of five"],
)
def test_a_face_is_as_like_a_person_as_the_mean_to_the_nearest_three_faces(
    cosines: list[float], similarity: float
) -> None:
    assert similarity_to_person(cosines) == pytest.approx(similarity)


def test_nobody_is_like_a_person_without_a_face() -> None:
    with pytest.raises(ValueError, match="no face"):
        similarity_to_person([])


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [(0.3999, None), (0.4, Likely(0.4, False)), (0.4999, Likely(0.4999, False)), (0.5, Likely(0.5, True))],
)
def test_a_face_is_offered_from_one_threshold_on_and_presumed_from_the_other(
    similarity: float, expected: Likely | None
) -> None:
    assert judged(similarity, 1, -inf, THRESHOLDS) == expected


def test_a_face_that_is_liker_to_another_person_is_not_offered() -> None:
    assert judged(0.6, 1, 0.61, THRESHOLDS) is None
    assert judged(0.6, 1, 0.6, THRESHOLDS) == Likely(0.6, True)


def test_the_thresholds_rise_with_each_doubling_of_the_exemplars_up_to_a_number_what_is_presumed_by_more() -> None:
    assert [rise(count) for count in (1, 2, NEAREST)] == [0, 0, 0]
    assert rise(2 * NEAREST) == pytest.approx(OFFER_RISE)
    assert rise(10 * EXEMPLARS) == rise(EXEMPLARS) == pytest.approx(3 * OFFER_RISE)
    six = 2 * NEAREST
    assert judged(0.4 + OFFER_RISE - 0.001, six, -inf, THRESHOLDS) is None
    assert judged(0.4 + OFFER_RISE, six, -inf, THRESHOLDS) == Likely(0.42, False)
    assert judged(0.5 + PRESELECT_RISE - 0.001, six, -inf, THRESHOLDS) == Likely(0.539, False)
    assert judged(0.5 + PRESELECT_RISE, six, -inf, THRESHOLDS) == Likely(0.54, True)


def test_of_the_persons_that_a_face_may_be_only_the_likest_is_presumed() -> None:
    found = ranked({ANN: 0.55, BOB: 0.6, EVE: 0.3}, {ANN: 1, BOB: 1, EVE: 1}, THRESHOLDS)
    assert found == {BOB: Likely(0.6, True), ANN: Likely(0.55, False)}
    assert list(found) == [BOB, ANN]


def test_a_person_of_few_faces_is_presumed_before_one_whom_only_the_number_of_faces_makes_liker() -> None:
    found = ranked({ANN: 0.58, BOB: 0.6}, {ANN: 1, BOB: 24}, THRESHOLDS)
    assert found == {BOB: Likely(0.6, False), ANN: Likely(0.58, True)}
    assert likest(found) == ANN
    assert likest(ranked({ANN: 0.45, BOB: 0.47}, {ANN: 1, BOB: 1}, THRESHOLDS)) == BOB
    assert likest({}) is None


def test_several_faces_of_one_person_are_as_like_others_as_the_middle_one() -> None:
    scored = [{ANN: 0.7, BOB: 0.5}, {ANN: 0.5}, {ANN: 0.6, EVE: 0.9}]
    assert of_several(scored) == {ANN: 0.6}


def test_the_faces_that_stand_for_a_person_come_from_each_year_in_turn_the_clearest_first() -> None:
    old = [Candidate(face_id, decided=False, year=2001) for face_id in range(100, 103)]
    new = [Candidate(face_id, decided=False, year=2020) for face_id in range(200, 260)]
    undated = [Candidate(300, decided=False, year=None)]
    ids = [each.face_id for each in chosen([*new, *old, *undated])]
    assert len(ids) == EXEMPLARS
    assert ids[:7] == [200, 100, 300, 201, 101, 202, 102]
    assert ids[7:] == list(range(203, 203 + EXEMPLARS - 7))


def test_of_a_year_the_faces_that_somebody_decided_about_stand_first() -> None:
    candidates = [Candidate(face_id, decided=face_id >= 90, year=2020) for face_id in range(100)]
    assert [each.face_id for each in chosen(candidates)][:11] == [*range(90, 100), 0]
