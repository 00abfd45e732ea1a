"""When a photo was taken, as its camera, its file's name or its file says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.media.dates import wall_clock_of_change, wall_clock_of_exif, wall_clock_of_name


def micros(*parts: int) -> int:
    """The microseconds since 1970 of a time on a clock that shows UTC."""
    return round(datetime(*parts, tzinfo=UTC).timestamp() * 1_000_000)  # type: ignore[misc,arg-type]  # the zone comes last


@pytest.mark.parametrize(
    ("text", "fraction", "offset", "expected"),
    [
        ("2024:05:01 12:30:45", "", "", (micros(2024, 5, 1, 12, 30, 45), None)),
        ("2024:05:01 12:30:45", "123", "+02:00", (micros(2024, 5, 1, 12, 30, 45, 123000), 120)),
        ("2024:05:01 12:30:45", "123456789", "-0330", (micros(2024, 5, 1, 12, 30, 45, 123456), -210)),
        ("2024:05:01 12:30:45", " 5 ", "Z", (micros(2024, 5, 1, 12, 30, 45, 500000), 0)),
        ("2024-05-01T12:30:45.25", "", "+14:00", (micros(2024, 5, 1, 12, 30, 45, 250000), 840)),
        ("2024:05:01 12:30", "x", "+15:00", (micros(2024, 5, 1, 12, 30), None)),
        ("2016:12:31 23:59:60", "", "+00:75", (micros(2016, 12, 31, 23, 59, 59), None)),
        ("2024:05:01 24:00:00", "", "", (micros(2024, 5, 2), None)),
        ("2024:05:01 24:07:00", "", "", (micros(2024, 5, 1, 0, 7), None)),
        ("2024:12:31 24:00:00", "5", "", (micros(2025, 1, 1, 0, 0, 0, 500000), None)),
        ("1912:04:14 23:40:00", "", "", (micros(1912, 4, 14, 23, 40), None)),
    ],
)
def test_a_date_of_exif_is_read_with_its_fraction_and_offset(
    text: str, fraction: str, offset: str, expected: tuple[int, int | None]
) -> None:
    assert wall_clock_of_exif(text, fraction, offset) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2024:13:01 00:00:00",
        "2023:02:29 00:00:00",
        "2024:05:01 25:00:00",
        "0024:05:01 12:00:00",
        "9999:12:31 23:59:59",
        "yesterday",
        "٢٠٢٤:05:01 12:00:00",
    ],
)
def test_a_date_that_no_clock_showed_is_none(text: str) -> None:
    assert wall_clock_of_exif(text) is None


@pytest.mark.parametrize(
    ("name", "moment", "offset"),
    [
        ("IMG_20240501_120000.jpg", (2024, 5, 1, 12), None),
        ("VID_20240501_120000.mp4", (2024, 5, 1, 12), None),
        ("20240501_120000_HDR.jpg", (2024, 5, 1, 12), None),
        ("20240501120000.jpg", (2024, 5, 1, 12), None),
        ("PXL_20240501_120000123.jpg", (2024, 5, 1, 12, 0, 0, 123000), 0),
        ("2024-05-01 12.00.00.jpg", (2024, 5, 1, 12), None),
        ("photo_2024-05-01_12-00-00.jpg", (2024, 5, 1, 12), None),
        ("signal-2024-05-01-120000.jpg", (2024, 5, 1, 12), None),
        ("Screenshot_20240501-120000_Chrome.jpg", (2024, 5, 1, 12), None),
        ("Screenshot 2024-05-01 at 1.02.03\u202fPM.png", (2024, 5, 1, 13, 2, 3), None),
        ("WhatsApp Image 2024-05-01 at 12.00.00 AM.jpeg", (2024, 5, 1), None),
        ("IMG-20240501-WA0001.jpg", (2024, 5, 1), None),
        ("1955-07-01 grandmother.jpg", (1955, 7, 1), None),
        ("IMG_20240501_990000.jpg", (2024, 5, 1), None),
        ("FB_IMG_1714564800000.jpg", (2024, 5, 1, 12), 0),
        ("mmexport1714564800000.jpg", (2024, 5, 1, 12), 0),
        ("1714564800000.jpg", (2024, 5, 1, 12), 0),
        ("IMG_20240131_235959.jpg", (2024, 1, 31, 23, 59, 59), None),
        ("IMG20240131235959.jpg", (2024, 1, 31, 23, 59, 59), None),
        ("MVIMG_20240131_235959.jpg", (2024, 1, 31, 23, 59, 59), None),
        ("PXL_20240131_235959123.MP.jpg", (2024, 1, 31, 23, 59, 59, 123000), 0),
        ("PXL_20240131_235959123~2.jpg", (2024, 1, 31, 23, 59, 59, 123000), 0),
        ("00100lPORTRAIT_00100_BURST20240131235959123_COVER.jpg", (2024, 1, 31, 23, 59, 59, 123000), None),
        ("IMG_20240131_235959_HDR.jpg", (2024, 1, 31, 23, 59, 59), None),
        ("20240131_235959(0).jpg", (2024, 1, 31, 23, 59, 59), None),
        ("VID-20240131-WA0007.mp4", (2024, 1, 31), None),
        ("WhatsApp Image 2024-01-31 at 23.59.59 (1).jpeg", (2024, 1, 31, 23, 59, 59), None),
        ("signal-2024-01-31-23-59-59-123.jpg", (2024, 1, 31, 23, 59, 59), None),
        ("signal-2024-01-31-235959_002.jpeg", (2024, 1, 31, 23, 59, 59), None),
        ("photo_2024-01-31_23-59-59 (2).jpg", (2024, 1, 31, 23, 59, 59), None),
        ("photo_17@31-01-2024_23-59-59.jpg", (2024, 1, 31, 23, 59, 59), None),
        ("viber_image_2024-01-31_23-59-59-123.jpg", (2024, 1, 31, 23, 59, 59), None),
        ("Photo 2024-01-31 23 59 59.jpg", (2024, 1, 31, 23, 59, 59), None),
        ("Photo 31-01-2024, 23 59 59.jpg", (2024, 1, 31, 23, 59, 59), None),
        ("Screenshot_2024-01-31-23-59-59-123_com.android.chrome.jpg", (2024, 1, 31, 23, 59, 59), None),
        ("Screenshot 2024-01-31 235959.png", (2024, 1, 31, 23, 59, 59), None),
        ("Bildschirmfoto 2024-01-31 um 23.59.59.png", (2024, 1, 31, 23, 59, 59), None),
        ("Capture d\u2019écran 2024-01-31 à 23.59.59.png", (2024, 1, 31, 23, 59, 59), None),
        ("Captura de pantalla 2024-01-31 a las 1.02.03.png", (2024, 1, 31, 1, 2, 3), None),
        ("WIN_20240131_23_59_59_Pro.jpg", (2024, 1, 31, 23, 59, 59), None),
        ("WP_20240131_001.jpg", (2024, 1, 31), None),
        ("DJI_20240131235959_0001_D.JPG", (2024, 1, 31, 23, 59, 59), None),
        ("C360_2024-01-31-23-59-59-123.jpg", (2024, 1, 31, 23, 59, 59), None),
        ("P_20240131_235959_vHDR_Auto.jpg", (2024, 1, 31, 23, 59, 59), None),
        ("31-01-2024.jpg", (2024, 1, 31), None),
        ("03.04.2024.jpg", (2024, 4, 3), None),
        ("Foto 31.12.2023 18.30.05.jpg", (2023, 12, 31, 18, 30, 5), None),
        ("31_12_1999 (2).jpg", (1999, 12, 31), None),
        ("IMG-13-02-2024_101112.jpg", (2024, 2, 13, 10, 11, 12), None),
        ("PANO_20240131_235959.vr.jpg", (2024, 1, 31, 23, 59, 59), None),
    ],
)
def test_a_name_tells_the_time_as_phones_and_messengers_write_it(
    name: str, moment: tuple[int, ...], offset: int | None
) -> None:
    assert wall_clock_of_name(name) == (micros(*moment), offset)


@pytest.mark.parametrize(
    "name",
    [
        *("DSC_1234.jpg", "1920x1080.jpg", "20241301.jpg", "20240230_1.jpg", "120240501.jpg", "18991231.jpg"),
        *("received_1714564800000123.jpg", "12345678901234.jpg", "5@31-13-2024_12-00-00.jpg", "03-04-2024.jpg"),
        *("2024.jpg", "12_11_2024 10.00.00.jpg", "v1.02.03.2024.jpg", "31.02.2024.jpg", "131.12.2024.jpg"),
    ],
)
def test_other_digits_in_a_name_are_no_date(name: str) -> None:
    assert wall_clock_of_name(name) is None


@given(st.text(max_size=40), st.text(max_size=5), st.text(max_size=8))
def test_no_text_whatever_breaks_the_reading_of_dates(text: str, fraction: str, offset: str) -> None:
    wall_clock_of_name(text)
    wall_clock_of_exif(text, fraction, offset)
    wall_clock_of_exif("2024:05:01 12:30:45" + text, fraction, offset)


@pytest.fixture
def in_kathmandu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine's clock set to a zone 5 hours and 45 minutes ahead."""
    monkeypatch.setenv("TZ", "NPT-5:45")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_kathmandu")
def test_the_last_change_is_told_as_the_clock_on_this_machines_wall_showed_it() -> None:
    changed = wall_clock_of_change(1_700_000_000_123_456_789)
    assert changed == (1_700_000_000_123_456 + 345 * 60 * 1_000_000, 345)


@pytest.mark.parametrize("mtime_ns", [0, -1, 2**62, -(2**62)])
def test_no_time_that_a_file_system_holds_is_too_odd(mtime_ns: int) -> None:
    assert isinstance(wall_clock_of_change(mtime_ns).micros, int)
