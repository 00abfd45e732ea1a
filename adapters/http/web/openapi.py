"""The OpenAPI 3.1 document, made from the routes as they are declared, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from adapters.http.web.problems import KINDS, STATUSES, Problem
from adapters.http.web.routes import DeclaredRoute, DeclaredStream
from adapters.http.web.validation import OneOf, exclusions_of, structs_in
from adapters.http.web.writes import Rehearsal

_REFERENCE: Final = "#/components/schemas/{name}"
_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": 'the version of the thing in quotes, such as "3": 412 where it has another one by now',
    "schema": {"type": "string"},
}
_OPERATION_ID: Final = {
    "Operation-Id": {
        "description": "the operation that this was, which `POST /operations/{id}/undo` takes; absent where nothing "
        "had to change",
        "schema": {"type": "integer", "minimum": 1},
    }
}
_SIGNED_IN: Final[Sequence[Mapping[str, Sequence[str]]]] = ({"token": []}, {"cookie": []}, {"key": []})
_EVENTS: Final = {"text/event-stream": {"schema": {"type": "string"}}}
_LAST_EVENT_ID: Final = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "the id of the last event that was heard: it goes on behind that one",
    "schema": {"type": "string"},
}
_DRY_RUN: Final = {
    "name": "dry_run",
    "in": "query",
    "required": False,
    "description": "answer what would change, and change nothing",
    "schema": {"type": "boolean", "default": False},
}
INTRODUCTION: Final = (
    "A server for a person's photos and videos in which every fact is an event, and every decision can be undone. "
    "Send the token that `POST /login` answers as `Authorization: Bearer TOKEN`, "
    "or a key of `POST /api-keys` there or as `X-API-Key`. Problems are "
    "`application/problem+json`. Lists page with `limit` and the `next_cursor` of the page before. Reads carry an "
    "`ETag`; writes heed `If-Match` with the `version` of the thing, and name their operation in `Operation-Id`."
)


def document(
    routes: Iterable[DeclaredRoute], streams: Iterable[DeclaredStream] = (), version: str = ""
) -> dict[str, Any]:
    """The whole document, as plain values."""
    declared, endless = list(routes), list(streams)
    shapes = [shape for route in declared for shape in (route.body, route.answers) if shape is not None]
    unique = list({repr(shape): shape for shape in [*shapes, Rehearsal, Problem]}.values())
    schemas, components = msgspec.json.schema_components(unique, ref_template=_REFERENCE)
    by_shape = {repr(shape): schema for shape, schema in zip(unique, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in declared:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_shape)
    for stream in endless:
        paths.setdefault(stream.path, {})["get"] = _stream(stream, by_shape)
    subjects = dict.fromkeys([*(route.subject for route in declared), *(stream.subject for stream in endless)])
    for body in bodies_of(declared):
        _hold_to_fields(components[body.__name__], body)
    found = {
        "openapi": "3.1.0",
        "info": {"title": "imageapi", "version": version, "description": INTRODUCTION},
        "tags": [{"name": subject} for subject in subjects],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "imageapi"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }
    named: dict[str, Any] = _renamed(found)
    for name, schema in named["components"]["schemas"].items():
        schema["title"] = name
    return named


def _renamed(value: Any) -> Any:
    """The same with pages named by what they hold: `Page_FaceView_`, as msgspec calls it, is `FaceViewPage`."""
    if isinstance(value, dict):
        return {_page_named(name): _renamed(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_renamed(each) for each in value]
    return _page_named(value) if isinstance(value, str) and value.startswith("#/") else value


def _page_named(text: str) -> str:
    return re.sub(r"Page_(\w+)_$", r"\1Page", text)


def bodies_of(routes: Iterable[DeclaredRoute]) -> list[type[msgspec.Struct]]:
    """Every Struct that a body may hold."""
    found: dict[type[msgspec.Struct], None] = {}
    waiting = [route.body for route in routes if route.body is not None]
    while waiting:
        shape = waiting.pop()
        if shape not in found:
            found[shape] = None
            waiting += [inner for field in msgspec.structs.fields(shape) for inner in structs_in(field.type)]
    return list(found)


def _hold_to_fields(schema: dict[str, Any], shape: type[msgspec.Struct]) -> None:
    """Say that a body holds its fields alone, and which of them exclude each other."""
    schema["additionalProperties"] = False
    rules = [_exclusion(rule) for rule in exclusions_of(shape)]
    if len(rules) == 1:
        schema.update(rules[0])
    elif rules:
        schema["allOf"] = rules


def _exclusion(rule: OneOf) -> dict[str, Any]:
    """Not two of these fields; and, where one is required, each must be there where no other is."""
    first, second = rule.fields
    said: dict[str, Any] = {"not": {"required": [first, second]}}
    if rule.required:
        said |= {"if": {"not": {"required": [first]}}, "then": {"required": [second]}}
    return said


def _stream(stream: DeclaredStream, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """An endless route: it has no shape but that of server-sent events."""
    answers = {"200": {"description": "Events, for as long as the client listens", "content": {**_EVENTS}}}
    problems = {str(status): _problem(status, schemas) for status in stream.statuses}
    return {
        "operationId": re.sub(r"(?<!^)(?=[A-Z])", "_", getattr(stream.make, "__name__", "stream")).lower(),
        "tags": [stream.subject],
        "summary": stream.summary,
        "parameters": [*_query_parameters(stream.query), _LAST_EVENT_ID],
        "responses": {**answers, **problems},
        "security": _SIGNED_IN,
        "x-role": "viewer",
    }


def _problem(status: int, schemas: Mapping[str, Any]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": schemas[repr(Problem)]}}
    return {"description": titles(status), "content": content}


def _operation(route: DeclaredRoute, schemas: Mapping[str, Any]) -> dict[str, Any]:
    parameters = [*_path_parameters(route), *_query_parameters(route.query)]
    parameters += [_IF_MATCH] if route.versioned else []
    parameters += [_DRY_RUN] if route.rehearses else []
    operation: dict[str, Any] = {
        "operationId": route.run.__name__,
        "tags": [route.subject],
        "summary": route.summary,
        "responses": {**_success(route, schemas), **_problems(route, schemas)},
        "security": [] if route.role is None else _SIGNED_IN,
    }
    if route.role is not None:
        operation["x-role"] = route.role
    if route.description:
        operation["description"] = route.description
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        content = {"application/json": {"schema": schemas[repr(route.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _success(route: DeclaredRoute, schemas: Mapping[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {
        kind: {"schema": {"type": "string"} if kind.startswith("text/") else {"type": "string", "format": "binary"}}
        for kind in route.media_types
    }
    is_later = 202 in route.also
    if route.answers is not None and not is_later:
        content["application/json"] = {"schema": schemas[repr(route.answers)]}
    described: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if content:
        described["content"] = content
    found = {str(route.status): described}
    if is_later:
        later = {"application/json": {"schema": schemas[repr(route.answers)]}}
        found["202"] = {"description": "Not there yet: ask again when Retry-After says", "content": later}
    if 206 in _partial(route):
        found["206"] = {"description": "One range of the file", "content": content}
    if route.method == "GET" and (route.answers is not None or route.media_types):
        found["304"] = {"description": "The client has it already: the tag in If-None-Match still holds"}
    if route.rehearses:
        rehearsal = {"application/json": {"schema": schemas[repr(Rehearsal)]}}
        if route.status == 200:
            either = {"anyOf": [schemas[repr(route.answers)], schemas[repr(Rehearsal)]]}
            rehearsal = {"application/json": {"schema": either}}
        found["200"] = {"description": "With dry_run: what would change", "content": rehearsal}
        if route.status == 200:
            found["200"]["description"] = "OK; with dry_run: what would change"
    if route.records:
        found[str(route.status)]["headers"] = _OPERATION_ID
    return found


def _partial(route: DeclaredRoute) -> set[int]:
    return {206} if 416 in route.errors else set()


def _problems(route: DeclaredRoute, schemas: Mapping[str, Any]) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": schemas[repr(Problem)]}}
    either = problem | {"application/json": {"schema": schemas[repr(route.answers)]}} if route.also else problem
    return {
        str(status): {"description": titles(status), "content": either if status in route.also else problem}
        for status in (*route.statuses, 500)
    }


def titles(status: int) -> str:
    """What a problem of this status may be."""
    found = [title for _, code, title, _ in KINDS if code == status]
    return " / ".join(dict.fromkeys(found)) or STATUSES[status][0]


def _path_parameters(route: DeclaredRoute) -> list[dict[str, Any]]:
    number, text = {"type": "integer", "minimum": 1}, {"type": "string"}
    return [
        {"name": name, "in": "path", "required": True, "schema": number if name.endswith("id") else text}
        for name in re.findall(r"{(\w+)}", route.path)
    ]


def _query_parameters(query: type[msgspec.Struct] | None) -> list[dict[str, Any]]:
    found = []
    for field in () if query is None else msgspec.structs.fields(query):
        (schema,), _ = msgspec.json.schema_components((field.type,), ref_template=_REFERENCE)
        schema = _without_null(schema)
        description = schema.pop("description", None)
        required = field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
        if field.default is not msgspec.NODEFAULT and field.default is not None:
            schema["default"] = field.default
        parameter = {"name": field.encode_name, "in": "query", "required": required, "schema": schema}
        found.append(parameter if description is None else {**parameter, "description": description})
    return found


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter: one that is left out is not null but absent."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        return {**{name: value for name, value in schema.items() if name != "anyOf"}, **kinds[0]}
    return dict(schema)
