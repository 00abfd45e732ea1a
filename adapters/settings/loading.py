"""The settings of one process: read once, checked all at once, then passed around as plain values.

A value comes from the first place that has the name: the command line, the environment, the nearest `.env`, the
default. An empty value counts as unset, which lets the environment switch off a line of the `.env`. Relative paths
start at the working folder, and in a `.env` at the folder of that file.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple, Self
from urllib.parse import unquote

from adapters.settings import dotenv
from adapters.settings.catalogue import VARIABLES, Variable, cores
from adapters.settings.values import Address, FaceEngineChoice, GeocoderChoice, LogLevel, Refused, WatchMode, masked_url
from domain.base.errors import ImageApiError

_LIKENESS: Final = 0.88
"""`difflib` ratio from which an unknown name is taken for a misspelt one: one wrong letter in nine or more."""

_NAMES_OF_OTHERS: Final = frozenset({"OLLAMA_MODELS"})
"""Variables of other programs that look like a misspelt one of ours; this one is where Ollama keeps its models."""


class SettingProblem(NamedTuple):
    """One variable that cannot be used: `found` never shows a secret, `allowed` follows "must be"."""

    name: str
    origin: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.name} ({self.origin}) is {self.found}; it must be {self.allowed}."


class SettingsError(ImageApiError):
    """Variables that cannot be used, all of them at once, in `problems`."""

    def __init__(self, *problems: SettingProblem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class SettingRow(NamedTuple):
    """One line of `imageapi config`."""

    name: str
    value: str
    origin: str
    meaning: str


class _Source(NamedTuple):
    """One place that values come from, and the folder that its relative paths start from."""

    label: str
    folder: Path
    values: Mapping[str, str]


class _Resolved(NamedTuple):
    """What one variable came to."""

    variable: Variable
    origin: str
    raw: str | None
    value: Any


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every variable by its name in lower case; None, or an empty tuple for lists, where it is unset."""

    imageapi_data: Path
    database_url: str = field(repr=False)
    base_path: Path | None
    thumbnails: Path
    video_path: Path
    gifs_directory: Path
    preview_clips_directory: Path
    video_cache_megabytes: int
    video_clips_megabytes: int
    video_concurrency: int
    bind_url: Address
    cors_origins: tuple[str, ...]
    secret_key: str | None = field(repr=False)
    log_level: LogLevel
    excluded_dirs: tuple[str, ...]
    watch_mode: WatchMode
    watch_quick_interval_seconds: int
    watch_full_interval_seconds: int
    ollama_primary_url: str = field(repr=False)
    ollama_fallback_url: str | None = field(repr=False)
    ollama_primary_model: str
    ollama_fallback_model: str
    openrouter_api_key: str | None = field(repr=False)
    openrouter_default_model: str
    openrouter_allowed_models: tuple[str, ...]
    openrouter_base_url: str = field(repr=False)
    openrouter_embedding_model: str
    openrouter_http_referer: str | None
    openrouter_app_title: str | None
    daily_summary_from: date | None
    daily_summary_to: date | None
    daily_summary_contacts: tuple[str, ...]
    sms_api_url: str | None = field(repr=False)
    sms_api_token: str | None = field(repr=False)
    sms_to_openrouter: bool
    entities_from_insights: bool
    agentic_max_iterations: int
    agentic_chat_max_iterations: int
    apollo_api_base_url: str | None = field(repr=False)
    geocoder: GeocoderChoice
    nominatim_url: str | None = field(repr=False)
    apollo_face_api_base_url: str | None = field(repr=False)
    face_engine: FaceEngineChoice
    face_model: str | None
    face_autobind_min_cos: float | None
    face_detect_concurrency: int
    face_detect_timeout_sec: float

    warnings: tuple[str, ...] = ()
    _readings: Mapping[str, _Resolved] = field(repr=False, compare=False)

    @classmethod
    def load(cls, environ: Mapping[str, str], cwd: Path, overrides: Mapping[str, str] | None = None) -> Self:
        """Read every variable from `overrides` (the command line), `environ` and the nearest `.env` from `cwd` up.

        Raises:
            SettingsError: names each variable that cannot be used, what was found and what is allowed.
        """
        sources = _sources(environ, cwd.absolute(), overrides or {})
        readings: dict[str, _Resolved] = {}
        problems: list[SettingProblem] = []
        for variable in VARIABLES:
            so_far = {name: reading.value for name, reading in readings.items()}
            reading, problem = _read(variable, sources, cwd, so_far)
            readings[variable.name] = reading
            if problem is not None:
                problems.append(problem)
            if variable.older:
                readings[variable.older] = _older(variable, sources)
        values = {variable.name.lower(): readings[variable.name].value for variable in VARIABLES}
        loaded = cls(**values, _readings=readings)
        broken = {problem.name for problem in problems}
        problems += [problem for problem in loaded._contradictions() if problem.name not in broken]
        if problems:
            raise SettingsError(*problems)
        return replace(loaded, warnings=(*_misspelt(sources), *loaded._left_unused()))

    def origin(self, name: str) -> str:
        """Where the value of the variable `name` came from: default, environment, .env (PATH) or command line.

        A value taken from an older name says so: `environment, as OLLAMA_URL`.

        Raises:
            KeyError: there is no such variable.
        """
        return self._readings[name].origin

    def is_set(self, name: str) -> bool:
        """Whether somebody gave a value for the variable `name`, be it the default's; raises as `origin`."""
        return self.origin(name) != "default"

    def rows(self) -> list[SettingRow]:
        """Every variable for `imageapi config`, secrets and passwords masked."""
        return [
            SettingRow(
                name,
                _shown(reading),
                reading.origin,
                reading.variable.meaning
                if name == reading.variable.name
                else f"Older name of {reading.variable.name}, used where that is unset.",
            )
            for name, reading in self._readings.items()
        ]

    @property
    def database_path(self) -> Path | None:
        """The SQLite file, or None where the database is PostgreSQL."""
        scheme, _, rest = self.database_url.partition(":///")
        return Path(unquote(rest)) if scheme == "sqlite" else None

    @property
    def renditions(self) -> Path:
        """Folder of previews and other pictures made from originals, in the data folder."""
        return self.imageapi_data / "renditions"

    @property
    def secret_key_file(self) -> Path:
        """Where the generated signing key is kept while SECRET_KEY is unset."""
        return self.imageapi_data / "secret.key"

    @property
    def links_file(self) -> Path:
        """Where open one-time links are kept."""
        return self.imageapi_data / "links.json"

    @property
    def places_file(self) -> Path:
        """Where the answers of a Nominatim server are kept."""
        return self.imageapi_data / "places.db"

    @property
    def meaning_file(self) -> Path:
        """Where the vectors of what is known of the photos are kept."""
        return self.imageapi_data / "meaning.db"

    @property
    def roots_file(self) -> Path:
        """Where it is kept which folder stood at the root of each library."""
        return self.imageapi_data / "roots.json"

    @property
    def unknown_files_file(self) -> Path:
        """Where it is kept what files of unknown extensions are."""
        return self.imageapi_data / "unknown_files.db"

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """Folders of what imageapi makes, which are no part of a library that holds them."""
        videos = (self.video_path, self.gifs_directory, self.preview_clips_directory)
        return (self.imageapi_data, self.thumbnails, *videos)

    @property
    def ollama_is_set(self) -> bool:
        """Whether somebody gave the address of an Ollama server."""
        return any(self.is_set(name) for name in ("OLLAMA_PRIMARY_URL", "OLLAMA_FALLBACK_URL"))

    @property
    def embedded_face_workers(self) -> int:
        """Worker processes of the embedded face engine: the concurrency asked for, and never more than the cores."""
        return min(self.face_detect_concurrency, cores())

    def make_data_folder(self) -> Path:
        """Make the data folder, for this user alone (mode 0700), where it is not there yet.

        Raises:
            SettingsError: it cannot be made, or something that is no folder stands in its place.
        """
        try:
            self.imageapi_data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            reason = f"a folder that can be made and written ({error.strerror})"
            raise SettingsError(
                SettingProblem("IMAGEAPI_DATA", self.origin("IMAGEAPI_DATA"), str(self.imageapi_data), reason)
            ) from error
        return self.imageapi_data

    def _contradictions(self) -> list[SettingProblem]:
        """Values that are each allowed but not together."""
        found = []
        if self.face_engine is FaceEngineChoice.APOLLO and self.apollo_face_api_base_url is None:
            allowed = "embedded or off, or APOLLO_FACE_API_BASE_URL must say where the face service is"
            found.append(self._problem("FACE_ENGINE", allowed))
        if self.geocoder is GeocoderChoice.NOMINATIM and self.nominatim_url is None:
            found.append(self._problem("GEOCODER", "offline or off, or NOMINATIM_URL must name a server"))
        first, last = self.daily_summary_from, self.daily_summary_to
        if first and last and first > last:
            found.append(self._problem("DAILY_SUMMARY_FROM", f"no later than DAILY_SUMMARY_TO ({last})"))
        return found

    def _problem(self, name: str, allowed: str) -> SettingProblem:
        """A problem with the value that was taken for `name`."""
        return SettingProblem(name, self.origin(name), _shown(self._readings[name]), allowed)

    def _left_unused(self) -> list[str]:
        """Values that were given and have no effect."""
        unused = []
        if self.nominatim_url and self.geocoder is not GeocoderChoice.NOMINATIM:
            unused.append(f"NOMINATIM_URL is set but not used, because GEOCODER is {self.geocoder}.")
        if self.sms_api_token and not self.sms_api_url:
            unused.append("SMS_API_TOKEN is set but not used, because SMS_API_URL is not.")
        if not self.sms_api_url:
            days = ("DAILY_SUMMARY_FROM", "DAILY_SUMMARY_TO", "DAILY_SUMMARY_CONTACTS")
            given = (name for name in days if self.is_set(name))
            unused += [f"{name} is set but not used, because SMS_API_URL is not set." for name in given]
        if self.ollama_fallback_url is None and self.origin("OLLAMA_FALLBACK_MODEL") != "default":
            unused.append("OLLAMA_FALLBACK_MODEL is set but not used, because OLLAMA_FALLBACK_URL is not set.")
        if self.openrouter_allowed_models and self.openrouter_api_key is None:
            unused.append("OPENROUTER_ALLOWED_MODELS is set but not used, because OPENROUTER_API_KEY is not set.")
        return unused


