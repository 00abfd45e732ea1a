"""The client of a face service: what each kind of answer means for the picture, and for the one who configured it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.face_engines.apollo_faces import APOLLO_THRESHOLDS, ApolloEngine
from adapters.face_engines.cropping import cropping_a_face
from domain.base.errors import AdapterError, Unavailable, Unreadable
from domain.base.geometry import Box
from domain.ports.face_engine import Thresholds
from tests.adapters.face_engines.material import encoded, vector

PICTURE = encoded(Image.new("RGB", (40, 30), "white"))
BOX = Box(0.25, 0.25, 0.5, 0.5)
VECTOR = np.arange(1, 513, dtype="<f4")
EMBEDDING = base64.b64encode(VECTOR.tobytes()).decode()
FACE = {"bbox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "confidence": 0.9, "embedding": EMBEDDING}


@dataclass
class Service:
    """A face service that a test scripts: its answer, its model route, and what it was asked."""

    answer: Callable[[], Response] = lambda: JSONResponse({"model_version": "buffalo_l", "faces": [FACE]})
    embedding: Callable[[], Response] = lambda: JSONResponse({"model_version": "buffalo_l", "embedding": EMBEDDING})
    model: Callable[[], Response] = lambda: Response(status_code=404)
    seconds: float = 0.0
    requests: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    async def _received(self, request: Request) -> None:
        async with request.form() as form:
            file = form["file"]
            assert isinstance(file, UploadFile)
            part = {"meta": json.loads(str(form["meta"])), "file": await file.read(), "type": file.content_type}
        self.requests.append((request.url.path, part | {"authorization": request.headers.get("authorization")}))
        await asyncio.sleep(self.seconds)

    async def _detect(self, request: Request) -> Response:
        await self._received(request)
        return self.answer()

    async def _embed(self, request: Request) -> Response:
        await self._received(request)
        return self.embedding()

    async def _name(self, _: Request) -> Response:
        return self.model()

    def app(self) -> Starlette:
        """The service as an application."""
        routes = [("detect", self._detect, "POST"), ("embed", self._embed, "POST"), ("model", self._name, "GET")]
        return Starlette(
            routes=[Route(f"/api/internal/faces/{name}", call, methods=[method]) for name, call, method in routes]
        )


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def engine(service: Service, serve: Callable[[Starlette], str]) -> Iterator[ApolloEngine]:
    engine = ApolloEngine(serve(service.app()) + "/", cropping_a_face, key="secret", seconds=5.0)
    yield engine
    engine.close()


def _error(engine: ApolloEngine) -> AdapterError:
    with pytest.raises(AdapterError) as raised:
        engine.detect(PICTURE)
    return raised.value


def test_picture_box_and_key_reach_the_service_as_the_contract_says(service: Service, engine: ApolloEngine) -> None:
    service.model = lambda: JSONResponse({"model_version": "buffalo_l", "accepts_bbox": True})
    engine.detect(PICTURE)
    engine.embed(PICTURE, BOX)
    common = {"file": PICTURE, "type": "image/jpeg", "authorization": "Bearer secret"}
    assert service.requests == [
        ("/api/internal/faces/detect", common | {"meta": {}}),
        ("/api/internal/faces/embed", common | {"meta": {"bbox": {"x": 0.25, "y": 0.25, "w": 0.5, "h": 0.5}}}),
    ]


def sent(service: Service) -> tuple[Image.Image, object]:
    """The picture of the last request, and what its meta said."""
    _, part = service.requests[-1]
    assert isinstance(part["file"], bytes)
    return Image.open(io.BytesIO(part["file"])), part["meta"]


@pytest.mark.parametrize(
    "model",
    [
        Response(status_code=404),
        Response(status_code=405),
        JSONResponse({"model_version": "buffalo_l"}),
        JSONResponse({"model_version": "buffalo_l", "accepts_bbox": False}),
    ],
    ids=["no-route", "no-get", "silent", "no"],
)
def test_a_service_that_does_not_say_that_it_takes_boxes_is_sent_the_crop_with_its_padding(
    service: Service, engine: ApolloEngine, model: Response
) -> None:
    service.model = lambda: model
    picture = Image.new("RGB", (800, 600), "white")
    picture.paste("red", (100, 200, 180, 280))
    engine.embed(encoded(picture, quality=95, subsampling=0), Box(100 / 800, 200 / 600, 80 / 800, 80 / 600))
    crop, meta = sent(service)
    assert (crop.size, crop.format, meta) == ((96, 96), "JPEG", {})
    assert crop.getpixel((48, 48)) == pytest.approx((254, 0, 0), abs=3)
    assert crop.getpixel((2, 48)) == pytest.approx((255, 255, 255), abs=6)


def test_a_crop_at_the_edge_of_the_picture_is_what_there_is_of_it(service: Service, engine: ApolloEngine) -> None:
    engine.embed(encoded(Image.new("RGB", (800, 600), "white")), Box(-0.01, 0.9, 0.11, 0.2))
    assert sent(service)[0].size == (88, 66)


def test_a_box_without_a_pixel_is_unreadable_and_nothing_is_sent(service: Service, engine: ApolloEngine) -> None:
    for box in (Box(1.2, 0.1, 0.1, 0.1), Box(0.5, 0.5, 0.001, 0.001)):
        with pytest.raises(Unreadable, match="no pixel"):
            engine.embed(PICTURE, box)
    assert service.requests == []


def test_whether_a_service_takes_boxes_is_asked_again_after_a_while(
    service: Service, serve: Callable[[Starlette], str]
) -> None:
    base = serve(service.app())
    believing, asking = ApolloEngine(base, cropping_a_face), ApolloEngine(base, cropping_a_face, ask_again_seconds=0)
    service.model = lambda: JSONResponse({"model_version": "buffalo_l", "accepts_bbox": True})
    for engine in (believing, asking):
        engine.embed(PICTURE, BOX)
        assert sent(service)[0].size == (40, 30)
    service.model = lambda: Response(status_code=404)
    believing.embed(PICTURE, BOX)
    assert sent(service)[0].size == (40, 30)
    asking.embed(PICTURE, BOX)
    assert sent(service)[0].size == (24, 18)
    believing.close()
    asking.close()


def test_an_answer_comes_back_with_its_vectors_at_length_1(engine: ApolloEngine) -> None:
    (face,) = engine.detect(PICTURE).faces
    assert (face.box.x, face.box.y, face.box.w, face.box.h) == pytest.approx((0.1, 0.2, 0.3, 0.4))
    assert face.confidence == 0.9
    np.testing.assert_allclose(vector(face), VECTOR / np.linalg.norm(VECTOR), rtol=1e-6)
    embedding = engine.embed(PICTURE, BOX)
    assert embedding.model_version == "buffalo_l"
    assert embedding.vector == face.vector


def test_a_box_slightly_over_the_edge_is_cut_to_the_picture(service: Service, engine: ApolloEngine) -> None:
    over = FACE | {"bbox": {"x": -0.05, "y": 0.8, "w": 0.25, "h": 0.3}}
    service.answer = lambda: JSONResponse({"model_version": "m", "faces": [over]})
    (face,) = engine.detect(PICTURE).faces
    assert (face.box.x, face.box.y) == (0.0, 0.8)
    assert (face.box.w, face.box.h) == pytest.approx((0.2, 0.2))


@pytest.mark.parametrize("status", [413, 415, 422])
def test_a_picture_that_the_service_refuses_for_good_is_unreadable_with_its_reason(
    service: Service, engine: ApolloEngine, status: int
) -> None:
    service.answer = lambda: JSONResponse({"detail": "too blurred"}, status)
    error = _error(engine)
    assert isinstance(error, Unreadable)
    assert str(error) == "too blurred"


def test_a_refusal_in_another_shape_is_unreadable_with_its_status(service: Service, engine: ApolloEngine) -> None:
    service.answer = lambda: JSONResponse({"detail": [{"loc": ["file"]}]}, 422)
    error = _error(engine)
    assert isinstance(error, Unreadable)
    assert "422" in str(error)


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "status 400: why"),
        (401, "correct the key"),
        (403, "correct the key"),
        (404, "correct APOLLO_FACE_API_BASE_URL"),
        (405, "correct APOLLO_FACE_API_BASE_URL"),
        (429, "status 429: why"),
        (500, "status 500: why"),
        (502, "status 502: why"),
        (503, "status 503: why"),
    ],
)
def test_a_service_that_cannot_answer_now_is_unavailable_and_says_what_to_do(
    service: Service, engine: ApolloEngine, status: int, advice: str
) -> None:
    service.answer = service.embedding = lambda: JSONResponse({"detail": "why"}, status)
    error = _error(engine)
    assert isinstance(error, Unavailable)
    assert advice in str(error)
    with pytest.raises(Unavailable, match=advice):
        engine.embed(PICTURE, BOX)


def test_a_redirect_is_not_followed_with_the_picture(service: Service, engine: ApolloEngine) -> None:
    service.answer = lambda: RedirectResponse("/api/internal/faces/embed", 307)
    assert isinstance(_error(engine), Unavailable)
    assert [path for path, _ in service.requests] == ["/api/internal/faces/detect"]


def test_a_service_that_is_too_slow_is_unavailable_and_names_the_setting(
    service: Service, serve: Callable[[Starlette], str]
) -> None:
    service.seconds = 2.0
    engine = ApolloEngine(serve(service.app()), cropping_a_face, seconds=0.2)
    error = _error(engine)
    engine.close()
    assert isinstance(error, Unavailable)
    assert "within 0.2 s" in str(error)
    assert "FACE_DETECT_TIMEOUT_SEC" in str(error)


def test_a_refused_connection_is_unavailable_and_names_the_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        engine = ApolloEngine(f"http://127.0.0.1:{taken.getsockname()[1]}", cropping_a_face)
        error = _error(engine)
        with pytest.raises(Unavailable):
            _ = engine.model_version
        engine.close()
    assert isinstance(error, Unavailable)
    assert "cannot be reached" in str(error)
    assert "APOLLO_FACE_API_BASE_URL" in str(error)


@pytest.mark.parametrize("address", ["face-box:9000", "ftp://face-box", "http://", "http://face box/", "http://x:port"])
def test_what_is_no_address_is_unavailable_and_names_the_setting(address: str) -> None:
    engine = ApolloEngine(address, cropping_a_face)
    error = _error(engine)
    engine.close()
    assert isinstance(error, Unavailable)
    assert "APOLLO_FACE_API_BASE_URL" in str(error)


def _face(**change: object) -> bytes:
    return json.dumps({"model_version": "m", "faces": [FACE | change]}).encode()


def _base64(numbers: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> str:
    return base64.b64encode(numbers.tobytes()).decode()


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>It works!</html>", "malformed"),
        (b'{"faces": []}', "model_version"),
        (b'{"model_version": "", "faces": []}', "does not name its model"),
        (b'{"model_version": "m", "faces": {}}', "array"),
        (_face(bbox={"x": 1, "y": 2, "w": 3}), "h"),
        (_face(bbox={"x": 100, "y": 120, "w": 300, "h": 300}), "not normalised"),
        (_face(bbox={"x": 1.2, "y": 0.1, "w": 0.1, "h": 0.1}), "off the picture"),
        (_face(bbox={"x": 0.2, "y": 0.1, "w": -0.1, "h": 0.1}), "off the picture"),
        (_face(confidence=97), "confidence"),
        (_face(embedding="*" * 2732), "base64"),
        (_face(embedding=_base64(np.ones(513, "<f4"))), "2052 bytes"),
        (_face(embedding=_base64(VECTOR), dimensions=513), "says that 513 are its own"),
        (_face(embedding=_base64(VECTOR), dimensions=0), "says that 0 are its own"),
        (_face(embedding=_base64(np.zeros(512, "<f4"))), "no finite length"),
        (_face(embedding=_base64(np.full(512, np.nan, "<f4"))), "no finite length"),
        (_face(embedding=_base64(np.full(512, np.inf, "<f4"))), "no finite length"),
        (b"[" * 17_000_000, "more than 16 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_face_answer_is_unavailable_and_blames_no_picture(
    service: Service, engine: ApolloEngine, body: bytes, what: str
) -> None:
    service.answer = lambda: Response(body, media_type="application/json")
    error = _error(engine)
    assert isinstance(error, Unavailable)
    assert "does not speak the face contract" in str(error)
    assert what in str(error)


@pytest.mark.parametrize("quality", [0.7, {"sharpness": 312.0, "size": 90.0}, {"blur": 1}, [1, 2], "good", None])
def test_what_a_service_calls_quality_in_other_words_is_not_known_and_spoils_no_answer(
    service: Service, engine: ApolloEngine, quality: object
) -> None:
    service.answer = lambda: Response(_face(quality=quality), media_type="application/json")
    (face,) = engine.detect(PICTURE).faces
    assert face.quality is None


def test_a_malformed_embedding_is_unavailable(service: Service, engine: ApolloEngine) -> None:
    service.embedding = lambda: JSONResponse({"model_version": "m", "embedding": ""})
    with pytest.raises(Unavailable, match="its model m: an embedding has 0 bytes"):
        engine.embed(PICTURE, BOX)


def test_a_service_without_a_model_route_tells_its_model_by_a_blank_picture(
    service: Service, engine: ApolloEngine
) -> None:
    assert engine.model_version == "buffalo_l"
    ((path, part),) = service.requests
    assert path.endswith("/detect")
    assert part["type"] == "image/png"
    assert engine.model_version == "buffalo_l"
    assert len(service.requests) == 1


def test_a_service_that_refuses_the_blank_picture_has_no_known_model(service: Service, engine: ApolloEngine) -> None:
    service.answer = lambda: JSONResponse({"detail": "nothing there"}, 422)
    with pytest.raises(Unavailable, match="nothing there"):
        _ = engine.model_version


def test_a_service_with_a_model_route_is_asked_no_picture(service: Service, engine: ApolloEngine) -> None:
    service.model = lambda: JSONResponse({"model_version": "own-3"})
    assert engine.model_version == "own-3"
    assert service.requests == []


def test_an_answer_tells_the_model_too_and_a_new_model_is_noticed(service: Service, engine: ApolloEngine) -> None:
    engine.detect(PICTURE)
    assert engine.model_version == "buffalo_l"
    service.answer = lambda: JSONResponse({"model_version": "antelope", "faces": []})
    assert engine.detect(PICTURE).model_version == "antelope"
    assert engine.model_version == "antelope"


def test_the_services_own_thresholds_are_believed_and_apollos_hold_else(service: Service, engine: ApolloEngine) -> None:
    assert engine.thresholds == APOLLO_THRESHOLDS == Thresholds(autobind=0.40, offer=0.35, preselect=0.50, cluster=0.45)
    engine.detect(PICTURE)
    assert engine.thresholds == APOLLO_THRESHOLDS
    own = {"autobind": 0.5, "offer": 0.42, "preselect": 0.6, "cluster": 0.5}
    service.model = lambda: JSONResponse({"model_version": "facenet", "thresholds": own})
    service.answer = lambda: JSONResponse({"model_version": "facenet", "faces": []})
    engine.detect(PICTURE)
    assert engine.thresholds == Thresholds(**own)


def test_a_service_that_says_how_many_numbers_are_its_models_is_taken_at_its_word(
    service: Service, engine: ApolloEngine
) -> None:
    own = np.arange(1, 129, dtype="<f4")
    padded = {"embedding": _base64(np.pad(own, (0, 384))), "dimensions": 128}
    service.answer = lambda: JSONResponse({"model_version": "short", "faces": [FACE | padded]})
    service.embedding = lambda: JSONResponse({"model_version": "short"} | padded)
    (face,) = engine.detect(PICTURE).faces
    expected = own / np.linalg.norm(own)
    for given in (face.vector, engine.embed(PICTURE, BOX).vector):
        assert np.frombuffer(given, "<f4") == pytest.approx(expected, abs=1e-6)


def test_a_service_of_before_that_knows_neither_dimensions_nor_the_words_of_today_is_understood(
    service: Service, engine: ApolloEngine
) -> None:
    named = {
        "model_version": "centerface+facenet-20180408",
        "thresholds": {"autobind": 0.6, "suggest": 0.5, "cluster": 0.5},
        "accepts_bbox": True,
    }
    service.model = lambda: JSONResponse(named)
    service.answer = lambda: JSONResponse({"model_version": named["model_version"], "faces": [FACE]})
    assert engine.model_version == named["model_version"]
    assert engine.thresholds == Thresholds(autobind=0.6, offer=0.5, preselect=0.6, cluster=0.5)
    (face,) = engine.detect(PICTURE).faces
    assert len(face.vector) == 4 * 512


def test_a_service_is_asked_now_and_then_which_model_it_has_and_keeps_its_name_while_it_is_away(
    service: Service, serve: Callable[[Starlette], str]
) -> None:
    engine = ApolloEngine(serve(service.app()), cropping_a_face, ask_again_seconds=0)
    own = {"autobind": 0.5, "offer": 0.42, "preselect": 0.6, "cluster": 0.5}
    service.model = lambda: JSONResponse({"model_version": "one"})
    assert engine.model_version == "one"
    service.model = lambda: Response(status_code=503)
    assert engine.model_version == "one"
    service.model = lambda: JSONResponse({"model_version": "two", "thresholds": own})
    assert engine.model_version == "two"
    assert engine.thresholds == Thresholds(**own)
    assert service.requests == [], "no picture is sent for that"
    engine.close()


def test_a_closed_engine_is_unavailable(engine: ApolloEngine) -> None:
    engine.close()
    assert isinstance(_error(engine), Unavailable)


def test_closing_ends_calls_that_wait_for_an_answer() -> None:
    errors: list[Exception] = []
    with socket.create_server(("127.0.0.1", 0)) as service, contextlib.ExitStack() as held:
        engine = ApolloEngine(f"http://127.0.0.1:{service.getsockname()[1]}", cropping_a_face, seconds=600.0)
        calls = [threading.Thread(target=lambda: errors.append(_error(engine))) for _ in range(3)]
        for call in calls:
            call.start()
        for _ in calls:
            held.enter_context(service.accept()[0])
        engine.close()
        for call in calls:
            call.join(60)
    assert [str(error) for error in errors] == ["The face engine is shut down."] * 3
