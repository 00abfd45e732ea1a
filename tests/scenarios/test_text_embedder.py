"""Which text embedder serves, and who summarises, as the settings and what is installed say; put together as the server
does it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.settings import Settings
from adapters.text_embedding import bundled
from app import Application

NOMIC, BUNDLED = "nomic-embed-text:v1.5", "multilingual-e5-small"
KEY = {"OPENROUTER_API_KEY": "a key of these tests"}
ROUTER = {**KEY, "OPENROUTER_EMBEDDING_MODEL": "some/embedder"}


@contextmanager
def application(folder: Path, **environ: str) -> Iterator[Application]:
    """Everything put together and nothing started."""
    made = Application(Settings.load({"IMAGEAPI_DATA": str(folder), **environ}, folder, {}))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("environ", "of_photos", "of_messages"),
    [
        ({}, BUNDLED, BUNDLED),
        ({"OLLAMA_PRIMARY_URL": "http://127.0.0.1:11434"}, NOMIC, NOMIC),
        ({"OLLAMA_URL": "http://127.0.0.1:9"}, NOMIC, NOMIC),
        ({"OLLAMA_FALLBACK_URL": "http://127.0.0.1:9"}, NOMIC, NOMIC),
        (KEY, BUNDLED, BUNDLED),
        (ROUTER, "some/embedder", BUNDLED),
        ({**ROUTER, "SMS_TO_OPENROUTER": "yes"}, "some/embedder", "some/embedder"),
        ({**ROUTER, "OLLAMA_URL": "http://127.0.0.1:9"}, NOMIC, NOMIC),
        ({"OPENROUTER_EMBEDDING_MODEL": "some/embedder"}, BUNDLED, BUNDLED),
    ],
)
def test_the_settings_choose_the_embedder(
    tmp_path: Path, environ: dict[str, str], of_photos: str, of_messages: str
) -> None:
    with application(tmp_path, **environ) as made:
        assert made.embedders.photos.model.startswith(of_photos)
        assert made.embedders.private.model.startswith(of_messages)


@pytest.mark.parametrize(
    ("environ", "model"),
    [
        ({}, "nemotron-3-nano:30b"),
        (KEY, "nemotron-3-nano:30b"),
        ({**KEY, "SMS_TO_OPENROUTER": "yes"}, "anthropic/claude-sonnet-4"),
        ({**KEY, "SMS_TO_OPENROUTER": "yes", "OLLAMA_URL": "http://127.0.0.1:9"}, "nemotron-3-nano:30b"),
        ({"OLLAMA_FALLBACK_URL": "http://127.0.0.1:9", "OLLAMA_FALLBACK_MODEL": "b"}, "nemotron-3-nano:30b or b"),
    ],
)
def test_messages_are_summarised_at_openrouter_only_where_they_may_go_there(
    tmp_path: Path, environ: dict[str, str], model: str
) -> None:
    with application(tmp_path, **environ) as made:
        assert made.summariser is None, "there is nothing to summarise"
    with application(tmp_path, SMS_API_URL="http://127.0.0.1:9", **environ) as made:
        assert str(made.summariser).endswith(f"with everyone, by {model}")


def test_without_the_bundled_model_it_is_ollama_where_it_usually_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "is_installed", lambda: False)
    with application(tmp_path) as made:
        assert made.embedders.photos.model == NOMIC
    with application(tmp_path, **ROUTER) as made:
        assert (made.embedders.photos.model, made.embedders.private.model) == ("some/embedder", NOMIC)
