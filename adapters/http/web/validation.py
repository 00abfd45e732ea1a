"""Reads JSON bodies and query strings into Structs, and names every input that cannot be, not only the first."""

from __future__ import annotations

import math
import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec
from msgspec import NODEFAULT, UNSET, Meta

from adapters.http.web.problems import BadRequest, FieldError, Invalid

S = TypeVar("S", bound=msgspec.Struct)


class OneOf(NamedTuple):
    """Fields of a body that exclude each other; where they are `required` one of them is given. A Struct names those it
    has in its class variable `excludes`."""

    fields: tuple[str, ...]
    required: bool = True


def exclusions_of(shape: Any) -> Sequence[OneOf]:
    """Which fields of a Struct exclude each other."""
    found: Sequence[OneOf] = getattr(shape, "excludes", ())
    return found


MOST_PARAMETERS: Final = 1000
EMPTY_COUNTS: Final = Meta(extra={"empty": "counts"})
"""Marks a parameter that is not left out by leaving it empty: who asks for nothing is told so."""
_WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_MISSING: Final = object()


def body_of(raw: bytes, shape: type[S]) -> S:
    """A JSON body as `shape`.

    Raises:
        BadRequest: it is no JSON.
        Invalid: fields are missing, unknown or cannot be; each is named.
    """
    try:
        given = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    reader = _Reader(strict=True)
    value: S = reader.value(given, shape, "")
    reader.finish()
    return value


def query_of(raw: bytes, shape: type[S]) -> S:
    """A query string as `shape`: lists are repeated parameters, an empty parameter counts as left out, unless its
    field is marked by `EMPTY_COUNTS`.

    Raises:
        BadRequest: it is no query string in UTF-8.
        Invalid: parameters are missing, unknown, repeated or cannot be; each is named.
    """
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError as error:
        raise BadRequest(f"the query string cannot be read: {error}") from error
    lists = {f.encode_name for f in msgspec.structs.fields(shape) if _list_item(f.type) is not None}
    kept = {f.encode_name for f in msgspec.structs.fields(shape) if _empty_counts(f.type)}
    given: dict[str, Any] = {}
    reader = _Reader(strict=False)
    for name, value in pairs:
        if name in lists:
            given.setdefault(name, []).append(value)
        elif name in given:
            reader.refuse(name, "given more than once")
        elif value or name in kept:
            given[name] = value
    read: S = reader.value(given, shape, "")
    reader.finish()
    return read


class _Reader:
    """Converts values one by one and collects what is wrong with them."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._errors: list[FieldError] = []

    def refuse(self, where: str, message: str) -> None:
        """Note an offending input."""
        self._errors.append(FieldError(where or "body", message))

    def finish(self) -> None:
        """Raises `Invalid` where anything was refused."""
        if self._errors:
            raise Invalid(tuple(self._errors))

    def value(self, given: Any, shape: Any, where: str) -> Any:
        """`given` as `shape`; what comes back is meaningless where something in it was refused."""
        struct, item = _struct(shape), _list_item(shape)
        if struct is not None and isinstance(given, dict):
            return self._struct(given, struct, where)
        if item is not None and isinstance(given, list):
            before = len(self._errors)
            read = [self.value(each, item, f"{where}[{place}]") for place, each in enumerate(given)]
            if _struct(item) is not None:
                for limit in _limits(shape):
                    self._converted(given, Annotated[list[Any], limit], where)
                return read
            return read if len(self._errors) > before else self._converted(read, shape, where)
        return self._converted(given, shape, where)

    def _struct(self, given: Mapping[str, Any], shape: type[msgspec.Struct], where: str) -> Any:
        before = len(self._errors)
        fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
        values: dict[str, Any] = {}
        for name, field in fields.items():
            at = f"{where}.{name}" if where else name
            value = given.get(name, _MISSING)
            if value is not _MISSING:
                values[field.name] = self.value(value, field.type, at)
            elif field.default is NODEFAULT and field.default_factory is NODEFAULT:
                self.refuse(at, "is missing")
        for name in given:
            if name not in fields:
                self.refuse(
                    f"{where}.{name}" if where else name, f"is not known; known are {', '.join(fields) or 'none'}"
                )
        for rule in exclusions_of(shape):
            self._hold_apart(given, rule, where)
        return UNSET if len(self._errors) > before else shape(**values)

    def _hold_apart(self, given: Mapping[str, Any], rule: OneOf, where: str) -> None:
        """Refuse more than one of fields that exclude each other, and none where one is required; null is none."""
        count = sum(given.get(name) is not None for name in rule.fields)
        if count > 1 or (rule.required and count == 0):
            first = f"{where}.{rule.fields[0]}" if where else rule.fields[0]
            self.refuse(first, f"give one of {', '.join(rule.fields)}, and only one")

    def _converted(self, given: Any, shape: Any, where: str) -> Any:
        try:
            value = msgspec.convert(given, shape, strict=self._strict)
        except msgspec.ValidationError as error:
            self.refuse(where, _in_words(str(error), shape))
            return UNSET
        if isinstance(value, float) and not math.isfinite(value):
            self.refuse(where, "expected a finite number")
        if isinstance(value, str) and "\0" in value:
            self.refuse(where, "cannot hold NUL characters")
        return value


def _alternatives(shape: Any) -> Sequence[Any]:
    """The types that a value may have, without annotations."""
    while get_origin(shape) is Annotated:
        shape = get_args(shape)[0]
    if get_origin(shape) in {Union, types.UnionType}:
        return [each for part in get_args(shape) for each in _alternatives(part)]
    return [shape]


def structs_in(shape: Any) -> list[type[msgspec.Struct]]:
    """The Structs that a value of this type may be, or hold in a list."""
    found = [each for each in _alternatives(shape) if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    item = _list_item(shape)
    return found if item is None else [*found, *structs_in(item)]


def _struct(shape: Any) -> type[msgspec.Struct] | None:
    for each in _alternatives(shape):
        if isinstance(each, type) and issubclass(each, msgspec.Struct):
            return each
    return None


def _limits(shape: Any) -> Sequence[Meta]:
    """What an annotation demands of a value beside its type, such as the length of a list."""
    found = get_args(shape)[1:] if get_origin(shape) is Annotated else ()
    return [each for each in found if isinstance(each, Meta)]


def _empty_counts(shape: Any) -> bool:
    if get_origin(shape) is Annotated:
        return EMPTY_COUNTS in get_args(shape)[1:] or _empty_counts(get_args(shape)[0])
    return get_origin(shape) in {Union, types.UnionType} and any(map(_empty_counts, get_args(shape)))


def _list_item(shape: Any) -> Any:
    """What a list holds, None where `shape` is no list."""
    for each in _alternatives(shape):
        if get_origin(each) is list:
            return get_args(each)[0]
    return None


def _in_words(message: str, shape: Any) -> str:
    """Msgspec's message with its type names in words, and the choices named where there are some."""
    if message.startswith("Invalid enum value"):
        return f"expected one of {', '.join(map(str, _choices(shape)))}"
    worded = re.sub(r"`([^`$]+)`", lambda match: _names(match[1]), message.split(" - at `", maxsplit=1)[0])
    return worded[:1].lower() + worded[1:]


def _names(types_text: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in types_text.split(" | "))


def _choices(shape: Any) -> list[Any]:
    return [value for each in _alternatives(shape) for value in get_args(each)]
