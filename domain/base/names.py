"""Names that people give: how they are cleaned, and when two are the same."""

from __future__ import annotations

import unicodedata

from domain.base.errors import RuleViolation

LONGEST_NAME = 200
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows them, and so could make one name look like another (UAX #9)."""
_FILLERS = "\u115f\u1160\u3164\uffa0\u2800 "
"""Letters by category that show nothing."""


_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "\u0131": "i"}
)
"""Letters that Unicode does not take apart and that people type without what sets them apart."""


def name_key(name: str) -> str:
    """The form under which two names are one: NFKC, case-folded, inner white space as single blanks.

    Computed here for both databases: SQLite's NOCASE and `lower()` fold ASCII alone. Characters that are not seen
    (Unicode category Cf, such as zero-width spaces) make no difference.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")
    return " ".join(seen.split())


def search_key(text: str) -> str:
    """The form in which words are looked for: without case and accents, letters that carry a stroke as without it.

    White space and control characters become blanks, one each, so that no text has a line break.
    """
    folded = text.casefold()
    if not folded.isascii():
        plain = unicodedata.normalize("NFKD", folded).translate(_PLAIN)
        folded = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    return folded if folded.isprintable() else "".join(letter if letter.isprintable() else " " for letter in folded)


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
