"""Which file systems tell of every change, by tables of mounts as kernels write them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.files.mounts import table, why_silent

TABLE = rb"""
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/nas rw,relatime shared:2 - nfs4 nas:/photos rw,vers=4.2
31 22 0:41 / /mnt/two\040words rw,relatime - cifs //nas/photos rw
32 22 0:42 / /mnt/ssh rw - fuse.sshfs me@there: rw
33 22 0:43 / /mnt/usb rw - fuseblk /dev/sdb1 rw
34 22 0:44 / /home/ann/Pictures/phone rw - fuse.mtp phone rw
35 22 0:45 / /home/bob/Pictures/.thumbnails rw - nfs nas:/thumbnails rw
36 22 0:46 / /srv/photos rw - nfs nas:/photos rw
37 36 254:2 / /srv/photos rw master:3 - xfs /dev/sdc1 rw
38 22 0:47 / /host rw - 9p host rw
39 22 0:48 / /host/local rw - tmpfs tmpfs rw
no mount at all
"""


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        ("/mnt/nas", "/mnt/nas is a file system of the type nfs4"),
        ("/mnt/nas/2024/summer", "/mnt/nas is a file system of the type nfs4"),
        ("/mnt/two words/photos", "/mnt/two words is a file system of the type cifs"),
        ("/mnt/ssh", "of the type fuse.sshfs"),
        ("/home/ann/Pictures", "/home/ann/Pictures/phone in it is a file system of the type fuse.mtp"),
        ("/host/photos", "of the type 9p"),
    ],
)
def test_a_file_system_whose_changes_are_made_elsewhere_is_named_with_its_type(root: str, reason: str) -> None:
    assert reason in (why_silent(os.fsencode(root), TABLE) or "")


@pytest.mark.parametrize(
    "root",
    [
        "/home/ann/Pictures2",
        "/mnt/nas2",
        "/mnt/usb/photos",
        "/home/bob/Pictures",
        "/srv/photos/2024",
        "/host/local/photos",
    ],
)
def test_a_local_file_system_tells(root: str) -> None:
    assert why_silent(os.fsencode(root), TABLE) is None


def test_where_there_is_no_table_every_file_system_tells(tmp_path: Path) -> None:
    assert why_silent(b"/mnt/nas", table(tmp_path / "nowhere")) is None


def test_the_kernels_own_table_is_read() -> None:
    assert b" - proc " in table()
    assert why_silent(b"/proc/self", table()) is None
