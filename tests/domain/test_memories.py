"""Which days of earlier years are remembered, and which folders are not."""

from __future__ import annotations

from datetime import date

import pytest

from domain.rules.memories import Span, days_in, is_left_out, spread


@pytest.mark.parametrize(
    ("year", "today", "span", "first", "last"),
    [
        (2019, "2026-11-24", "day", "2019-11-24", "2019-11-24"),
        (2019, "2026-11-24", "week", "2019-11-21", "2019-11-27"),
        (2019, "2026-01-02", "week", "2018-12-30", "2019-01-05"),
        (2019, "2026-12-30", "week", "2019-12-27", "2020-01-02"),
        (2019, "2026-11-24", "month", "2019-11-01", "2019-11-30"),
        (2024, "2026-02-10", "month", "2024-02-01", "2024-02-29"),
        (2024, "2026-02-28", "day", "2024-02-28", "2024-02-29"),
        (2023, "2026-02-28", "day", "2023-02-28", "2023-02-28"),
        (2024, "2028-02-28", "day", "2024-02-28", "2024-02-28"),
        (2024, "2028-02-29", "day", "2024-02-29", "2024-02-29"),
        (2023, "2028-02-29", "day", "2023-02-28", "2023-02-28"),
        (2023, "2028-02-29", "week", "2023-02-25", "2023-03-03"),
    ],
)
def test_a_day_is_remembered_on_its_like_in_another_year(
    year: int, today: str, span: Span, first: str, last: str
) -> None:
    days = days_in(year, date.fromisoformat(today), span)
    assert [day.isoformat() for day in days] == [first, last]


@pytest.mark.parametrize(
    ("folder", "is_out"),
    [
        ("Screenshots", True),
        ("phone/screenshots/2020", True),
        ("Screenshots 2020", False),
        ("My Screenshots", False),
        ("phone/WhatsApp/Sent", True),
        ("phone/WhatsApp", False),
        ("", False),
    ],
)
def test_a_folder_is_left_out_by_its_whole_name_wherever_it_lies(folder: str, is_out: bool) -> None:
    assert is_left_out(folder, ("Screenshots", "/WhatsApp/Sent/", "/")) is is_out


def test_of_many_some_are_taken_from_first_to_last() -> None:
    assert spread(range(10), 4) == [0, 2, 5, 7]
    assert spread(range(3), 4) == [0, 1, 2]
