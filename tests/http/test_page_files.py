"""The files of the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.http.asgi import create_http_app
from tests.http.words import problem
from tests.http.world import PAGE, Api, World


@pytest.fixture
def page(world: World, tmp_path: Path) -> Path:
    """A page of one's own, with things beside it that are no part of one."""
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>index</title>")
    (folder / "welcome.html").write_text("<!doctype html><title>welcome</title>")
    (folder / "assets" / "main.js").write_text("export {};")
    (folder / "assets" / "main.css").write_text("body {}")
    (folder / "assets" / "icon.svg").write_text("<svg/>")
    (folder / "__init__.py").write_text("SECRET = 1")
    (tmp_path / "secret.txt").write_text("no page")
    return folder


@pytest.fixture
def visitor(world: World, page: Path) -> Api:
    """Someone who is not signed in, at that page."""
    object.__setattr__(world.dependencies, "page", page)
    world.__dict__["app"] = create_http_app(world.dependencies)
    return world.client()


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("/", "text/html; charset=utf-8", "index"),
        ("/welcome", "text/html; charset=utf-8", "welcome"),
        ("/assets/main.js", "text/javascript; charset=utf-8", "export"),
        ("/assets/main.css", "text/css; charset=utf-8", "body"),
        ("/assets/icon.svg", "image/svg+xml", "svg"),
    ],
)
def test_each_file_has_its_type_and_a_tag(visitor: Api, path: str, kind: str, text: str) -> None:
    answer = visitor.get(path, headers={"Accept": "text/html,*/*"})
    assert answer.headers["content-type"] == kind
    assert text in answer.text
    again = visitor.get(path, headers={"If-None-Match": answer.headers["etag"], "Accept": "text/html"})
    assert (again.status_code, again.content) == (304, b"")
    assert visitor.head(path).content == b""


@pytest.mark.parametrize(
    "path",
    [
        "/__init__.py",
        "/index.html",
        "/assets/",
        "/assets/../__init__.py",
        "/assets/%2e%2e/__init__.py",
        "/assets/..%2f..%2fsecret.txt",
        "/../secret.txt",
        "/secret.txt",
        "/assets//main.js",
    ],
)
def test_nothing_but_the_page_is_served(visitor: Api, path: str) -> None:
    problem(visitor.get(path), 404)


def test_a_file_that_changed_has_another_tag(visitor: Api, page: Path) -> None:
    before = visitor.get("/assets/main.js").headers["etag"]
    (page / "assets" / "main.js").write_text("export const changed = 1;")
    after = visitor.get("/assets/main.js", headers={"If-None-Match": before})
    assert (after.status_code, after.headers["etag"] == before) == (200, False)


def test_a_file_that_is_gone_is_a_problem_and_no_crash(visitor: Api, page: Path) -> None:
    (page / "assets" / "main.js").unlink()
    problem(visitor.get("/assets/main.js"), 404)


def test_every_file_that_the_real_page_names_is_served(world: World) -> None:
    client = world.client()
    for path in sorted(PAGE.rglob("*.*")):
        name = path.relative_to(PAGE).as_posix()
        if name.startswith("assets/"):
            assert client.get(f"/{name}").status_code == 200, name
