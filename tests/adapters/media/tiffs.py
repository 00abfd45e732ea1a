"""TIFF files of every depth and layout, which no library here writes: whole samples or fractions, in pixels or planes,
in either byte order, small and big, with a profile."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

_SHORT, _LONG, _UNDEFINED, _LONG8 = 3, 4, 7, 16


def tiff(
    samples: npt.NDArray[np.float64],
    *,
    depth: int = 16,
    order: str = "<",
    planar: bool = False,
    big: bool = False,
    real: bool = False,
    profile: bytes | None = None,
    photometric: int | None = None,
) -> bytes:
    """A picture of height x width x channels, each 0 to 1, as a TIFF of `depth` bits a sample: `real` ones are
    floating point; a `big` one has offsets of 64 bits (BigTIFF)."""
    height, width, channels = samples.shape
    planes = [samples[:, :, each : each + 1] for each in range(channels)] if planar else [samples]
    strips = [_packed(plane, depth, order, real=real) for plane in planes]
    if photometric is None:
        photometric = 2 if channels >= 3 else 1
    entries = [
        (256, _LONG, [width]),
        (257, _LONG, [height]),
        (258, _SHORT, [depth] * channels),
        (259, _SHORT, [1]),
        (262, _SHORT, [photometric]),
        (273, _LONG, [0] * len(strips)),
        (277, _SHORT, [channels]),
        (278, _LONG, [height]),
        (279, _LONG, [len(strip) for strip in strips]),
        (284, _SHORT, [2 if planar else 1]),
        *([(338, _SHORT, [2])] if channels in {2, 4} and photometric != 5 else []),
        (339, _SHORT, [3 if real else 1] * channels),
        *([(34675, _UNDEFINED, [*profile])] if profile is not None else []),
    ]
    return _assembled(entries, strips, order, big=big)


def _packed(plane: npt.NDArray[np.float64], depth: int, order: str, *, real: bool) -> bytes:
    if real:
        return bytes(plane.astype(f"{order}f{depth // 8}").tobytes())
    whole = (plane * (2**depth - 1)).round().astype(np.uint64)
    if depth in {8, 16, 32}:
        return bytes(whole.astype(f"{order}u{depth // 8}").tobytes())
    rows = whole.reshape(plane.shape[0], -1)  # each row begins with a byte of its own, highest bits first
    bits = (rows[:, :, None] >> np.arange(depth - 1, -1, -1, dtype=np.uint64)) & np.uint64(1)
    return bytes(np.packbits(bits.reshape(len(rows), -1).astype(np.uint8), axis=1).tobytes())


def _assembled(entries: list[tuple[int, int, list[int]]], strips: list[bytes], order: str, *, big: bool) -> bytes:
    pointer, count, room = ("Q", "Q", 8) if big else ("I", "I", 4)
    header = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}H", 43 if big else 42)
    header += struct.pack(f"{order}HHQ", 8, 0, 16) if big else struct.pack(f"{order}I", 8)
    letters = {_SHORT: "H", _LONG: "I", _UNDEFINED: "B", _LONG8: "Q"}
    size = (8 if big else 2) + len(entries) * (20 if big else 12) + (8 if big else 4)
    at = len(header) + size
    places = []
    values = b"".join(strips)
    for strip in strips:
        places.append(at)
        at += len(strip)
    table = struct.pack(f"{order}{'Q' if big else 'H'}", len(entries))
    for tag, kind, numbers in entries:
        chosen = places if tag == 273 else numbers
        content = struct.pack(f"{order}{len(chosen)}{letters[kind]}", *chosen)
        table += struct.pack(f"{order}HH{count}", tag, kind, len(chosen))
        if len(content) <= room:
            table += content.ljust(room, b"\0")
        else:
            table += struct.pack(f"{order}{pointer}", len(header) + size + len(values))
            values += content
    return header + table + bytes(8 if big else 4) + values
