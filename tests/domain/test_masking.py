"""Names are found in texts in whatever way they are written there."""

from __future__ import annotations

import unicodedata

import pytest

from domain.rules.masking import Masks

MASK = "erased person 3"


def masked(text: str, *names: str, kept: tuple[str, ...] = ()) -> str:
    """The text, with these names masked."""
    return Masks(dict.fromkeys(names, MASK), kept).put(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Zoë Quimby swims.", f"{MASK} swims."),
        ("ZOË QUIMBY's day", f"{MASK}'s day"),
        (unicodedata.normalize("NFD", "Zoë Quimby swims."), f"{MASK} swims."),
        ("Zoë\nQuimby, Zoë \t Quimby, Zoë\u00a0Quimby", f"{MASK}, {MASK}, {MASK}"),
        ("Zo\u200bë Qui\u00admby", MASK),
        ("\uff3a\uff4fë Quimby", MASK),
        ("Zoë Quimbyson and azoë quimby", "Zoë Quimbyson and azoë quimby"),
        ("Zoë and Quimby", "Zoë and Quimby"),
        ("在海边Zoë Quimby和我", f"在海边{MASK}和我"),
    ],
)
def test_a_name_is_found_however_it_is_written(text: str, left: str) -> None:
    assert masked(text, "Zoë Quimby") == left


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("王芳", "昨天王芳在海边。", f"昨天{MASK}在海边。"),
        ("さくら", "さくらさんと海へ", f"{MASK}さんと海へ"),
        ("지민", "지민이가 웃는다", f"{MASK}이가 웃는다"),
        (
            "지민",
            unicodedata.normalize("NFD", "지민이가 웃는다"),
            f"{MASK}{unicodedata.normalize('NFD', '이가 웃는다')}",
        ),
        ("สมชาย", "คุณสมชายว่ายน้ำ", f"คุณ{MASK}ว่ายน้ำ"),
        ("李", "李和李子", "李和李子"),
        ("李", "我爱 李。", f"我爱 {MASK}。"),
        ("Strauß", "STRAUSS plays", f"{MASK} plays"),
        ("İpek", "i̇pek yüzüyor", f"{MASK} yüzüyor"),
        ("Ana", unicodedata.normalize("NFD", "Aná"), unicodedata.normalize("NFD", "Aná")),
        ("A+B (*)", "here: a+b (*)!", f"here: {MASK}!"),
    ],
)
def test_each_script_has_words_of_its_own(name: str, text: str, left: str) -> None:
    assert masked(text, name) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (r'[{"text":"hello\nZoë \"Zo\" Quimby\nswims"},{"te', rf'[{{"text":"hello\n{MASK}\nswims"}},{{"te'),
        (r'{"a":"Zo\u00eb \"Zo\" Quimby', rf'{{"a":"{MASK}'),
        (r'{"a":"Zo\u00EB \"Zo\"\nQuimby', rf'{{"a":"{MASK}'),
    ],
)
def test_a_name_is_found_in_json_that_was_cut_off(text: str, left: str) -> None:
    assert masked(text, 'Zoë "Zo" Quimby') == left


def test_longer_names_of_others_stay() -> None:
    names, text = ("Anna", "Anna Bo"), "Anna, ANNA  Lee and Anna Bo"
    assert masked(text, *names, kept=("Anna Lee",)) == f"{MASK}, ANNA  Lee and {MASK}"
    text = "Anna Lee alone"
    assert masked(text, "Anna", kept=("Anna Lee",)) is text


def test_without_names_nothing_is_masked() -> None:
    assert masked("Anna") == "Anna"
    assert masked("", "Anna") == ""
