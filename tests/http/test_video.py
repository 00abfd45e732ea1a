"""Videos are played as they are, and as HLS by whoever may see them."""

from __future__ import annotations

import hashlib
import os
import subprocess
from concurrent.futures import Future

import pytest
from PIL import Image

from adapters.background.scan import Scanner
from adapters.files.walk import MediaKind
from domain.base.actor import WATCHER
from domain.commands.media import ReadFile
from domain.events.media import NEEDS_FFMPEG, READINGS, FileFacts
from tests.footage import H264, footage
from tests.http.words import fields, problem
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


@pytest.fixture
def film(own_world: World) -> str:
    """A real video in the library Work."""
    footage(own_world.folder / "work" / "film.mp4", 6)
    own_world.scan()
    return "film.mp4"


@pytest.fixture
def moving(own_world: World) -> bytes:
    """A photo with a video in it, as Google's older phones have it, in the library Work; the video's bytes."""
    photo = own_world.folder / "work" / "moving.jpg"
    film = footage(own_world.folder / "film.mp4", 2).read_bytes()
    Image.new("RGB", (64, 48), "teal").save(photo)
    words = ["-q", "-overwrite_original", f"-XMP-GCamera:MicroVideoOffset={len(film)}", str(photo)]
    subprocess.run(["exiftool", *words], check=True, timeout=60)
    photo.write_bytes(photo.read_bytes() + film)
    own_world.scan()
    return film


@pytest.mark.ffmpeg
@pytest.mark.exiftool
def test_the_video_in_a_photo_streams_with_ranges_for_who_sees_it(own_world: World, moving: bytes) -> None:
    vic, where = own_world.api("vic"), {"path": "moving.jpg"}
    (row,) = [each for each in vic.get("/photos").json()["items"] if each["path"] == "moving.jpg"]
    assert (row["kind"], row["motion"]) == ("photo", True)
    assert vic.get("/image/metadata", params=where).json()["motion"] is True
    assert vic.get("/image/metadata", params={"path": "bob.jpg"}).json()["motion"] is False
    whole = vic.get("/video/stream", params=where)
    assert (whole.headers["content-type"], whole.content) == ("video/mp4", moving)
    part = vic.get("/video/stream", params=where, headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, moving[5:10])
    assert part.headers["content-range"] == f"bytes 5-9/{len(moving)}"
    last = vic.get("/video/stream", params=where, headers={"Range": "bytes=-7"})
    assert (last.status_code, last.content) == (206, moving[-7:])
    problem(vic.get("/video/stream", params=where, headers={"Range": f"bytes={len(moving)}-"}), 416)
    again = vic.get("/video/stream", params=where, headers={"If-None-Match": whole.headers["etag"]})
    assert again.status_code == 304
    problem(own_world.api("rex").get("/video/stream", params=where), 404)


@pytest.mark.ffmpeg
@pytest.mark.exiftool
def test_the_video_in_a_photo_plays_as_hls_and_has_clips(own_world: World, moving: bytes) -> None:
    vic, where = own_world.api("vic"), {"path": "moving.jpg"}
    playlist = playlist_of(vic, "moving.jpg")
    part = vic.get(playlist.replace("index.m3u8", "0.ts"))
    assert (part.headers["content-type"], part.content[0]) == ("video/mp2t", 0x47)
    assert vic.get("/video/preview", params=where).status_code == 202
    while own_world.clips.make_next():
        pass
    clip = vic.get("/video/preview", params=where)
    assert (clip.status_code, clip.content[4:8]) == (200, b"ftyp")
    assert len(clip.content) < len(moving)
    assert not [*own_world.folder.parent.rglob(".*.tmp")]


@pytest.mark.ffmpeg
@pytest.mark.exiftool
def test_the_video_of_a_photo_that_was_replaced_waits_for_the_scan(own_world: World, moving: bytes) -> None:
    photo = own_world.folder / "work" / "moving.jpg"
    photo.write_bytes(photo.read_bytes()[: -len(moving)])
    vic = own_world.api("vic")
    problem(vic.get("/video/stream", params={"path": "moving.jpg"}), 503)
    own_world.scan()
    assert "photo" in problem(vic.get("/video/stream", params={"path": "moving.jpg"}), 404)["detail"]


def playlist_of(api: Api, path: str) -> str:
    """Where the playlist of a video is."""
    answer = api.post("/video/generate", json={"path": path})
    assert answer.status_code == 200, answer.text
    playlist: str = answer.json()["playlist"]
    return playlist


