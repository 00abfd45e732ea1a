"""Which face engine the settings ask for, and how much it may do at once."""

from __future__ import annotations

import functools
from typing import Final

from adapters.face_engines.absent import AbsentEngine
from adapters.face_engines.apollo_faces import ApolloEngine
from adapters.face_engines.cropping import crops_in
from adapters.face_engines.embedded import EmbeddedEngine, prepare
from adapters.face_engines.model_card import face_model
from adapters.settings import FaceEngineChoice, Settings
from adapters.workers.pool import WorkerPool
from adapters.workers.pools import Pools
from domain.base.errors import Unavailable
from domain.ports.face_engine import FaceEngine

RECOGNISER_MEMORY: Final = 2 * 2**30
"""Bytes a worker may use that recognises, or cuts faces out: the nets and a picture of 100 megapixels."""


def build_engine(settings: Settings, pools: Pools) -> FaceEngine | None:
    """The configured face engine, None where it is off; its worker processes are added to `pools`."""
    if settings.face_engine is FaceEngineChoice.OFF:
        return None
    if settings.face_engine is FaceEngineChoice.APOLLO and settings.apollo_face_api_base_url is not None:
        seconds = settings.face_detect_timeout_sec
        pools["face-crops"] = WorkerPool(1, memory_limit=RECOGNISER_MEMORY, niceness=0)
        return ApolloEngine(settings.apollo_face_api_base_url, crops_in(pools["face-crops"], seconds), seconds=seconds)
    try:
        return build_embedded_engine(settings, pools)
    except Unavailable as error:
        return AbsentEngine(str(error))


def build_embedded_engine(settings: Settings, pools: Pools) -> EmbeddedEngine:
    """The nets that packages carry, or the user's own embedder, in worker processes.

    Raises:
        Unavailable: the model is not installed, or its card cannot be used.
    """
    model = face_model(settings.face_model)
    pools["faces"] = WorkerPool(
        settings.embedded_face_workers, initializer=functools.partial(prepare, model), memory_limit=RECOGNISER_MEMORY
    )
    return EmbeddedEngine(pools["faces"], model, settings.face_detect_timeout_sec)


def photos_at_once(settings: Settings) -> int:
    """How many photos the engine is given at a time."""
    if settings.face_engine is FaceEngineChoice.APOLLO:
        return settings.face_detect_concurrency
    return settings.embedded_face_workers
