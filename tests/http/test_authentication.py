"""Who asks: tokens, the cookie, and where a write comes from."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.accounts.tokens import Tokens
from domain.base.actor import CLI
from domain.commands.accounts import remove_user, set_password
from tests.http.words import problem
from tests.http.world import PASSWORD, Api, World, user


def with_token(world: World, given: str) -> Api:
    """A client that sends this Authorization header."""
    return world.client(headers={"Authorization": given.encode()})


@pytest.fixture
def browser(world: World) -> Api:
    """A browser in which ed signed in: it has the cookie and no token."""
    client = world.client()
    answer = client.post(
        "/login", json={"username": "ed", "password": PASSWORD}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 200
    return client


@pytest.mark.parametrize(
    "given", ["Bearer", "Bearer ", "Basic YTpi", "Bearer x.y.z", "Bearer ü", "", "Bearer " + "a" * 5000]
)
def test_what_is_no_token_of_ours_signs_nobody_in(world: World, given: str) -> None:
    problem(with_token(world, given).get("/me"), 401)


def test_a_token_of_another_key_signs_nobody_in(world: World) -> None:
    ann = user(world, "ann")
    forged = Tokens("another key that is long enough too").issue(ann.id, ann.epoch).token
    answer = with_token(world, f"Bearer {forged}").get("/me")
    problem(answer, 401)
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_token_that_has_ended_signs_nobody_in(world: World) -> None:
    ann = user(world, "ann")
    ended = world.tokens.issue(ann.id, ann.epoch, timedelta(seconds=-5)).token
    assert "expired" in problem(with_token(world, f"Bearer {ended}").get("/me"), 401)["detail"]


def test_a_new_password_and_removal_end_every_session(world: World, ed: Api) -> None:
    assert ed.get("/me").json()["name"] == "ed"
    with world.ledger.transaction(CLI) as uow:
        set_password(uow, user(world, "ed").id, "a new hash")
    assert "session has ended" in problem(ed.get("/me"), 401)["detail"]
    again = world.api("ed")
    assert again.get("/me").status_code == 200
    with world.ledger.transaction(CLI) as uow:
        remove_user(uow, user(world, "ed").id)
    problem(again.get("/me"), 401)


def test_a_change_of_role_counts_at_once(world: World, ann: Api, ed: Api) -> None:
    ann.patch(f"/users/{user(world, 'ed').id}", json={"role": "viewer"})
    problem(ed.post("/persons", json={"name": "x"}), 403)


def test_the_cookie_reads_and_is_out_of_reach_for_scripts(world: World) -> None:
    client = world.client()
    answer = client.post("/login", json={"username": "ed", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("imageapi=")
    for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert "Secure" not in cookie
    assert client.get("/me").json()["name"] == "ed"


def test_over_https_the_cookie_is_secure(world: World) -> None:
    client = world.client(base_url="https://photos.example")
    answer = client.post("/login", json={"username": "ed", "password": PASSWORD})
    assert "; Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://testserver"},
        {"Origin": "https://testserver", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://testserver:80"},
    ],
)
def test_a_write_of_the_own_page_passes_with_the_cookie(browser: Api, headers: dict[str, str]) -> None:
    assert browser.post("/persons", json={"name": "Anna"}, headers=headers).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver:8331"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://[nonsense"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_write_from_elsewhere_is_refused_with_the_cookie(world: World, browser: Api, headers: dict[str, str]) -> None:
    head = world.ledger.head()
    problem(browser.post("/persons", json={"name": "Anna"}, headers=headers), 403)
    assert world.ledger.head() == head


def test_a_token_in_the_header_writes_wherever_it_comes_from(ed: Api) -> None:
    assert ed.post("/persons", json={"name": "Anna"}, headers={"Origin": "https://viewer.example"}).status_code == 201


@pytest.mark.parametrize("path", ["/login", "/welcome", "/register", "/logout"])
def test_nobody_is_signed_in_or_out_by_another_site(world: World, path: str) -> None:
    body = {"username": "ed", "password": PASSWORD} if path == "/login" else {"code": "x", "name": "n", "password": "p"}
    answer = world.client().post(path, json=body, headers={"Origin": "https://evil.example"})
    problem(answer, 403)
    assert "set-cookie" not in answer.headers


def test_signing_out_forgets_the_cookie(browser: Api) -> None:
    answer = browser.post("/logout", headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.content) == (204, b"")
    problem(browser.get("/me"), 401)


def test_a_header_goes_before_the_cookie(world: World, browser: Api) -> None:
    ann = user(world, "ann")
    token = world.tokens.issue(ann.id, ann.epoch).token
    assert browser.get("/me", headers={"Authorization": f"Bearer {token}"}).json()["name"] == "ann"
    problem(browser.get("/me", headers={"Authorization": "Bearer nonsense"}), 401)
