"""Signing in with passwords and links, and the limits on trying."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.accounts.links import LinkPurpose
from domain.base.actor import CLI
from domain.commands.accounts import remove_user
from tests.http.words import fields, problem
from tests.http.world import PASSWORD, Api, World, user

ACCOUNT = {"name": "zoe", "password": "five grey herons"}


def logged(world: World) -> list[str]:
    """The kinds of all operations, newest first."""
    with world.ledger.reading(CLI) as tables:
        return [operation.kind for operation in tables.operations.latest(1000)]


def test_a_password_gives_a_token_that_ends_and_is_recorded(world: World) -> None:
    answer = world.client().post("/login", json={"username": "ED", "password": PASSWORD})
    session = answer.json()
    assert datetime.fromisoformat(session["expires_at"]) > datetime.now(UTC)
    assert answer.headers["cache-control"] == "no-store"
    bearer = world.client(headers={"Authorization": f"Bearer {session['token']}"})
    assert bearer.get("/me").json() == {
        "id": user(world, "ed").id,
        "username": "ed",
        "name": "ed",
        "role": "editor",
        "libraries": None,
        "version": 1,
        "key": None,
    }
    assert logged(world)[0] == "user.sign_in"


@pytest.mark.parametrize(("name", "password"), [("ed", "wrong"), ("nobody", PASSWORD), ("ed", ""), ("", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_are_told_alike(world: World, name: str, password: str) -> None:
    head = world.ledger.head()
    answer = world.client().post("/login", json={"username": name, "password": password})
    assert problem(answer, 401)["detail"] == "the name or the password is wrong"
    assert "set-cookie" not in answer.headers
    assert world.ledger.head() == head


def test_an_unknown_name_costs_as_much_work_as_a_known_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []
    verify = world.dependencies.accounts.passwords.verify

    def counted(stored: str | None, password: str) -> bool:
        asked.append(stored)
        return verify(stored, password)

    monkeypatch.setattr(world.dependencies.accounts.passwords, "verify", counted)
    for name in ("ed", "nobody"):
        world.client().post("/login", json={"username": name, "password": "wrong"})
    assert len(asked) == 2
    assert asked[1] is None


def test_trying_on_and_on_must_wait_and_the_right_password_waits_too(world: World) -> None:
    client = world.client()
    problem(client.post("/login", json={"username": "ed", "password": "wrong"}), 401)
    for _ in range(5):
        client.post("/login", json={"username": "ed", "password": "wrong"})
    refused = client.post("/login", json={"username": "ed", "password": PASSWORD})
    problem(refused, 429)
    wait = int(refused.headers["retry-after"])
    assert wait >= 1
    world.now += wait
    assert client.post("/login", json={"username": "ed", "password": PASSWORD}).status_code == 200


def test_the_first_admin_is_made_by_a_link_once_and_only_where_there_is_none(world: World, empty_world: World) -> None:
    code = empty_world.links.issue(LinkPurpose.FIRST_ADMIN)
    client = empty_world.client()
    assert fields(client.post("/welcome", json={"code": code, "name": "zoe", "password": "short"})) == ["password"]
    assert client.post("/welcome", json={"code": code, **ACCOUNT}).status_code == 200
    assert client.get("/me").json()["role"] == "admin"
    problem(empty_world.client().post("/welcome", json={"code": code, **ACCOUNT}), 404)
    late = world.links.issue(LinkPurpose.FIRST_ADMIN)
    refused = world.client().post("/welcome", json={"code": late, **ACCOUNT})
    assert "there is an admin already" in problem(refused, 409)["detail"]


def test_a_sign_in_link_works_once_and_only_by_a_post(world: World) -> None:
    code = world.links.issue(LinkPurpose.SIGN_IN, user_id=user(world, "ann").id)
    client = world.client()
    for _ in range(3):
        assert client.get("/welcome", params={"code": code}).headers["content-type"].startswith("text/html")
        told = client.get("/welcome", params={"code": code}, headers={"Accept": "application/json"})
        assert told.json() == {"purpose": "sign-in", "role": None}
    assert client.post("/welcome", json={"code": code}).status_code == 200
    assert client.get("/me").json()["name"] == "ann"
    assert logged(world)[0] == "user.sign_in"
    problem(world.client().post("/welcome", json={"code": code}), 404)
    problem(world.client().get("/welcome", params={"code": code}, headers={"Accept": "application/json"}), 404)


@pytest.mark.parametrize("code", ["", "x", "a" * 43])
def test_a_code_that_was_never_given_opens_nothing(world: World, code: str) -> None:
    head = world.ledger.head()
    problem(world.client().post("/welcome", json={"code": code, **ACCOUNT}), 404)
    problem(world.client().post("/register", json={"code": code, **ACCOUNT}), 404)
    assert world.ledger.head() == head


def test_a_link_of_a_closed_account_signs_nobody_in(world: World) -> None:
    code = world.links.issue(LinkPurpose.SIGN_IN, user_id=user(world, "ed").id)
    with world.ledger.transaction(CLI) as uow:
        remove_user(uow, user(world, "ed").id)
    problem(world.client().post("/welcome", json={"code": code}), 404)


@pytest.mark.parametrize("path", ["/register", "/welcome"])
def test_an_invitation_makes_one_account_with_its_role_and_libraries(world: World, ann: Api, path: str) -> None:
    invited = ann.post("/invitations", json={"role": "editor", "libraries": [2]})
    assert invited.status_code == 201
    code = invited.json()["code"]
    guest = world.client()
    taken = guest.post(path, json={"code": code, "name": "ED", "password": "five grey herons"})
    problem(taken, 409)
    assert guest.post(path, json={"code": code, **ACCOUNT}).status_code == 200
    me = guest.get("/me").json()
    assert (me["name"], me["role"], me["libraries"]) == ("zoe", "editor", [2])
    problem(world.client().post(path, json={"code": code, "name": "yan", "password": "five grey herons"}), 404)


def test_an_invitation_wants_a_name_and_a_password_that_can_be(world: World, ann: Api) -> None:
    code = ann.post("/invitations", json={}).json()["code"]
    guest = world.client()
    assert fields(guest.post("/welcome", json={"code": code})) == ["username"]
    assert fields(guest.post("/welcome", json={"code": code, "name": "zoe"})) == ["password"]
    assert fields(guest.post("/register", json={"code": code, "name": "zoe", "password": "short"})) == ["password"]
    assert fields(guest.post("/register", json={"code": code, "name": "zoe12345", "password": "ZOE12345"})) == [
        "password"
    ]
    assert guest.post("/register", json={"code": code, **ACCOUNT}).status_code == 200


def test_a_sign_in_link_is_no_invitation(world: World) -> None:
    code = world.links.issue(LinkPurpose.SIGN_IN, user_id=user(world, "ed").id)
    problem(world.client().post("/register", json={"code": code, **ACCOUNT}), 404)
    assert world.links.peek(code).purpose == LinkPurpose.SIGN_IN


def test_an_invitation_to_a_library_that_is_not_there_is_refused(ann: Api) -> None:
    assert fields(ann.post("/invitations", json={"libraries": [9]})) == ["libraries"]
    assert fields(ann.post("/invitations", json={"role": "king"})) == ["role"]


def test_the_own_password_is_changed_with_the_old_one_and_ends_other_sessions(world: World, ed: Api) -> None:
    other = world.api("ed")
    assert fields(ed.post("/me/password", json={"current": "wrong", "password": "six grey herons"})) == ["current"]
    assert fields(ed.post("/me/password", json={"password": "six grey herons"})) == ["current"]
    assert fields(ed.post("/me/password", json={"current": PASSWORD, "password": "short"})) == ["password"]
    answer = ed.post("/me/password", json={"current": PASSWORD, "password": "six grey herons"})
    problem(other.get("/me"), 401)
    problem(ed.get("/me"), 401)
    again = world.client(headers={"Authorization": f"Bearer {answer.json()['token']}"})
    assert again.get("/me").status_code == 200
    assert world.client().post("/login", json={"username": "ed", "password": "six grey herons"}).status_code == 200


def test_guessing_the_old_password_is_limited_too(world: World, ed: Api) -> None:
    answers = [ed.post("/me/password", json={"current": "wrong", "password": "six grey herons"}) for _ in range(8)]
    assert answers[-1].status_code == 429
    assert world.client().post("/login", json={"username": "ed", "password": PASSWORD}).status_code == 429
