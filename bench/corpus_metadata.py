"""Files of the corpus in which people and programs wrote something: titles, ratings, keywords, dates, places, lenses.

`metadata` names a field of `/image/metadata` (dotted where it lies deeper) and the tag of `exiftool -json -G -n` whose
value it has, or the value itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bench.corpus_files import CorpusFile, FromExiftool, chart, eight_bits, run, saved
from tests.adapters.media.raws import BUILDERS, PREVIEW
from tests.footage import AAC, H264, footage

Answers = Mapping[str, FromExiftool | str | int | float]

FORMATS: Final = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF", "heic": "HEIF", "avif": "AVIF"}
XMP: Final = (
    *("-XMP-dc:Title=Zürich", "-XMP-dc:Description=Am See", "-XMP-dc:Subject=Boot", "-XMP-dc:Subject=See"),
    *("-XMP-xmp:Rating=4", "-XMP-photoshop:City=Zürich", "-XMP-aux:Lens=Summilux 35", "-XMP-tiff:Make=Leica"),
    *("-XMP-exif:GPSLatitude=47.3769", "-XMP-exif:GPSLongitude=8.5417"),
    "-XMP-photoshop:DateCreated=2017:03:03 03:03:03",
)
IPTC: Final = (
    *("-IPTC:ObjectName=Bern", "-IPTC:Caption-Abstract=An der Aare", "-IPTC:Keywords=Fluss", "-IPTC:Keywords=Brücke"),
    *("-IPTC:City=Bern", "-IPTC:DateCreated=2018:04:05", "-IPTC:TimeCreated=06:07:08+02:00"),
    "-IPTC:CodedCharacterSet=UTF8",
)
EXIF: Final = (
    *("-EXIF:Make=Canon", "-EXIF:Model=EOS R5", "-EXIF:LensModel=RF 50mm", "-EXIF:FNumber=2.8", "-EXIF:ISO=400"),
    *("-EXIF:DateTimeOriginal=2020:05:06 07:08:09", "-EXIF:OffsetTimeOriginal=+02:00", "-EXIF:Rating=3"),
    *("-EXIF:ImageDescription=Im Wald", "-EXIF:XPTitle=Wald", "-EXIF:FocalLength=50", "-EXIF:ExposureTime=0.004"),
    *("-EXIF:GPSLatitude=33.8688", "-EXIF:GPSLatitudeRef=S", "-EXIF:GPSLongitude=151.2093", "-EXIF:GPSLongitudeRef=E"),
)


def _time(value: object) -> object:
    """A time of exiftool's in the form of the API."""
    text = str(value)
    return f"{text[:4]}-{text[5:7]}-{text[8:10]}T{text[11:]}"


def _words(value: object) -> object:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


XMP_ANSWERS: Final[Answers] = {
    "title": FromExiftool("XMP:Title"),
    "description": FromExiftool("XMP:Description"),
    "keywords": FromExiftool("XMP:Subject", _words),
    "rating": FromExiftool("XMP:Rating"),
    "written_place": FromExiftool("XMP:City"),
    "lens": FromExiftool("XMP:Lens"),
    "make": FromExiftool("XMP:Make"),
    "latitude": FromExiftool("XMP:GPSLatitude"),
    "longitude": FromExiftool("XMP:GPSLongitude"),
    "taken_at": FromExiftool("XMP:DateCreated", _time),
    "taken_source": "xmp",
}
IPTC_ANSWERS: Final[Answers] = {
    "title": FromExiftool("IPTC:ObjectName"),
    "description": FromExiftool("IPTC:Caption-Abstract"),
    "keywords": FromExiftool("IPTC:Keywords", _words),
    "written_place": FromExiftool("IPTC:City"),
    "taken_at": "2018-04-05T06:07:08+02:00",
    "taken_source": "iptc",
}
EXIF_ANSWERS: Final[Answers] = {
    "make": FromExiftool("EXIF:Make"),
    "model": FromExiftool("EXIF:Model"),
    "lens": FromExiftool("EXIF:LensModel"),
    "f_number": FromExiftool("EXIF:FNumber"),
    "iso": FromExiftool("EXIF:ISO"),
    "focal_length": FromExiftool("EXIF:FocalLength"),
    "exposure": FromExiftool("EXIF:ExposureTime"),
    "latitude": FromExiftool("Composite:GPSLatitude"),
    "longitude": FromExiftool("Composite:GPSLongitude"),
    "title": FromExiftool("EXIF:XPTitle"),
    "description": FromExiftool("EXIF:ImageDescription"),
    "rating": FromExiftool("EXIF:Rating"),
    "taken_at": "2020-05-06T07:08:09+02:00",
    "taken_source": "exif",
}


