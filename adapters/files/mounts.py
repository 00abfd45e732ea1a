"""On which file systems the operating system tells of every change, read from the kernel's table of mounts.

A change that another machine makes on a network file system never passes this kernel, so nobody is told of it; of a
file system in user space that shows other files the same holds. Linux only: elsewhere every file system counts as one
that tells.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from adapters.files.skipped import has_skipped_part
from domain.base.paths import shown, text_of

TABLE: Final = Path("/proc/self/mountinfo")
_SILENT: Final = frozenset(
    [
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "lustre", "beegfs", "gpfs", "ocfs2", "gfs2"),
        *("orangefs", "pvfs2", "coda", "acfs", "panfs", "davfs"),
        *("9p", "virtiofs", "vboxsf", "prl_fs", "fakeowner", "osxfs", "grpcfuse"),  # folders of a machine's host
        "fuse",
    ]
)
"""Types of file systems, as the kernel names them, of which some changes are made elsewhere."""
_OCTAL: Final = re.compile(rb"\\([0-7]{3})")


def table(path: Path = TABLE) -> bytes:
    """The kernel's table of mounts as it is now; empty where there is none."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def why_silent(root: bytes, mounts: bytes) -> str | None:
    """Why no one is told of every change below the real path `root`, in plain words; None where one is.

    `mounts` is a table as proc_pid_mountinfo(5) describes it. Mounts below `root` count too, but in folders that are no
    part of a library.
    """
    holds, kind = b"", ""
    inside = root.rstrip(b"/") + b"/"
    for point, type_ in _mounts(mounts):
        if root == point or root.startswith(point.rstrip(b"/") + b"/"):
            if len(point) >= len(holds):  # the last one at a place hides those before it
                holds, kind = point, type_
        elif point.startswith(inside) and _is_silent(type_) and not has_skipped_part(point[len(inside) :]):
            return f"{shown(text_of(point))} in it is {_described(type_)}"
    return f"{shown(text_of(holds))} is {_described(kind)}" if _is_silent(kind) else None


def _is_silent(kind: str) -> bool:
    return kind in _SILENT or kind.startswith("fuse.")


def _described(kind: str) -> str:
    return f"a file system of the type {kind}, which does not tell of changes that are made elsewhere"


def _mounts(table_: bytes) -> Iterator[tuple[bytes, str]]:
    for line in table_.splitlines():
        fields, dash, rest = line.partition(b" - ")
        words = fields.split(b" ")
        if dash and len(words) >= 5:
            point = _OCTAL.sub(lambda match: bytes([int(match[1], 8)]), words[4])
            yield point, os.fsdecode(rest.split(b" ", 1)[0])
