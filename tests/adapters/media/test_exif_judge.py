"""What is told of a photo is what exiftool tells of it, field by field, on every format that has such fields.

exiftool writes the fields into files of every format and is then the judge of what stands in them. Where the two
differ on purpose, `EXCEPTIONS` says why.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from adapters.media.dates import wall_clock_of_exif
from adapters.media.indexing import metadata
from tests.adapters.media.material import EXTENSIONS, encoded, jxl, quarters
from tests.adapters.media.raws import BUILDERS, PREVIEW

pytestmark = [pytest.mark.exiftool, pytest.mark.ffmpeg]

MANY = {
    "DateTimeOriginal": "2024:05:01 12:30:45",
    "SubSecTimeOriginal": "25",
    "OffsetTimeOriginal": "-03:30",
    "CreateDate": "2024:05:01 12:30:46",
    "SubSecTimeDigitized": "013",
    "OffsetTimeDigitized": "+05:45",
    "ModifyDate": "2024:05:02 01:02:03",
    "SubSecTime": "7",
    "OffsetTime": "+02:00",
    "LensMake": "Lens maker",
    "LensModel": "NIKKOR Z 50mm f/1.8 Ünïcode",
    "LensSerialNumber": "777",
    "LensInfo": "24 70 2.8 4",
    "SerialNumber": "123",
    "OwnerName": "Me",
    "GPSLatitude": "33.8688",
    "GPSLatitudeRef": "S",
    "GPSLongitude": "151.2093",
    "GPSLongitudeRef": "E",
    "GPSAltitude": "58.5",
    "GPSAltitudeRef#": "1",
    "GPSDateStamp": "2024:05:01",
    "GPSTimeStamp": "16:00:45",
    "GPSImgDirection": "93.25",
    "GPSImgDirectionRef": "T",
    "GPSDestBearing": "12.5",
    "GPSSpeed": "3.5",
    "GPSSpeedRef#": "K",
    "GPSDOP": "1.5",
    "GPSSatellites": "7",
    "GPSStatus#": "A",
    "GPSMeasureMode#": "3",
    "GPSHPositioningError": "4.2",
    "GPSMapDatum": "WGS-84",
    "GPSProcessingMethod": "GPS",
    "ExposureTime": "1/250",
    "FNumber": "2.8",
    "ISO": "400",
    "SensitivityType": "2",
    "RecommendedExposureIndex": "400",
    "FocalLength": "50.3",
    "FocalLengthIn35mmFormat": "75",
    "ExposureCompensation": "-0.67",
    "ExposureProgram": "Manual",
    "ExposureMode": "Manual",
    "MeteringMode": "Spot",
    "Flash#": "1",
    "WhiteBalance": "Manual",
    "LightSource": "Flash",
    "SceneCaptureType": "Night",
    "Contrast": "High",
    "Saturation": "Low",
    "Sharpness": "Hard",
    "GainControl": "Low gain up",
    "SubjectDistanceRange": "Macro",
    "SubjectDistance": "3.3",
    "SubjectArea": "10 20 30 40",
    "DigitalZoomRatio": "2",
    "BrightnessValue": "3.5",
    "ApertureValue": "2.8",
    "ShutterSpeedValue": "1/250",
    "MaxApertureValue": "1.8",
    "SensingMethod": "One-chip color area",
    "CustomRendered": "Custom",
    "CompositeImage": "Not a Composite Image",
    "AmbientTemperature": "21.5",
    "Artist": "Zoë",
    "Copyright": "all mine",
    "ImageDescription": "A description with ü",
    "UserComment": "hello",
    "Software": "Some 1.0",
    "Orientation#": "6",
    "ColorSpace": "sRGB",
    "XResolution": "300",
    "YResolution": "300",
    "ResolutionUnit": "inches",
    "ImageUniqueID": "0123456789abcdef0123456789abcdef",
}
FEW = {
    "DateTimeOriginal": "1969:07:20 20:17:40",
    "GPSLatitude": "51.4778",
    "GPSLatitudeRef": "N",
    "GPSLongitude": "0.0014",
    "GPSLongitudeRef": "W",
    "GPSAltitude": "8848.86",
    "GPSAltitudeRef#": "0",
    "ExposureTime": "30",
    "FNumber": "0.95",
    "ISO": "65535",
    "RecommendedExposureIndex": "102400",
    "FocalLength": "1200",
}
NAMES = {
    "ISO": "ISOSpeedRatings",
    "ModifyDate": "DateTime",
    "CreateDate": "DateTimeDigitized",
    "SubSecTime": "SubsecTime",
    "SubSecTimeOriginal": "SubsecTimeOriginal",
    "SubSecTimeDigitized": "SubsecTimeDigitized",
    "ExposureCompensation": "ExposureBiasValue",
    "FocalLengthIn35mmFormat": "FocalLengthIn35mmFilm",
    "LensInfo": "LensSpecification",
    "OwnerName": "CameraOwnerName",
    "SerialNumber": "BodySerialNumber",
    "FlashpixVersion": "FlashPixVersion",
    "SubjectArea": "SubjectLocation",
    "ImageHeight": "ImageLength",
    "SubfileType": "NewSubfileType",
}
"""Fields that exiftool calls otherwise than the EXIF standard, whose names are told here."""
APERTURES, SPEEDS = {"ApertureValue", "MaxApertureValue"}, {"ShutterSpeedValue"}
"""Told in the standard's own unit (APEX), which exiftool turns into an f-number and seconds."""
EXCEPTIONS = {
    "PreviewImage": "binary",
    "JpgFromRaw": "binary",
    "OtherImage": "binary",
    "ThumbnailTIFF": "binary",
    "PreviewImageStart": "the file's own layout",
    "PreviewImageLength": "the file's own layout",
    "OtherImageStart": "the file's own layout",
    "OtherImageLength": "the file's own layout",
    "StripOffsets": "the file's own layout",
    "StripByteCounts": "the file's own layout",
    "SensorWidth": "Panasonic's own tags, of which Pillow knows no names",
    "SensorHeight": "the same",
    "SensorTopBorder": "the same",
    "SensorLeftBorder": "the same",
    "SensorBottomBorder": "the same",
    "SensorRightBorder": "the same",
}
LOST_BY_FORMAT = {
    "avif": {
        "Orientation": "an AVIF is turned by its boxes, which exiftool does not write; EXIF only repeats them",
        "Artist": "where EXIF and boxes differ, Pillow writes the block anew, and in ASCII",
        "ImageDescription": "the same",
        "LensModel": "the same",
    }
}