def metadata_files() -> Iterator[CorpusFile]:
    """Every file of this line of the table."""
    yield from _by_format()
    yield from _raws()
    yield from _order()
    yield from _dates()
    yield from _films()
    yield _broken()


def _picture(name: str) -> bytes:
    """A chart in the format of an extension."""
    return saved(eight_bits(chart()), FORMATS[name])


def _written(content: bytes, *words: str) -> Callable[[Path], object]:
    """Writes a file, and what exiftool is told into it."""

    def make(path: Path) -> None:
        path.write_bytes(content)
        run("exiftool", "-q", "-m", "-overwrite_original", *words, path)

    return make


def _file(name: str, row: str, make: Callable[[Path], object], answers: Answers) -> CorpusFile:
    return CorpusFile(name=name, row=f"8 metadata: {row}", make=make, metadata=answers)


def _by_format() -> Iterator[CorpusFile]:
    for ending in FORMATS:
        yield _file(f"exif.{ending}", "EXIF", _written(_picture(ending), *EXIF), EXIF_ANSWERS)
        yield _file(f"xmp.{ending}", "XMP", _written(_picture(ending), *XMP), XMP_ANSWERS)
    for ending in ("jpg", "png", "tif"):
        yield _file(f"iptc.{ending}", "IPTC", _written(_picture(ending), *IPTC), IPTC_ANSWERS)
    gif, jp2 = (saved(eight_bits(chart()), name) for name in ("GIF", "JPEG2000"))
    yield _file("xmp.gif", "XMP", _written(gif, *XMP), XMP_ANSWERS)
    yield _file("xmp.jp2", "XMP", _written(jp2, *XMP), XMP_ANSWERS)
    yield _file("iptc.jp2", "IPTC", _written(jp2, *IPTC), IPTC_ANSWERS)
    yield _file("xmp.jxl", "XMP", _jxl, XMP_ANSWERS)
    packed: Answers = {"title": "Zürich", "rating": 4, "make": "Canon", "lens": "RF 50mm", "taken_source": "exif"}
    yield _file("packed.jxl", "XMP", _packed_jxl, packed)  # which exiftool reads with a module of Perl's alone


def _jxl(path: Path) -> None:
    source = path.with_name("source.ppm")
    eight_bits(chart()).save(source)
    run("cjxl", "--container=1", source, path)
    source.unlink()
    run("exiftool", "-q", "-m", "-overwrite_original", *XMP, path)


def _packed_jxl(path: Path) -> None:
    """A JPEG made a JPEG XL, which packs what is written in it."""
    source = path.with_name("source.jpg")
    _written(_picture("jpg"), *EXIF, *XMP)(source)
    run("cjxl", source, path)
    source.unlink()


def _raws() -> Iterator[CorpusFile]:
    answers: Answers = {name: XMP_ANSWERS[name] for name in ("title", "description", "keywords", "rating")}
    for ending in ("nef", "dng", "cr2", "orf", "raf", "cr3", "pef", "arw"):
        yield _file(f"xmp.{ending}", "XMP in RAW", _written(BUILDERS[ending](PREVIEW, 1), *XMP), answers)


def _order() -> Iterator[CorpusFile]:
    """Several who say different things of one photo."""
    jpeg = _picture("jpg")
    mixed: Answers = {**XMP_ANSWERS, "lens": FromExiftool("EXIF:LensModel"), "make": FromExiftool("EXIF:Make")}
    place: Answers = {"latitude": EXIF_ANSWERS["latitude"], "longitude": EXIF_ANSWERS["longitude"]}
    first: Answers = {"taken_at": EXIF_ANSWERS["taken_at"], "taken_source": "exif"}
    yield _file("all.jpg", "order", _written(jpeg, *EXIF, *XMP, *IPTC), {**mixed, **place, **first})
    yield _file("two.jpg", "order", _written(jpeg, *XMP, *IPTC), XMP_ANSWERS)

    def beside(path: Path) -> None:
        _written(jpeg, *EXIF)(path)
        run("exiftool", "-q", "-XMP-dc:Title=Daneben", "-XMP-xmp:Rating=5", *XMP[-1:], f"{path}.xmp")

    said: Answers = {"title": "Daneben", "rating": 5, "taken_at": "2017-03-03T03:03:03", "taken_source": "sidecar"}
    yield _file("sidecar.jpg", "order", beside, {**EXIF_ANSWERS, **said})


