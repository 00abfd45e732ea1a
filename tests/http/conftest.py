"""Worlds to test in: one is furnished once a run, and each test gets a copy of its database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.text_embedding import bundled
from adapters.workers.pool import WorkerPool
from tests.http.understanding import Watched
from tests.http.world import Api, World, furnish, opened


@pytest.fixture(scope="session")
def workers() -> Iterator[WorkerPool]:
    """One worker process for the whole run."""
    pool = WorkerPool(1)
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def furnished(workers: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `photos`, which nobody changes, and `data` with a database that knows them and their faces."""
    folder = tmp_path_factory.mktemp("furnished")
    furnish(folder / "photos")
    world = opened(f"sqlite:///{folder}/data/imageapi.db", workers, folder / "photos", folder / "data")
    world.settle()
    world.close()
    return folder


@pytest.fixture
def world(furnished: Path, workers: WorkerPool, tmp_path: Path) -> Iterator[World]:
    """A world of one's own over the photos of all."""
    shutil.copytree(furnished / "data", tmp_path / "data")
    world = opened(f"sqlite:///{tmp_path}/data/imageapi.db", workers, furnished / "photos", tmp_path / "data")
    yield world
    world.close()


@pytest.fixture(scope="session")
def furnished_anew(workers: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same once more: `kept` are the photos as they were, and `data` knows them at `stage/photos`, where each test
    that changes some finds them anew. To scan them for each takes a second and a half of a core."""
    folder = tmp_path_factory.mktemp("anew")
    furnish(folder / "kept")
    shutil.copytree(folder / "kept", folder / "stage" / "photos")
    world = opened(f"sqlite:///{folder}/data/imageapi.db", workers, folder / "stage" / "photos", folder / "data")
    world.settle()
    world.close()
    return folder


@pytest.fixture
def own_world(furnished_anew: Path, workers: WorkerPool, tmp_path: Path) -> Iterator[World]:
    """A world whose photos the test may change."""
    stage = furnished_anew / "stage"
    shutil.rmtree(stage)
    shutil.copytree(furnished_anew / "kept", stage / "photos")
    shutil.copytree(furnished_anew / "data", tmp_path / "data")
    world = opened(f"sqlite:///{tmp_path}/data/imageapi.db", workers, stage / "photos", tmp_path / "data")
    yield world
    world.close()


@pytest.fixture
def ann(world: World) -> Api:
    """The admin's client."""
    return world.api("ann")


@pytest.fixture
def ed(world: World) -> Api:
    """The client of an editor who sees everything."""
    return world.api("ed")


@pytest.fixture
def rex(world: World) -> Api:
    """The client of an editor who sees the library Family only."""
    return world.api("rex")


@pytest.fixture
def empty_world(workers: WorkerPool, tmp_path: Path) -> Iterator[World]:
    """A server that was never used: no library, no user."""
    world = opened(f"sqlite:///{tmp_path}/empty/imageapi.db", workers, tmp_path / "photos", tmp_path / "empty")
    yield world
    world.close()


@pytest.fixture(scope="session")
def text_model() -> Iterator[bundled.BundledEmbedder]:
    """The bundled text model, for the whole run."""
    model = bundled.BundledEmbedder(WorkerPool(1, initializer=bundled.prepare))
    yield model
    model.close()


@pytest.fixture
def embedder(text_model: bundled.BundledEmbedder) -> Watched:
    """A text embedder that is watched."""
    return Watched(text_model)
