"""Hundreds of broken pictures: each is indexed, with a problem or without, and that is all that happens."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from PIL import Image

from adapters.media.indexing import index_file, metadata
from adapters.media.renditions import rendition_path
from domain.base.errors import AdapterError
from tests.adapters.media.material import EXTENSIONS, VARIANTS, encoded, mutated, put, scene, with_exif

MUTANTS = 25


@pytest.mark.parametrize(("format_name", "options"), VARIANTS, ids=str)
def test_a_broken_picture_is_indexed_with_or_without_a_problem(
    tmp_path: Path, format_name: str, options: dict[str, object]
) -> None:
    exif = {} if format_name in ("GIF", "BMP", "JPEG2000") else {"exif": with_exif()}
    content = encoded(scene(70, 50), format_name, **options, **exif)
    chance = random.Random(f"{format_name} {options}")
    whole = 0
    for number in range(MUTANTS):
        path = put(tmp_path, f"a.{EXTENSIONS[format_name]}", mutated(content, chance))
        os.utime(path, ns=(0, number))
        file = index_file(path, str(tmp_path / "renditions"), "photo")
        assert file.content_hash is not None
        assert file.kind in ("photo", "video")
        if file.has_renditions:
            whole += 1
            for which in ("preview", "thumb"):
                name = rendition_path(str(tmp_path / "renditions"), file.content_hash, which)
                with Image.open(name) as image:
                    image.load()
        elif file.kind == "photo":
            assert file.problem or file.format == "raw"
        if file.problem:
            assert file.problem.isprintable()
            assert len(file.problem) < 200
        try:
            assert metadata(path)["size"] == file.size
        except AdapterError as error:
            pytest.fail(f"metadata raised {error!r}")
    assert whole < MUTANTS or format_name == "BMP"


@pytest.mark.long
def test_a_picture_of_every_single_length_is_indexed(tmp_path: Path) -> None:
    content = encoded(scene(24, 16), "JPEG", quality=30)
    for length in range(0, len(content), 3):
        file = index_file(put(tmp_path, "a.jpg", content[:length]), str(tmp_path / "renditions"), "photo")
        assert file.problem or length > len(content) - 4
