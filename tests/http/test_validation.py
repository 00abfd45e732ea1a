"""Reading bodies and query strings: whatever comes in, every offence is named and nothing breaks."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, UnsetType

from adapters.http.web.problems import BadRequest, Invalid
from adapters.http.web.validation import body_of, query_of


class Inner(msgspec.Struct):
    """A part."""

    x: float
    y: Annotated[int, Meta(ge=0, le=9)] = 0


class Whole(msgspec.Struct):
    """Everything that a body may hold."""

    name: str
    parts: list[Inner] = []
    ids: Annotated[list[int], Meta(max_length=3)] = []
    inner: Inner | None = None
    word: Literal["one", "two"] | UnsetType = UNSET
    library: int | str | None = None
    flag: bool = False
    since: str | None = msgspec.field(name="from", default=None)


def refused(body: Any) -> dict[str, str]:
    """What is said about each field of a body."""
    with pytest.raises(Invalid) as told:
        body_of(msgspec.json.encode(body), Whole)
    return {error.field: error.message for error in told.value.errors}


def test_a_body_is_read_with_its_defaults_and_renamed_fields() -> None:
    read = body_of(b'{"name": "x", "from": "y", "inner": {"x": 1}, "parts": [{"x": 0.5, "y": 3}], "library": 4}', Whole)
    assert read == Whole("x", [Inner(0.5, 3)], [], Inner(1.0), UNSET, 4, flag=False, since="y")


def test_every_offence_is_named_at_its_place_in_plain_words() -> None:
    assert refused(
        {
            "parts": [{"x": 1}, {"y": 10}, 5],
            "ids": [1, "two", None],
            "inner": {"x": "far", "z": 1},
            "word": "three",
            "library": [],
            "flag": "yes",
            "since": 1,
        }
    ) == {
        "name": "is missing",
        "parts[1].x": "is missing",
        "parts[1].y": "expected a whole number <= 9",
        "parts[2]": "expected an object, got a whole number",
        "ids[1]": "expected a whole number, got text",
        "ids[2]": "expected a whole number, got null",
        "inner.x": "expected a number, got text",
        "inner.z": "is not known; known are x, y",
        "word": "expected one of one, two",
        "library": "expected a whole number or text or null, got a list",
        "flag": "expected true or false, got text",
        "since": "is not known; known are name, parts, ids, inner, word, library, flag, from",
    }


def test_limits_of_lists_hold() -> None:
    assert list(refused({"name": "x", "ids": [1, 2, 3, 4]})) == ["ids"]


@pytest.mark.parametrize("body", [[], "x", 1, None])
def test_a_body_that_is_no_object_is_told_as_a_whole(body: Any) -> None:
    assert list(refused(body)) == ["body"]


def test_text_with_a_nul_is_refused_wherever_it_is() -> None:
    assert list(refused({"name": "a\0b", "library": "c\0"})) == ["name", "library"]


Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
Fields = st.sampled_from(["name", "parts", "ids", "inner", "word", "library", "flag", "from", "x", "y"])


@given(Json | st.dictionaries(Fields, Json, max_size=6))
def test_any_json_is_read_or_refused(body: Any) -> None:
    try:
        raw = msgspec.json.encode(body)
    except UnicodeEncodeError:
        return
    try:
        read = body_of(raw, Whole)
    except (Invalid, BadRequest):
        return
    assert isinstance(read, Whole)
    assert "\0" not in read.name


@given(st.binary(max_size=60))
def test_any_bytes_are_a_body_or_refused(raw: bytes) -> None:
    with pytest.raises((Invalid, BadRequest)):
        body_of(raw + b"]", Whole)


class Query(msgspec.Struct):
    """Parameters."""

    q: str | None = None
    limit: Annotated[int, Meta(ge=1, le=10)] = 5
    tags: list[str] = []
    flag: bool | None = None
    ratio: float = 0.5


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", Query()),
        (b"q=a%20b&limit=7", Query("a b", 7)),
        (b"tags=a&tags=b", Query(tags=["a", "b"])),
        (b"q=&limit=&flag=", Query()),
        (b"flag=TRUE", Query(flag=True)),
        (b"flag=0&ratio=2", Query(flag=False, ratio=2.0)),
        (b"q=%C3%BC", Query("ü")),
    ],
)
def test_query_strings_are_read(raw: bytes, expected: Query) -> None:
    assert query_of(raw, Query) == expected


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        (b"limit=0&flag=perhaps&nonsense=1", {"limit", "flag", "nonsense"}),
        (b"q=a&q=b", {"q"}),
        (b"ratio=nan", {"ratio"}),
        (b"ratio=inf", {"ratio"}),
        (b"q=a%00b", {"q"}),
        (b"limit=1.5", {"limit"}),
        (b"tags=a%00", {"tags[0]"}),
    ],
)
def test_every_wrong_parameter_is_named(raw: bytes, wrong: set[str]) -> None:
    with pytest.raises(Invalid) as told:
        query_of(raw, Query)
    assert {error.field for error in told.value.errors} == wrong


@pytest.mark.parametrize("raw", [b"q=%ff", b"q=\xff", b"&".join([b"tags=x"] * 1001)])
def test_what_is_no_query_string_is_a_bad_request(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        query_of(raw, Query)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_query_string_or_refused(raw: bytes) -> None:
    with contextlib.suppress(Invalid, BadRequest):
        assert isinstance(query_of(raw, Query), Query)


class Few(msgspec.Struct):
    """A list of parts that has to hold one or two."""

    parts: Annotated[list[Inner], Meta(min_length=1, max_length=2)]


@pytest.mark.parametrize("count", [0, 3])
def test_a_list_of_parts_that_is_too_short_or_too_long_is_refused(count: int) -> None:
    with pytest.raises(Invalid) as told:
        body_of(msgspec.json.encode({"parts": [{"x": 1}] * count}), Few)
    assert [error.field for error in told.value.errors] == ["parts"]
    assert len(body_of(b'{"parts": [{"x": 1}]}', Few).parts) == 1
