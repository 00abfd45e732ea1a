"""The face service that `imageapi faces serve` runs: who is let in, and how an engine's errors travel."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import msgspec
import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette

from adapters.face_engines.apollo_faces import ApolloEngine
from adapters.face_engines.cropping import cropping_a_face
from adapters.face_engines.serve import faces_app
from domain.base.errors import Unavailable, Unreadable
from domain.base.geometry import Box
from domain.ports.face_engine import DetectedFace, Detection, Embedding, FaceEngine, Thresholds
from tests.adapters.face_engines.material import encoded

PICTURE = encoded(Image.new("RGB", (40, 30), "white"))
THRESHOLDS = Thresholds(autobind=0.6, offer=0.5, preselect=0.65, cluster=0.55)
VECTOR = b"\0" * 2044 + b"\0\0\x80\x3f"
DETECT, EMBED, MODEL = (f"/api/internal/faces/{name}" for name in ("detect", "embed", "model"))

Serve = Callable[[Starlette], str]


@dataclass
class ScriptedEngine:
    """A face engine that answers what a test tells it."""

    error: Exception | None = None
    boxes: list[Box] = field(default_factory=list)
    thresholds: Thresholds = THRESHOLDS
    model_version: str = "scripted-1"
    vector: bytes = VECTOR

    def detect(self, picture: bytes) -> Detection:
        """One face, or the scripted error."""
        assert picture == PICTURE
        if self.error:
            raise self.error
        return Detection(self.model_version, (DetectedFace(Box(0.1, 0.2, 0.3, 0.4), 0.75, self.vector),))

    def embed(self, picture: bytes, box: Box) -> Embedding:
        """A vector, or the scripted error; the box is kept."""
        assert picture == PICTURE
        if self.error:
            raise self.error
        self.boxes.append(box)
        return Embedding(self.model_version, self.vector)

    def close(self) -> None:
        """Never called."""
        raise AssertionError("the service does not own its engine")


def _post(url: str, files: object = None, **headers: str) -> httpx.Response:
    given = {"file": ("a.jpg", PICTURE, "image/jpeg")} if files is None else files
    return httpx.post(url, files=given, headers=headers, trust_env=False)  # type: ignore[arg-type]  # httpx's type is private


def test_a_scripted_engine_is_a_face_engine() -> None:
    engine: FaceEngine = ScriptedEngine()
    assert engine.detect(PICTURE).faces


def test_detect_answers_in_the_words_of_the_contract(serve: Serve) -> None:
    answer = _post(serve(faces_app(ScriptedEngine())) + DETECT)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    embedding = body["faces"][0].pop("embedding")
    assert body == {
        "model_version": "scripted-1",
        "faces": [{"bbox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "confidence": 0.75, "dimensions": 512}],
    }
    assert base64.b64decode(embedding) == VECTOR


def test_embed_takes_the_box_from_meta_and_the_whole_picture_without_one(serve: Serve) -> None:
    engine = ScriptedEngine()
    url = serve(faces_app(engine)) + EMBED
    file = ("a.jpg", PICTURE, "image/jpeg")
    meta = '{"bbox": {"x": 0.5, "y": 0.5, "w": 0.25, "h": 0.25}, "content_hash": "ab12"}'
    for parts in ({"file": file, "meta": (None, meta)}, {"file": file, "meta": ("meta.json", meta)}, {"file": file}):
        assert _post(url, parts).json()["model_version"] == "scripted-1"
    assert engine.boxes == [Box(0.5, 0.5, 0.25, 0.25), Box(0.5, 0.5, 0.25, 0.25), Box(0.0, 0.0, 1.0, 1.0)]


def test_model_names_the_engines_model_and_thresholds(serve: Serve) -> None:
    answer = httpx.get(serve(faces_app(ScriptedEngine())) + MODEL, trust_env=False)
    thresholds = {"autobind": 0.6, "cluster": 0.55, "offer": 0.5, "preselect": 0.65, "suggest": 0.5}
    assert answer.json() == {"model_version": "scripted-1", "thresholds": thresholds, "accepts_bbox": True}


class ThresholdsOfBefore(msgspec.Struct):
    """What the versions up to October 2026 took for a model's thresholds."""

    autobind: float
    suggest: float
    cluster: float


class ModelOfBefore(msgspec.Struct):
    """What they took for a service's model."""

    model_version: str
    thresholds: ThresholdsOfBefore | None = None
    accepts_bbox: bool = False


