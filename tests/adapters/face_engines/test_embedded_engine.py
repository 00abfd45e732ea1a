"""What only the engine on this machine does: worker processes, and a user's own model."""

from __future__ import annotations

import functools
import io
import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from adapters.face_engines.embedded import EmbeddedEngine, prepare
from adapters.face_engines.model_card import FaceModel, face_model
from adapters.workers.pool import WorkerPool
from domain.base.errors import Unavailable, Unreadable
from domain.base.geometry import Box
from tests.adapters.face_engines.material import cosine, encoded, onnx_projection

Photo = Callable[[str], bytes]


@contextmanager
def _engine(model: FaceModel, *, seconds: float = 60.0, memory_limit: int | None = None) -> Iterator[EmbeddedEngine]:
    pool = WorkerPool(1, initializer=functools.partial(prepare, model), memory_limit=memory_limit)
    engine = EmbeddedEngine(pool, model, seconds)
    try:
        yield engine
    finally:
        engine.close()


def _with_card(model: Path, **fields: object) -> Path:
    Path(f"{model}.json").write_text(json.dumps({"name": "tiny", "licence": "MIT"} | fields))
    return model


def test_the_servers_own_process_loads_neither_opencv_nor_a_model(sample_photos: Path) -> None:
    script = f"""
        import sys
        sys.path[:] = {sys.path!r}
        from pathlib import Path
        from adapters.face_engines.embedded import EmbeddedEngine
        from adapters.face_engines.model_card import face_model
        from adapters.workers.pool import WorkerPool
        engine = EmbeddedEngine(WorkerPool(1), face_model())
        print(len(engine.detect(Path({str(sample_photos / "obama.jpg")!r}).read_bytes()).faces))
        engine.close()
        print("cv2" in sys.modules)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["1", "False"]


def test_a_picture_that_takes_too_long_is_unreadable(packaged_model: FaceModel, photo: Photo) -> None:
    with (
        _engine(packaged_model, seconds=0.001) as engine,
        pytest.raises(Unreadable, match=r"detecting faces took longer than 0\.001 s of computing"),
    ):
        engine.detect(photo("obama.jpg"))


def test_a_picture_that_needs_too_much_memory_is_unreadable_and_the_next_one_is_not(
    packaged_model: FaceModel, photo: Photo
) -> None:
    with _engine(packaged_model, memory_limit=640 * 2**20) as engine:
        huge = encoded(Image.new("RGB", (9900, 9900)))
        with pytest.raises(Unreadable, match="more memory than the 640 MB"):
            engine.detect(huge)
        assert len(engine.detect(photo("astronaut.png")).faces) == 1


def test_a_memory_limit_too_low_for_the_model_blames_no_picture(packaged_model: FaceModel, photo: Photo) -> None:
    with (  # 100 MB: less than the libraries alone take; what they say or die of there depends on the machine
        _engine(packaged_model, memory_limit=100 * 2**20) as engine,
        pytest.raises(Unavailable, match=r"could not be (prepared|started)|Insufficient memory"),
    ):
        engine.detect(photo("obama.jpg"))


def test_a_closed_engine_is_unavailable(packaged_model: FaceModel, photo: Photo) -> None:
    with _engine(packaged_model) as engine:
        engine.close()
        with pytest.raises(Unavailable):
            engine.detect(photo("obama.jpg"))


def test_a_users_model_sees_a_turned_face_upright_by_its_five_points(tiny_embedder: Path, photo: Photo) -> None:
    with Image.open(io.BytesIO(photo("obama.jpg"))) as upright:
        turned = encoded(upright.rotate(25, resample=Image.Resampling.BICUBIC))
    model = face_model(str(_with_card(tiny_embedder)))
    with _engine(model) as engine:
        (straight,), (tilted,) = engine.detect(photo("obama.jpg")).faces, engine.detect(turned).faces
        (other,) = engine.detect(photo("biden.jpg")).faces
        assert engine.model_version.startswith("centerface-2+tiny-")
        assert cosine(straight, tilted) > 0.9
        assert cosine(straight, other) < 0.8


def test_a_users_model_measures_a_drawn_face_by_its_landmarks(tiny_embedder: Path, photo: Photo) -> None:
    with _engine(face_model(str(_with_card(tiny_embedder)))) as engine:
        (face,) = engine.detect(photo("biden.jpg")).faces
        drawn = Box(face.box.x - 0.02, face.box.y - 0.02, face.box.w + 0.03, face.box.h + 0.03)
        assert cosine(engine.embed(photo("biden.jpg"), drawn), face) > 0.97


def test_a_model_aligned_by_five_points_refuses_a_box_without_a_face(tiny_embedder: Path, photo: Photo) -> None:
    with (
        _engine(face_model(str(_with_card(tiny_embedder)))) as engine,
        pytest.raises(Unreadable, match="no eyes, nose and mouth"),
    ):
        engine.embed(photo("coffee.png"), Box(0.2, 0.2, 0.4, 0.4))


def test_the_cards_colour_order_reaches_the_model(tiny_embedder: Path, photo: Photo) -> None:
    vectors = []
    for colours in ("RGB", "BGR"):
        with _engine(face_model(str(_with_card(tiny_embedder, colours=colours)))) as engine:
            vectors.append(engine.detect(photo("astronaut.png")).faces[0])
    assert cosine(*vectors) < 0.99


def test_a_model_file_changed_since_the_server_started_is_not_used(tiny_embedder: Path, photo: Photo) -> None:
    with _engine(face_model(str(_with_card(tiny_embedder)))) as engine:
        tiny_embedder.write_bytes(tiny_embedder.read_bytes() + b"\0")
        with pytest.raises(Unavailable, match="restart the server"):
            engine.detect(photo("obama.jpg"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"this is no ONNX file", "cannot run the face model"), (onnx_projection(outputs=513), "gives 513 numbers")],
    ids=["no model", "513 numbers"],
)
def test_a_file_that_is_no_embedder_makes_the_engine_unavailable_and_blames_no_picture(
    tmp_path: Path, photo: Photo, content: bytes, reason: str
) -> None:
    path = tmp_path / "wrong.onnx"
    path.write_bytes(content)
    with _engine(face_model(str(_with_card(path)))) as engine:
        with pytest.raises(Unavailable, match=reason):
            engine.detect(photo("obama.jpg"))
        with pytest.raises(Unavailable, match=reason):
            engine.embed(photo("obama.jpg"), Box(0.2, 0.2, 0.4, 0.4))