def _sources(environ: Mapping[str, str], cwd: Path, overrides: Mapping[str, str]) -> list[_Source]:
    """The places that values come from, the strongest first.

    Raises:
        SettingsError: the `.env` file cannot be read.
    """
    sources = [_Source("command line", cwd, overrides), _Source("environment", cwd, environ)]
    if (file := dotenv.find(cwd)) is not None:
        try:
            sources.append(_Source(f".env ({file})", file.parent, dotenv.parse(file.read_bytes())))
        except dotenv.MalformedLine as error:
            problem = SettingProblem(".env", str(file), f"not readable: {error}", "lines of NAME=value and # comments")
            raise SettingsError(problem) from error
        except OSError as error:
            problem = SettingProblem(".env", str(file), f"not readable ({error.strerror})", "a file this user may read")
            raise SettingsError(problem) from error
    return sources


def _given(name: str, sources: list[_Source]) -> tuple[_Source, str] | None:
    """The strongest source that has `name`, with the text; None where that text is empty."""
    for source in sources:
        if name in source.values:
            raw = source.values[name]
            return (source, raw) if raw.strip() else None
    return None


def _read(
    variable: Variable, sources: list[_Source], cwd: Path, so_far: Mapping[str, Any]
) -> tuple[_Resolved, SettingProblem | None]:
    """The value of one variable; with a problem, its default, so that what depends on it can still be checked."""
    name, given = variable.name, _given(variable.name, sources)
    if given is None and variable.older:
        name, given = variable.older, _given(variable.older, sources)
    problem = None
    if given is not None:
        source, raw = given
        origin = source.label if name == variable.name else f"{source.label}, as {name}"
        try:
            return _Resolved(variable, origin, raw, _parsed(variable, raw, source.folder)), None
        except Refused as refused:
            found = f"a value of {len(raw)} characters" if variable.secret else repr(masked_url(raw))
            problem = SettingProblem(name, source.label, found, str(refused))
    default = variable.computed(so_far) if variable.computed else variable.parse(variable.default, cwd)
    return _Resolved(variable, "default", None, default), problem


