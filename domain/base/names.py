"""Names that people give: how they are cleaned, and when two are the same."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from domain.base.errors import RuleViolation

LONGEST_NAME = 200
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows them, and so could make one name look like another (UAX #9)."""
_FILLERS = "\u115f\u1160\u3164\uffa0\u2800 "
"""Letters by category that show nothing."""


_PLAIN = str.maketrans(
    {"ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "\u0237": "j", "ŋ": "n", "ə": "e", "ĸ": "k"}
    | dict.fromkeys("'\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd\u0060\u00b4\u2032\u055a\ua78c\uff07")
)
"""Letters that Unicode does not take apart and that people type without what sets them apart; of what serves as an
apostrophe nothing is left, since everyone types another one, or none."""
_WITH = re.compile("LATIN SMALL LETTER ([A-Z]) WITH ")
_DASHES = re.compile(r"[\s\-\u2010-\u2015\u2212]+")


def name_key(name: str) -> str:
    """The form under which two names are one: NFKC, case-folded, inner white space as single blanks.

    Computed here for both databases: SQLite's NOCASE and `lower()` fold ASCII alone. Characters that are not seen
    (Unicode category Cf, such as zero-width spaces) make no difference.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")
    return " ".join(seen.split())


def search_key(text: str) -> str:
    """The form in which words are looked for: without case, accents and apostrophes, letters that carry a stroke or a
    hook as without it.

    White space and control characters become blanks, one each, so that no text has a line break.
    """
    folded = text.casefold().translate(_PLAIN)
    if not folded.isascii():
        plain = unicodedata.normalize("NFKD", folded).translate(_PLAIN)
        folded = "".join(_bare(letter) for letter in plain).casefold()
    return folded if folded.isprintable() else "".join(letter if letter.isprintable() else " " for letter in folded)


def search_words(text: str) -> list[str]:
    """The words that a name must hold, in whatever order, to be found by `text`; hyphens part words."""
    return [word for word in _DASHES.split(search_key(text)) if word]


@lru_cache(maxsize=5000)
def _bare(letter: str) -> str:
    """A letter without the stroke or hook that Unicode's name for it tells of; nothing of a mark that stands alone."""
    if letter.isascii():
        return letter
    if unicodedata.combining(letter):
        return ""
    carries = _WITH.match(unicodedata.name(letter, ""))
    return carries[1].lower() if carries else letter


def clean_name(name: str, *, field: str = "name") -> str:
    """The name as it is stored: outer white space gone, no control characters, at most 200 characters.

    Raises:
        RuleViolation: nothing is left, it is too long, or it holds control characters.
    """
    cleaned = unicodedata.normalize("NFC", name).strip()
    if not name_key(cleaned).strip(_FILLERS):
        raise RuleViolation("a name needs at least one visible character", field)
    if len(cleaned) > LONGEST_NAME:
        raise RuleViolation(f"a name has at most {LONGEST_NAME} characters; this one has {len(cleaned)}", field)
    if any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} or letter in _TURNS for letter in cleaned):
        raise RuleViolation("a name cannot hold control characters or line breaks", field)
    return cleaned


def one_line(text: str) -> str:
    """What a model or a file says, as one line to be shown: white space as single blanks, no characters that are not
    seen or turn the direction of what follows them."""
    seen = "".join(" " if letter.isspace() else letter for letter in text)
    shown = (letter for letter in seen if unicodedata.category(letter) not in {"Cc", "Cf", "Cs"})
    return " ".join("".join(shown).split())
