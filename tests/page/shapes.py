"""Writes `adapters/page/shapes.d.ts`, the API's shapes for the type check of the page, from the OpenAPI document.

    .venv/bin/python -m tests.page.shapes

`test_shapes.py` holds the file to what the server declares, so that the page is checked against this very server.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from adapters.http.asgi import declared
from adapters.http.web.openapi import document

FILE = Path(__file__).resolve().parents[2] / "adapters" / "page" / "shapes.d.ts"
HEAD = """\
/*
 * The API's shapes, as the server declares them: what each route reads of a query, takes as its body and answers.
 * Written by `.venv/bin/python -m tests.page.shapes`; a test holds this file to the OpenAPI document.
 */

/** One page of a list; `next_cursor` is null on the last one. */
export interface Page<Row> {
  items: Row[];
  next_cursor: string | null;
}
"""

REHEARSAL = {"$ref": "#/components/schemas/Rehearsal"}
PLAIN = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}


def shapes() -> str:
    """The whole file."""
    described = document(declared())
    return Shapes(described["components"]["schemas"]).file(described["paths"])


class Shapes:
    """TypeScript of JSON schemas, of which some refer to one another."""

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        self._schemas = schemas

    def file(self, paths: Mapping[str, Any]) -> str:
        """Every shape, and every route with what it takes and answers."""
        own = {self._name(name): schema for name, schema in self._schemas.items()}
        interfaces = [
            f"export interface {name} {self._object(schema)}\n"
            for name, schema in sorted(own.items())
            if not name.startswith("Page<")
        ]
        routes = "".join(self._routes(method, paths) for method in ("get", "post", "patch", "delete"))
        return "\n".join([HEAD, *interfaces, f"export interface Routes {{\n{routes}}}\n"])

    def _routes(self, method: str, paths: Mapping[str, Any]) -> str:
        lines = [f"  {method.upper()}: {{\n"]
        for path, operations in paths.items():
            if method in operations:
                lines += [f"    {_key(path[1:])}: {{\n", *self._operation(operations[method]), "    };\n"]
        return "".join([*lines, "  };\n"])

    def _operation(self, operation: Mapping[str, Any]) -> Iterator[str]:
        names = [given["name"] for given in operation.get("parameters", ()) if given["in"] == "query"]
        words = " | ".join(f"'{name}'" for name in names if name != "dry_run") or "never"
        yield textwrap.fill(f"query: {words};", 118, initial_indent=" " * 6, subsequent_indent=" " * 8) + "\n"
        if "dry_run" in names:
            yield "      rehearses: true;\n"
        if "requestBody" in operation:
            yield f"      body: {self._type(operation['requestBody']['content']['application/json']['schema'])};\n"
        yield f"      answer: {self._answer(operation['responses'])};\n"

    def _answer(self, responses: Mapping[str, Any]) -> str:
        """The JSON that comes where nothing is rehearsed, null where none does."""
        contents = [responses[status].get("content", {}) for status in ("201", "202", "200") if status in responses]
        schemas = [content["application/json"]["schema"] for content in contents if "application/json" in content]
        if not schemas:
            return "null"
        kinds = schemas[0].get("anyOf", [schemas[0]])
        return self._type({"anyOf": [kind for kind in kinds if kind != REHEARSAL]})

    def _type(self, schema: Mapping[str, Any], indent: str = "") -> str:
        if "$ref" in schema:
            return self._name(schema["$ref"].rpartition("/")[2])
        if "anyOf" in schema:
            return " | ".join(dict.fromkeys(self._type(kind, indent) for kind in schema["anyOf"]))
        if "enum" in schema:
            return " | ".join(f"'{value}'" for value in schema["enum"])
        kind = schema.get("type")
        if kind == "array":
            item = self._type(schema["items"], indent)
            return f"({item})[]" if " | " in item else f"{item}[]"
        return self._object(schema, indent) if kind == "object" else PLAIN.get(str(kind), "unknown")

    def _object(self, schema: Mapping[str, Any], indent: str = "") -> str:
        if "properties" not in schema:
            return f"{{ [name: string]: {self._type(schema.get('additionalProperties', {}), indent)} }}"
        required = set(schema.get("required", ()))
        lines = [
            f"{indent}  {name}{'' if name in required else '?'}: {self._type(field, indent + '  ')};\n"
            for name, field in schema["properties"].items()
        ]
        return "{\n" + "".join(lines) + indent + "}"

    def _name(self, schema: str) -> str:
        """A page is one of its rows; of two shapes of one name, each has its module in front."""
        if schema.endswith("Page") and set(self._schemas[schema]["properties"]) == {"items", "next_cursor"}:
            return f"Page<{self._type(self._schemas[schema]['properties']['items']['items'])}>"
        *_, module, name = ["", *schema.split(".")]
        return module.capitalize() + name


def _key(path: str) -> str:
    """A route of one address as its name, one of many as a template; every `{…id}` is a number."""
    if "{" not in path:
        return f"'{path}'"
    template = re.sub(r"{(\w+)}", lambda found: "${number}" if found[1].endswith("id") else "${string}", path)
    return f"[path: `{template}`]"


if __name__ == "__main__":
    FILE.write_text(shapes())