@pytest.mark.ffmpeg
def test_a_video_is_played_as_hls(own_world: World, film: str) -> None:
    vic = own_world.api("vic")
    playlist = playlist_of(vic, film)
    answer = vic.get(playlist)
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert "0.ts" in answer.text.splitlines()
    assert vic.get(playlist, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    part = vic.get(playlist.replace("index.m3u8", "0.ts"))
    assert (part.headers["content-type"], part.content[0]) == ("video/mp2t", 0x47)
    some = vic.get(playlist.replace("index.m3u8", "0.ts"), headers={"Range": "bytes=0-187"})
    assert (some.status_code, some.content) == (206, part.content[:188])
    tag = {"If-None-Match": part.headers["etag"]}
    assert vic.get(playlist.replace("index.m3u8", "0.ts"), headers=tag).status_code == 304
    assert vic.head(playlist.replace("index.m3u8", "0.ts")).headers["content-length"] == str(len(part.content))


@pytest.mark.ffmpeg
def test_a_video_out_of_sight_is_not_found_by_its_hash_either(own_world: World, film: str) -> None:
    playlist = playlist_of(own_world.api("ann"), film)
    rex = own_world.api("rex")
    problem(rex.post("/video/generate", json={"path": film}), 404)
    for name in ("index.m3u8", "0.ts"):
        problem(rex.get(playlist.replace("index.m3u8", name)), 404)
    problem(own_world.client().get(playlist), 401)


@pytest.mark.ffmpeg
def test_nothing_but_the_playlist_and_its_parts_is_served(own_world: World, film: str) -> None:
    ann = own_world.api("ann")
    playlist = playlist_of(ann, film)
    for name in ("plan.json", "00.ts", "-1.ts", "1.TS", "1.ts.", "x.ts", "9999999.ts", "\u0661.ts", "..%2fplan.json"):
        problem(ann.get(playlist.replace("index.m3u8", name)), 404)
    assert "parts" in problem(ann.get(playlist.replace("index.m3u8", "99.ts")), 404)["detail"]


def test_a_hash_that_is_none_is_not_found(ann: Api) -> None:
    for hash_ in ("0" * 64, "..", "ABC", "0" * 63 + "G", "0" * 65):
        problem(ann.get(f"/video/hls/{hash_}/index.m3u8"), 404)


def test_no_playlist_is_promised_of_what_the_scan_could_not_show(own_world: World) -> None:
    """Its container tells all of it, and nothing of it is there."""
    path = footage(own_world.folder / "work" / "film.mp4", 2, *H264, "-movflags", "+faststart", sound=False)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"mdat") + 4])
    own_world.scan()
    ann = own_world.api("ann")
    why = problem(ann.post("/video/generate", json={"path": "film.mp4"}), 404)["detail"]
    assert why.startswith("cannot be played: cannot be decoded")
    content_hash = hashlib.sha256(path.read_bytes()).hexdigest()
    problem(ann.get(f"/video/hls/{content_hash}/index.m3u8"), 404)
    problem(ann.get(f"/video/hls/{content_hash}/0.ts"), 404)


@pytest.mark.parametrize("codec", ["copied", "encoded"])
def test_a_video_that_was_cut_off_lists_the_parts_that_there_are(own_world: World, codec: str) -> None:
    words = (*H264, "-g", "10") if codec == "copied" else ("-c:v", "mpeg4")
    path = footage(own_world.folder / "work" / "film.mp4", 12, *words, "-movflags", "+faststart", sound=False)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    own_world.scan()
    ann = own_world.api("ann")
    base = ann.post("/video/generate", json={"path": "film.mp4"}).json()["playlist"]
    listed = ann.get(base).text
    lengths = [float(line[8:].rstrip(",")) for line in listed.splitlines() if line.startswith("#EXTINF:")]
    assert 4 < sum(lengths) < 8
    for name in (line for line in listed.splitlines() if line.endswith(".ts")):
        assert ann.get(base.replace("index.m3u8", name)).status_code == 200


def test_a_part_that_was_cut_off_is_made_anew(own_world: World, film: str) -> None:
    ann = own_world.api("ann")
    address = ann.post("/video/generate", json={"path": film}).json()["playlist"].replace("index.m3u8", "0.ts")
    whole = ann.get(address).content
    (part,) = own_world.settings.video_path.rglob("0.ts")
    part.write_bytes(whole[:1000])
    again = ann.get(address)
    assert (again.status_code, len(again.content)) == (200, len(whole))


def test_what_cannot_be_played_says_why(ann: Api) -> None:
    assert "cannot be decoded" in problem(ann.post("/video/generate", json=CLIP), 404)["detail"]
    problem(ann.post("/video/generate", json={"path": "bob.jpg"}), 404)
    assert fields(ann.post("/video/generate", json={})) == ["path"]


