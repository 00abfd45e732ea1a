"""The OpenAPI 3.1 document, made from the routes as they are declared, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from adapters.http.web.problems import KINDS, STATUSES, Problem
from adapters.http.web.routes import DeclaredRoute
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


def document(routes: Iterable[DeclaredRoute], version: str) -> dict[str, Any]:
    """The whole document, as plain values."""
    declared = list(routes)
    shapes = [shape for route in declared for shape in (route.body, route.answers) if shape is not None]
    unique = list({repr(shape): shape for shape in [*shapes, Rehearsal, Problem]}.values())
    schemas, components = msgspec.json.schema_components(unique, ref_template=_REFERENCE)
    by_shape = {repr(shape): schema for shape, schema in zip(unique, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in declared:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_shape)
    subjects = dict.fromkeys(route.subject for route in declared)
    return {
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


def _operation(route: DeclaredRoute, schemas: Mapping[str, Any]) -> dict[str, Any]:
    parameters = [*_path_parameters(route), *_query_parameters(route.query)]
    parameters += [_IF_MATCH] if route.versioned else []
    parameters += [_DRY_RUN] if route.rehearses else []
    operation: dict[str, Any] = {
        "operationId": route.run.__name__,
        "tags": [route.subject],
        "summary": route.summary,
        "responses": {**_success(route, schemas), **_problems(route, schemas)},
        "security": [] if route.role is None else [{"token": []}, {"cookie": []}, {"key": []}],
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
        kind: {} if kind.startswith("text/") else {"schema": {"type": "string", "format": "binary"}}
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
