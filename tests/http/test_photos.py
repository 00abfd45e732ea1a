"""The timeline and the folders over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from domain.base.actor import WATCHER
from domain.commands.media import ReadFile, record_files
from domain.events.media import FileFacts
from tests.adapters.media.raws import nef
from tests.footage import footage
from tests.http.painted import paint
from tests.http.words import fields, named, problem
from tests.http.world import Api, World, face_ids

EVERYTHING = 11


def paths(api: Api, **query: Any) -> list[str]:
    """The paths of all photos that fit, in order."""
    found: list[str] = []
    cursor = None
    while True:
        given = {"limit": 3, **query, **({"cursor": cursor} if cursor else {})}
        answer = api.get("/photos", params=given)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [photo["path"] for photo in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize("sort", ["taken_at", "name", "discovered"])
def test_each_order_pages_through_everything_once(ed: Api, sort: str) -> None:
    found = paths(ed, sort=sort)
    assert len(found) == len(set(found)) == EVERYTHING
    if sort == "name":
        assert found.index("bob.jpg") < found.index("boss.jpg") < found.index("plain.jpg")


def test_the_total_comes_with_the_first_page_alone(ed: Api) -> None:
    first = ed.get("/photos", params={"limit": 2}).json()
    assert first["total"] == EVERYTHING
    assert ed.get("/photos", params={"limit": 2, "cursor": first["next_cursor"]}).json()["total"] is None


def test_the_newest_photo_comes_first(ed: Api) -> None:
    times = [photo["taken_at"] for photo in ed.get("/photos").json()["items"]]
    assert times == sorted(times, reverse=True)


def test_what_people_wrote_is_told_of_a_photo_and_found(own_world: World) -> None:
    ed = own_world.api("ed")
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" '
        'xmp:Rating="4" dc:title="Hochzeit" dc:description="Der Kuß&#10;im Regen" photoshop:City="Bern" '
        'photoshop:DateCreated="2017-03-03T03:03:03+01:00" aux:Lens="Noctilux"><dc:subject><rdf:Bag>'
        "<rdf:li>Wedding cake</rdf:li><rdf:li>Regen</rdf:li></rdf:Bag></dc:subject>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    (own_world.folder / "family" / "plain.jpg.xmp").write_text(packet)
    own_world.scan()
    for words in ("hochzeit", "KUSS regen", "wedding", "bern", "rating:4", "noctilux", "cake der"):
        assert paths(ed, q=words) == ["plain.jpg"], words
    assert paths(ed, q="rating:5") == []
    (row,) = ed.get("/photos", params={"q": "hochzeit"}).json()["items"]
    metadata = ed.get("/image/metadata", params={"path": "plain.jpg"}).json()
    for told in (row, metadata):
        assert (told["title"], told["description"], told["rating"]) == ("Hochzeit", "Der Kuß\nim Regen", 4)
        assert (told["keywords"], told["written_place"]) == (["Wedding cake", "Regen"], "Bern")
        assert (told["taken_at"], told["taken_source"]) == ("2017-03-03T03:03:03+01:00", "sidecar")
        assert told["lens"] == "Noctilux"


def test_a_photo_tells_its_facts_and_tags(ed: Api) -> None:
    ed.post("/image/tags", json={"path": "trips/ann.jpg", "name": "Holiday"})
    (photo,) = ed.get("/photos", params={"camera": "canon eos"}).json()["items"]
    assert (photo["path"], photo["name"], photo["library_id"], photo["kind"]) == (
        "trips/ann.jpg",
        "ann.jpg",
        1,
        "photo",
    )
    assert (photo["width"], photo["height"], photo["tags"], photo["format"]) == (600, 400, ["Holiday"], "jpeg")
    assert photo["taken_at"] == "2020-05-01T10:00:00"
    assert photo["modified_at"].endswith("Z")
    assert len(photo["content_hash"]) == 64
    assert photo["placeholder"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"path": "trips"}, {"trips/ann.jpg", "trips/both.jpg"}),
        ({"path": "/trips/"}, {"trips/ann.jpg", "trips/both.jpg"}),
        ({"path": "trip"}, set()),
        ({"kind": "video"}, {"clip.mp4"}),
        ({"library": "work"}, {"boss.jpg", "bob-at-work.jpg"}),
        ({"has_gps": "true"}, {"trips/ann.jpg"}),
        ({"within": "47,8,48,9"}, {"trips/ann.jpg"}),
        ({"within": "47,170,48,-170"}, set()),
        ({"from": "2020-05-01", "to": "2020-05-01"}, {"trips/ann.jpg"}),
        ({"from": "2020-05-01T10:00:01", "to": "2020-05-02"}, set()),
        ({"q": "BOSS"}, {"boss.jpg"}),
        ({"q": "100%"}, set()),
        ({"camera": "EOS"}, {"trips/ann.jpg"}),
        ({"lens": "zoom"}, set()),
    ],
)
def test_filters_leave_what_fits(ed: Api, query: dict[str, str], expected: set[str]) -> None:
    assert set(paths(ed, **query)) == expected


def test_a_folder_without_those_below(ed: Api) -> None:
    assert "trips/ann.jpg" not in paths(ed, path="/", recursive="false")
    assert "plain.jpg" in paths(ed, path="/", recursive="false")
    assert len(paths(ed, path="/")) == EVERYTHING


def test_tags_and_persons_combine_by_any_and_all(ed: Api) -> None:
    left, right = face_ids(ed, "trips/both.jpg")
    (bob,) = face_ids(ed, "bob.jpg")
    red, blue = named(ed, "Red", left), named(ed, "Blue", right, bob)
    for path, name in (("bob.jpg", "One"), ("plain.jpg", "One"), ("plain.jpg", "Two")):
        ed.post("/image/tags", json={"path": path, "name": name})
    both = {"persons": [red, blue]}
    assert set(paths(ed, **both)) == {"trips/both.jpg", "bob.jpg", "bob-at-work.jpg"}
    assert paths(ed, **both, person_mode="all") == ["trips/both.jpg"]
    assert set(paths(ed, tags=["one", "TWO"])) == {"bob.jpg", "plain.jpg", "bob-at-work.jpg"}
    assert paths(ed, tags=["One", "Two"], tag_mode="all") == ["plain.jpg"]
    assert set(paths(ed, tags=["One"], exclude_tags=["Two"])) == {"bob.jpg", "bob-at-work.jpg"}
    assert set(paths(ed, q="blue")) == {"trips/both.jpg", "bob.jpg", "bob-at-work.jpg"}


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"sort": "size"}, ["sort"]),
        ({"persons": ["1", "x"], "tag_mode": "some", "nonsense": "1"}, ["tag_mode", "persons[1]", "nonsense"]),
        ({"from": "yesterday"}, ["from"]),
        ({"to": "9999-12-31"}, ["to"]),
        ({"within": "1,2,3"}, ["within"]),
        ({"within": "nan,0,1,1"}, ["within"]),
        ({"within": "50,0,40,1"}, ["within"]),
        ({"has_gps": "perhaps"}, ["has_gps"]),
        ({"kind": ["photo", "video"]}, ["kind"]),
        ({"q": "a\0b"}, ["q"]),
        ({"cursor": "WyJuYW1lIiwieCIsMV0"}, ["cursor"]),
        ({"cursor": "WyJ0YWtlbl9hdCIsIngiLDFd"}, ["cursor"]),
    ],
)
def test_each_wrong_parameter_is_named(ed: Api, query: dict[str, Any], wrong: list[str]) -> None:
    assert fields(ed.get("/photos", params=query)) == wrong


def test_an_empty_parameter_counts_as_left_out(ed: Api) -> None:
    assert len(paths(ed, library="", q="", kind="")) == EVERYTHING


def test_folders_count_their_own_files(ed: Api) -> None:
    rows = {(row["library_id"], row["path"]): row["count"] for row in ed.get("/folders").json()["items"]}
    assert rows == {(1, ""): 7, (1, "trips"): 2, (2, ""): 2}
    assert len(ed.get("/folders", params={"library": "Work"}).json()["items"]) == 1
    problem(ed.get("/folders", params={"library": "Play"}), 404)


def test_a_file_that_vanished_leaves_the_timeline(own_world: World) -> None:
    (own_world.folder / "family" / "plain.jpg").unlink()
    own_world.scan()
    assert "plain.jpg" not in paths(own_world.api("ed"))


def stacked(world: World) -> Api:
    """A photo with its RAW and its clip, found by a scan; and a long film of another photo's name."""
    family = world.folder / "family"
    (family / "BOB.NEF").write_bytes(nef())
    footage(family / "bob.mov", 0.5, sound=False)
    world.scan()
    film = FileFacts(1, 1, "video", format="mp4", width=9, height=9, duration=600.0)
    with world.ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_files(uow, 1, [ReadFile("plain.mp4", b"film".ljust(32), film)])
    return world.api("ed")


