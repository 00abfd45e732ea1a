"""What the face engine tests are made of: sockets, pictures, cosines and a small ONNX file."""

from __future__ import annotations

import contextlib
import io
import struct
import threading
from collections.abc import Iterator

import numpy as np
import uvicorn
from numpy.typing import NDArray
from PIL import Image
from starlette.types import ASGIApp

from domain.ports.face_engine import DetectedFace, Embedding
from tests.waiting import until

GRACE_SECONDS = 3


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The base URL of `app` on a real socket."""
    config = uvicorn.Config(
        app, port=0, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=GRACE_SECONDS
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive(), interval=0.005)
        assert server.started, "the server ended before it served"
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(20 * GRACE_SECONDS)
        assert not thread.is_alive(), "the server did not stop"


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def vector(face: DetectedFace | Embedding) -> NDArray[np.float32]:
    return np.frombuffer(face.vector, "<f4")


def cosine(a: DetectedFace | Embedding, b: DetectedFace | Embedding) -> float:
    return float(vector(a) @ vector(b))


def onnx_projection(outputs: int) -> bytes:
    """An ONNX file (github.com/onnx/onnx, onnx.proto): AveragePool, Flatten, Gemm with random weights."""
    weights = np.random.default_rng(7).standard_normal((768, outputs)).astype("<f4")
    pool = _node("AveragePool", ["face"], "pooled", _ints("kernel_shape", 7, 7) + _ints("strides", 7, 7))
    flat = _node("Flatten", ["pooled"], "flat")
    gemm = _node("Gemm", ["flat", "weights"], "vector")
    tensor = b"".join(_varint(1, side) for side in weights.shape) + _varint(2, 1)
    tensor += _block(8, b"weights") + _block(9, weights.tobytes())
    graph = pool + flat + gemm + _block(2, b"tiny") + _block(5, tensor)
    graph += _block(11, _shape(b"face", 1, 3, 112, 112)) + _block(12, _shape(b"vector", 1, outputs))
    return _varint(1, 8) + _block(7, graph) + _block(8, _block(1, b"") + _varint(2, 13))


def _node(kind: str, inputs: list[str], output: str, attributes: bytes = b"") -> bytes:
    names = b"".join(_block(1, name.encode()) for name in inputs)
    return _block(1, names + _block(2, output.encode()) + _block(4, kind.encode()) + attributes)


def _ints(name: str, *values: int) -> bytes:
    return _block(5, _block(1, name.encode()) + b"".join(_varint(8, value) for value in values) + _varint(20, 7))


def _shape(name: bytes, *sides: int) -> bytes:
    dimensions = b"".join(_block(1, _varint(1, side)) for side in sides)
    return _block(1, name) + _block(2, _block(1, _varint(1, 1) + _block(2, dimensions)))


def _varint(field: int, value: int) -> bytes:
    return _number(field << 3) + _number(value)


def _block(field: int, content: bytes) -> bytes:
    return _number(field << 3 | 2) + _number(len(content)) + content


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + struct.pack("B", value)
