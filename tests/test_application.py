"""The application is put together part by part, and a part may be replaced before anything asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.background.jobs import JobBoard
from adapters.settings import Settings
from app import Application


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an empty data folder."""
    return Settings.load({"IMAGEAPI_DATA": str(tmp_path / "data"), "FACE_ENGINE": "off"}, tmp_path)


def test_nothing_is_made_before_it_is_asked_for(settings: Settings) -> None:
    Application(settings).close()
    assert not settings.imageapi_data.exists()


def test_an_override_stands_in_the_place_of_the_part_wherever_it_is_used(settings: Settings) -> None:
    board: object = JobBoard()
    application = Application(settings, {"board": board})
    assert (application.board is board, application.watcher._jobs is board) == (True, True)
    application.close()


@pytest.mark.parametrize("name", ["bord", "settings", "close", "_open"])
def test_an_override_of_what_is_no_part_is_refused(settings: Settings, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is no part of the application"):
        Application(settings, {name: None})


def test_a_part_that_is_made_already_cannot_be_replaced(settings: Settings) -> None:
    application = Application(settings, {"engine": None})
    assert application.board.progress() == []
    with pytest.raises(ValueError, match="board is made already"):
        application.override("board", None)
    application.close()
