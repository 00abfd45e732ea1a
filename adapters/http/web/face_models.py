"""Which model's vectors are compared where no face is asked about."""

from __future__ import annotations

from adapters.http.web.dependencies import Dependencies
from projections.queries.reading import Lookups


def compared_model(dependencies: Dependencies, lookups: Lookups) -> str | None:
    """The engine's model, or the newest face's where none is configured; None where there is no face.

    Raises:
        Unavailable: a remote engine has not been reached yet.
    """
    engine = dependencies.engine
    return lookups.embedded_faces.newest_model() if engine is None else engine.model_version
