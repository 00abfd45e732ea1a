"""What many tests say."""

from __future__ import annotations

from typing import Any

from tests.http.world import Api


def named(api: Api, name: str, *faces: int) -> int:
    """A new person with these faces; its id."""
    person: int = api.post("/persons", json={"name": name}).json()["id"]
    if faces:
        api.post("/image/faces/batch", json={"ids": list(faces), "action": "assign", "person_id": person})
    return person


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem that an answer tells."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    return told


def fields(answer: Any) -> list[str]:
    """The inputs that an answer refuses."""
    return [error["field"] for error in problem(answer, 422)["errors"]]