def photos() -> dict[str, bytes]:
    """A file of every format that holds EXIF, by its extension."""
    bare = Image.Exif()
    bare[0x010F] = "x"
    files = {}
    for format_name, extension in EXTENSIONS.items():
        if format_name not in ("GIF", "BMP"):
            exif = {"exif": bare.tobytes()} if format_name in ("HEIF", "AVIF") else {}
            files[extension] = encoded(quarters(), format_name, **exif)
    files["jxl"] = jxl(quarters())
    return files | {name: build(PREVIEW, 6) for name, build in BUILDERS.items()}


FORMATS = [*(name for key, name in EXTENSIONS.items() if key not in ("GIF", "BMP")), "jxl", *BUILDERS]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Path, Mapping[str, Any]]]:
    """Each file, as `<set of fields>.<extension>`, with what exiftool says of it."""
    folder, files = tmp_path_factory.mktemp("judged"), photos()
    for name, fields in (("many", MANY), ("few", FEW)):
        paths = [folder / f"{name}.{extension}" for extension in FORMATS]
        for path in paths:
            path.write_bytes(files[path.suffix[1:]])
        written = [f"-EXIF:{field}={value}" for field, value in fields.items()]
        subprocess.run(["exiftool", "-q", "-q", "-m", "-overwrite_original", *written, *map(str, paths)], check=True)
    read = ["exiftool", "-j", "-n", "-G1", "-EXIF:all", "-Composite:GPSLatitude", "-Composite:GPSLongitude"]
    read += ["-Composite:GPSAltitude", "-Composite:SubSecDateTimeOriginal", str(folder)]
    judge = msgspec.json.decode(subprocess.run(read, check=True, capture_output=True).stdout)
    return {Path(each["SourceFile"]).name: (Path(each["SourceFile"]), each) for each in judge}


