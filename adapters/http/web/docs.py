"""`/docs`: the OpenAPI document as a page to read, made on the server and asking no other host for anything."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any, Final

from adapters.http.web.problems import KINDS, STATUSES, anchor

STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --faint: #777; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 3rem; } h3 { margin: 0; font-size: 1rem; }
code { font: 0.9em ui-monospace, monospace; }
section.route { border-top: 1px solid var(--line); padding: 1rem 0; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
.faint { color: var(--faint); } p { margin: 0.4rem 0; }
table { border-collapse: collapse; margin: 0.5rem 0; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0; border-bottom: 1px solid var(--line); }
nav a { margin-right: 1rem; }
"""


def page(document: Mapping[str, Any]) -> str:
    """The whole page as HTML."""
    info = document["info"]
    subjects = [tag["name"] for tag in document["tags"]]
    links = " ".join(f'<a href="#{_slug(name)}">{_text(name)}</a>' for name in [*subjects, "Shapes", "Problems"])
    sections = [_subject(name, document) for name in subjects]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>imageapi: the API</title>'
        '<link rel="stylesheet" href="/docs.css"></head><body>'
        f"<h1>imageapi {_text(info['version'])}</h1><p>{_prose(info['description'])}</p>"
        '<p>The same for programs: <a href="/openapi.json">openapi.json</a></p>'
        f"<nav>{links}</nav>{''.join(sections)}{_shapes(document)}{_problems()}</body></html>"
    )


def _subject(name: str, document: Mapping[str, Any]) -> str:
    routes = [
        _route(path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if name in operation["tags"]
    ]
    return f'<h2 id="{_slug(name)}">{_text(name)}</h2>{"".join(routes)}'


def _route(path: str, method: str, operation: Mapping[str, Any]) -> str:
    role = operation.get("x-role")
    wanted = "open to everyone" if role is None else f"needs the role {role}"
    parameters = "".join(_parameter(each) for each in operation.get("parameters", ()))
    table = f"<table><tr><th>parameter<th>in<th>type<th>meaning</tr>{parameters}</table>" if parameters else ""
    body = operation.get("requestBody")
    sent = f"<p>Body: {_shape(body['content']['application/json']['schema'])}</p>" if body else ""
    answers = "".join(_answer(status, each) for status, each in operation["responses"].items())
    description = f"<p>{_prose(operation['description'])}</p>" if "description" in operation else ""
    return (
        f'<section class="route" id="{_text(operation["operationId"])}">'
        f'<h3><span class="method">{method.upper()}</span> <code>{_text(path)}</code></h3>'
        f"<p>{_prose(operation['summary'])} "
        f'<span class="faint">({wanted})</span></p>{description}{table}{sent}'
        f"<table><tr><th>answer<th>meaning<th>shape</tr>{answers}</table></section>"
    )


def _parameter(parameter: Mapping[str, Any]) -> str:
    name = f"<code>{_text(parameter['name'])}</code>{'*' if parameter['required'] else ''}"
    meaning = _prose(parameter.get("description", ""))
    return f"<tr><td>{name}<td>{parameter['in']}<td>{_shape(parameter['schema'])}<td>{meaning}</tr>"


def _answer(status: str, answer: Mapping[str, Any]) -> str:
    kinds = answer.get("content", {})
    shapes = [
        _shape(content["schema"]) if kind == "application/json" else f"<code>{_text(kind)}</code>"
        for kind, content in kinds.items()
    ]
    return f"<tr><td>{status}<td>{_text(answer['description'])}<td>{', '.join(shapes)}</tr>"


def _shapes(document: Mapping[str, Any]) -> str:
    found = []
    for name, schema in document["components"]["schemas"].items():
        fields = schema.get("properties", {})
        needed = schema.get("required", ())
        rows = "".join(
            f"<tr><td><code>{_text(field)}</code>{'*' if field in needed else ''}<td>{_shape(shape)}"
            f"<td>{_prose(shape.get('description', ''))}</tr>"
            for field, shape in fields.items()
        )
        found.append(
            f'<section class="route" id="shape-{_text(name)}"><h3>{_text(name)}</h3>'
            f"<p>{_prose(schema.get('description', ''))}</p><table>{rows}</table></section>"
        )
    return f'<h2 id="shapes">Shapes</h2>{"".join(found)}'


def _problems() -> str:
    rows = [(anchor(kind), status, title, text) for kind, status, title, text in KINDS]
    rows += [(f"http-{status}", status, title, text) for status, (title, text) in STATUSES.items()]
    cells = "".join(
        f'<tr id="{name}"><td>{status}<td>{_text(title)}<td>{_text(text)}</tr>' for name, status, title, text in rows
    )
    return f'<h2 id="problems">Problems</h2><table><tr><th>status<th>title<th>meaning</tr>{cells}</table>'


def _shape(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, with links to the shapes that have a name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#shape-{_text(name)}">{_text(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(_shape(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"<code>{_text(str(each))}</code>" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_shape(schema.get('items', {}))}"
    least, most = schema.get("minimum"), schema.get("maximum")
    span = f" {least} to {most}" if least is not None and most is not None and most < 2**53 - 1 else ""
    return f"{_text(str(schema.get('type', 'any')))}{span}"


def _prose(text: str) -> str:
    """Plain text in which words between backticks are code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(text))


def _text(text: str) -> str:
    return html.escape(text)


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")
