"""How answers travel: compressed for who takes that, and to pages of other origins where the owner says so."""

from __future__ import annotations

import dataclasses
import gzip

import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from adapters.http.asgi import create_http_app
from adapters.http.web.gzip import LEAST_BYTES, Gzip, takes_gzip
from adapters.http.web.security_headers import SECURITY_HEADERS
from tests.http.words import problem
from tests.http.world import PASSWORD, Api, World, user

GZIP = {"Accept-Encoding": "gzip"}
PLAIN = {"Accept-Encoding": "identity"}
VIEWER = "https://viewer.example"


def crossing(world: World, *origins: str) -> Api:
    """A client of an application that lets pages of these origins in."""
    client = Api(create_http_app(dataclasses.replace(world.dependencies, cors_origins=origins)))
    world.clients.append(client)
    return client


def token(world: World, name: str = "ed") -> dict[str, str]:
    """The header of a user who is signed in."""
    found = user(world, name)
    return {"Authorization": f"Bearer {world.tokens.issue(found.id, found.epoch).token}"}


@pytest.mark.parametrize("path", ["/photos", "/openapi.json", "/docs", "/", "/assets/api.js", "/metrics"])
def test_long_text_is_compressed_and_means_the_same(ann: Api, path: str) -> None:
    plain, packed = ann.get(path, headers=PLAIN), ann.get(path, headers=GZIP)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content)
    assert len(plain.content) >= LEAST_BYTES
    if path != "/metrics":
        assert packed.content == plain.content
    assert "Accept-Encoding" in plain.headers["vary"]
    assert packed.headers["vary"] == plain.headers["vary"]


def test_what_is_compressed_has_a_weak_tag_that_both_forms_answer_to(ann: Api) -> None:
    plain, packed = ann.get("/photos", headers=PLAIN), ann.get("/photos", headers=GZIP)
    assert packed.headers["etag"] == f"W/{plain.headers['etag']}"
    for tag in (plain.headers["etag"], packed.headers["etag"]):
        for coding in (GZIP, PLAIN):
            again = ann.get("/photos", headers={**coding, "If-None-Match": tag})
            assert (again.status_code, again.content) == (304, b"")
            assert "content-encoding" not in again.headers
            assert "Accept-Encoding" in again.headers["vary"]


def test_head_tells_of_the_compressed_form_without_it(ann: Api) -> None:
    got, head = ann.get("/photos", headers=GZIP), ann.head("/photos", headers=GZIP)
    for name in ("etag", "content-length", "content-encoding", "vary"):
        assert head.headers[name] == got.headers[name]
    assert head.content == b""


def test_short_answers_and_problems_go_out_as_they_are(ann: Api) -> None:
    for answer in (ann.get("/me", headers=GZIP), ann.get("/persons/999", headers=GZIP)):
        assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/image?path=bob.jpg", {}),
        ("/image?path=bob.jpg", {"Range": "bytes=0-1999"}),
        ("/image?path=bob.jpg&size=preview", {}),
        ("/image?path=clip.mp4", {}),
        ("/image?path=broken.jpg", {}),
    ],
)
def test_pictures_films_and_parts_of_files_are_never_compressed(ann: Api, path: str, more: dict[str, str]) -> None:
    answer = ann.get(path, headers={**GZIP, **more})
    assert "content-encoding" not in answer.headers
    assert "Accept-Encoding" not in answer.headers.get("vary", "")


def test_an_answer_of_many_bytes_is_compressed_too() -> None:
    text = "many words " * LEAST_BYTES
    client = TestClient(Gzip(PlainTextResponse(text), in_a_thread_from=LEAST_BYTES))
    with client.stream("GET", "/", headers=GZIP) as answer:
        assert gzip.decompress(b"".join(answer.iter_raw())) == text.encode()


@pytest.mark.parametrize(
    ("given", "takes"),
    [
        ("gzip", True),
        ("br, GZip;q=0.5", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("br", False),
        ("", False),
        ("x-gzip-not", False),
    ],
)
def test_gzip_is_sent_to_who_names_it(given: str, takes: bool) -> None:
    assert takes_gzip(Headers({"accept-encoding": given})) is takes


def test_by_default_no_other_origin_reads_anything(world: World, ed: Api) -> None:
    answer = ed.get("/photos", headers={"Origin": VIEWER})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    asks = {"Origin": VIEWER, "Access-Control-Request-Method": "GET"}
    problem(world.client().options("/photos", headers=asks), 405)


def test_a_page_of_a_named_origin_asks_first_then_reads_and_writes_with_a_token(world: World) -> None:
    client = crossing(world, VIEWER)
    asks = {
        "Origin": VIEWER,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization, if-match, x-api-key, content-type",
    }
    allowed = client.options("/persons/1", headers=asks)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == VIEWER
    assert "PATCH" in allowed.headers["access-control-allow-methods"]
    headers = {"Origin": VIEWER, "Sec-Fetch-Site": "cross-site", **token(world)}
    made = client.post("/persons", json={"name": "Anna"}, headers=headers)
    assert (made.status_code, made.headers["access-control-allow-origin"]) == (201, VIEWER)
    assert "Operation-Id" in made.headers["access-control-expose-headers"]
    assert "Origin" in made.headers["vary"]
    for name, value in SECURITY_HEADERS.items():
        assert allowed.headers[name] == value


def test_a_page_of_a_named_origin_signs_in(world: World) -> None:
    headers = {"Origin": VIEWER, "Sec-Fetch-Site": "cross-site"}
    body = {"username": "ed", "password": PASSWORD}
    assert crossing(world, VIEWER).post("/login", json=body, headers=headers).json()["token"]
    problem(crossing(world, "https://other.example").post("/login", json=body, headers=headers), 403)


def test_a_page_of_a_named_origin_does_not_write_with_the_cookie(world: World) -> None:
    client = crossing(world, VIEWER)
    client.post("/login", json={"username": "ed", "password": PASSWORD})
    head = world.ledger.head()
    for site in ("cross-site", "same-site"):
        headers = {"Origin": VIEWER, "Sec-Fetch-Site": site}
        problem(client.post("/persons", json={"name": "Anna"}, headers=headers), 403)
    assert world.ledger.head() == head


@pytest.mark.parametrize(
    "origin", [f"{VIEWER}.evil.example", "http://viewer.example", f"{VIEWER}:8443", "https://evil.example", "null", "*"]
)
def test_only_the_very_origin_that_was_named_is_let_in(world: World, origin: str) -> None:
    client = crossing(world, VIEWER)
    answer = client.get("/photos", headers={"Origin": origin, **token(world)})
    assert "access-control-allow-origin" not in answer.headers
    asks = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    refused = client.options("/photos", headers=asks)
    assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (400, False)


def test_any_page_may_use_a_key_where_that_is_said_and_none_a_cookie(world: World) -> None:
    client = crossing(world, "*")
    answer = client.get("/photos", headers={"Origin": VIEWER, **token(world)})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    problem(client.post("/login", json={"username": "ed", "password": PASSWORD}, headers={"Origin": VIEWER}), 403)
