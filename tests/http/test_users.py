"""Accounts as admins handle them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.words import fields, problem
from tests.http.world import PASSWORD, Api, World, user

OLDER = {"name": "yan", "password": "five grey herons"}
NEW = {"name": "zoe", "password": "five grey herons", "role": "editor", "libraries": [2]}


def test_accounts_are_listed_without_their_secrets(ann: Api) -> None:
    answer = ann.get("/users")
    assert [(row["name"], row["role"], row["libraries"]) for row in answer.json()["items"]] == [
        ("ann", "admin", None),
        ("ed", "editor", None),
        ("vic", "viewer", None),
        ("rex", "editor", [1]),
    ]
    assert "argon2" not in answer.text


def test_a_new_account_signs_in_and_sees_what_it_was_granted(world: World, ann: Api) -> None:
    made = ann.post("/users", json=NEW)
    assert made.status_code == 201
    assert (made.json()["name"], made.json()["libraries"], made.json()["has_password"]) == ("zoe", [2], True)
    zoe = world.client()
    token = zoe.post("/login", json={"username": "Zoe", "password": NEW["password"]}).json()["token"]
    libraries = zoe.get("/libraries", headers={"Authorization": f"Bearer {token}"}).json()["items"]
    assert [library["name"] for library in libraries] == ["Work"]


@pytest.mark.parametrize("name", ["ED", "watcher", "CLI"])
def test_a_name_of_another_or_of_a_part_of_the_server_is_taken(world: World, ann: Api, name: str) -> None:
    head = world.ledger.head()
    problem(ann.post("/users", json=NEW | {"name": name}), 409)
    assert world.ledger.head() == head


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"name": ""}, ["name"]),
        ({"password": "short"}, ["password"]),
        ({"role": "king", "libraries": "all"}, ["role", "libraries"]),
        ({"libraries": [9]}, ["libraries"]),
    ],
)
def test_an_account_that_cannot_be_is_refused(world: World, ann: Api, change: dict[str, Any], wrong: list[str]) -> None:
    head = world.ledger.head()
    assert fields(ann.post("/users", json=NEW | change)) == wrong
    assert world.ledger.head() == head


def test_role_and_grants_change_together_or_alone(world: World, ann: Api) -> None:
    rex = user(world, "rex").id
    assert ann.patch(f"/users/{rex}", json={"role": "viewer"}).json()["libraries"] == [1]
    changed = ann.patch(f"/users/{rex}", json={"libraries": None}, headers={"If-Match": '"2"'}).json()
    assert (changed["role"], changed["libraries"], changed["version"]) == ("viewer", None, 3)
    problem(ann.patch(f"/users/{rex}", json={"role": "editor"}, headers={"If-Match": '"2"'}), 412)
    problem(ann.patch("/users/999", json={"role": "editor"}), 404)
    assert fields(ann.patch(f"/users/{rex}", json={"role": None})) == ["role"]


def test_an_admin_sets_a_password_by_itself(world: World, ann: Api) -> None:
    ed = user(world, "ed").id
    assert fields(ann.patch(f"/users/{ed}", json={"password": "six grey herons", "role": "viewer"})) == ["password"]
    assert ann.patch(f"/users/{ed}", json={"password": "six grey herons"}).status_code == 200
    problem(world.client().post("/login", json={"username": "ed", "password": PASSWORD}), 401)
    assert world.client().post("/login", json={"username": "ed", "password": "six grey herons"}).status_code == 200
    problem(ann.patch("/users/999", json={"password": "six grey herons"}), 404)


def test_the_last_admin_stays(world: World, ann: Api) -> None:
    me = user(world, "ann").id
    head = world.ledger.head()
    problem(ann.patch(f"/users/{me}", json={"role": "viewer"}), 409)
    problem(ann.delete(f"/users/{me}"), 409)
    assert world.ledger.head() == head


def test_a_closed_account_is_gone_and_its_deeds_stay(world: World, ann: Api, ed: Api) -> None:
    ed.post("/persons", json={"name": "Anna"})
    assert ann.delete(f"/users/{user(world, 'ed').id}").status_code == 200
    problem(ed.get("/me"), 401)
    assert ann.get("/operations", params={"actor": "ed"}).json()["items"][0]["text"] == "created Anna"
    problem(ann.delete("/users/999"), 404)


def test_an_account_is_called_username_and_older_clients_may_call_it_name(world: World) -> None:
    ann = world.api("ann")
    made = ann.post("/users", json={"username": "xan", "password": "five grey herons"}).json()
    assert (made["username"], made["name"]) == ("xan", "xan")
    assert ann.post("/users", json=OLDER).json()["username"] == "yan"
    for wrong in ({**OLDER, "username": "wim"}, {"password": "five grey herons"}, {**OLDER, "name": None}):
        assert fields(ann.post("/users", json=wrong)) == ["username"]
    code = ann.post("/invitations", json={}).json()["code"]
    account = {"code": code, "username": "uma", "password": "six grey herons"}
    assert fields(world.client().post("/register", json={**account, "name": "uma"})) == ["username"]
    assert world.client().post("/register", json=account).status_code == 200
    assert world.api("uma").get("/me").json()["username"] == "uma"
