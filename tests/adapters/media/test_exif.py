"""What a camera wrote is believed only where it can be true, and never trusted with more than that."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from adapters.media.exif import CameraFacts, camera_facts, clean_text, named_tags, orientation_of, raw_exif
from tests.adapters.media.material import encoded, quarters

B, G = ExifTags.Base, ExifTags.GPS


def written(
    main: Mapping[Any, Any] | None = None, photo: Mapping[Any, Any] | None = None, gps: Mapping[Any, Any] | None = None
) -> Image.Exif:
    """An EXIF block as it is read back from a JPEG."""
    exif = Image.Exif()
    exif.update(main or {})
    exif.get_ifd(ExifTags.IFD.Exif).update(photo or {})
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(gps or {})
    image = Image.open(io.BytesIO(encoded(quarters(), "JPEG", exif=exif)))
    image.load()
    return image.getexif()


def facts(
    main: Mapping[Any, Any] | None = None, photo: Mapping[Any, Any] | None = None, gps: Mapping[Any, Any] | None = None
) -> CameraFacts:
    """The facts of an EXIF block."""
    return camera_facts(written(main, photo, gps))


def test_the_moment_the_shutter_opened_is_kept_apart_from_when_it_was_scanned_and_saved() -> None:
    photo = {B.DateTimeOriginal: "2020:01:01 10:00:00", B.DateTimeDigitized: "2021:01:01 10:00:00"}
    found = facts({B.DateTime: "2022:01:01 10:00:00"}, photo)
    years = [clock and clock.micros // 31_556_952_000_000 + 1970 for clock in (found.taken, found.digitised)]
    assert years == [2020, 2021]
    assert found.modified is not None
    assert found.modified.micros // 31_556_952_000_000 + 1970 == 2022


@pytest.mark.parametrize(
    ("tags", "offset"),
    [
        ({B.OffsetTime: "+02:00"}, 120),
        ({B.OffsetTime: "+02:00", B.OffsetTimeOriginal: "-05:00"}, -300),
        ({B.OffsetTime: "nowhere"}, None),
    ],
)
def test_the_offset_of_saving_counts_where_no_other_is_written(tags: dict[int, Any], offset: int | None) -> None:
    taken = facts(photo={B.DateTimeOriginal: "2020:01:01 10:00:00", **tags}).taken
    assert taken is not None
    assert taken.offset_minutes == offset


def test_the_satellites_know_the_offset_better_than_the_program_that_saved_the_photo() -> None:
    gps = {G.GPSDateStamp: "2020:01:01", G.GPSTimeStamp: (15.0, 0.0, 0.0)}
    photo = {B.DateTimeOriginal: "2020:01:01 10:00:00", B.OffsetTime: "+02:00"}
    taken = facts(photo=photo, gps=gps).taken
    assert taken is not None
    assert taken.offset_minutes == -300


def test_a_date_takes_the_fraction_and_offset_of_its_own_tags() -> None:
    photo = {
        B.DateTimeDigitized: "1970:01:01 00:00:01",
        B.SubsecTimeDigitized: "25",
        B.OffsetTimeDigitized: "+02:00",
        B.SubsecTimeOriginal: "99",
        B.OffsetTimeOriginal: "-09:00",
    }
    assert facts(photo=photo).digitised == (1_250_000, 120)


def place(latitude: Any, north: Any, longitude: Any, east: Any) -> dict[int, Any]:
    """A position as EXIF holds it."""
    return {G.GPSLatitude: latitude, G.GPSLatitudeRef: north, G.GPSLongitude: longitude, G.GPSLongitudeRef: east}


@pytest.mark.parametrize(
    ("gps", "expected"),
    [
        (place((33.0, 52.0, 7.68), "S", (151.0, 12.0, 33.48), "E"), (-33.8688, 151.2093)),
        (place((90.0, 0.0, 0.0), "N", (180.0, 0.0, 0.0), "W"), (90, -180)),
        (place((10.0, 30.0, 0.0), "n\0", (20.0, 0.0, 0.0), "w"), (10.5, -20)),
        (place((91.0, 0.0, 0.0), "N", (20.0, 0.0, 0.0), "E"), (None, None)),
        (place((10.0, 0.0, 0.0), "N", (181.0, 0.0, 0.0), "E"), (None, None)),
        (place((0.0, 0.0, 0.0), "N", (0.0, 0.0, 0.0), "E"), (None, None)),
        (place((10.0, 0.0, 0.0), "", (20.0, 0.0, 0.0), "E"), (None, None)),
        (place((10.0, 0.0, 0.0), "X", (20.0, 0.0, 0.0), "E"), (None, None)),
        (place((IFDRational(10, 0), 0.0, 0.0), "N", (20.0, 0.0, 0.0), "E"), (None, None)),
        ({G.GPSLatitude: (10.0, 0.0, 0.0), G.GPSLatitudeRef: "N"}, (None, None)),
    ],
)
def test_a_position_is_believed_where_it_is_on_this_planet(
    gps: dict[int, Any], expected: tuple[float | None, float | None]
) -> None:
    found = facts(gps=gps)
    for one, other in zip((found.latitude, found.longitude), expected, strict=True):
        assert one == (None if other is None else pytest.approx(other, abs=1e-7))


def test_below_the_sea_is_below_zero() -> None:
    assert facts(gps={G.GPSAltitude: 30.5, G.GPSAltitudeRef: b"\x01"}).altitude == -30.5
    assert facts(gps={G.GPSAltitude: 30.5, G.GPSAltitudeRef: b"\x00"}).altitude == 30.5
    assert facts(gps={G.GPSAltitude: IFDRational(1, 0)}).altitude is None


@pytest.mark.parametrize(
    ("photo", "expected"),
    [
        ({B.ExposureTime: IFDRational(1, 250)}, 0.004),
        ({B.ShutterSpeedValue: 3.0}, 0.125),
        ({B.ExposureTime: IFDRational(0, 1), B.ShutterSpeedValue: 1.0}, 0.5),
        ({B.ExposureTime: IFDRational(1, 0)}, None),
        ({B.ShutterSpeedValue: 500.0}, None),
        ({B.ExposureTime: 1e9}, None),
    ],
)
def test_the_exposure_is_in_seconds(photo: dict[int, Any], expected: float | None) -> None:
    assert facts(photo=photo).exposure == expected


@pytest.mark.parametrize(
    ("photo", "expected"),
    [
        ({B.ISOSpeedRatings: 400}, 400),
        ({B.ISOSpeedRatings: (200, 0)}, 200),
        ({B.ISOSpeedRatings: 65535, B.RecommendedExposureIndex: 102400}, 102400),
        ({B.ISOSpeedRatings: 0}, None),
    ],
)
def test_the_speed_is_taken_from_the_tag_that_could_hold_it(photo: dict[int, Any], expected: int | None) -> None:
    assert facts(photo=photo).iso == expected


def test_camera_and_lens_are_told() -> None:
    found = facts(
        main={B.Make: "FUJIFILM ", B.Model: "X-T5\0\0"},
        photo={B.LensModel: "XF 35mm F1.4 R", B.FNumber: 1.4, B.FocalLength: 35.0},
    )
    assert (found.make, found.model, found.lens, found.f_number, found.focal_length) == (
        "FUJIFILM",
        "X-T5",
        "XF 35mm F1.4 R",
        1.4,
        35,
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Canon\0\0junk", "Canon"),
        ("  a\x1b[31m\r\nb\x85 ", "a[31mb"),
        (b"Canon", "Canon"),
        ("Caf\u00c3\u00a9", "Café"),
        ("Caf\u00e9", "Café"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("a\ud800b", "ab"),
        ("x" * 10_000, "x" * 200),
        ("\0\0", None),
        ("   ", None),
        (17, None),
        (None, None),
        (("a", "b"), None),
    ],
)
def test_a_text_is_cleaned_of_what_cannot_be_shown(value: object, text: str | None) -> None:
    assert clean_text(value) == text


@given(st.one_of(st.text(), st.binary(), st.integers()))
def test_any_text_that_is_kept_can_be_stored_and_sent(value: object) -> None:
    text = clean_text(value)
    if text is not None:
        assert 0 < len(text) <= 200
        assert "\0" not in text
        text.encode()


ANY_VALUE = st.one_of(
    st.text(max_size=30),
    st.binary(max_size=30),
    st.integers(),
    st.floats(),
    st.none(),
    st.tuples(st.floats(), st.floats(), st.floats()),
    st.tuples(),
    st.builds(IFDRational, st.integers(-5, 5), st.integers(-1, 1)),
)


class AnyExif(Image.Exif):
    """An EXIF block whose tags hold whatever is given, of any type."""

    def __init__(self, directories: dict[int | None, dict[int, object]]) -> None:
        """Take the directories, the main one under None."""
        super().__init__()
        self.directories = directories
        self.update(directories.get(None, {}))

    def get_ifd(self, tag: int) -> dict[int, Any]:
        """One directory."""
        return self.directories.get(tag, {})


TAGS = st.sampled_from([*(tag.value for tag in B), *(tag.value for tag in G)])


@given(
    st.fixed_dictionaries(
        {ifd: st.dictionaries(TAGS, ANY_VALUE, max_size=12) for ifd in (None, ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)}
    )
)
def test_values_of_any_type_give_facts_in_their_ranges_or_none(
    directories: dict[int | None, dict[int, object]],
) -> None:
    exif = AnyExif(directories)
    found = camera_facts(exif)
    assert found.latitude is None or -90 <= found.latitude <= 90
    assert found.longitude is None or -180 <= found.longitude <= 180
    assert found.exposure is None or 0 < found.exposure <= 131_072
    assert found.iso is None or 0 < found.iso <= 100_000_000
    assert 1 <= orientation_of(exif) <= 8
    for value in named_tags(exif).values():
        assert isinstance(value, str | int | float | list)


@pytest.mark.parametrize("value", [0, 9, -1, 65535, "6", (6, 1)])
def test_an_orientation_that_makes_no_sense_is_upright(value: object) -> None:
    assert orientation_of(AnyExif({None: {B.Orientation: value}})) == 1


def test_all_tags_are_told_by_name_without_binary_ones() -> None:
    exif = written(
        main={B.Make: "Canon", B.Orientation: 6},
        photo={B.ExifVersion: b"0232", B.MakerNote: b"\0" * 99, B.UserComment: b"ASCII\0\0\0hi", B.FNumber: 2.8},
        gps={G.GPSLatitude: (10.0, 30.0, 0.0), G.GPSLatitudeRef: "N"},
    )
    assert named_tags(exif) == {
        "Make": "Canon",
        "Orientation": 6,
        "ExifVersion": "0232",
        "FNumber": 2.8,
        "UserComment": "hi",
        "GPSLatitude": [10.0, 30.0, 0.0],
        "GPSLatitudeRef": "N",
    }


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        (b"ASCII\0\0\0hello", "hello"),
        (b"\0\0\0\0\0\0\0\0hello", "hello"),
        (b"UNICODE\0" + "grüße".encode("utf-16-le"), "grüße"),
        (b"UNICODE\0" + "grüße".encode("utf-16-be"), "grüße"),
        (b"JIS\0\0\0\0\0\x1b$B", None),
        (b"ASCII\0\0\0", None),
        (b"", None),
    ],
)
def test_a_comment_is_read_as_its_first_bytes_say(comment: bytes, text: str | None) -> None:
    assert named_tags(written(photo={B.UserComment: comment})).get("UserComment") == text


def utc(hours: float, day: str = "2024:05:01") -> dict[int, Any]:
    """A time of the satellites."""
    minutes, seconds = divmod(round(hours * 3600) % 3600, 60)
    return {G.GPSDateStamp: day, G.GPSTimeStamp: (float(int(hours)), float(minutes), float(seconds))}


@pytest.mark.parametrize(
    ("gps", "offset"),
    [
        (utc(10), 120),
        (utc(10 + 50 / 3600), 120),
        (utc(12), 0),
        (utc(6.25), 345),
        (utc(22, "2024:04:30"), 840),
        (utc(1, "2024:05:02"), None),
        (utc(10 + 200 / 3600), None),
        (utc(10, "2024:05:07"), None),
        (utc(10, "nonsense"), None),
        ({G.GPSTimeStamp: (10.0, 0.0, 0.0)}, None),
        ({G.GPSDateStamp: "2024:05:01"}, None),
        ({G.GPSDateStamp: "2024:05:01", G.GPSTimeStamp: (IFDRational(10, 0), 0.0, 0.0)}, None),
    ],
)
def test_an_offset_that_nobody_wrote_follows_from_the_satellites_time(gps: dict[int, Any], offset: int | None) -> None:
    taken = facts(photo={B.DateTimeOriginal: "2024:05:01 12:00:00"}, gps=gps).taken
    assert taken is not None
    assert taken.offset_minutes == offset


def test_an_offset_that_was_written_stands_beside_any_satellites_time() -> None:
    photo = {B.DateTimeOriginal: "2024:05:01 12:00:00", B.OffsetTimeOriginal: "-05:00"}
    taken = facts(photo=photo, gps=utc(10)).taken
    assert taken is not None
    assert taken.offset_minutes == -300


def test_a_raw_tells_its_camera_through_its_own_magic() -> None:
    exif = Image.Exif()
    exif[B.Make] = "OLYMPUS"
    tiff = exif.tobytes().removeprefix(b"Exif\0\0")
    assert tiff[:4] in (b"II*\0", b"MM\0*")
    assert camera_facts(raw_exif(tiff, "nef")).make == "OLYMPUS"
    assert camera_facts(raw_exif(tiff[:2] + b"RO" + tiff[4:], "orf")).make == "OLYMPUS"
    jpeg = encoded(quarters(), "JPEG", exif=exif)
    raf = b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + (92).to_bytes(4, "big") + len(jpeg).to_bytes(4, "big") + jpeg
    assert camera_facts(raw_exif(raf, "raf")).make == "OLYMPUS"


@given(st.sampled_from(["nef", "orf", "rw2", "raf", "cr3"]), st.binary(max_size=200))
def test_a_broken_raw_tells_nothing(format_name: str, content: bytes) -> None:
    assert isinstance(camera_facts(raw_exif(b"II*\0\x08\0\0\0" + content, format_name)), CameraFacts)
