"""Every write says which operation it was, so that it can be undone or looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from httpx2 import Response

from adapters.http.asgi import declared
from domain.base.conversation import ConversationMessage
from tests.http.painted import paint
from tests.http.words import named
from tests.http.world import DOCUMENT, PASSWORD, Api, World, face_ids

ANN, BOB, BOTH = {"path": "trips/ann.jpg"}, {"path": "bob.jpg"}, {"path": "trips/both.jpg"}
ACCOUNT = {"name": "zoe", "password": "four green herons"}
BOX = {"x": 0.17, "y": 0.26, "w": 0.12, "h": 0.18}


class Desk:
    """An admin's client of one world, with short words for what a write needs first."""

    def __init__(self, world: World) -> None:
        self.world, self.api = world, world.api("ann")
        self.post, self.patch, self.delete = self.api.post, self.api.patch, self.api.delete
        self._names = 0

    def name(self) -> str:
        """A name that nothing has."""
        self._names += 1
        return f"Somebody {self._names}"

    def face(self, path: str = "trips/ann.jpg") -> int:
        """A face."""
        return face_ids(self.api, path)[0]

    def person(self) -> int:
        """A new person."""
        return named(self.api, self.name())

    def tag_name(self) -> str:
        """The name of a new tag on a photo."""
        name = self.name()
        self._made("/image/tags", {**BOB, "name": name})
        return name

    def tag(self) -> int:
        """A new tag on a photo."""
        return self._made("/image/tags", {**BOB, "name": self.name()})

    def entity(self) -> int:
        """A new entity."""
        return self._made("/entities", {"name": self.name(), "type": "person"})

    def fact(self) -> str:
        """The address of a new fact."""
        entity = self.entity()
        fact = self._made(f"/entities/{entity}/facts", {"text": "Sails."})
        return f"/entities/{entity}/facts/{fact}"

    def talked(self) -> Desk:
        """The same, when a photo was talked about."""
        self.post("/insights/generate", json=BOB)
        assert self.post("/insights/chat", json={**BOB, "message": "Who?"}).status_code == 200
        return self

    def summary(self) -> int:
        """A daily summary."""
        moment = datetime(2020, 5, 1, 12, tzinfo=UTC)
        self.world.talks.append(ConversationMessage("1", "Bob", moment, "received", "The boat."))
        while self.world.summariser.step():
            pass
        summary: int = self.api.get("/summaries").json()["items"][0]["id"]
        return summary

    def unmatched(self) -> int:
        """A named face that is on no photo any more, since another picture was saved in its place."""
        named(self.api, self.name(), self.face("boss.jpg"))
        paint(self.world.folder / "work" / "boss.jpg", ("red", 350, 20, 60), shade=30)
        self.world.scan()
        self.world.detect()
        face: int = self.api.get("/faces/unmatched").json()["items"][0]["id"]
        return face

    def invitation(self) -> str:
        """An invitation's code."""
        code: str = self.post("/invitations", json={}).json()["code"]
        return code

    def _made(self, address: str, body: Mapping[str, Any]) -> int:
        made = self.post(address, json=body)
        assert made.status_code == 201, made.text
        id_: int = made.json()["id"]
        return id_


