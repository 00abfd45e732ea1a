"""The real engine, once directly and once behind a socket, and the photos that both are asked about."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from starlette.types import ASGIApp

from adapters.face_engines.apollo_faces import ApolloEngine
from adapters.face_engines.cropping import cropping_a_face
from adapters.face_engines.embedded import EmbeddedEngine, prepare
from adapters.face_engines.model_card import FaceModel, face_model
from adapters.face_engines.serve import faces_app
from adapters.workers.pool import WorkerPool
from domain.ports.face_engine import FaceEngine
from tests.adapters.face_engines.material import encoded, onnx_projection, serving

KEY = "a key of these tests"


@pytest.fixture
def serve() -> Iterator[Callable[[ASGIApp], str]]:
    """Starts an application on a real socket and gives its base URL, for one test."""
    with contextlib.ExitStack() as stack:
        yield lambda app: stack.enter_context(serving(app))


@pytest.fixture(scope="session")
def packaged_model() -> FaceModel:
    return face_model()


@pytest.fixture(scope="session")
def embedded(packaged_model: FaceModel) -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(WorkerPool(2, initializer=functools.partial(prepare, packaged_model)), packaged_model)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def facenet() -> Iterator[EmbeddedEngine]:
    """The earlier packaged model, which takes faces without landmarks too."""
    model = face_model("facenet")
    engine = EmbeddedEngine(WorkerPool(1, initializer=functools.partial(prepare, model)), model)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def remote(embedded: EmbeddedEngine) -> Iterator[ApolloEngine]:
    """A client of the same engine behind its HTTP contract."""
    with serving(faces_app(embedded, KEY)) as base_url:
        engine = ApolloEngine(base_url, cropping_a_face, key=KEY)
        yield engine
        engine.close()


@pytest.fixture(scope="session", params=["embedded", "remote"])
def engine(request: pytest.FixtureRequest) -> FaceEngine:
    """Each engine in turn: one contract holds for all."""
    engine: FaceEngine = request.getfixturevalue(request.param)
    return engine


@pytest.fixture(scope="session")
def photo(sample_photos: Path) -> Callable[[str], bytes]:
    """The bytes of one of the sample photos; `astronaut.png` and `coffee.png` come with scikit-image."""

    def read(name: str) -> bytes:
        if (sample_photos / name).exists():
            return (sample_photos / name).read_bytes()
        spec = importlib.util.find_spec("skimage")
        assert spec is not None
        assert spec.origin is not None
        return (Path(spec.origin).parent / "data" / name).read_bytes()

    return read


@pytest.fixture(scope="session")
def sheet(photo: Callable[[str], bytes]) -> bytes:
    """Three people side by side on one JPEG of 1200 x 400: a portrait each, in thirds."""
    page = Image.new("RGB", (1200, 400))
    for place, name in enumerate(("obama.jpg", "biden.jpg", "astronaut.png")):
        with Image.open(io.BytesIO(photo(name))) as portrait:
            side = min(portrait.size)
            page.paste(portrait.convert("RGB").crop((0, 0, side, side)).resize((400, 400)), (400 * place, 0))
    return encoded(page)


@pytest.fixture
def tiny_embedder(tmp_path: Path) -> Path:
    """An embedder of a user's own, 112 x 112: means of 7 x 7 pixels through a fixed random projection to 512."""
    path = tmp_path / "tiny.onnx"
    path.write_bytes(onnx_projection(outputs=512))
    return path
