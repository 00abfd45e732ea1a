"""Searching photos by meaning, with the real small model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.background.meaning_upkeep import KeepsMeaning
from adapters.meaning.vector_file import MeaningStore
from adapters.store.generations import rebuild
from adapters.workers.pool import WorkerPool
from domain.base.errors import Rejected, Unavailable, Unreadable
from tests.http.understanding import AWAY, Watched
from tests.http.words import fields, named, problem
from tests.http.world import Api, World, face_ids, furnish, opened


@pytest.fixture
def understood(world: World, embedder: Watched) -> World:
    """The furnished world with its photos embedded."""
    world.photo_embedder = embedder
    world.understand()
    return world


def found(api: Api, words: str, **more: Any) -> list[str]:
    """The paths that a search finds, the best first."""
    answer = api.get("/photos/search", params={"q": words, **more})
    assert answer.status_code == 200, answer.text
    return [item["path"] for item in answer.json()["items"]]


def tag(api: Api, path: str, *names: str) -> None:
    """Tag a photo."""
    for name in names:
        assert api.post("/image/tags", json={"path": path, "name": name}).is_success


def test_photos_are_found_by_what_is_meant_in_another_language_too(understood: World) -> None:
    ed = understood.api("ed")
    tag(ed, "cousin.jpg", "sunset over the ocean")
    tag(ed, "plain.jpg", "birthday cake with candles")
    understood.understand()
    assert found(ed, "Sonnenuntergang am Meer")[0] == "cousin.jpg"
    assert found(ed, "Torte zum Geburtstag")[0] == "plain.jpg"
    assert found(ed, "the sea at dusk")[0] == "cousin.jpg"


def test_what_holds_the_very_words_comes_first(understood: World) -> None:
    ed = understood.api("ed")
    tag(ed, "cousin.jpg", "canine companions, puppies and hounds")
    tag(ed, "plain.jpg", "Dog")
    understood.understand()
    items = ed.get("/photos/search", params={"q": "dog"}).json()["items"]
    assert [item["path"] for item in items[:2]] == ["plain.jpg", "cousin.jpg"]
    assert items[0]["score"] > 1 / 61 >= items[1]["score"]
    assert items[0]["tags"] == ["Dog"]


def test_words_are_found_before_anything_is_embedded(world: World, embedder: Watched) -> None:
    world.photo_embedder = embedder
    ed = world.api("ed")
    answer = ed.get("/photos/search", params={"q": "cousin"}).json()
    assert [item["path"] for item in answer["items"]] == ["cousin.jpg"]
    assert answer["embedding"] == {"done": 0, "total": 11}
    assert ed.get("/photos/search/state").json()["usable"] is False
    world.understand()
    answer = ed.get("/photos/search", params={"q": "cousin"}).json()
    assert (len(answer["items"]), answer["embedding"]) == (11, None)
    assert ed.get("/photos/search/state").json() == {"usable": True, "reason": None, "embedding": None}


def test_the_newest_insight_the_persons_and_the_place_tell_of_a_photo(understood: World, embedder: Watched) -> None:
    ed = understood.api("ed")
    understood.place = "Uster, Canton of Zurich, Switzerland"
    understood.model.script = [["A castle"], ["Two children fly a kite."]]
    for _ in range(2):
        ed.post("/insights/generate", json={"path": "trips/ann.jpg"})
    named(ed, "Josephine", face_ids(ed, "trips/ann.jpg")[0])
    assert "Photo, Friday 1 May 2020, morning, spring." in embedder.seen
    embedder.seen.clear()
    understood.understand()
    (text,) = embedder.seen
    assert "With Josephine." in text
    assert "Uster, Canton of Zurich, Switzerland." in text
    assert "fly a kite" in text
    assert "castle" not in text


@pytest.mark.parametrize(
    ("filters", "paths"),
    [
        ({"library": "Work"}, {"boss.jpg", "bob-at-work.jpg"}),
        ({"kind": "video"}, {"clip.mp4"}),
        ({"tags": "hills"}, {"cousin.jpg", "trips/both.jpg"}),
        ({"tags": "hills", "exclude_tags": "rivers"}, {"cousin.jpg"}),
        ({"path": "trips"}, {"trips/ann.jpg", "trips/both.jpg"}),
        ({"from": "2020-05-01", "to": "2020-05-01"}, {"trips/ann.jpg"}),
        ({"has_gps": "true"}, {"trips/ann.jpg"}),
        ({"library": "Work", "tags": "hills"}, set()),
    ],
)
def test_the_filters_of_the_timeline_narrow_a_search(
    understood: World, filters: dict[str, str], paths: set[str]
) -> None:
    ed = understood.api("ed")
    tag(ed, "cousin.jpg", "hills")
    tag(ed, "trips/both.jpg", "hills", "rivers")
    understood.understand()
    assert set(found(ed, "boats on a lake", **filters)) == paths


def test_a_search_is_narrowed_to_a_person(understood: World) -> None:
    ed = understood.api("ed")
    person = named(ed, "Josephine", face_ids(ed, "cousin.jpg")[0])
    assert found(ed, "boats", persons=person) == ["cousin.jpg"]


def test_what_a_reader_may_not_see_changes_neither_results_nor_counts(understood: World) -> None:
    ed, rex = understood.api("ed"), understood.api("rex")
    query: dict[str, str | int] = {"q": "a cyclist", "limit": 3}
    before, state = rex.get("/photos/search", params=query).json(), rex.get("/photos/search/state").json()
    tag(ed, "boss.jpg", "a cyclist")
    assert rex.get("/photos/search", params=query).json() == before
    understood.understand()
    assert found(ed, "a cyclist")[0] == "boss.jpg"
    assert rex.get("/photos/search", params=query).json() == before
    assert rex.get("/photos/search/state").json() == state
    assert {item["library_id"] for item in before["items"]} == {1}
    problem(rex.get("/photos/search", params={**query, "library": "Work"}), 404)


def test_the_name_of_a_copy_out_of_sight_tells_nothing_of_the_one_in_sight(understood: World) -> None:
    ed, rex = understood.api("ed"), understood.api("rex")
    tag(ed, "bob.jpg", "shared")
    understood.understand()
    scores = {item["path"]: item["score"] for item in rex.get("/photos/search", params={"q": "work"}).json()["items"]}
    assert scores["bob.jpg"] < 1 / 60


def test_pages_go_on_where_the_one_before_ended(understood: World) -> None:
    ed = understood.api("ed")
    whole = found(ed, "bob on a trip")
    pages: list[str] = []
    cursor: str | None = None
    while True:
        query = {"q": "bob on a trip", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = ed.get("/photos/search", params=query).json()
        pages += [item["path"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == whole
    assert len(set(pages)) == 11
    other = ed.get("/photos", params={"limit": 1}).json()["next_cursor"]
    assert fields(ed.get("/photos/search", params={"q": "bob", "cursor": other})) == ["cursor"]


def test_without_an_embedder_the_answer_says_what_is_missing(world: World) -> None:
    told = problem(world.api("ed").get("/photos/search", params={"q": "x"}), 503)
    assert "setup --search" in told["detail"]
    assert "OLLAMA_PRIMARY_URL" in told["detail"]
    assert world.api("ed").get("/photos/search/state").json()["usable"] is False


@pytest.mark.parametrize("words", [None, "", "  ", "a\0b", "x" * 501])
def test_a_search_wants_words(understood: World, words: str | None) -> None:
    query = {} if words is None else {"q": words}
    assert fields(understood.api("ed").get("/photos/search", params=query)) == ["q"]


def test_while_the_embedder_is_away_what_is_due_waits_and_says_why(understood: World, embedder: Watched) -> None:
    ann = understood.api("ann")
    tag(ann, "cousin.jpg", "sunset over the ocean")
    embedder.away = AWAY
    with pytest.raises(Unavailable, match="is Ollama running"):
        understood.understand()
    (job,) = [job for job in ann.get("/jobs").json()["items"] if job["kind"] == "meaning"]
    assert (job["state"], job["note"]) == ("waiting", str(AWAY))
    assert "is Ollama running" in problem(ann.get("/photos/search", params={"q": "unasked"}), 503)["detail"]
    state = ann.get("/photos/search/state").json()
    assert (state["usable"], state["reason"]) == (False, str(AWAY))
    assert "Ollama" not in understood.api("rex").get("/photos/search/state").json()["reason"]
    embedder.away = None
    understood.understand()
    assert found(ann, "Sonnenuntergang am Meer")[0] == "cousin.jpg"
    (job,) = [job for job in ann.get("/jobs").json()["items"] if job["kind"] == "meaning"]
    assert job["state"] == "done"


def test_a_refusal_for_good_is_told_as_the_reason_and_tried_again_later(understood: World, embedder: Watched) -> None:
    ed = understood.api("ed")
    tag(ed, "cousin.jpg", "sunset")
    embedder.away = Rejected("the key is not taken")
    with pytest.raises(Unavailable, match="the key is not taken"):
        understood.understand()
    embedder.away = None
    understood.understand()
    assert understood.keeps_meaning.reason is None


def test_an_embedder_that_nobody_asked_for_is_missed_in_silence(world: World, embedder: Watched) -> None:
    world.photo_embedder = embedder
    embedder.away = AWAY
    store, index = world.meaning_store, world.meaning_index
    keeps = KeepsMeaning(
        world.ledger, store, index, embedder, jobs=world.board, placed=lambda *_: "", is_configured=False
    )
    for _ in range(5):
        keeps.step()
    assert keeps.reason == str(AWAY)
    assert not [job for job in world.board.progress() if job.kind == "meaning"]


def test_a_text_that_cannot_be_embedded_is_left_out_and_not_tried_again(world: World, embedder: Watched) -> None:
    class Choosy(Watched):
        tries = 0

        def embed(self, texts: Any, purpose: Any = "document") -> list[bytes]:
            if any("cousin" in text for text in texts):
                self.tries += len(texts) == 1 and purpose == "document"
                raise Unreadable("a worker died of it")
            return super().embed(texts, purpose)

    world.photo_embedder = choosy = Choosy(embedder)
    world.understand()
    ed = world.api("ed")
    assert found(ed, "family")[-1] == "cousin.jpg"
    assert ed.get("/photos/search/state").json()["embedding"] is None
    tag(ed, "plain.jpg", "more work")
    world.understand()
    assert choosy.tries == 1
    assert fields(ed.get("/photos/search", params={"q": "my cousin"})) == ["q"]


def test_an_unchanged_text_is_never_embedded_again(understood: World, embedder: Watched) -> None:
    ed = understood.api("ed")
    embedder.seen.clear()
    tag(ed, "cousin.jpg", "passing")
    understood.understand()
    assert len(embedder.seen) == 1
    rebuild(understood.ledger, drop_old=True)
    understood.meaning_store.close()
    again = MeaningStore(understood.data / "meaning.db")
    keeps = KeepsMeaning(
        understood.ledger,
        again,
        understood.meaning_index,
        embedder,
        jobs=understood.board,
        placed=lambda *_: understood.place,
    )
    while keeps.step():
        pass
    again.close()
    assert len(embedder.seen) == 1


def test_copies_that_say_the_same_share_one_vector(understood: World, embedder: Watched) -> None:
    ed = understood.api("ed")
    before = len(embedder.seen)
    for path in ("plain.jpg", "cousin.jpg", "boss.jpg"):
        tag(ed, path, "the same")
    understood.understand()
    assert len(embedder.seen) == before + 3  # their names differ
    assert len(set(embedder.seen)) == len(embedder.seen)


def test_a_renamed_tag_and_one_that_is_gone_are_followed(understood: World, embedder: Watched) -> None:
    ed = understood.api("ed")
    tag(ed, "cousin.jpg", "sunset over the ocean")
    understood.understand()
    (row,) = [row for row in ed.get("/image/tags/all").json()["items"] if row["name"] == "sunset over the ocean"]
    ed.patch(f"/tags/{row['id']}", json={"name": "dentist and toothache"})
    understood.understand()
    assert found(ed, "Zahnarzt")[0] == "cousin.jpg"
    embedder.seen.clear()
    renamed = ed.delete(f"/tags/{row['id']}")
    understood.understand()
    assert embedder.seen == ["cousin."]
    ed.post(f"/operations/{renamed.headers['operation-id']}/undo")
    understood.understand()
    assert found(ed, "Zahnarzt")[0] == "cousin.jpg"


def test_a_merge_of_persons_and_its_undo_are_followed(understood: World, embedder: Watched) -> None:
    ed = understood.api("ed")
    one = named(ed, "Josephine", face_ids(ed, "trips/ann.jpg")[0])
    other = named(ed, "Quentin", face_ids(ed, "cousin.jpg")[0])
    understood.understand()
    embedder.seen.clear()
    merged = ed.post(f"/persons/{one}/merge", json={"into": other})
    understood.understand()
    assert [("With Quentin." in text, "trips ann" in text) for text in embedder.seen] == [(True, True)]
    ed.post(f"/operations/{merged.headers['operation-id']}/undo")
    understood.understand()
    ed.patch(f"/persons/{one}", json={"name": "Josefa"})
    understood.understand()
    assert "With Josefa." in embedder.seen[-1]
    embedder.seen.clear()
    ed.patch(f"/persons/{other}", json={"hidden": True})
    understood.understand()
    assert not any("Quentin" in text for text in embedder.seen)


def test_another_model_embeds_everything_anew_and_is_never_compared_with_the_old_one(
    understood: World, embedder: Watched
) -> None:
    ed = understood.api("ed")
    tag(ed, "cousin.jpg", "sunset over the ocean")
    understood.understand()
    embedder.turned = True
    understood.meaning_index.catch_up(understood.meaning_store, embedder.model)
    answer = ed.get("/photos/search", params={"q": "Abendrot am Meer"}).json()
    assert answer["embedding"]["done"] == 0
    understood.understand()
    assert found(ed, "Sonnenuntergang am Meer")[0] == "cousin.jpg"
    assert understood.meaning_store.counts(embedder.model) == (11, 0)
    embedder.turned = False
    assert understood.meaning_store.counts(embedder.model) == (0, 0)


@pytest.mark.parametrize("text", ["'; DROP TABLE photo; --", "%_\\", "\u202eevil\u200b", "😀" * 60, "<img src=x>"])
def test_a_hostile_text_is_a_text(understood: World, text: str) -> None:
    ed = understood.api("ed")
    given = ed.post("/image/tags", json={"path": "cousin.jpg", "name": text})
    understood.understand()
    answer = ed.get("/photos/search", params={"q": text})
    assert answer.status_code == 200
    if given.is_success:
        assert answer.json()["items"][0]["path"] == "cousin.jpg"


def test_a_damaged_file_of_vectors_is_made_anew(understood: World, embedder: Watched) -> None:
    understood.meaning_store.close()
    for end in ("-wal", "-shm"):
        (understood.data / f"meaning.db{end}").unlink(missing_ok=True)
    (understood.data / "meaning.db").write_bytes(b"no database at all" * 1000)
    understood.understand()
    assert understood.meaning_store.counts(embedder.model) == (11, 0)
    assert len(found(understood.api("ed"), "boats")) == 11


def test_a_missing_file_has_no_vector(own_world: World, embedder: Watched) -> None:
    own_world.photo_embedder = embedder
    own_world.understand()
    (own_world.folder / "family" / "cousin.jpg").unlink()
    own_world.scan()
    own_world.understand()
    assert "cousin.jpg" not in found(own_world.api("ed"), "cousin")
    assert own_world.meaning_store.counts(embedder.model) == (10, 0)


def test_one_process_of_a_data_folder_embeds_and_the_others_read(understood: World, embedder: Watched) -> None:
    store = MeaningStore(understood.data / "meaning.db")
    other = KeepsMeaning(
        understood.ledger, store, understood.meaning_index, embedder, jobs=understood.board, placed=lambda *_: ""
    )
    ed = understood.api("ed")
    tag(ed, "cousin.jpg", "sunset over the ocean")
    assert other.step() is False
    assert understood.meaning_store.is_writer()
    assert not store.is_writer()
    understood.meaning_store.close()
    while other.step():
        pass
    assert found(ed, "Sonnenuntergang am Meer")[0] == "cousin.jpg"
    store.close()


def test_another_log_in_the_same_data_folder_begins_anew(
    understood: World, embedder: Watched, workers: WorkerPool, tmp_path: Path
) -> None:
    understood.meaning_store.close()
    furnish(tmp_path / "photos")
    world = opened(f"sqlite:///{tmp_path}/other.db", workers, tmp_path / "photos", understood.data)
    try:
        world.settle()
        world.photo_embedder = embedder
        embedder.seen.clear()
        world.understand()
        assert world.meaning_store.counts(embedder.model) == (11, 0)
        assert embedder.seen == []
    finally:
        world.close()


def test_search_by_meaning_works_on_postgresql(
    fresh_postgres_url: str, embedder: Watched, workers: WorkerPool, tmp_path: Path
) -> None:
    furnish(tmp_path / "photos")
    world = opened(fresh_postgres_url, workers, tmp_path / "photos", tmp_path / "data")
    try:
        world.settle()
        world.photo_embedder = embedder
        ed, rex = world.api("ed"), world.api("rex")
        tag(ed, "cousin.jpg", "sunset over the ocean")
        tag(ed, "boss.jpg", "sunset over the ocean")
        person = named(ed, "Josephine", face_ids(ed, "cousin.jpg")[0])
        world.understand()
        assert {"cousin.jpg", "boss.jpg"} < set(found(ed, "Abendrot am Meer")[:4])
        assert found(rex, "Abendrot am Meer", persons=person) == ["cousin.jpg"]
        assert len(found(rex, "Abendrot am Meer")) == 9
    finally:
        world.close()
