"""The bytes of photos: ranges, tags, types, and that nothing outside of a library is ever reached."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from domain.ports.geocoding import Location, PersonalPlace, Place, located
from tests.http.painted import paint
from tests.http.words import fields, problem
from tests.http.world import Api, World

BOB = {"path": "bob.jpg"}


def bytes_of_bob(world: World) -> bytes:
    """The file on the disk."""
    return (world.folder / "family" / "bob.jpg").read_bytes()


def test_the_file_itself_comes_whole_with_its_type_and_the_hash_as_tag(world: World, ann: Api) -> None:
    answer = ann.get("/image", params=BOB)
    content = bytes_of_bob(world)
    assert answer.content == content
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert answer.headers["content-disposition"] == "inline; filename=\"bob.jpg\"; filename*=UTF-8''bob.jpg"


def test_head_tells_the_same_without_the_bytes(ann: Api) -> None:
    whole, head = ann.get("/image", params=BOB), ann.head("/image", params=BOB)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "etag", "content-type"):
        assert head.headers[name] == whole.headers[name]
    thumb = ann.head("/image", params=BOB | {"size": "thumb"})
    assert (thumb.status_code, thumb.content) == (200, b"")
    assert int(thumb.headers["content-length"]) > 500


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, None),
        ("bytes=-50", -50, None),
        ("bytes=5-999999999", 5, None),
        ("BYTES=0-0", 0, 0),
    ],
)
def test_one_range_is_answered_with_just_that(world: World, ann: Api, asked: str, first: int, last: int | None) -> None:
    content = bytes_of_bob(world)
    answer = ann.get("/image", params=BOB, headers={"Range": asked})
    expected = content[first : None if last is None else last + 1]
    assert (answer.status_code, answer.content) == (206, expected)
    start = first if first >= 0 else len(content) + first
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(expected) - 1}/{len(content)}"


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
def test_a_range_beyond_the_file_is_refused_with_its_length(world: World, ann: Api, asked: str) -> None:
    answer = ann.get("/image", params=BOB, headers={"Range": asked})
    problem(answer, 416)
    assert answer.headers["content-range"] == f"bytes */{len(bytes_of_bob(world))}"


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,3-4", "bytes=" + ",".join(f"{i}-{i}" for i in range(5000)), "lines=1-2", "bytes=9-1", "bytes=-"],
)
def test_several_ranges_and_nonsense_get_the_whole_file(world: World, ann: Api, asked: str) -> None:
    answer = ann.get("/image", params=BOB, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, bytes_of_bob(world))


def test_a_range_of_a_file_that_changed_since_gets_the_whole_of_the_new_one(world: World, ann: Api) -> None:
    headers = {"Range": "bytes=0-9", "If-Range": '"another"'}
    assert ann.get("/image", params=BOB, headers=headers).content == bytes_of_bob(world)
    tag = ann.head("/image", params=BOB).headers["etag"]
    assert ann.get("/image", params=BOB, headers=headers | {"If-Range": tag}).status_code == 206


@pytest.mark.parametrize("size", ["full", "preview", "thumb"])
def test_a_picture_that_the_client_has_is_not_sent_again(ann: Api, size: str) -> None:
    first = ann.get("/image", params=BOB | {"size": size})
    again = ann.get("/image", params=BOB | {"size": size}, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(("size", "longest"), [("preview", 600), ("thumb", 512)])
def test_smaller_pictures_are_upright_jpegs(ann: Api, size: str, longest: int) -> None:
    answer = ann.get("/image", params=BOB | {"size": size})
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert max(picture.size) == longest


def test_a_rendition_that_was_lost_is_made_anew(world: World, ann: Api) -> None:
    shutil.rmtree(world.data / "renditions")
    assert ann.get("/image", params=BOB | {"size": "thumb"}).status_code == 200


@pytest.mark.parametrize("size", ["thumb", "preview"])
@pytest.mark.parametrize("left", [0, 0.4, None], ids=["nothing", "a part", "zeros"])
def test_a_rendition_that_was_cut_off_is_made_anew(world: World, ann: Api, size: str, left: float | None) -> None:
    """By a disk that was full, or a power cut: the name is there, and nothing or zeros behind it."""
    whole = ann.get("/image", params=BOB | {"size": size}).content
    for path in (world.data / "renditions").rglob(f"*.{size}.jpg"):
        content = path.read_bytes()
        path.write_bytes(bytes(len(content)) if left is None else content[: int(left * len(content))])
    again = ann.get("/image", params=BOB | {"size": size})
    assert (again.status_code, again.content) == (200, whole)


def test_what_no_picture_can_be_made_of_says_why(ann: Api) -> None:
    for path in ("broken.jpg", "clip.mp4"):
        told = problem(ann.get("/image", params={"path": path, "size": "thumb"}), 404)
        assert told["title"] == "No picture"
    assert ann.get("/image", params={"path": "broken.jpg"}).content.endswith(b"this is no picture")


def test_names_of_any_letters_and_bytes_are_served(ann: Api) -> None:
    odd = ann.get("/image", params={"path": "nä \u2018ïve\u2019 #1.jpg"})
    assert odd.status_code == 200
    assert quote("nä \u2018ïve\u2019 #1.jpg", safe="") in odd.headers["content-disposition"]
    assert 'filename="n_ __ve_ #1.jpg"' in odd.headers["content-disposition"]
    assert ann.get("/image", params={"path": r"latin-\xe9.jpg"}).status_code == 200


OUTSIDE = [
    "../secret.jpg",
    "trips/../../secret.jpg",
    "trips/../bob.jpg",
    "/etc/passwd",
    "//etc/passwd",
    "./bob.jpg",
    "trips//ann.jpg",
    "bob.jpg/",
    "bob.jpg/..",
    "..\\secret.jpg",
    "%2e%2e/secret.jpg",
    "..%2fsecret.jpg",
    "%252e%252e%252fsecret.jpg",
    r"\x2e\x2e/secret.jpg",
    "\uff0e\uff0e/secret.jpg",
    ".hidden.jpg",
    "~/secret.jpg",
    "file:///etc/passwd",
    "BOB.JPG",
    "",
    ".",
    "link.jpg",
    "outside/secret.jpg",
]


@pytest.mark.parametrize("raw", [True, False], ids=["as it is", "encoded"])
@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_outside_of_a_library_is_ever_served(own_world: World, path: str, raw: bool) -> None:
    family = own_world.folder / "family"
    paint(own_world.folder / "secret.jpg", shade=11)
    paint(family / ".hidden.jpg", shade=12)
    (family / "link.jpg").symlink_to(own_world.folder / "secret.jpg")
    (family / "outside").symlink_to(own_world.folder)
    own_world.scan()
    ann = own_world.api("ann")
    given = path if raw else quote(path, safe="")
    for address in ("/image", "/image/metadata", "/image/faces", "/image/tags"):
        answer = ann.get(f"{address}?path={given}".replace("#", "%23"))
        assert answer.status_code in {404, 422}, answer.text
        assert answer.status_code == 404 or fields(answer) == ["path"]


def test_a_link_that_takes_the_place_of_an_indexed_file_leads_nowhere(own_world: World) -> None:
    bob = own_world.folder / "family" / "bob.jpg"
    secret = paint(own_world.folder / "secret.jpg", shade=11)
    bob.unlink()
    bob.symlink_to(secret)
    ann = own_world.api("ann")
    problem(ann.get("/image", params=BOB), 404)
    problem(ann.get("/image/metadata", params=BOB), 404)


def test_a_file_that_changed_since_it_was_indexed_does_not_go_out_under_its_old_hash(own_world: World) -> None:
    ann = own_world.api("ann")
    before = ann.get("/image", params=BOB).headers["etag"]
    file = paint(own_world.folder / "family" / "bob.jpg", shade=33)
    after = ann.get("/image", params=BOB, headers={"If-None-Match": before})
    assert (after.status_code, after.content) == (200, file.read_bytes())
    assert after.headers["etag"] != before


def test_a_file_that_is_gone_from_the_disk_is_not_found(own_world: World) -> None:
    (own_world.folder / "family" / "bob.jpg").unlink()
    ann = own_world.api("ann")
    problem(ann.get("/image", params=BOB), 404)
    assert ann.get("/image", params=BOB | {"size": "thumb"}).status_code == 200


def test_hostile_bytes_under_a_photos_name_are_never_sent_as_a_page(own_world: World) -> None:
    bad = own_world.folder / "family" / "page.jpg"
    bad.write_bytes(b"<html><script>alert(1)</script></html>")
    (own_world.folder / "family" / "drawing.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    own_world.scan()
    ann = own_world.api("ann")
    answer = ann.get("/image", params={"path": "page.jpg"})
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    problem(ann.get("/image", params={"path": "drawing.svg"}), 404)


def test_a_name_cannot_break_out_of_the_header(own_world: World) -> None:
    name = 'a"; filename=evil.exe;\r\nSet-Cookie: x=1;.jpg'
    paint(own_world.folder / "family" / os.fsdecode(name.encode()), shade=44)
    own_world.scan()
    answer = own_world.api("ann").get("/image", params={"path": name})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-disposition"].count('"') == 2


def test_the_lowest_library_that_holds_a_path_is_meant_unless_one_is_named(own_world: World) -> None:
    work = own_world.folder / "work" / "bob.jpg"
    paint(work, shade=55)
    own_world.scan()
    ann = own_world.api("ann")
    assert ann.get("/image", params=BOB).content != work.read_bytes()
    assert ann.get("/image", params=BOB | {"library": "Work"}).content == work.read_bytes()


def test_metadata_tells_times_camera_and_position(ann: Api) -> None:
    told = ann.get("/image/metadata", params={"path": "trips/ann.jpg"}).json()
    assert told["taken_at"] == "2020-05-01T10:00:00"
    assert (told["make"], told["model"], told["library_id"], told["path"]) == ("Canon", "EOS 5D", 1, "trips/ann.jpg")
    assert told["latitude"] == pytest.approx(47.3667, abs=0.001)
    assert told["exif"]["Make"] == "Canon"
    assert (told["width"], told["height"]) == (600, 400)
    problem(ann.get("/image/metadata", params={"path": "nothing.jpg"}), 404)


def test_metadata_names_the_place_of_a_photo(world: World) -> None:
    here: list[tuple[float, float]] = []

    def location(latitude: float, longitude: float) -> Location | None:
        here.append((latitude, longitude))
        return located(PersonalPlace("Home"), Place("Zürich", "Zurich", "Switzerland", "CH", 1234.5, "GeoNames"))

    world.dependencies = dataclasses.replace(world.dependencies, location=location)
    told = world.api("rex").get("/image/metadata", params={"path": "trips/ann.jpg"}).json()
    assert told["place"] == {
        "text": "Home, Zürich, Zurich, Switzerland",
        "personal": "Home",
        "name": "Zürich",
        "region": "Zurich",
        "country": "Switzerland",
        "country_code": "CH",
        "distance_m": 1234,
        "attribution": "GeoNames",
    }
    (position,) = here
    assert position == pytest.approx((47.3667, 8.5333), abs=0.001)


def test_a_photo_without_a_position_has_no_place_and_nobody_is_asked(world: World) -> None:
    def location(latitude: float, longitude: float) -> Location | None:
        raise AssertionError((latitude, longitude))

    world.dependencies = dataclasses.replace(world.dependencies, location=location)
    assert world.api("ann").get("/image/metadata", params=BOB).json()["place"] is None


def test_a_place_that_is_long_in_coming_holds_up_nobody_else(world: World) -> None:
    is_asked, may_answer = threading.Event(), threading.Event()

    def location(latitude: float, longitude: float) -> Location | None:
        is_asked.set()
        may_answer.wait(30)
        return None

    world.dependencies = dataclasses.replace(world.dependencies, location=location)
    with world.api("ann") as ann, ThreadPoolExecutor(1) as thread:
        waits = thread.submit(ann.get, "/image/metadata", params={"path": "trips/ann.jpg"})
        try:
            assert is_asked.wait(10)
            assert ann.get("/libraries").status_code == 200
            assert not waits.done()
        finally:
            may_answer.set()
        assert waits.result().status_code == 200


def test_a_place_is_named_only_where_that_is_on(ann: Api) -> None:
    assert ann.get("/image/metadata", params={"path": "trips/ann.jpg"}).json()["place"] is None


@pytest.mark.parametrize(
    ("query", "wrong"), [({}, ["path"]), (BOB | {"size": "huge"}, ["size"]), (BOB | {"pth": "x"}, ["pth"])]
)
def test_a_request_for_an_image_names_each_wrong_parameter(ann: Api, query: dict[str, Any], wrong: list[str]) -> None:
    assert fields(ann.get("/image", params=query)) == wrong


def test_a_path_that_is_not_utf8_is_a_bad_request(ann: Api) -> None:
    problem(ann.get("/image?path=%ff.jpg"), 400)


def test_a_large_file_streams_whole_and_in_parts(own_world: World) -> None:
    video = own_world.folder / "family" / "clip.mp4"
    video.write_bytes(video.read_bytes()[:32] + os.urandom(1_500_000))
    own_world.scan()
    ann = own_world.api("ann")
    answer = ann.get("/image", params={"path": "clip.mp4"})
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.content == video.read_bytes()
    part = ann.get("/image", params={"path": "clip.mp4"}, headers={"Range": "bytes=300000-900000"})
    assert part.content == video.read_bytes()[300000:900001]


def test_no_file_stays_open(world: World, ann: Api) -> None:
    def open_files() -> int:
        return sum(
            str(world.folder) in os.path.realpath(f"/proc/self/fd/{fd.name}") for fd in Path("/proc/self/fd").iterdir()
        )

    ann.get("/image", params=BOB)
    ann.head("/image", params=BOB)
    ann.get("/image", params=BOB, headers={"Range": "bytes=99999999-"})
    tag = ann.get("/image", params=BOB).headers["etag"]
    ann.get("/image", params=BOB, headers={"If-None-Match": tag})
    assert open_files() == 0
