r"""The text of names on disk: every name has one, no two share it, and it leads back to the name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.base.errors import RuleViolation
from domain.base.paths import bytes_of, folder_of, name_of, text_of

ODD_NAMES = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(
        st.sampled_from(
            [b"\\", b"x", b"\\x", b"5c", b"ff", b"FF", b"a", b"\xff", b"\xc3", b"\xa9", b"/", b"\xed\xa0\x80"]
        ),
        max_size=12,
    ).map(b"".join),
).filter(lambda name: b"\0" not in name)


@given(ODD_NAMES)
def test_every_name_comes_back_from_its_text(name: bytes) -> None:
    assert bytes_of(text_of(name)) == name


@given(ODD_NAMES, ODD_NAMES)
def test_two_names_never_share_a_text(one: bytes, other: bytes) -> None:
    assert (text_of(one) == text_of(other)) == (one == other)


@given(ODD_NAMES)
def test_a_text_can_always_be_sent_as_json(name: bytes) -> None:
    text_of(name).encode("utf-8", "strict")


@given(ODD_NAMES.filter(lambda name: b"/" not in name), ODD_NAMES.filter(lambda name: b"/" not in name))
def test_the_text_of_a_path_is_the_texts_of_its_parts(folder: bytes, name: bytes) -> None:
    assert text_of(folder + b"/" + name) == text_of(folder) + "/" + text_of(name)


@given(st.text(max_size=30))
def test_any_text_either_names_exactly_one_file_or_is_refused(text: str) -> None:
    try:
        name = bytes_of(text)
    except RuleViolation:
        return
    assert text_of(name) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"caf\xc3\xa9.jpg", "café.jpg"),
        (b"caf\xe9.jpg", r"caf\xe9.jpg"),
        (rb"a\b.jpg", r"a\b.jpg"),
        (rb"a\xff.jpg", r"a\x5cxff.jpg"),
        (rb"a\xFF.jpg", r"a\x5cxFF.jpg"),
        (b"\\\xff", r"\\xff"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),
        ("\u202egpj.\n😀".encode(), "\u202egpj.\n😀"),
    ],
)
def test_names_read_as_the_rule_says(name: bytes, text: str) -> None:
    assert text_of(name) == text
    assert bytes_of(text) == name


@pytest.mark.parametrize(
    "text", [r"\x2e\x2e/secret", r"a\x2fb", r"\x41", r"\x00", "a\0b", "\ud800", "a\\\udcff", r"\xc3\xa9", r"\x5cy"]
)
def test_a_text_that_no_name_has_is_refused(text: str) -> None:
    with pytest.raises(RuleViolation) as refusal:
        bytes_of(text)
    assert refusal.value.field == "path"


def test_a_path_has_a_folder_and_a_name() -> None:
    assert (folder_of("2024/05/a.jpg"), name_of("2024/05/a.jpg")) == ("2024/05", "a.jpg")
    assert (folder_of("a.jpg"), name_of("a.jpg")) == ("", "a.jpg")
