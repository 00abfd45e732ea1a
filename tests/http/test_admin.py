"""What keeps the server in order: figures, read tables, and a rebuild while it serves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.background.rebuilds import Rebuilds
from adapters.language.call_counts import TALLY
from adapters.store.database import Database
from adapters.store.generations import verify
from adapters.store.ledger import LIVE, Ledger
from adapters.store.locks import rebuilding
from app import VERSION
from domain.base.actor import CLI
from projections.tables.schema import ReadTables
from tests.http.words import named, problem
from tests.http.world import Api, World
from tests.waiting import until

SECONDS = "imageapi_http_request_seconds"


def figures(api: Api) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every sample by name and labels."""
    answer = api.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def requests(api: Api) -> dict[tuple[str, str, str], float]:
    """How many requests were answered, by method, route and status."""
    counted = figures(api)[f"{SECONDS}_count"]
    return {(dict(key)["method"], dict(key)["route"], dict(key)["status"]): n for key, n in counted.items()}


def job(api: Api, job_id: int) -> dict[str, Any]:
    """A job, once it is done."""

    def done() -> dict[str, Any] | None:
        row: dict[str, Any] = next(row for row in api.get("/jobs").json()["items"] if row["id"] == job_id)
        return row if row["state"] == "done" else None

    found = until(done, "the job is not done", interval=0.05)
    assert found is not None
    return found


@contextmanager
def held(rebuilds: Rebuilds, world: World) -> Iterator[threading.Event]:
    """Rebuilds that wait, once begun, until the event is set."""
    go_on = threading.Event()
    original = rebuilds._rebuild

    def waits(report: Any, begin: Any, drop_old: bool) -> object:
        def begun() -> None:
            begin()
            go_on.wait(30)

        return original(report, begun, drop_old)

    rebuilds._rebuild = waits
    yield go_on
    go_on.set()
    world.rebuilds.stop()


def test_requests_are_counted_by_the_routes_template_and_the_class_of_status(world: World, ann: Api) -> None:
    person = named(ann, "Anna")
    for path in (f"/persons/{person}", "/persons/99999", "/persons/88888", "/nowhere/at/all", "/nor/here"):
        ann.get(path)
    ann.request("BREW", "/persons")
    world.client().get("/persons")
    counted = requests(ann)
    assert counted["GET", "/persons/{id}", "2xx"] == 1
    assert counted["GET", "/persons/{id}", "4xx"] == 2
    assert counted["GET", "other", "4xx"] == 2
    assert counted["other", "/persons", "4xx"] == 1
    assert counted["GET", "/persons", "4xx"] == 1
    assert not [route for _, route, _ in counted if "99999" in route or "nowhere" in route]