def test_a_client_of_before_is_answered_512_numbers_and_thresholds_that_it_knows(serve: Serve) -> None:
    own = np.full(128, 128**-0.5, "<f4")
    url = serve(faces_app(ScriptedEngine(vector=own.tobytes())))
    model = msgspec.json.decode(httpx.get(url + MODEL, trust_env=False).content, type=ModelOfBefore)
    assert model.thresholds == ThresholdsOfBefore(autobind=0.6, suggest=0.5, cluster=0.55)
    for answer in (_post(url + DETECT).json()["faces"][0], _post(url + EMBED).json()):
        numbers = np.frombuffer(base64.b64decode(answer["embedding"]), "<f4")
        assert (len(numbers), answer["dimensions"]) == (512, 128)
        assert numbers[:128] == pytest.approx(own)
        assert not numbers[128:].any()


@pytest.mark.parametrize("route", [DETECT, EMBED])
@pytest.mark.parametrize(("error", "status"), [(Unreadable("half of it"), 422), (Unavailable("no model"), 503)])
def test_an_engines_error_becomes_a_problem_with_its_text(
    serve: Serve, route: str, error: Exception, status: int
) -> None:
    answer = _post(serve(faces_app(ScriptedEngine(error))) + route)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == str(error)
    assert answer.json()["status"] == status
    assert ("retry-after" in answer.headers) == (status == 503)


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Bearer s3cret2", "s3cret", "Basic s3cret"])
@pytest.mark.parametrize("route", [DETECT, EMBED, MODEL, "/anything"])
def test_without_the_key_nothing_answers(serve: Serve, route: str, authorization: str) -> None:
    answer = _post(serve(faces_app(ScriptedEngine(), "s3cret")) + route, authorization=authorization)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_with_the_key_it_answers(serve: Serve) -> None:
    url = serve(faces_app(ScriptedEngine(), "s3cret")) + DETECT
    assert _post(url, authorization="Bearer s3cret").status_code == 200


def test_a_client_with_a_wrong_key_is_told_so(serve: Serve) -> None:
    engine = ApolloEngine(serve(faces_app(ScriptedEngine(), "s3cret")), cropping_a_face, key="old")
    with pytest.raises(Unavailable, match="correct the key"):
        engine.detect(PICTURE)
    engine.close()


@pytest.mark.parametrize(
    "parts",
    [
        {"picture": ("a.jpg", PICTURE)},
        {"file": (None, "text, not a file")},
        {"file": ("a.jpg", PICTURE), "meta": (None, "{bbox")},
        {"file": ("a.jpg", PICTURE), "meta": (None, '{"bbox": {"x": 1}}')},
        {"file": ("a.jpg", PICTURE), "meta": (None, "x" * 100_000)},
    ],
    ids=["another name", "no file", "no JSON", "half a box", "huge meta"],
)
def test_a_request_out_of_shape_is_a_400_and_not_the_pictures_fault(serve: Serve, parts: dict[str, object]) -> None:
    answer = _post(serve(faces_app(ScriptedEngine())) + EMBED, parts)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_no_multipart_is_a_400(serve: Serve) -> None:
    answer = httpx.post(serve(faces_app(ScriptedEngine())) + DETECT, content=PICTURE, trust_env=False)
    assert answer.status_code == 400


@pytest.mark.parametrize("announced", [True, False])
def test_a_picture_over_the_limit_is_refused_whether_its_length_is_announced_or_not(
    serve: Serve, announced: bool
) -> None:
    url = serve(faces_app(ScriptedEngine(), max_body_bytes=2**19)) + DETECT
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = head + b"x" * 1_800_000 + b"\r\n--B--\r\n"
    chunks = body if announced else (body[start : start + 65536] for start in range(0, len(body), 65536))
    kind = {"content-type": "multipart/form-data; boundary=B"}
    answer = httpx.post(url, content=chunks, headers=kind, trust_env=False)
    assert answer.status_code == 413
    assert "larger than the 0.5 MB" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_client_learns_that_its_picture_is_too_large_for_good(serve: Serve) -> None:
    engine = ApolloEngine(serve(faces_app(ScriptedEngine(), max_body_bytes=100_000)), cropping_a_face)
    with pytest.raises(Unreadable, match="larger than the"):
        engine.detect(b"\xff\xd8" + b"x" * 5_000_000)
    engine.close()


@pytest.mark.parametrize(("method", "route", "status"), [("GET", DETECT, 405), ("POST", "/api/internal/faces", 404)])
def test_other_routes_and_methods_are_problems_too(serve: Serve, method: str, route: str, status: int) -> None:
    answer = httpx.request(method, serve(faces_app(ScriptedEngine())) + route, trust_env=False)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