def _older(variable: Variable, sources: list[_Source]) -> _Resolved:
    """What was given under the older name of `variable`, for `rows` and `origin`; it is read by `_read` if at all."""
    given = _given(variable.older or "", sources)
    if given is None:
        return _Resolved(variable, "default", None, None)
    return _Resolved(variable, given[0].label, given[1], given[1])


def _parsed(variable: Variable, raw: str, folder: Path) -> Any:
    """The value that `raw` stands for.

    Raises:
        Refused: it stands for none.
    """
    if any(ord(character) < ord(" ") or character == "\x7f" for character in raw):
        raise Refused("one line of text without control characters")
    try:
        return variable.parse(raw, folder)
    except OSError as error:  # a path is looked at where it must be a file or a folder
        raise Refused(f"a path that this user may look at ({error.strerror})") from error


def _shown(reading: _Resolved) -> str:
    """A value as `imageapi config` prints it: secrets as stars, what is unset in words, nothing a terminal obeys."""
    value = reading.value
    if value is None and reading.origin == "default":
        return reading.variable.default.replace("`", "") if reading.variable.computed else "none"
    if reading.variable.secret:
        return "***"
    text = ", ".join(value) if isinstance(value, tuple) else masked_url(str(value))
    safe = text.encode("utf-8", "backslashreplace").decode()
    return safe or reading.variable.default


def _misspelt(sources: list[_Source]) -> list[str]:
    """A warning for each name that is none of ours and looks like one."""
    known = [name for variable in VARIABLES for name in (variable.name, variable.older) if name]
    given = {name: source.label for source in reversed(sources) for name in source.values}
    warnings = []
    for name, label in sorted(given.items()):
        if name in known or name in _NAMES_OF_OTHERS:
            continue
        if alike := difflib.get_close_matches(name.upper(), known, n=1, cutoff=_LIKENESS):
            warnings.append(f"{name} ({label}) is not a setting; {alike[0]} is.")
    return warnings
