"""What people and their programs wrote about a photo, from the places where they write: the sidecar, XMP, IPTC, EXIF
and the texts of a PNG, the first that says it first.
"""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from PIL import ExifTags, Image

from adapters.media.blocks import Blocks, texts_of_iptc
from adapters.media.exif import clean_text, directory
from adapters.xmp.words import MOST_KEYWORDS, XmpWords, stars_of_percent, words_of_xmp
from domain.base.names import LONGEST_NAME, name_key, one_line

LONGEST_TITLE: Final = 300
LONGEST_DESCRIPTION: Final = 5_000
"""Characters. IPTC's caption has at most 2,000; what is longer is no caption."""
LONGEST_PLACE: Final = 300
_TITLE, _HEADLINE, _KEYWORD, _CAPTION = 5, 105, 25, 120
_PLACES: Final = (92, 90, 95, 101)
"""IPTC's data sets: sub-location, city, province, country."""
_RATING, _RATING_PERCENT = 0x4746, 0x4749
_XP_TITLE, _XP_COMMENT, _XP_KEYWORDS = 0x9C9B, 0x9C9C, 0x9C9E
"""Microsoft's tags of EXIF, in UTF-16."""
_OF_CAMERAS: Final = (
    *("olympus digital camera", "sony dsc", "samsung", "kodak digital still camera", "minolta digital camera"),
    *("konica minolta digital camera", "digital camera", "exif_jpeg_picture", "exif jpeg", "photo"),
    *("my beautiful picture", "default", "dcim", "untitled", "jpeg", "screenshot", "created with gimp"),
)
"""What cameras and programs write as the description of every photo."""


class WrittenWords(msgspec.Struct, frozen=True, kw_only=True):
    """What is written about one photo; each as in `FileFacts`, None or empty where nobody says it."""

    title: str | None = None
    description: str | None = None
    rating: int | None = None
    keywords: tuple[str, ...] = ()
    place: str | None = None
    lens: str | None = None
    make: str | None = None
    model: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None


def written_of(inside: XmpWords, blocks: Blocks) -> WrittenWords:
    """What is written in a photo's `blocks`, `inside` being what its XMP says."""
    tags = directory(blocks.exif, None)
    return together([_of_xmp(inside), _of_iptc(blocks.iptc), _of_exif(tags), _of_texts(blocks.texts)])


def written_of_sidecars(sidecars: Iterable[XmpWords]) -> WrittenWords:
    """What is written beside a photo."""
    return together([*map(_of_xmp, sidecars)])


def together(sources: Sequence[WrittenWords]) -> WrittenWords:
    """Of each thing what the first says that says it; a position is one thing."""
    found: dict[str, Any] = {}
    for field in WrittenWords.__struct_fields__:
        if field not in {"latitude", "longitude", "altitude"}:
            found[field] = next((value for each in sources if (value := getattr(each, field)) not in (None, ())), None)
    placed = next(
        (each for each in sources if each.latitude is not None and each.longitude is not None), WrittenWords()
    )
    found["keywords"] = found["keywords"] or ()
    return WrittenWords(**found, latitude=placed.latitude, longitude=placed.longitude, altitude=placed.altitude)


def xmp_inside(blocks: Blocks) -> XmpWords:
    """What the XMP in a photo says."""
    return words_of_xmp(blocks.xmp, blocks.extension)


def _of_xmp(words: XmpWords) -> WrittenWords:
    return WrittenWords(
        title=line(words.title, LONGEST_TITLE),
        description=described(words.description),
        rating=words.rating,
        keywords=keywords_of(words.keywords),
        place=line(words.place, LONGEST_PLACE),
        lens=clean_text(words.lens),
        make=clean_text(words.make),
        model=clean_text(words.model),
        latitude=words.latitude,
        longitude=words.longitude,
        altitude=words.altitude,
    )


def _of_iptc(block: bytes | None) -> WrittenWords:
    texts = texts_of_iptc(block)

    def first(number: int) -> str:
        return next(iter(texts.get(number, ())), "")

    names = dict.fromkeys(name for number in _PLACES if (name := one_line(first(number))))
    return WrittenWords(
        title=line(first(_TITLE), LONGEST_TITLE) or line(first(_HEADLINE), LONGEST_TITLE),
        description=described(first(_CAPTION)),
        keywords=keywords_of(texts.get(_KEYWORD, ())),
        place=line(", ".join(names), LONGEST_PLACE),
    )


def _of_exif(tags: Mapping[int, Any]) -> WrittenWords:
    stars, percent = tags.get(_RATING), tags.get(_RATING_PERCENT)
    rating = stars if isinstance(stars, int) and 1 <= stars <= 5 else None
    if rating is None and isinstance(percent, int):
        rating = stars_of_percent(percent)
    return WrittenWords(
        title=line(_wide(tags.get(_XP_TITLE)), LONGEST_TITLE),
        description=described(_text(tags.get(ExifTags.Base.ImageDescription)))
        or described(_wide(tags.get(_XP_COMMENT))),
        rating=rating,
        keywords=keywords_of(_wide(tags.get(_XP_KEYWORDS)).split(";")),
    )


def _of_texts(texts: Mapping[str, str]) -> WrittenWords:
    """The keywords that the PNG specification names (11.3.3.2)."""
    return WrittenWords(
        title=line(texts.get("Title", ""), LONGEST_TITLE),
        description=described(texts.get("Description", "")) or described(texts.get("Comment", "")),
        keywords=keywords_of(texts.get("Keywords", "").split(",")),
    )


def line(text: str, longest: int) -> str | None:
    """A text in one line, None where nothing of it is left."""
    return one_line(text)[:longest].strip() or None


def keywords_of(words: Iterable[str]) -> tuple[str, ...]:
    """Keywords in one line each, and each once."""
    found: dict[str, str] = {}
    for word in words:
        cleaned = line(word, LONGEST_NAME)
        if cleaned is not None:
            found.setdefault(name_key(cleaned), cleaned)
    return tuple(found.values())[:MOST_KEYWORDS]


def described(text: str) -> str | None:
    """A description with its line breaks; None for what cameras write of every photo."""
    lines = (one_line(each) for each in text[: 2 * LONGEST_DESCRIPTION].splitlines())
    cleaned = "\n".join(lines).strip()[:LONGEST_DESCRIPTION].strip()
    folded = cleaned.casefold()
    is_of_camera = folded in _OF_CAMERAS or folded.startswith(("dcim\\", "created with gimp"))
    return cleaned if cleaned and not is_of_camera else None


def _text(value: object) -> str:
    """A text of EXIF: ASCII by the standard, UTF-8 by the habit of phones, with its line breaks."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return ""
    with contextlib.suppress(UnicodeError):
        value = value.encode("latin-1").decode("utf-8")
    return unicodedata.normalize("NFC", value.partition("\0")[0])


def _wide(value: object) -> str:
    """A text in UTF-16, which EXIF keeps as bytes."""
    if isinstance(value, tuple) and all(isinstance(each, int) and 0 <= each < 256 for each in value):
        value = bytes(value)
    return value.decode("utf-16-le", "replace").partition("\0")[0] if isinstance(value, bytes) else ""


def exif_of(opened: Image.Exif | None, blocks: Blocks) -> Image.Exif:
    """The EXIF of a photo: what its decoder found, or else what stands in its blocks."""
    return opened if opened is not None and len(opened) else blocks.exif
