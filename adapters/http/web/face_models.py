"""Which model's vectors are compared where no face is asked about."""

from __future__ import annotations

from adapters.http.web.dependencies import Dependencies
from domain.base.errors import Unavailable
from projections.queries.reading import Lookups


def compared_model(dependencies: Dependencies, lookups: Lookups) -> str | None:
    """The engine's model, which grows while photos are looked at; the newest face's where no engine can be had, since
    what was found before is compared all the same. None where there is no face."""
    try:
        model = None if dependencies.engine is None else dependencies.engine.model_version
    except Unavailable:
        model = None
    return lookups.embedded_faces.newest_model() if model is None else model
