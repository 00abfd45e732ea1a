"""Videos are played as they are."""

from __future__ import annotations

from tests.http.words import problem
from tests.http.world import Api, World

CLIP = {"path": "clip.mp4"}


def test_a_video_streams_whole_in_parts_and_not_again(world: World, ann: Api) -> None:
    content = (world.folder / "family" / "clip.mp4").read_bytes()
    whole = ann.get("/video/stream", params=CLIP)
    assert (whole.headers["content-type"], whole.content) == ("video/mp4", content)
    assert whole.headers["accept-ranges"] == "bytes"
    part = ann.get("/video/stream", params=CLIP, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, content[100:200])
    head = ann.head("/video/stream", params=CLIP)
    assert (head.headers["content-length"], head.content) == (str(len(content)), b"")
    again = ann.get("/video/stream", params=CLIP, headers={"If-None-Match": whole.headers["etag"]})
    assert again.status_code == 304


def test_only_videos_stream(ann: Api, world: World) -> None:
    assert "photo" in problem(ann.get("/video/stream", params={"path": "bob.jpg"}), 404)["detail"]
    problem(ann.get("/video/stream", params={"path": "../clip.mp4"}), 404)
    problem(world.client().get("/video/stream", params=CLIP), 401)


def test_a_video_in_a_library_out_of_sight_is_not_found(own_world: World) -> None:
    (own_world.folder / "work" / "other.mp4").write_bytes(
        (own_world.folder / "family" / "clip.mp4").read_bytes() + b"x"
    )
    own_world.scan()
    assert own_world.api("ann").get("/video/stream", params={"path": "other.mp4"}).status_code == 200
    problem(own_world.api("rex").get("/video/stream", params={"path": "other.mp4"}), 404)