def _dates() -> Iterator[CorpusFile]:
    """Who tells when it was taken, where others are silent or less sure."""
    jpeg = _picture("jpg")
    for name, words, at, source in (
        ("IMG_20100102_030405.jpg", ["-EXIF:ModifyDate=2018:01:01 01:01:01"], "2010-01-02T03:04:05", "filename"),
        ("saved.jpg", ["-EXIF:ModifyDate=2018:01:01 01:01:01"], "2018-01-01T01:01:01", "modified"),
        ("31.12.2023 18.30.05.jpg", [], "2023-12-31T18:30:05", "filename"),
        ("13-02-2024.jpg", [], "2024-02-13T00:00:00", "filename"),
        ("offset.jpg", ["-EXIF:DateTimeOriginal=2020:01:01 10:00:00", "-EXIF:OffsetTime=-05:00"], "", "exif"),
        ("end of day.jpg", ["-EXIF:DateTimeOriginal=2020:01:01 24:00:00"], "2020-01-02T00:00:00", "exif"),
        ("scan.jpg", ["-EXIF:CreateDate=2019:01:01 01:01:01", "-XMP-photoshop:DateCreated=1955:07:01"], "1955", "xmp"),
        ("day.jpg", ["-IPTC:DateCreated=2020:01:01", "-EXIF:DateTimeOriginal=2019:02:03 04:05:06"], "2019", "exif"),
    ):
        right = {"": "2020-01-01T10:00:00-05:00", "1955": "1955-07-01T00:00:00", "2019": "2019-02-03T04:05:06"}
        answers: Answers = {"taken_at": right.get(at, at), "taken_source": source}
        yield _file(name, "dates", _written(jpeg, *words) if words else _written(jpeg, "-Comment="), answers)
    text = PngInfo()
    text.add_text("Creation Time", "Fri, 03 Mar 2017 03:03:03 +0100")
    text.add_text("Title", "Ein Bild")
    dated: Answers = {
        "taken_at": "2017-03-03T03:03:03+01:00",
        "taken_source": "png",
        "title": FromExiftool("PNG:Title"),
    }
    picture: Image.Image = eight_bits(chart())
    yield _file("text.png", "dates", lambda path: picture.save(path, pnginfo=text), dated)
    created: Answers = {"taken_at": FromExiftool("PNG:CreationTime", _time), "taken_source": "png"}
    yield _file("creation.png", "dates", _written(_picture("png"), "-PNG:CreationTime=2016:07:08 09:10:11"), created)


def _films() -> Iterator[CorpusFile]:
    utc, there = "creation_time=2024-01-01T03:30:00Z", "location=+40.7128-074.0060/"
    for name, tags, answers in (
        ("utc.mp4", [utc], {"taken_at": "2024-01-01T03:30:00+00:00", "offset_source": "utc"}),
        ("york.mp4", [utc, there], {"taken_at": "2023-12-31T22:30:00-05:00", "offset_source": "position"}),
        ("words.mp4", [utc, "title=Silvester"], {"title": FromExiftool("QuickTime:Title")}),
    ):
        words = [word for tag in tags for word in ("-metadata", tag)]

        def make(path: Path, words: list[str] = words) -> None:
            footage(path, 1, *H264, *AAC, *words)

        answer: Answers = {**answers, "taken_source": "video"}
        yield CorpusFile(name=name, row="12 videos", make=make, metadata=answer, kind="video")


def _broken() -> CorpusFile:
    """A photo cut off before its picture, with a small one in its EXIF."""

    def make(path: Path) -> None:
        small = path.with_name("small.jpg")
        small.write_bytes(saved(eight_bits(chart()).resize((160, 120)), "JPEG"))
        _written(_picture("jpg"), *EXIF, f"-ThumbnailImage<={small}")(path)
        small.unlink()
        content = path.read_bytes()
        path.write_bytes(content[: content.rindex(b"\xff\xdb")])

    return _file("cut.jpg", "a broken picture", make, {name: EXIF_ANSWERS[name] for name in ("make", "lens", "rating")})
