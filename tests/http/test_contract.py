"""What holds for every route: declared, documented, guarded, and answered even where something is wrong."""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it brings no types, and its stubs would be one more package
import msgspec
import pytest

from adapters.http.asgi import declared
from adapters.http.web.openapi import bodies_of
from adapters.http.web.problems import Invalid
from adapters.http.web.routes import DeclaredRoute
from adapters.http.web.security_headers import SECURITY_HEADERS
from adapters.http.web.validation import body_of, exclusions_of
from domain.base.conversation import ConversationMessage
from tests.http.understanding import Watched
from tests.http.words import fields, named, problem
from tests.http.world import DOCUMENT, Api, World

ROUTES = [pytest.param(route, id=f"{route.method} {route.path}") for route in declared()]
WITH_BODY = [pytest.param(route, id=f"{route.method} {route.path}") for route in declared() if route.body]


JSON = {"Content-Type": "application/json"}


def address(route: DeclaredRoute) -> str:
    """A path of this route."""
    return re.sub(r"{\w*id}", "999", route.path)


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_is_documented_with_its_shapes(route: DeclaredRoute) -> None:
    operation = DOCUMENT["paths"][route.path][route.method.lower()]
    assert operation["summary"]
    assert operation["tags"] == [route.subject]
    assert ("requestBody" in operation) == (route.body is not None)
    assert {str(status) for status in route.statuses} <= set(operation["responses"])
    content = operation["responses"][str(route.status)].get("content", {})
    assert route.status == 204 or content
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    assert ("If-Match" in names) == route.versioned
    assert ("dry_run" in names) == route.rehearses
    assert ("id" in names) == ("{id}" in route.path)
    for found in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(operation)):
        assert found in DOCUMENT["components"]["schemas"]


def test_every_schema_is_a_valid_one_and_no_two_routes_share_a_name() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    names = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


BODIES = [pytest.param(body, id=body.__name__) for body in bodies_of(declared())]


@pytest.mark.parametrize("body", BODIES)
def test_the_document_says_what_a_body_may_hold_and_what_excludes_what_as_the_server_sees_it(
    body: type[msgspec.Struct],
) -> None:
    schema = DOCUMENT["components"]["schemas"][body.__name__]
    assert schema["additionalProperties"] is False
    rules = exclusions_of(body)
    said = {"allOf": [schema, *schema.get("allOf", ())]}
    said = {"allOf": [{key: each[key] for key in ("not", "if", "then") if key in each} for each in said["allOf"]]}
    validator = jsonschema.Draft202012Validator(said)
    for rule in rules:
        others = {other.fields[0]: "x" for other in rules if other is not rule}
        for given in ((), *((name,) for name in rule.fields), rule.fields):
            values = {**others, **dict.fromkeys(given, "x")}
            allowed = len(given) == 1 or (not given and not rule.required)
            if rule.fields[0] not in others:
                assert validator.is_valid(values) == allowed, values
            with pytest.raises(Invalid) as refusal:
                body_of(msgspec.json.encode({**values, "no such field": 1}), body)
            told = [error.message for error in refusal.value.errors if error.field == rule.fields[0]]
            assert any("and only one" in message for message in told) == (not allowed), values


def test_names_paths_and_dates_say_how_they_are_written() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    person, face = schemas["NewPerson"]["properties"], schemas["DrawnFace"]["properties"]
    assert (person["name"]["minLength"], face["path"]["minLength"]) == (1, 1)
    assert {"type": "null"} in person["birth_date"]["anyOf"]
    assert [each["pattern"] for each in person["birth_date"]["anyOf"] if "pattern" in each] == [r"^\d{4}-\d\d-\d\d$"]


def test_every_write_to_persons_faces_tags_and_entities_can_be_rehearsed() -> None:
    for route in declared():
        if route.method != "GET" and re.match(
            r"/(persons|image/faces|image/tags|tags|faces|operations|entities)", route.path
        ):
            assert route.rehearses, f"{route.method} {route.path}"