WRITES: Final[Mapping[str, Callable[[Desk], Response]]] = {
    "POST /image/faces": lambda d: d.post("/image/faces", json={**ANN, "box": BOX}),
    "PATCH /image/faces/{id}": lambda d: d.patch(f"/image/faces/{d.face()}", json={"person_id": d.person()}),
    "DELETE /image/faces/{id}": lambda d: d.delete(f"/image/faces/{d.face('cousin.jpg')}"),
    "POST /image/faces/batch": lambda d: d.post(
        "/image/faces/batch", json={"ids": [d.face()], "action": "assign", "name": d.name()}
    ),
    "POST /image/faces/rerun": lambda d: _seen_by_a_new_model(d).post("/image/faces/rerun", params=BOTH),
    "POST /image/faces/{id}/reject": lambda d: d.post(
        f"/image/faces/{d.face('bob.jpg')}/reject", json={"person_id": d.person()}
    ),
    "POST /faces/clusters/accept": lambda d: d.post(
        "/faces/clusters/accept", json={"ids": [d.face("bob.jpg")], "name": d.name()}
    ),
    "DELETE /faces/unmatched/{id}": lambda d: d.delete(f"/faces/unmatched/{d.unmatched()}"),
    "POST /persons/bootstrap": lambda d: d.post(
        "/persons/bootstrap", json={"tags": [d.post("/image/tags", json={**BOB, "name": "Carla"}).json()["name"]]}
    ),
    "POST /persons": lambda d: d.post("/persons", json={"name": d.name()}),
    "PATCH /persons/{id}": lambda d: d.patch(f"/persons/{d.person()}", json={"notes": "Sails."}),
    "DELETE /persons/{id}": lambda d: d.delete(f"/persons/{d.person()}"),
    "POST /persons/suggestions/refuse": lambda d: d.post(
        "/persons/suggestions/refuse", json={"persons": [d.person(), d.person()]}
    ),
    "POST /persons/{id}/merge": lambda d: d.post(f"/persons/{d.person()}/merge", json={"into": d.person()}),
    "POST /image/tags": lambda d: d.post("/image/tags", json={**ANN, "name": d.name()}),
    "DELETE /image/tags": lambda d: d.delete("/image/tags", params={**BOB, "name": d.tag_name()}),
    "POST /image/tags/batch": lambda d: d.post(
        "/image/tags/batch", json={"ids": [1], "name": d.name(), "action": "add"}
    ),
    "PATCH /tags/{id}": lambda d: d.patch(f"/tags/{d.tag()}", json={"name": d.name()}),
    "POST /tags/{id}/merge": lambda d: d.post(f"/tags/{d.tag()}/merge", json={"into": d.tag()}),
    "DELETE /tags/{id}": lambda d: d.delete(f"/tags/{d.tag()}"),
    "POST /insights/generate": lambda d: d.post("/insights/generate", json=BOB),
    "POST /insights/rate": lambda d: d.post("/insights/rate", json={**BOB, "rating": "good"}),
    "POST /insights/chat": lambda d: d.post("/insights/chat", json={**BOB, "message": "Who is it?"}),
    "POST /insights/chat/rewind": lambda d: d.talked().post("/insights/chat/rewind", json={**BOB, "index": 1}),
    "POST /entities": lambda d: d.post("/entities", json={"name": d.name(), "type": "person"}),
    "PATCH /entities/{id}": lambda d: d.patch(f"/entities/{d.entity()}", json={"name": d.name()}),
    "DELETE /entities/{id}": lambda d: d.delete(f"/entities/{d.entity()}"),
    "POST /entities/{id}/merge": lambda d: d.post(f"/entities/{d.entity()}/merge", json={"into": d.entity()}),
    "POST /entities/{id}/facts": lambda d: d.post(f"/entities/{d.entity()}/facts", json={"text": "Sails."}),
    "PATCH /entities/{id}/facts/{fact_id}": lambda d: d.patch(d.fact(), json={"text": "Rows."}),
    "DELETE /entities/{id}/facts/{fact_id}": lambda d: d.delete(d.fact()),
    "POST /summaries/generate": lambda d: d.post("/summaries/generate", json={}),
    "DELETE /summaries/{id}": lambda d: d.delete(f"/summaries/{d.summary()}"),
    "POST /libraries": lambda d: d.post("/libraries", json={"root": str(_folder(d))}),
    "PATCH /libraries/{id}": lambda d: d.patch("/libraries/1", json={"name": d.name()}),
    "POST /libraries/{id}/scan": lambda d: d.post("/libraries/1/scan"),
    "POST /operations/{id}/undo": lambda d: d.post(
        f"/operations/{d.patch(f'/persons/{d.person()}', json={'notes': 'x'}).headers['operation-id']}/undo"
    ),
    "POST /login": lambda d: d.post("/login", json={"username": "ed", "password": PASSWORD}),
    "POST /welcome": lambda d: d.post("/welcome", json={"code": d.invitation(), **ACCOUNT}),
    "POST /register": lambda d: d.post("/register", json={"code": d.invitation(), **ACCOUNT, "name": "yve"}),
    "POST /invitations": lambda d: d.post("/invitations", json={"role": "editor"}),
    "POST /me/password": lambda d: d.world.api("vic").post(
        "/me/password", json={"current": PASSWORD, "password": "nine grey herons"}
    ),
    "POST /users": lambda d: d.post("/users", json={"name": "xan", "password": "seven grey herons"}),
    "PATCH /users/{id}": lambda d: d.patch("/users/4", json={"role": "viewer"}),
    "DELETE /users/{id}": lambda d: d.delete("/users/4"),
    "POST /api-keys": lambda d: d.post("/api-keys", json={"name": "phone", "scope": "read"}),
    "DELETE /api-keys/{id}": lambda d: d.delete("/api-keys/1"),
    "DELETE /libraries/{id}": lambda d: d.delete("/libraries/2"),
}
"""Each write that is an operation, as a call that changes something."""
NO_OPERATIONS: Final[Mapping[str, Callable[[Api], Response]]] = {
    "POST /logout": lambda api: api.post("/logout"),
    "POST /video/generate": lambda api: api.post("/video/generate", json={"path": "clip.mp4"}),
    "POST /video/preview/status": lambda api: api.post("/video/preview/status", json={"items": [{"path": "clip.mp4"}]}),
    "DELETE /insights/chat/stream": lambda api: api.delete("/insights/chat/stream", params={"turn": "none"}),
}
"""What decides nothing, and is no operation."""
NAMED_ELSEWHERE: Final = {"POST /insights/chat/stream", "POST /admin/rebuild"}
"""The stream names its operation in its last event; the log is not touched by a rebuild, which is a job."""


