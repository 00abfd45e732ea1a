"""A client of the event stream that goes away again and again misses nothing and is told nothing twice."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.scenarios.serving import Served, serving

PERSONS = 150
DISCONNECTS = 100


def test_a_client_that_disconnects_a_hundred_times_sees_each_event_once_in_order(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    with serving(tmp_path / "data", photos, FACE_ENGINE="off") as served:
        writer = threading.Thread(target=create_persons, args=(served,))
        writer.start()
        seen, connections = follow(served)
        writer.join()
        created = [event for event in seen if event["type"] == "PersonCreated:1"]
    assert connections >= DISCONNECTS
    positions = [event["position"] for event in seen]
    assert positions == sorted(set(positions))
    assert [event["data"]["name"] for event in created] == [f"Person {number}" for number in range(PERSONS)]


def create_persons(served: Served) -> None:
    headers = dict(served.client.headers)
    with httpx.Client(base_url=served.client.base_url, headers=headers, trust_env=False) as client:
        for number in range(PERSONS):
            client.post("/persons", json={"name": f"Person {number}"}).raise_for_status()


def follow(served: Served) -> tuple[list[dict[str, Any]], int]:
    """Read the stream from the beginning, hanging up after a few events each time, until the last person came."""
    moments = random.Random(7)
    seen: list[dict[str, Any]] = []
    last, connections = "0", 0
    while not seen or f"Person {PERSONS - 1}" not in str(seen[-1]) or connections < DISCONNECTS:
        connections += 1
        wanted = moments.randint(1, 4)
        finished = bool(seen) and f"Person {PERSONS - 1}" in str(seen[-1])
        with served.client.stream("GET", "/events/stream", headers={"Last-Event-ID": last}) as stream:
            stream.raise_for_status()
            if finished:
                continue
            position = ""
            for line in stream.iter_lines():
                if line.startswith("id: "):
                    position = line.removeprefix("id: ")
                elif line.startswith("data: "):
                    event = orjson.loads(line.removeprefix("data: "))
                    assert str(event["position"]) == position
                    seen.append(event)
                    last = position
                    wanted -= 1
                    if wanted == 0:
                        break
    return seen, connections


def test_a_stream_begins_now_where_no_place_is_named_and_ends_with_the_session(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    with serving(tmp_path / "data", photos, FACE_ENGINE="off") as served:
        served.client.post("/persons", json={"name": "Before"}).raise_for_status()
        with served.client.stream("GET", "/events/stream", params={"types": "PersonCreated"}) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            served.client.post("/persons", json={"name": "After"}).raise_for_status()
            data = next(line for line in lines if line.startswith("data: "))
        assert orjson.loads(data.removeprefix("data: "))["data"]["name"] == "After"