@pytest.mark.ffmpeg
@pytest.mark.parametrize(("address", "kind"), [("/video/preview", "video/mp4"), ("/video/gif", "image/gif")])
def test_a_clip_is_told_to_come_and_then_is_there(own_world: World, film: str, address: str, kind: str) -> None:
    vic = own_world.api("vic")
    first = vic.get(address, params={"path": film})
    assert (first.status_code, first.json()) == (202, {"status": "pending", "detail": None})
    assert int(first.headers["retry-after"]) > 0
    own_world.clips.make_next()
    clip = vic.get(address, params={"path": film})
    assert (clip.status_code, clip.headers["content-type"]) == (200, kind)
    assert vic.get(address, params={"path": film}, headers={"If-None-Match": clip.headers["etag"]}).status_code == 304
    assert vic.get(address, params={"path": film}, headers={"Range": "bytes=0-9"}).content == clip.content[:10]
    problem(own_world.api("rex").get(address, params={"path": film}), 404)


@pytest.mark.ffmpeg
def test_many_clips_are_asked_about_at_once(own_world: World, film: str) -> None:
    items = [{"path": film, "library": "Work"}, {"path": "clip.mp4"}, {"path": "bob.jpg"}, {"path": "nothing.mp4"}]
    ann = own_world.api("ann")

    def told() -> list[str]:
        rows = ann.post("/video/preview/status", json={"items": items}).json()["items"]
        assert [row["path"] for row in rows] == [item["path"] for item in items]
        return [row["status"] for row in rows]

    assert told() == ["pending", "pending", "failed", "failed"]
    own_world.clips.make_next()
    assert told() == ["ready", "pending", "failed", "failed"]
    own_world.clips.make_next()
    assert told() == ["ready", "failed", "failed", "failed"]
    assert "cannot be decoded" in problem(ann.get("/video/preview", params={"path": "clip.mp4"}), 404)["detail"]
    assert fields(ann.post("/video/preview/status", json={"items": []})) == ["items"]


@pytest.mark.ffmpeg
def test_a_video_found_without_ffmpeg_is_read_again_by_a_full_scan_once_it_is_there(
    own_world: World, film: str
) -> None:
    file = own_world.folder / "work" / film
    os.utime(file, (1_700_000_000, 1_700_000_000))
    reads: list[str] = []

    def read_without(path: bytes, text: str, kind: MediaKind, size: int, _: object) -> Future[ReadFile]:
        reads.append(text)
        facts = FileFacts(size, os.stat(path).st_mtime_ns, kind, problem=NEEDS_FFMPEG, reading=READINGS[kind])
        done: Future[ReadFile] = Future()
        done.set_result(ReadFile(text, hashlib.sha256(file.read_bytes()).digest(), facts))
        return done

    work = own_world.libraries()[1]
    lacking = Scanner(own_world.ledger, read_without, [own_world.data], settle_seconds=0, has_ffprobe=lambda: False)
    lacking.scan(work)
    ann = own_world.api("ann")
    (row,) = ann.get("/photos", params={"q": "film"}).json()["items"]
    assert "ffmpeg is not installed" in row["problem"]
    assert row["duration"] is None
    with own_world.ledger.reading(WATCHER) as tables:
        media = tables.media.shown_at(film)
    assert media is not None
    own_world.gallery.put(media)
    assert not list((own_world.data / "thumbnails").rglob(f"{film}.unsupported"))
    lacking.scan(work, full=True)
    assert reads == [film]
    own_world.scan()
    (row,) = ann.get("/photos", params={"q": "film"}).json()["items"]
    assert (row["problem"], row["width"], row["video_codec"], row["audio_codec"]) == (None, 160, "h264", "aac")
    assert row["duration"] == pytest.approx(6, abs=0.1)
    told = ann.get("/image/metadata", params={"path": film}).json()
    assert (told["kind"], told["frame_rate"], told["exif"]["major_brand"]) == ("video", 10, "isom")


@pytest.mark.ffmpeg
def test_a_videos_thumbnail_stands_in_the_mirror_under_its_own_name_and_is_a_jpeg(own_world: World, film: str) -> None:
    with own_world.ledger.reading(WATCHER) as tables:
        shown, broken = tables.media.shown_at(film), tables.media.shown_at("clip.mp4")
    assert shown is not None
    assert broken is not None
    own_world.gallery.put(shown)
    own_world.gallery.put(broken)
    mirror = own_world.data / "thumbnails"
    assert (mirror / "2" / film).read_bytes().startswith(b"\xff\xd8")
    assert [path.name for path in (mirror / "1").iterdir()] == ["clip.mp4.unsupported"]
    thumb = own_world.api("ann").get("/image", params={"path": film, "size": "thumb"})
    assert thumb.headers["content-type"] == "image/jpeg"
