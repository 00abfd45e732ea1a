"""What travels between imageapi and a face service (Apollo, or `imageapi faces serve`), in both directions.

Multipart `POST {base}/api/internal/faces/detect` and `…/embed`: a part `file` with the picture and a part `meta` with
JSON. `embed` is sent the crop of one face; a service that says `accepts_bbox` of itself is sent the whole picture, with
the drawn box on it as `bbox` of `meta`. `GET {base}/api/internal/faces/model` is this project's own
addition, which a service need not have.
"""

from __future__ import annotations

import base64
import binascii

import msgspec
import numpy as np

from adapters.face_engines.stated_thresholds import StatedThresholds
from domain.base.face_quality import FaceQuality
from domain.base.geometry import Box
from domain.ports.face_engine import MOST_DIMENSIONS, padded_vector

DETECT = "/api/internal/faces/detect"
EMBED = "/api/internal/faces/embed"
MODEL = "/api/internal/faces/model"


NOTHING_MEASURED = msgspec.Raw(b"null")


class FaceAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One face: `bbox` normalised to the upright picture, `embedding` the base64 of 512 little-endian float32, of which
    the first `dimensions` are the model's and the rest 0; where nothing is said of it, all of them are. `quality` where
    the service measures it."""

    bbox: Box
    confidence: float
    embedding: str
    dimensions: int | None = None
    quality: msgspec.Raw = NOTHING_MEASURED


class DetectAnswer(msgspec.Struct, frozen=True):
    """What `detect` answers."""

    model_version: str
    faces: list[FaceAnswer]


class EmbedAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `embed` answers."""

    model_version: str
    embedding: str
    dimensions: int | None = None
    quality: msgspec.Raw = NOTHING_MEASURED


class ModelAnswer(msgspec.Struct, frozen=True):
    """What `model` answers; `thresholds` where the service knows those of its model, `accepts_bbox` where `embed` heeds
    a box in `meta`."""

    model_version: str
    thresholds: StatedThresholds | None = None
    accepts_bbox: bool = False


class EmbedMeta(msgspec.Struct, frozen=True):
    """The `meta` of `embed`; without a box the picture is taken for the crop of one face."""

    bbox: Box | None = None


class ProblemDetails(msgspec.Struct, frozen=True):
    """An error's body after RFC 9457, sent as `application/problem+json`."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"


def encoded_quality(quality: FaceQuality | None) -> msgspec.Raw:
    """How well a face is seen as it travels."""
    return NOTHING_MEASURED if quality is None else msgspec.Raw(msgspec.json.encode(quality))


def decoded_quality(told: msgspec.Raw) -> FaceQuality | None:
    """How well a face is seen, where the service says it in these words; what it means by others is not known, and
    spoils no answer."""
    try:
        return msgspec.json.decode(told, type=FaceQuality | None)
    except msgspec.ValidationError:
        return None


def encoded_vector(vector: bytes) -> str:
    """An embedding as it travels: the base64 of 512 float32 numbers, those beyond its own 0, which keeps every
    cosine."""
    return base64.b64encode(padded_vector(vector)).decode("ascii")


def decoded_vector(text: str, dimensions: int | None) -> bytes:
    """The float32 numbers of an embedding that another program sent, without those that pad it where it says how many
    are its own (`dimensions`), brought back to length 1.

    Raises:
        ValueError: no base64, no number or more than 512, fewer than `dimensions`, not finite, or without a direction;
            the text says which.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"an embedding is not base64 ({error})") from error
    if not raw or len(raw) % 4 or len(raw) > 4 * MOST_DIMENSIONS:
        raise ValueError(f"an embedding has {len(raw)} bytes, which are not 1 to {MOST_DIMENSIONS} float32 numbers")
    own = len(raw) // 4 if dimensions is None else dimensions
    if not 1 <= own <= len(raw) // 4:
        raise ValueError(f"an embedding of {len(raw) // 4} numbers says that {own} are its own")
    vector = np.frombuffer(raw, "<f4")[:own].astype(np.float64)
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0.0:
        raise ValueError("an embedding has no finite length above 0")
    return (vector / length).astype("<f4").tobytes()