def test_a_photo_is_shown_with_its_raw_and_its_clip_as_companions(own_world: World) -> None:
    ed = stacked(own_world)
    page = ed.get("/photos").json()
    (bob,) = [photo for photo in page["items"] if photo["path"].casefold().startswith("bob.")]
    assert bob["path"] == "bob.jpg"
    told = [(each["path"], each["kind"], each["format"]) for each in bob["companions"]]
    assert told == [("BOB.NEF", "photo", "nef"), ("bob.mov", "video", "mov")]
    assert page["total"] == len(page["items"]) == EVERYTHING + 1
    assert {"plain.jpg", "plain.mp4"} <= {photo["path"] for photo in page["items"]}
    assert not any(photo["companions"] for photo in page["items"] if photo is not bob)


def test_every_file_is_listed_on_request_each_with_the_others(own_world: World) -> None:
    ed = stacked(own_world)
    page = ed.get("/photos", params={"stacked": "false"}).json()
    assert page["total"] == len(page["items"]) == EVERYTHING + 3
    companions = {photo["path"]: [each["path"] for each in photo["companions"]] for photo in page["items"]}
    assert companions["BOB.NEF"] == ["bob.jpg", "bob.mov"]
    assert companions["bob.mov"] == ["bob.jpg", "BOB.NEF"]