def test_a_bug_is_counted_as_one(world: World, ann: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError

    monkeypatch.setattr("projections.queries.persons_with_faces.PersonsWithFaces.page", broken)
    problem(ann.get("/persons"), 500)
    assert requests(ann)["GET", "/persons", "5xx"] == 1


def test_the_time_of_an_answer_falls_into_buckets(ann: Api) -> None:
    ann.get("/persons")
    found = figures(ann)
    labels = {"method": "GET", "route": "/persons", "status": "2xx"}
    buckets = {
        dict(key)["le"]: n for key, n in found[f"{SECONDS}_bucket"].items() if labels.items() <= dict(key).items()
    }
    assert (buckets["+Inf"], min(buckets.values()) >= 0) == (1, True)
    assert sum(found[f"{SECONDS}_sum"].values()) > 0


def test_the_log_the_policies_the_work_and_the_version_are_in_the_figures(world: World, ann: Api) -> None:
    world.ledger.set_checkpoint("autobind", world.ledger.head() - 3)
    found = figures(ann)
    assert found["imageapi_log_events_total"] == {(): world.ledger.head()}
    assert found["imageapi_policy_lag_events"][("policy", "autobind"),] == 3
    assert found["imageapi_build"] == {(("version", VERSION),): 1}
    assert found["imageapi_workers"] == {(("pool", "pictures"),): 1}
    assert found["imageapi_workers_busy"] == {(("pool", "pictures"),): 0}
    assert {dict(key)["work"] for key in found["imageapi_backlog"]} == {"detection", "thumbnails", "clips"}
    assert "process_cpu_seconds_total" in found


def test_what_waits_is_counted(world: World, ann: Api) -> None:
    ann.post("/video/preview/status", json={"items": [{"path": "clip.mp4"}]})
    world.board.begin("detect", "recognising faces").at(3, 10)
    backlog = {dict(key)["work"]: n for key, n in figures(ann)["imageapi_backlog"].items()}
    assert (backlog["detection"], backlog["clips"]) == (7, 1)


def test_requests_to_language_models_are_counted_by_server_and_outcome(ann: Api) -> None:
    hostile = 'Ollama at http://a"b\\c\nd'
    TALLY.count(hostile, "answered")
    TALLY.failed_over(hostile)
    found = figures(ann)
    assert found["imageapi_language_requests_total"][("outcome", "answered"), ("server", hostile)] >= 1
    assert found["imageapi_language_failovers_total"][("server", hostile),] >= 1


@pytest.mark.parametrize("path", ["/metrics", "/admin/projections"])
def test_figures_are_for_admins_and_their_keys(world: World, ann: Api, path: str) -> None:
    problem(world.client().get(path), 401)
    problem(world.api("ed").get(path), 403)
    key = ann.post("/api-keys", json={"name": "prometheus", "scope": "admin"}).json()["key"]
    assert world.client(headers={"Authorization": f"Bearer {key}"}).get(path).status_code == 200


def test_the_read_tables_are_told_with_their_rows_and_the_policies_with_their_lag(world: World, ann: Api) -> None:
    world.ledger.set_checkpoint("thumbnails", 5)
    told = ann.get("/admin/projections").json()
    (generation,) = told["generations"]
    head = world.ledger.head()
    assert (told["head"], generation["state"], generation["position"], generation["progress"]) == (
        head,
        "live",
        head,
        1.0,
    )
    assert generation["fingerprint"] == world.ledger.fingerprint
    assert (generation["rows"]["users"], generation["rows"]["libraries"]) == (4, 2)
    assert len(generation["rows"]) == len(ReadTables(1).tables)
    assert {"name": "thumbnails", "position": 5, "lag": head - 5} in told["policies"]


def test_tables_of_another_version_and_those_that_are_being_built_are_told_apart(world: World, ann: Api) -> None:
    with world.ledger.database.writing() as connection:
        for state in (LIVE, "building", "retired", "scratch"):
            world.ledger.make_generation(connection, state)
        connection.exec_driver_sql("UPDATE read_generations SET fingerprint = 'newer' WHERE number = 2")
    told = ann.get("/admin/projections").json()["generations"]
    assert [(each["number"], each["state"], each["progress"] > 0) for each in told] == [
        (1, "live", True),
        (2, "other", False),
        (3, "building", False),
        (4, "old", False),
        (5, "scratch", False),
    ]
    assert [bool(each["rows"]) for each in told] == [True, True, True, False, False]


def test_a_rebuild_swaps_the_tables_and_tells_of_its_progress_among_the_jobs(world: World, ann: Api) -> None:
    begun = ann.post("/admin/rebuild", json={})
    assert (begun.status_code, begun.json()["kind"]) == (202, "rebuild")
    done = job(ann, begun.json()["id"])
    assert done["note"].startswith(f"rebuilt the read tables from {world.ledger.head()} events")
    (generation,) = ann.get("/admin/projections").json()["generations"]
    assert (generation["number"], generation["state"]) == (2, "live")
    world.rebuilds.stop()
    assert verify(world.ledger) == []


def test_reads_and_writes_go_on_meanwhile_and_a_second_rebuild_is_refused(world: World, ann: Api) -> None:
    with held(world.rebuilds, world) as go_on:
        begun = ann.post("/admin/rebuild", json={}).json()
        problem(ann.post("/admin/rebuild", json={}), 409)
        person = named(ann, "Anna")
        go_on.set()
        assert job(ann, begun["id"])["note"].startswith("rebuilt")
    assert ann.get(f"/persons/{person}").json()["name"] == "Anna"


def test_a_rebuild_in_another_process_is_in_the_way(world: World, ann: Api) -> None:
    other = Database(str(world.ledger.database.url))
    with rebuilding(other):
        assert "wait until it has ended" in problem(ann.post("/admin/rebuild", json={}), 409)["detail"]
    other.close()
    job(ann, ann.post("/admin/rebuild", json={}).json()["id"])
    world.rebuilds.stop()


def test_tables_of_other_versions_go_where_that_is_asked(world: World, ann: Api) -> None:
    with world.ledger.database.writing() as connection:
        world.ledger.make_generation(connection, LIVE)
        connection.exec_driver_sql("UPDATE read_generations SET fingerprint = 'older' WHERE number = 2")
    job(ann, ann.post("/admin/rebuild", json={}).json()["id"])
    states = [each["state"] for each in ann.get("/admin/projections").json()["generations"]]
    assert states == ["other", "live"]
    job(ann, ann.post("/admin/rebuild", json={"drop_old": True}).json()["id"])
    assert [each["state"] for each in ann.get("/admin/projections").json()["generations"]] == ["live"]
    world.rebuilds.stop()


def test_a_server_that_stops_leaves_a_rebuild_to_the_next(world: World, ann: Api) -> None:
    with held(world.rebuilds, world) as go_on:
        begun = ann.post("/admin/rebuild", json={}).json()
        world.rebuilds._stopping.set()
        go_on.set()
        assert job(ann, begun["id"])["note"] == "stopped: the server stopped; the next rebuild goes on with it"
    assert [each["state"] for each in ann.get("/admin/projections").json()["generations"]] == ["live", "building"]
    assert ann.get("/persons").status_code == 200


def test_a_bug_before_it_begins_is_told_to_who_asked(world: World) -> None:
    def broken(*_: object) -> object:
        raise KeyError("a bug")

    rebuilds = Rebuilds(world.board, broken)
    told: list[object] = []
    hook, threading.excepthook = threading.excepthook, lambda args: told.append(args.exc_type)
    try:
        with pytest.raises(KeyError, match="a bug"):
            rebuilds.start(False)
        rebuilds.stop()
    finally:
        threading.excepthook = hook
    assert told == [KeyError]
    assert world.board.progress() == []


def test_another_process_that_has_not_swapped_yet_meets_the_new_tables(world: World, ann: Api) -> None:
    other = Ledger(Database(str(world.ledger.database.url)))
    with other.reading(CLI) as tables:
        assert tables.tables.generation == 1
    job(ann, ann.post("/admin/rebuild", json={}).json()["id"])
    world.rebuilds.stop()
    with other.reading(CLI) as tables:
        assert tables.tables.generation == 2
    other.close()
