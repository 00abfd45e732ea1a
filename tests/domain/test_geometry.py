"""Boxes: overlap is a measure, and nothing leaves the picture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.base.geometry import Box, clamped, intersection_over_union, padded

PART = st.floats(0, 1)
INSIDE = st.builds(
    lambda x, y, w, h: Box(x, y, w * (1 - x), h * (1 - y)), PART, PART, st.floats(0.01, 1), st.floats(0.01, 1)
)
ANYWHERE = st.builds(Box, *(st.floats(-3, 3),) * 2, *(st.floats(0, 3),) * 2)


@given(ANYWHERE, ANYWHERE)
def test_overlap_is_symmetric_and_between_none_and_all(one: Box, other: Box) -> None:
    overlap = intersection_over_union(one, other)
    assert overlap == pytest.approx(intersection_over_union(other, one))
    assert 0 <= overlap <= 1


@given(st.builds(Box, PART, PART, st.floats(0.001, 1), st.floats(0.001, 1)))
def test_a_box_overlaps_itself_wholly(box: Box) -> None:
    assert intersection_over_union(box, box) == pytest.approx(1)


def test_boxes_too_small_to_have_an_area_overlap_nothing() -> None:
    speck = Box(0, 0, 1e-200, 1e-200)
    assert intersection_over_union(speck, speck) == 0


def test_boxes_that_share_an_edge_are_apart() -> None:
    assert intersection_over_union(Box(0, 0, 0.5, 1), Box(0.5, 0, 0.5, 1)) == 0


def test_half_of_a_box_overlaps_it_by_half() -> None:
    assert intersection_over_union(Box(0, 0, 1, 1), Box(0, 0, 0.5, 1)) == pytest.approx(0.5)


@given(ANYWHERE)
def test_a_clamped_box_lies_on_the_picture(box: Box) -> None:
    part = clamped(box)
    assert 0 <= part.x <= part.x + part.w <= 1 + 1e-12
    assert 0 <= part.y <= part.y + part.h <= 1 + 1e-12


@given(INSIDE)
def test_a_box_on_the_picture_stays_as_it_is_when_clamped(box: Box) -> None:
    part = clamped(box)
    assert (part.x, part.y) == (box.x, box.y)
    assert [part.w, part.h] == pytest.approx([box.w, box.h])


def test_a_box_outside_of_the_picture_comes_back_empty() -> None:
    assert clamped(Box(1.5, 0.2, 0.3, 0.3)).w == 0


@given(INSIDE, st.floats(0, 2))
def test_a_padded_box_holds_the_box_and_stays_on_the_picture(box: Box, fraction: float) -> None:
    grown = padded(box, fraction)
    assert 0 <= grown.x <= box.x
    assert 0 <= grown.y <= box.y
    assert box.x + box.w - 1e-9 <= grown.x + grown.w <= 1 + 1e-9
    assert box.y + box.h - 1e-9 <= grown.y + grown.h <= 1 + 1e-9


def test_padding_grows_each_side_by_its_own_length() -> None:
    grown = padded(Box(0.4, 0.4, 0.2, 0.1), 0.5)
    assert [grown.x, grown.y, grown.w, grown.h] == pytest.approx([0.3, 0.35, 0.4, 0.2])