def test_a_companion_that_alone_fits_is_shown_itself(own_world: World) -> None:
    ed = stacked(own_world)
    ed.post("/image/tags", json={"path": "BOB.NEF", "name": "Negative"})
    assert paths(ed, tags=["Negative"]) == ["BOB.NEF"]
    assert "bob.mov" in paths(ed, kind="video")
    (own_world.folder / "family" / "bob.jpg").unlink()
    own_world.scan()
    assert {"BOB.NEF", "bob.jpg", "bob.mov"} & set(paths(ed)) == {"BOB.NEF"}


def test_a_tag_of_a_photo_is_not_one_of_its_companions(own_world: World) -> None:
    ed = stacked(own_world)
    ed.post("/image/tags", json={"path": "bob.jpg", "name": "Best"})
    assert set(paths(ed, tags=["Best"], stacked="false", library="1")) == {"bob.jpg"}


def test_the_metadata_of_each_file_names_its_companions(own_world: World) -> None:
    ed = stacked(own_world)
    for path, others in (("bob.jpg", ["BOB.NEF", "bob.mov"]), ("BOB.NEF", ["bob.jpg", "bob.mov"]), ("plain.jpg", [])):
        told = ed.get("/image/metadata", params={"path": path}).json()["companions"]
        assert [each["path"] for each in told] == others


def test_a_photo_with_a_clip_inside_is_shown_as_the_photo_that_it_is(own_world: World) -> None:
    family = own_world.folder / "family"
    clip = footage(own_world.folder / "clip.mp4", 0.5, sound=False)
    motion = paint(family / "MVIMG_1.jpg", shade=120)
    motion.write_bytes(motion.read_bytes() + clip.read_bytes())
    own_world.scan()
    ed = own_world.api("ed")
    (photo,) = ed.get("/photos", params={"q": "mvimg"}).json()["items"]
    assert (photo["kind"], photo["format"], photo["problem"], photo["companions"]) == ("photo", "jpeg", None, [])
    shown = ed.get("/image", params={"path": "MVIMG_1.jpg", "size": "thumb"})
    assert shown.headers["content-type"] == "image/jpeg"
