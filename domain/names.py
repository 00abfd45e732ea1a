"""Names that people give: how they are cleaned, and when two are the same."""

from __future__ import annotations

import unicodedata

from domain.errors import RuleViolation

LONGEST_NAME = 200


def name_key(name: str) -> str:
    """The form under which two names are one: NFKC, case-folded, inner white space as single blanks.

    Computed here for both databases: SQLite's NOCASE and `lower()` fold ASCII alone.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(folded.split())


def clean_name(name: str, *, field: str = "name") -> str:
    """The name as it is stored: outer white space gone, no control characters, at most 200 characters.

    Raises:
        RuleViolation: nothing is left, it is too long, or it holds control characters.
    """
    cleaned = unicodedata.normalize("NFC", name).strip()
    if not cleaned or not name_key(cleaned):
        raise RuleViolation("a name needs at least one visible character", field)
    if len(cleaned) > LONGEST_NAME:
        raise RuleViolation(f"a name has at most {LONGEST_NAME} characters; this one has {len(cleaned)}", field)
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in cleaned):
        raise RuleViolation("a name cannot hold control characters or line breaks", field)
    return cleaned
