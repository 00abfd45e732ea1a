"""Faces: what a photo takes of the processors, how much of the nets' own speed the engine keeps, and what it took once.

Bare inference is the forward passes alone, on the inputs that the engine gave them, in the same kind of worker process.
The engine of before is CenterFace at 640 pixels and FaceNet on a face and its mirror image; it is measured where
`imageapi setup --facenet` installed it. CPU seconds are compared, those of the server's side included, in turn: that
holds on a machine that others use as well.
"""

from __future__ import annotations

import functools
import io
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from PIL import Image

from adapters.face_engines.embedded import EmbeddedEngine, prepare
from adapters.face_engines.model_card import FaceModel, face_model
from adapters.workers.pool import WorkerPool
from domain.base.errors import Unavailable

if TYPE_CHECKING:
    from adapters.face_engines.recogniser import Recogniser

CACHE = Path(__file__).resolve().parent.parent / ".cache"
PORTRAITS = tuple(f"samples/{name}" for name in ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png"))
GROUP, SCENES = "test-pictures/six_people.jpg", ("samples/coffee.png", "samples/rocket.jpg", "samples/chelsea.png")
PREVIEW_SIDE, PREVIEW_QUALITY = 1440, 82  # as adapters/media makes them
FAR_SIDE: Final = 320
"""Pixels that the group takes on its scene: faces of 24 to 27 pixels."""
EARLIER_SIDE: Final = 640
LIMIT = 600.0


class Kind(NamedTuple):
    """Pictures of one kind: a portrait needs one look, people at a distance a second one."""

    name: str
    pictures: tuple[bytes, ...]


class Figures(NamedTuple):
    """Of one kind of pictures: `faces` a photo, the share of photos that had more `looks`, and milliseconds of CPU a
    photo of the engine, of its nets alone (which is `kept` of it), and of the engine of before, of which this one is
    a `share`; None where that is not installed."""

    faces: float
    looks: float
    engine: float
    nets: float
    kept: float
    before: float | None
    share: float | None


def kinds() -> tuple[Kind, ...]:
    """The pictures, as previews."""
    group = _opened(GROUP)
    small = group.resize((FAR_SIDE, round(group.height * FAR_SIDE / group.width)), Image.Resampling.BOX)
    scenes = [_opened(name).resize((PREVIEW_SIDE, 1080), Image.Resampling.BICUBIC) for name in SCENES]
    empty = tuple(_preview(scene) for scene in scenes)
    for scene in scenes:
        scene.paste(small, (700, 400))
    return (
        Kind("portraits", tuple(_preview(_opened(name)) for name in PORTRAITS)),
        Kind("a group", (_preview(group),)),
        Kind("people far off", tuple(_preview(scene) for scene in scenes)),
        Kind("nobody", empty),
    )


def measure(rounds: int = 5) -> Mapping[str, Figures]:
    """The figures of each kind; medians of `rounds` in turn."""
    model = face_model()
    try:
        earlier: FaceModel | None = face_model("facenet")
    except Unavailable:
        earlier = None
    with closing(_pool(model)) as pool, closing(_pool(model)) as bare, closing(WorkerPool(1, niceness=0)) as before:
        ways = [functools.partial(_engine, pool, model), functools.partial(_nets, bare, model)]
        if earlier is not None:
            ways.append(functools.partial(_earlier, before, earlier))
        return {kind.name: _figures(kind, rounds, _found(pool, model, kind), ways) for kind in kinds()}


def _figures(kind: Kind, rounds: int, found: tuple[float, float], ways: Sequence[Callable[[Kind], float]]) -> Figures:
    """The ways are taken in turn, after one round that is not counted; what is compared is of the same round."""
    for way in ways:
        way(kind)
    taken = [[way(kind) for way in ways] for _ in range(rounds)]
    photos = len(kind.pictures)
    engine, nets, *before = (1000 * statistics.median(way) / photos for way in zip(*taken, strict=True))
    kept = statistics.median(each[1] / each[0] for each in taken)
    share = statistics.median(each[0] / each[2] for each in taken) if before else None
    return Figures(*found, engine=engine, nets=nets, kept=kept, before=before[0] if before else None, share=share)


def _pool(model: FaceModel) -> WorkerPool:
    return WorkerPool(1, initializer=functools.partial(prepare, model), niceness=0)


def _found(pool: WorkerPool, model: FaceModel, kind: Kind) -> tuple[float, float]:
    return pool.submit(faces_and_looks, model, kind.pictures, timeout=LIMIT).result()


def _engine(pool: WorkerPool, model: FaceModel, kind: Kind) -> float:
    def cpu() -> float:
        return time.process_time() + pool.submit(time.process_time, timeout=LIMIT).result()

    engine, before = EmbeddedEngine(pool, model), cpu()
    for picture in kind.pictures:
        engine.detect(picture)
    return cpu() - before


def _nets(pool: WorkerPool, model: FaceModel, kind: Kind) -> float:
    return pool.submit(forward_passes, model, kind.pictures, timeout=LIMIT).result()


def _earlier(pool: WorkerPool, model: FaceModel, kind: Kind) -> float:
    return pool.submit(detecting_as_before, model, kind.pictures, timeout=LIMIT).result()


# The tasks: functions that run in worker processes, which alone load OpenCV.


def faces_and_looks(model: FaceModel, pictures: tuple[bytes, ...]) -> tuple[float, float]:
    """Faces a photo, and on how many of the photos there was a second look."""
    from adapters.face_engines.recogniser import Recogniser  # noqa: PLC0415 - in workers alone

    second, faces = 0, 0
    for picture in pictures:
        recogniser = Recogniser(model)
        calls = _recorded(recogniser)
        faces += len(recogniser.detect(picture).faces)
        second += sum(call.name == "detector" for call in calls) > 1 or any(call.name == "proposer" for call in calls)
    return faces / len(pictures), second / len(pictures)


@functools.cache
def _calls_of(model: FaceModel, pictures: tuple[bytes, ...]) -> list[_Call]:
    from adapters.face_engines.recogniser import Recogniser  # noqa: PLC0415 - in workers alone

    recogniser = Recogniser(model)
    calls = _recorded(recogniser)
    for picture in pictures:
        recogniser.detect(picture)
    return calls


def forward_passes(model: FaceModel, pictures: tuple[bytes, ...]) -> float:
    """Seconds of CPU that the nets alone take for `pictures`."""
    calls, before = _calls_of(model, pictures), time.process_time()
    for call in calls:
        call.again()
    return time.process_time() - before


def detecting_as_before(model: FaceModel, pictures: tuple[bytes, ...]) -> float:
    """Seconds of CPU that decoding, one look at 640 pixels and embedding each face take."""
    detector, embedder, decoded = _nets_of_before(model)
    before = time.process_time()
    for picture in pictures:
        pixels = decoded(picture)
        for face in detector.faces(pixels, max_side=EARLIER_SIDE):
            embedder.vector(pixels, face.box, face.landmarks)
    return time.process_time() - before


@functools.cache
def _nets_of_before(model: FaceModel) -> tuple[Any, Any, Any]:
    import cv2  # noqa: PLC0415 - in workers alone

    from adapters.face_engines.centerface import CenterFace  # noqa: PLC0415 - as above
    from adapters.face_engines.decoding import decoded  # noqa: PLC0415 - as above
    from adapters.face_engines.embedder import Embedder  # noqa: PLC0415 - as above

    cv2.setNumThreads(1)
    return CenterFace(model.detector), Embedder(model), decoded


class _Call(NamedTuple):
    """A forward pass that the engine made of one of its nets."""

    name: str
    again: Callable[[], object]


class _Recording:
    """A net that notes what is asked of it."""

    def __init__(self, name: str, net: Any, calls: list[_Call]) -> None:
        self._name, self._net, self._calls = name, net, calls
        self._set: tuple[str, tuple[Any, ...]] = ("", ())

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def asked(*arguments: Any) -> Any:
            answer = getattr(self._net, method)(*arguments)
            if method in {"setInput", "setInputSize"}:
                self._set = (method, arguments)
            else:
                self._calls.append(
                    _Call(self._name, functools.partial(_again, self._net, self._set, method, arguments))
                )
            return answer

        return asked


def _again(net: Any, prepared: tuple[str, tuple[Any, ...]], method: str, arguments: tuple[Any, ...]) -> None:
    getattr(net, prepared[0])(*prepared[1])
    getattr(net, method)(*arguments)


def _recorded(recogniser: Recogniser) -> list[_Call]:
    """The calls that a recogniser makes of its nets from now on."""
    calls: list[_Call] = []
    search: Any = vars(recogniser)["_search"]
    holders = {"detector": search.detector, "proposer": search.yunet, "embedder": vars(recogniser)["_embedder"]}
    for name, holder in holders.items():
        vars(holder)["_net"] = _Recording(name, vars(holder)["_net"], calls)
    return calls


def _opened(name: str) -> Image.Image:
    with Image.open(CACHE / name) as image:
        return image.convert("RGB")


def _preview(image: Image.Image) -> bytes:
    small, out = image.copy(), io.BytesIO()
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    small.save(out, "JPEG", quality=PREVIEW_QUALITY)
    return out.getvalue()


def main() -> None:
    """Print the figures as a table."""
    print(f"{'CPU ms a photo':<16} faces  2nd look  engine   nets  nets/engine  before  engine/before")
    for name, of in measure().items():
        line = f"{name:<16} {of.faces:5.1f}  {of.looks:8.0%}  {of.engine:6.0f} {of.nets:6.0f}  {of.kept:11.2f}"
        print(line, "" if of.before is None else f" {of.before:6.0f}  {of.share:13.2f}")


if __name__ == "__main__":
    from bench import faces  # the workers know the tasks by their module, which `__main__` is not

    faces.main()
