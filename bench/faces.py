"""Faces: how much of the nets' own speed the engine keeps, from JPEG bytes to vectors, with one worker a core.

Bare inference is the forward passes alone, on inputs made ahead, in the same worker processes, all cores at once.
"""

from __future__ import annotations

import functools
import io
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from adapters.face_engines.embedded import EmbeddedEngine, prepare
from adapters.face_engines.model_card import FaceModel, face_model
from adapters.workers.pool import WorkerPool

if TYPE_CHECKING:
    from cv2.typing import MatLike

CACHE = Path(__file__).resolve().parent.parent / ".cache"
PHOTOS = (
    *(f"samples/{name}" for name in ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")),
    "test-pictures/six_people.jpg",
)
PREVIEW_SIDE, PREVIEW_QUALITY = 1440, 82  # as adapters/media makes them
PASSES = 2
LIMIT = 600.0


def measure(rounds: int = 5) -> dict[str, float]:
    """Faces a second through the engine and through the bare nets, and how much of the latter the engine keeps.

    `rounds` of each are taken in turn; the figures are medians over them. The pictures are five portraits and a group
    of six, as previews of 1440 pixels. The ratio compares CPU seconds, those of the server's side included: it holds on
    a machine that others use as well.
    """
    cores = len(os.sched_getaffinity(0))
    model, pictures = face_model(), tuple(_preview(CACHE / name) for name in PHOTOS)
    with ExitStack() as stack:
        pools = [stack.enter_context(closing(_pool(model))) for _ in range(cores)]
        threads = stack.enter_context(ThreadPoolExecutor(cores))
        faces = sum(len(EmbeddedEngine(pools[0], model).detect(picture).faces) for picture in pictures)
        _through_the_nets(pools, model, pictures)
        measured = [
            (_through_the_engine(pools, threads, model, pictures), _through_the_nets(pools, model, pictures))
            for _ in range(rounds)
        ]
    total = faces * PASSES * cores
    return {
        "engine, faces/s": total / statistics.median(ours.wall for ours, _ in measured),
        "bare nets, faces/s": total / statistics.median(bare.wall for _, bare in measured),
        "engine, CPU ms a face": 1000 / total * statistics.median(ours.cpu for ours, _ in measured),
        "bare nets, CPU ms a face": 1000 / total * statistics.median(bare.cpu for _, bare in measured),
        "engine / bare nets": statistics.median(bare.cpu / ours.cpu for ours, bare in measured),
    }


class Seconds(NamedTuple):
    """What some work took: by the clock, and of all processors together."""

    wall: float
    cpu: float


def _pool(model: FaceModel) -> WorkerPool:
    return WorkerPool(1, initializer=functools.partial(prepare, model), niceness=0)


def _through_the_engine(
    pools: list[WorkerPool], threads: ThreadPoolExecutor, model: FaceModel, pictures: tuple[bytes, ...]
) -> Seconds:
    def cpu() -> float:
        return time.process_time() + sum(pool.submit(time.process_time, timeout=LIMIT).result() for pool in pools)

    def detect_all(pool: WorkerPool) -> None:
        engine = EmbeddedEngine(pool, model)
        for picture in pictures * PASSES:
            engine.detect(picture)

    before, start = cpu(), time.perf_counter()
    list(threads.map(detect_all, pools))
    wall = time.perf_counter() - start
    return Seconds(wall, cpu() - before)


def _through_the_nets(pools: list[WorkerPool], model: FaceModel, pictures: tuple[bytes, ...]) -> Seconds:
    tasks = [pool.submit(forward_passes, model, pictures, timeout=LIMIT) for pool in pools]
    times = [task.result() for task in tasks]
    return Seconds(statistics.mean(wall for wall, _ in times), sum(cpu for _, cpu in times))


def forward_passes(model: FaceModel, pictures: tuple[bytes, ...]) -> Seconds:
    """In a worker: what the nets alone take for all faces on `pictures`, `PASSES` times."""
    import cv2  # noqa: PLC0415 - only workers load OpenCV

    detector, embedder = cv2.dnn.readNetFromONNX(model.detector), cv2.dnn.readNetFromTensorflow(model.embedder)
    inputs = [_inputs(model, picture) for picture in pictures]

    def forward() -> None:
        for blob, crops in inputs:
            detector.setInput(blob)
            detector.forward(("537", "538", "539", "540"))
            for crop in crops:
                embedder.setInput(crop)
                embedder.forward()

    forward()
    before, start = time.process_time(), time.perf_counter()
    for _ in range(PASSES):
        forward()
    return Seconds(time.perf_counter() - start, time.process_time() - before)


def _inputs(model: FaceModel, picture: bytes) -> tuple[MatLike, list[MatLike]]:
    """The detector's input for a picture, and the embedder's two for each face on it."""
    import cv2  # noqa: PLC0415 - only workers load OpenCV

    from adapters.face_engines.alignment import level_face  # noqa: PLC0415 - as above
    from adapters.face_engines.centerface import CenterFace, net_size  # noqa: PLC0415 - as above
    from adapters.face_engines.decoding import decoded  # noqa: PLC0415 - as above

    pixels, card = decoded(picture), model.card
    blob = cv2.dnn.blobFromImage(pixels, 1.0, net_size(pixels.shape[1], pixels.shape[0]), (0, 0, 0), swapRB=True)
    crops = []
    for face in CenterFace(model.detector).faces(pixels):
        crop = level_face(pixels, face.box, face.landmarks, card.margin, card.input_size)
        size, mean = (card.input_size, card.input_size), (card.mean,) * 3
        crops += [
            cv2.dnn.blobFromImage(side, card.scale, size, mean, swapRB=True) for side in (crop, crop[:, ::-1].copy())
        ]
    return blob, crops


def _preview(path: Path) -> bytes:
    with Image.open(path) as image:
        image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
        out = io.BytesIO()
        image.convert("RGB").save(out, "JPEG", quality=PREVIEW_QUALITY)
        return out.getvalue()


def main() -> None:
    """Print the figures as a table."""
    for what, figure in measure().items():
        print(f"{what:<26} {figure:8.2f}")


if __name__ == "__main__":
    from bench import faces  # the workers know `forward_passes` by its module, which `__main__` is not

    faces.main()