def test_the_document_and_the_page_made_of_it_are_open_and_ask_no_other_host(world: World) -> None:
    client = world.client()
    assert client.get("/openapi.json").json() == DOCUMENT
    page = client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "/image/faces/batch" in page.text
    assert 'id="in-the-way"' in page.text
    assert not re.findall(r'(?:src|href)="(?!#|/)', page.text)
    assert "<script" not in page.text
    assert client.get("/docs.css").headers["content-type"] == "text/css; charset=utf-8"
    assert client.get("/docs", headers={"If-None-Match": page.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("route", ROUTES)
def test_without_a_token_only_open_routes_answer(world: World, route: DeclaredRoute) -> None:
    answer = world.client().request(route.method, address(route), json={} if route.body else None)
    if route.role is None:
        assert answer.status_code not in {401, 403}
    else:
        assert problem(answer, 401)["type"] == "/docs#unauthenticated"
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("route", [r for r in ROUTES if r.values[0].role in {"editor", "admin"}])  # type: ignore[union-attr]  # a route
def test_who_has_too_small_a_role_is_refused_before_anything_is_read(world: World, route: DeclaredRoute) -> None:
    head = world.ledger.head()
    client = world.api("vic" if route.role == "editor" else "ed")
    answer = client.request(route.method, address(route), json={"nonsense": 1} if route.body else None)
    assert str(route.role) in problem(answer, 403)["detail"]
    assert world.ledger.head() == head


@pytest.mark.parametrize("route", WITH_BODY)
def test_a_body_that_is_no_json_is_a_bad_request(world: World, route: DeclaredRoute) -> None:
    ann = world.api("ann")
    for body in (b"", b"{", b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000, b'"\\ud800"'):
        problem(ann.request(route.method, address(route), content=body, headers=JSON), 400)


@pytest.mark.parametrize("route", WITH_BODY)
def test_a_body_of_another_shape_names_what_is_wrong(world: World, route: DeclaredRoute) -> None:
    head, ann = world.ledger.head(), world.api("ann")
    shapes: list[Any] = [[], None, 5, "text", {"no such field": 1}]
    for body in shapes:
        assert fields(ann.request(route.method, address(route), content=json.dumps(body), headers=JSON))
    assert world.ledger.head() == head


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=latin-1", "text/json"]
)
def test_a_body_of_another_type_is_refused(ed: Api, kind: str) -> None:
    problem(ed.post("/persons", content=b'{"name": "x"}', headers={"Content-Type": kind}), 415)


def test_json_is_taken_with_or_without_its_charset(ed: Api) -> None:
    for number, kind in enumerate(("application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"')):
        answer = ed.post("/persons", content=b'{"name": "x%d"}' % number, headers={"Content-Type": kind})
        assert answer.status_code == 201


@pytest.mark.parametrize("size", [2**20 + 1, 5 * 2**20])
def test_a_body_that_is_too_large_is_refused_whatever_it_holds(world: World, ed: Api, size: int) -> None:
    head = world.ledger.head()
    padded = b'{"name": "x"' + b" " * size + b"}"
    problem(ed.post("/persons", content=padded, headers={"Content-Type": "application/json"}), 413)
    assert world.ledger.head() == head


@pytest.mark.parametrize("number", [10**30, -1, 0, 1.5, True, "1", None, 2**53])
def test_an_id_in_a_body_is_a_whole_number_that_a_client_can_hold(ed: Api, number: Any) -> None:
    person = named(ed, "Anna")
    assert fields(ed.post(f"/persons/{person}/merge", json={"into": number})) == ["into"]


def test_what_is_not_there_and_what_is_not_taken_are_problems_too(ed: Api) -> None:
    for path in ("/nothing", "/persons/", "/persons/abc", "/assets/../app.py", "/assets/nothing.js", "/persons/-1"):
        problem(ed.get(path), 404)
    wrong = ed.request("PUT", "/persons")
    problem(wrong, 405)
    assert wrong.headers["allow"] == "GET, HEAD, POST"
    problem(ed.post("/openapi.json"), 405)
    problem(ed.request("TRACE", "/persons"), 405)


def test_security_headers_are_on_every_kind_of_answer(world: World, ed: Api) -> None:
    for answer in (
        world.client().get("/"),
        ed.get("/persons"),
        ed.get("/nothing"),
        ed.get("/image", params={"path": "bob.jpg"}),
        ed.get("/image", params={"path": "bob.jpg"}, headers={"Range": "bytes=0-1"}),
        world.client().get("/persons"),
        ed.post("/persons", content=b"{"),
    ):
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "*" not in policy


def test_a_bug_becomes_a_plain_problem_and_a_traceback_in_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ed = world.api("ed")

    def broken(*_: object, **__: object) -> None:
        raise KeyError("the secret inside")

    monkeypatch.setattr("projections.queries.persons_with_faces.PersonsWithFaces.page", broken)
    with caplog.at_level(logging.ERROR):
        told = problem(ed.get("/persons"), 500)
    assert "secret" not in json.dumps(told)
    assert "the secret inside" in caplog.text
    assert ed.get("/faces/stats").status_code == 200


@pytest.mark.parametrize(
    "path", ["/persons", "/photos", "/libraries", "/image/tags/all", "/operations", "/faces/stats"]
)
def test_head_answers_as_get_does_without_the_body(ed: Api, path: str) -> None:
    got, head = ed.get(path), ed.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == got.headers["etag"]
    assert head.headers["content-length"] == got.headers["content-length"]


READS = [pytest.param(route, id=route.path) for route in declared() if route.method == "GET"]


@pytest.mark.parametrize("route", READS)
def test_no_read_asks_for_a_second_connection_while_it_holds_one(
    world: World, route: DeclaredRoute, monkeypatch: pytest.MonkeyPatch, embedder: Watched
) -> None:
    world.photo_embedder = embedder
    monkeypatch.setattr("adapters.store.database.BUSY_SECONDS", 0.2)
    database = world.ledger.database
    ed = world.api("ann")
    face = ed.get("/faces").json()["items"][0]
    person = named(ed, "Ann", face["id"])
    assert ed.post("/insights/generate", json={"path": "bob.jpg"}).status_code == 201
    assert ed.post("/entities", json={"name": "Ann", "type": "person"}).status_code == 201
    world.talks.append(ConversationMessage("1", "Bob", datetime(2020, 5, 1, 12, tzinfo=UTC), "received", "The boat."))
    while world.summariser.step():
        pass
    monkeypatch.setattr(database, "_reader", database._sqlite_engine(size=1))
    ids = {"/persons": person, "/image/faces": face["id"], "/libraries": 1, "/operations": 1}
    start = next((prefix for prefix in ids if route.path.startswith(prefix)), "")
    names = {field.encode_name for field in msgspec.structs.fields(route.query)} if route.query else set()
    paths = {"/image": "bob.jpg", "/insights": "bob.jpg", "/video": "clip.mp4"}
    path = next((path for prefix, path in paths.items() if route.path.startswith(prefix)), None)
    query = {"path": path} if path is not None and "path" in names else {}
    query |= {name: value for name, value in {"turn": "none", "q": "bob"}.items() if name in names}
    clip = hashlib.sha256((world.folder / "family" / "clip.mp4").read_bytes()).hexdigest()
    named_in_path = {"{id}": str(ids.get(start, 1)), "{hash}": clip, "{file}": "index.m3u8"}
    address = functools.reduce(lambda path, name: path.replace(name, named_in_path[name]), named_in_path, route.path)
    answer = ed.get(address, params=query)
    assert answer.status_code in {200, 202, 404}, answer.text
    not_here = {"/welcome", "/video/hls/{hash}/{file}", "/insights/chat/stream"}
    assert answer.status_code != 404 or route.path in not_here