def _seen_by_a_new_model(desk: Desk) -> Desk:
    desk.world.engine.model_version = "painted-2"
    return desk


def _folder(desk: Desk) -> str:
    folder = desk.world.data / "more photos"
    folder.mkdir()
    return str(folder)


def test_every_write_of_the_document_is_tried_here_and_documents_its_operation() -> None:
    writes = {
        f"{method.upper()} {path}": operation
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
        if method != "get"
    }
    assert set(writes) == set(WRITES) | set(NO_OPERATIONS) | NAMED_ELSEWHERE
    for route in declared():
        answers = writes.get(f"{route.method} {route.path}", {}).get("responses", {})
        headers = answers.get(str(route.status), {}).get("headers", {})
        assert ("Operation-Id" in headers) == route.records == (f"{route.method} {route.path}" in WRITES), route.path


def test_every_write_names_the_operation_that_it_was(own_world: World) -> None:
    desk, seen = Desk(own_world), set[str]()
    for route, call in WRITES.items():
        answer = call(desk)
        assert answer.is_success, f"{route}: {answer.text}"
        operation = answer.headers.get("operation-id")
        assert operation is not None, f"{route} names no operation"
        assert operation not in seen, f"{route} names the operation of another write"
        seen.add(operation)
        shown = desk.api.get(f"/operations/{operation}")
        assert shown.status_code == 200, f"{route}: {shown.text}"


@pytest.mark.parametrize("route", NO_OPERATIONS)
def test_what_is_no_operation_leaves_the_log_as_it_is(world: World, route: str) -> None:
    ann, before = world.api("ann"), world.ledger.head()
    answer = NO_OPERATIONS[route](ann)
    assert "operation-id" not in answer.headers
    assert world.ledger.head() == before