@pytest.mark.parametrize("name", ["many", "few"])
@pytest.mark.parametrize("extension", FORMATS)
def test_every_field_is_told_as_exiftool_tells_it(
    judged: Mapping[str, tuple[Path, Mapping[str, Any]]], name: str, extension: str
) -> None:
    path, judge = judged[f"{name}.{extension}"]
    ours = metadata(bytes(path))["exif"]
    assert isinstance(ours, dict)
    left_out = EXCEPTIONS.keys() | LOST_BY_FORMAT.get(extension, {}).keys()
    theirs = {
        NAMES.get(field, field): plain(value)
        for (group, _, field), value in ((key.partition(":"), value) for key, value in judge.items())
        if group in ("IFD0", "ExifIFD", "GPS") and field not in left_out
    }
    assert len(theirs) > (60 if name == "many" else 12)
    assert {field: plain(converted(field, value)) for field, value in ours.items() if field not in left_out} == theirs


@pytest.mark.parametrize("name", ["many", "few"])
@pytest.mark.parametrize("extension", FORMATS)
def test_the_facts_of_a_photo_are_those_that_exiftool_tells(
    judged: Mapping[str, tuple[Path, Mapping[str, Any]]], name: str, extension: str
) -> None:
    path, judge = judged[f"{name}.{extension}"]
    ours = metadata(bytes(path))
    lost = LOST_BY_FORMAT.get(extension, {})
    facts = {
        "make": judge.get("IFD0:Make"),
        "model": judge.get("IFD0:Model"),
        "lens": ours["lens"] if "LensModel" in lost else judge.get("ExifIFD:LensModel"),
        "orientation": ours["orientation"] if "Orientation" in lost else judge.get("IFD0:Orientation", 1),
        "latitude": judge["Composite:GPSLatitude"],
        "longitude": judge["Composite:GPSLongitude"],
        "altitude": judge["Composite:GPSAltitude"],
        "exposure": judge["ExifIFD:ExposureTime"],
        "f_number": judge["ExifIFD:FNumber"],
        "iso": judge["ExifIFD:RecommendedExposureIndex"],
        "focal_length": judge["ExifIFD:FocalLength"],
    }
    assert {field: ours[field] for field in facts} == {
        field: pytest.approx(value) if isinstance(value, float) else value for field, value in facts.items()
    }
    moment = judge.get("Composite:SubSecDateTimeOriginal") or judge["ExifIFD:DateTimeOriginal"]
    assert isinstance(moment, str)
    told_of = wall_clock_of_exif(moment[:22].removesuffix("-"), "", moment[22:])
    assert (ours["taken_at"], ours["taken_offset_minutes"], ours["taken_source"]) == (*(told_of or ()), "exif")


def converted(field: str, value: object) -> object:
    """A value of ours in the unit and the words of exiftool."""
    if field in ("GPSLatitude", "GPSLongitude") and isinstance(value, list):
        return value[0] + value[1] / 60 + value[2] / 3600
    if field == "GPSTimeStamp" and isinstance(value, list):
        return ":".join(f"{round(part):02}" for part in value)
    if field in APERTURES | SPEEDS and isinstance(value, float):
        return 2 ** (value / 2) if field in APERTURES else 2**-value
    return value


def plain(value: object) -> str:
    """A value as text, numbers with six digits: exiftool tells a serial number as a number too."""
    parts = [str(part) for part in value] if isinstance(value, list) else str(value).split()
    return " ".join(_number(part) for part in parts)


def _number(part: str) -> str:
    try:
        return f"{float(part):.6g}"
    except ValueError:
        return part
