"""API keys: made once, sent in either header, never worth more than their user, and gone at once."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.http.asgi import declared
from adapters.store.database import Database
from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from domain.commands.accounts import add_user, remove_user
from domain.commands.api_keys import issue_key, revoke_key
from domain.events.api_key import hash_of, key_text
from tests.http.words import fields, named, problem
from tests.http.world import PASSWORD, Api, World, user

SECRET = bytes(range(32))


def made(api: Api, scope: str = "read", name: str = "phone", **more: Any) -> str:
    """A new key of a user."""
    answer = api.post("/api-keys", json={"name": name, "scope": scope, **more})
    assert answer.status_code == 201, answer.text
    key: str = answer.json()["key"]
    return key


def by_key(world: World, key: str) -> Api:
    """A client that sends a key."""
    return world.client(headers={"X-API-Key": key})


def test_a_key_is_shown_once_and_then_only_named(world: World, ed: Api) -> None:
    answer = ed.post("/api-keys", json={"name": " phone ", "scope": "read", "expires_at": "2099-01-01T02:00:00+02:00"})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    key = answer.json()["key"]
    assert re.fullmatch(r"imageapi_\d+_[0-9a-f]{64}", key)
    listed = ed.get("/api-keys")
    (row,) = listed.json()["items"]
    assert (row["name"], row["scope"], row["username"], row["used_at"]) == ("phone", "read", "ed", None)
    assert row["expires_at"] == answer.json()["expires_at"] == "2099-01-01T00:00:00Z"
    assert key.rpartition("_")[2] not in listed.text
    events = world.ledger.events(0, 10_000)
    assert key.rpartition("_")[2] not in json.dumps([str(recorded.event) for recorded in events])


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_a_key_is_sent_in_either_header_and_the_user_and_key_are_named(world: World, ed: Api, header: str) -> None:
    key = made(ed, "write")
    client = world.client(headers={header: f"Bearer {key}" if header == "Authorization" else key})
    me = client.get("/me").json()
    assert (me["name"], me["role"], me["key"]) == ("ed", "editor", "phone")
    named(client, "Anna")
    assert ed.get("/operations").json()["items"][0]["actor"] == "ed by key phone"


def test_the_deeds_of_a_key_are_listed_as_its_users(world: World) -> None:
    rex = world.api("rex")
    named(by_key(world, made(rex, "write")), "Anna")
    newest = rex.get("/operations", params={"actor": "rex"}).json()["items"][0]
    assert newest["actor"] == "rex by key phone"


def test_a_read_key_of_an_editor_changes_nothing(world: World, ed: Api) -> None:
    client, head = by_key(world, made(ed)), world.ledger.head()
    for route in (route for route in declared() if route.role == "editor"):
        answer = client.request(route.method, re.sub(r"{\w+}", "1", route.path), json={} if route.body else None)
        assert "ed by key phone has the role viewer" in problem(answer, 403)["detail"]
    assert world.ledger.head() == head


def test_a_key_sees_the_libraries_of_its_user(world: World) -> None:
    client = by_key(world, made(world.api("rex")))
    assert [library["name"] for library in client.get("/libraries").json()["items"]] == ["Family"]
    problem(client.get("/users"), 403)


def test_a_write_key_of_an_admin_is_no_admin(world: World, ann: Api) -> None:
    problem(by_key(world, made(ann, "write")).get("/users"), 403)
    assert by_key(world, made(ann, "admin", "rules")).get("/users").status_code == 200


def test_a_demotion_counts_at_once(world: World, ann: Api, ed: Api) -> None:
    client = by_key(world, made(ed, "write"))
    named(client, "Anna")
    ann.patch(f"/users/{user(world, 'ed').id}", json={"role": "viewer"})
    problem(client.post("/persons", json={"name": "Bob"}), 403)
    assert client.get("/persons").status_code == 200


def test_a_removed_users_key_opens_nothing(world: World, ann: Api, ed: Api) -> None:
    client = by_key(world, made(ed))
    assert client.get("/me").status_code == 200
    ann.delete(f"/users/{user(world, 'ed').id}")
    problem(client.get("/me"), 401)


def test_a_key_that_another_process_revoked_opens_nothing(world: World, ed: Api) -> None:
    key = made(ed)
    client = by_key(world, key)
    assert client.get("/me").status_code == 200
    other = Ledger(Database(str(world.ledger.database.url)))
    with other.transaction(CLI) as uow:
        revoke_key(uow, int(key.split("_")[1]))
    other.close()
    told = problem(client.get("/me"), 401)
    assert "revoked" in told["detail"]


def test_a_key_ends_when_it_says(world: World) -> None:
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    ed = user(world, "ed").id
    for at, status in ((now - 60_000_000, 401), (now + 60_000_000, 200)):
        with world.ledger.transaction(CLI) as uow:
            key_id = issue_key(uow, ed, f"until {at}", "read", hash_of(SECRET), 0, at)
        assert by_key(world, key_text(key_id, SECRET)).get("/me").status_code == status


def test_a_new_password_ends_sessions_and_keeps_keys(world: World, ed: Api) -> None:
    client = by_key(world, made(ed))
    ed.post("/me/password", json={"current": PASSWORD, "password": "six grey herons"})
    problem(ed.get("/me"), 401)
    assert client.get("/me").status_code == 200


@pytest.mark.parametrize(
    "key",
    ["", "imageapi", "imageapi_1", f"imageapi_1_{'0' * 64}", f"imageapi_999_{'0' * 64}", "imageapi_ü", "x" * 5000],
)
@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_what_is_no_key_signs_nobody_in(world: World, ed: Api, header: str, key: str) -> None:
    made(ed)
    given = f"Bearer {key}" if header == "Authorization" else key
    problem(world.client(headers={header: given.encode()}).get("/me"), 401)


def test_a_sign_in_token_is_no_key(world: World) -> None:
    ed = user(world, "ed")
    problem(world.client(headers={"X-API-Key": world.tokens.issue(ed.id, ed.epoch).token}).get("/me"), 401)


def test_wrong_keys_are_slowed_down_and_keep_nobody_out(world: World, ed: Api) -> None:
    key = made(ed)
    wrong = by_key(world, key[:-1] + ("0" if key[-1] != "0" else "1"))
    for _ in range(5):
        problem(wrong.get("/me"), 401)
    limited = wrong.get("/me")
    problem(limited, 429)
    assert limited.headers["retry-after"] == "1"
    assert wrong.get("/health").status_code == 200, "an open route is open"
    assert by_key(world, key).get("/me").status_code == 200
    assert world.client().post("/login", json={"username": "ed", "password": PASSWORD}).status_code == 200
    world.now += 1
    problem(wrong.get("/me"), 401)


def test_a_key_writes_wherever_it_comes_from_also_beside_a_cookie(world: World, ed: Api) -> None:
    browser = world.client()
    browser.post("/login", json={"username": "vic", "password": PASSWORD}, headers={"Sec-Fetch-Site": "same-origin"})
    headers = {"X-API-Key": made(ed, "write"), "Origin": "https://viewer.example", "Sec-Fetch-Site": "cross-site"}
    assert browser.post("/persons", json={"name": "Anna"}, headers=headers).status_code == 201


def test_a_key_makes_no_keys_and_sets_no_password_unless_it_is_an_admins(world: World, ann: Api, ed: Api) -> None:
    client = by_key(world, made(ed, "write"))
    (row,) = client.get("/api-keys").json()["items"]
    head = world.ledger.head()
    for answer in (
        client.post("/api-keys", json={"name": "second", "scope": "read"}),
        client.delete(f"/api-keys/{row['id']}"),
        client.post("/me/password", json={"current": PASSWORD, "password": "six grey herons"}),
    ):
        assert "scope admin" in problem(answer, 403)["detail"]
    assert world.ledger.head() == head
    rules = by_key(world, made(ann, "admin"))
    assert made(rules, "read", "second")
    changed = rules.post("/me/password", json={"current": PASSWORD, "password": "six grey herons"})
    assert changed.status_code == 200


def test_everyone_lists_and_revokes_their_own_and_an_admin_anyones(world: World, ann: Api, ed: Api) -> None:
    made(ann, "read", "hers")
    mine, other = (int(made(ed, "read", name).split("_")[1]) for name in ("mine", "other"))
    assert [row["name"] for row in ed.get("/api-keys").json()["items"]] == ["mine", "other"]
    assert [(row["name"], row["username"]) for row in ann.get("/api-keys").json()["items"]] == [
        ("hers", "ann"),
        ("mine", "ed"),
        ("other", "ed"),
    ]
    problem(world.api("vic").delete(f"/api-keys/{mine}"), 404)
    assert ed.delete(f"/api-keys/{mine}").status_code == 200
    problem(ed.delete(f"/api-keys/{mine}"), 404)
    assert ann.delete(f"/api-keys/{other}").status_code == 200
    assert ed.get("/api-keys").json()["items"] == []


def test_issuing_and_revoking_are_not_undone(world: World, ann: Api) -> None:
    issued = ann.post("/api-keys", json={"name": "phone", "scope": "read"})
    revoked = ann.delete(f"/api-keys/{issued.json()['id']}")
    for answer in (issued, revoked):
        problem(ann.post(f"/operations/{answer.headers['operation-id']}/undo"), 422)


def test_a_use_is_shown_and_appends_nothing(world: World, ed: Api) -> None:
    client = by_key(world, made(ed))
    head = world.ledger.head()
    client.get("/me")
    (row,) = client.get("/api-keys").json()["items"]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(row["used_at"])) < timedelta(minutes=5)
    assert world.ledger.head() == head


@pytest.mark.parametrize(
    ("wrong", "named_fields"),
    [
        ({"name": ""}, ["name"]),
        ({"scope": "king"}, ["scope"]),
        ({"scope": "admin"}, ["scope"]),
        ({"expires_at": "2001-01-01T00:00:00Z"}, ["expires_at"]),
        ({"expires_at": "2099-01-01T00:00:00"}, ["expires_at"]),
        ({"expires_at": "soon", "scope": 5}, ["expires_at", "scope"]),
    ],
)
def test_a_key_that_cannot_be_is_refused(world: World, ed: Api, wrong: dict[str, Any], named_fields: list[str]) -> None:
    head = world.ledger.head()
    told = fields(ed.post("/api-keys", json={"name": "phone", "scope": "read"} | wrong))
    assert sorted(told) == named_fields
    assert world.ledger.head() == head


def test_two_keys_of_one_user_have_two_names(ed: Api) -> None:
    made(ed)
    problem(ed.post("/api-keys", json={"name": "PHONE", "scope": "read"}), 409)


def test_what_is_done_with_keys_stays_out_of_the_feed(world: World, ann: Api, ed: Api) -> None:
    after = world.ledger.head()
    made(ed)
    types = {event["type"] for event in ann.get("/events", params={"after": after}).json()["items"]}
    assert not {kind for kind in types if "ApiKey" in kind}
    vic = world.api("vic").get("/operations").json()["items"]
    assert not [row for row in vic if "phone" in row["text"]]


def test_a_user_who_was_added_again_in_another_guise_has_no_keys(world: World, ed: Api) -> None:
    key = made(ed)
    with world.ledger.transaction(CLI) as uow:
        remove_user(uow, user(world, "ed").id)
        uow.next_operation()
        add_user(uow, "eddy", "editor", None)
    problem(by_key(world, key).get("/me"), 401)
