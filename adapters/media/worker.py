"""How a process that decodes pictures is set up, once, before its first task."""

from __future__ import annotations

import ctypes
import os
from typing import Final

import cv2

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt(3)."""
MEMORY_LIMIT: Final = 3 * 2**30
"""Bytes a decoding worker may use: the largest picture that is allowed needs about half of it."""
_KEPT: Final = 64 * 1024 * 1024
_LARGEST_MMAP_THRESHOLD: Final = 32 * 1024 * 1024


def prepare() -> None:
    """Make this process a worker: one thread, as there are as many workers as cores, and memory that is used again.

    A photo takes several buffers of some megabytes, which glibc asks of the kernel and gives back for each photo; that
    the kernel clears their pages each time is 7 % of the work of a thumbnail. Other C libraries are left alone.
    """
    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # LibRaw's, which is loaded with the first photo
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_TRIM_THRESHOLD, _KEPT)
