"""The catalogue: each variable's name, meaning, kind, default, and which of them hide their value.

One entry here is one attribute of `Settings` (the name in lower case), one line of `imageapi config` and one line of
`docs/configuration.md`. An entry's computed default may use only the variables that stand above it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import platformdirs

from adapters.settings import values as kind
from adapters.settings.values import FaceEngineChoice, GeocoderChoice, Parser, WatchMode

_HIGHEST_ITERATIONS: Final = 100
_LONGEST_WAIT_SECONDS: Final = 7 * 24 * 3600
_APOLLO_REQUESTS_AT_ONCE: Final = 8

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Variable:
    """One variable: `default` as one would write it, or `computed` from the variables above it, which `default` then
    describes; neither where it stays unset, which `default` describes as well.

    `older` is a name from earlier versions, used where `name` is unset. `secret` values are never shown.
    """

    name: str
    parse: Parser
    meaning: str
    default: str
    computed: Callable[[Values], Any] | None = None
    older: str | None = None
    secret: bool = False


def _unset(_: Values) -> None:
    """The default of a variable that may stay unset."""


def _inside_data(name: str) -> Callable[[Values], Path]:
    """A default inside the data folder."""
    return lambda values: values["IMAGEAPI_DATA"] / name


def _same_as(name: str) -> Callable[[Values], Any]:
    """A default that is another variable's value."""
    return lambda values: values[name]


def cores() -> int:
    """How many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _face_engine(values: Values) -> FaceEngineChoice:
    """Apollo where its address is known, the embedded engine otherwise."""
    return FaceEngineChoice.APOLLO if values["APOLLO_FACE_API_BASE_URL"] else FaceEngineChoice.EMBEDDED


def _faces_at_once(values: Values) -> int:
    """Eight requests to a face service; at most the cores where the work is done here."""
    if values["FACE_ENGINE"] is FaceEngineChoice.APOLLO:
        return _APOLLO_REQUESTS_AT_ONCE
    return min(_APOLLO_REQUESTS_AT_ONCE, cores())


VARIABLES: Final[tuple[Variable, ...]] = (
    Variable(
        "IMAGEAPI_DATA",
        kind.path,
        "The data folder: what imageapi makes and keeps is inside it, unless a variable below says otherwise.",
        "the platform's user data folder",
        lambda _: Path(platformdirs.user_data_dir("imageapi", appauthor=False)),
    ),
    Variable(
        "DATABASE_URL",
        kind.database_url,
        "A SQLite path or URL, or a PostgreSQL URL.",
        "`imageapi.db` in the data folder",
        lambda values: kind.sqlite_url(values["IMAGEAPI_DATA"] / "imageapi.db"),
    ),
    Variable("BASE_PATH", kind.library_root, "Root folder of the first library.", "none", _unset),
    Variable(
        "THUMBNAILS",
        kind.path,
        "Folder of the thumbnails, which mirrors the libraries.",
        "`thumbnails` in the data folder",
        _inside_data("thumbnails"),
    ),
    Variable(
        "VIDEO_PATH",
        kind.path,
        "Folder of HLS playlists and their parts.",
        "`video` in the data folder",
        _inside_data("video"),
    ),
    Variable(
        "GIFS_DIRECTORY",
        kind.path,
        "Folder of GIFs made from videos.",
        "`gifs` in the data folder",
        _inside_data("gifs"),
    ),
    Variable(
        "PREVIEW_CLIPS_DIRECTORY",
        kind.path,
        "Folder of short looping clips of videos.",
        "`preview_clips` in the data folder",
        _inside_data("preview_clips"),
    ),
    Variable(
        "VIDEO_CACHE_MEGABYTES",
        kind.whole(100, 100_000_000, " of megabytes"),
        "Megabytes that HLS parts may take in VIDEO_PATH; what was not watched for the longest goes first.",
        "10240",
    ),
    Variable(
        "VIDEO_CLIPS_MEGABYTES",
        kind.whole(10, 100_000_000, " of megabytes"),
        "Megabytes that preview clips and GIFs may take together; what was not asked for the longest goes first.",
        "4096",
    ),
    Variable(
        "VIDEO_CONCURRENCY",
        kind.whole(1, 64),
        "ffmpeg processes at once for those who watch; one more makes clips in the background.",
        "2",
    ),
    Variable("BIND_URL", kind.address, "Address and port to listen on.", "127.0.0.1:8330"),
    Variable(
        "CORS_ORIGINS",
        kind.origins,
        "Comma-separated origins whose pages may use the API from a browser, or * for any, which then sends a key.",
        "none",
        lambda _: (),
    ),
    Variable(
        "SECRET_KEY",
        kind.key,
        "Key that signs sign-in tokens, 32 bytes or more. Changing it signs everyone out.",
        "generated once into `secret.key` in the data folder",
        _unset,
        secret=True,
    ),
    Variable(
        "LOG_LEVEL",
        kind.log_level,
        "How much the log says: off, error, warn, info, debug or trace.",
        "info",
        older="RUST_LOG",
    ),
    Variable("EXCLUDED_DIRS", kind.names, "Comma-separated folders left out of memories.", "none", lambda _: ()),
    Variable(
        "WATCH_MODE",
        kind.choice(WatchMode),
        "auto (told by the system where it tells, else looking again and again), native, poll or off (when asked).",
        "auto",
    ),
    Variable(
        "WATCH_QUICK_INTERVAL_SECONDS",
        kind.whole(1, _LONGEST_WAIT_SECONDS, " of seconds"),
        "Most seconds between scans for what changed since the last one.",
        "60",
    ),
    Variable(
        "WATCH_FULL_INTERVAL_SECONDS",
        kind.whole(1, _LONGEST_WAIT_SECONDS, " of seconds"),
        "Seconds between scans of every file.",
        "3600",
    ),
    Variable(
        "OLLAMA_PRIMARY_URL",
        kind.http_url,
        "Ollama server that is asked first.",
        "http://localhost:11434",
        older="OLLAMA_URL",
    ),
    Variable(
        "OLLAMA_FALLBACK_URL", kind.http_url, "Ollama server that is asked where the first fails.", "none", _unset
    ),
    Variable(
        "OLLAMA_PRIMARY_MODEL",
        kind.text,
        "Model on the first Ollama server.",
        "nemotron-3-nano:30b",
        older="OLLAMA_MODEL",
    ),
    Variable(
        "OLLAMA_FALLBACK_MODEL",
        kind.text,
        "Model on the second Ollama server.",
        "the value of OLLAMA_PRIMARY_MODEL",
        _same_as("OLLAMA_PRIMARY_MODEL"),
    ),
    Variable(
        "OPENROUTER_API_KEY",
        kind.header,
        "Enables the hybrid backend: vision and embeddings stay local, chat and tool calls go to OpenRouter.",
        "none",
        _unset,
        secret=True,
    ),
    Variable(
        "OPENROUTER_DEFAULT_MODEL",
        kind.text,
        "OpenRouter model where a request names none.",
        "anthropic/claude-sonnet-4",
    ),
    Variable(
        "OPENROUTER_ALLOWED_MODELS",
        kind.names,
        "Comma-separated OpenRouter models that a user may pick.",
        "none: no picker",
        lambda _: (),
    ),
    Variable("OPENROUTER_BASE_URL", kind.http_url, "Base URL of OpenRouter's API.", "https://openrouter.ai/api/v1"),
    Variable(
        "OPENROUTER_EMBEDDING_MODEL",
        kind.text,
        "OpenRouter model for text embeddings.",
        "openai/text-embedding-3-small",
    ),
    Variable("OPENROUTER_HTTP_REFERER", kind.header, "Address sent to OpenRouter as attribution.", "none", _unset),
    Variable("OPENROUTER_APP_TITLE", kind.header, "Title sent to OpenRouter as attribution.", "none", _unset),
    Variable(
        "DAILY_SUMMARY_FROM", kind.day, "First day that is summarised, as YYYY-MM-DD.", "30 closed days ago", _unset
    ),
    Variable("DAILY_SUMMARY_TO", kind.day, "Last day that is summarised, as YYYY-MM-DD.", "yesterday", _unset),
    Variable(
        "DAILY_SUMMARY_CONTACTS",
        kind.names,
        "Comma-separated contacts whose conversations are summarised.",
        "everyone",
        lambda _: (),
    ),
    Variable(
        "SMS_API_URL",
        kind.http_url,
        "Service that answers conversations for context; it usually listens on http://localhost:8000.",
        "none: off",
        _unset,
    ),
    Variable("SMS_API_TOKEN", kind.header, "Bearer token for the conversation service.", "none", _unset, secret=True),
    Variable(
        "SMS_TO_OPENROUTER",
        kind.yes_or_no,
        "Whether messages, summaries of them and facts about people may leave for OpenRouter.",
        "no",
    ),
    Variable(
        "ENTITIES_FROM_INSIGHTS",
        kind.yes_or_no,
        "Whether the language model that wrote an insight is asked which entities and facts it tells of.",
        "yes",
    ),
    Variable(
        "AGENTIC_MAX_ITERATIONS",
        kind.whole(1, _HIGHEST_ITERATIONS),
        "Most rounds of tool calls while an insight is generated.",
        "10",
    ),
    Variable(
        "AGENTIC_CHAT_MAX_ITERATIONS",
        kind.whole(1, _HIGHEST_ITERATIONS),
        "Most rounds of tool calls in a chat turn; a request that asks for more gets this many.",
        "6",
    ),
    Variable(
        "APOLLO_API_BASE_URL",
        kind.http_url,
        "Apollo server whose personal places (Home, Work, Cabin) are folded into a photo's location.",
        "none: the geocoder alone",
        _unset,
    ),
    Variable(
        "GEOCODER",
        kind.choice(GeocoderChoice),
        "offline (nearest place from packaged data), nominatim (the server of NOMINATIM_URL) or off.",
        "offline",
    ),
    Variable(
        "NOMINATIM_URL",
        kind.http_url,
        "Nominatim server; positions are sent to it only where GEOCODER is nominatim.",
        "none",
        _unset,
    ),
    Variable(
        "APOLLO_FACE_API_BASE_URL",
        kind.http_url,
        "Face service that speaks Apollo's contract.",
        "the value of APOLLO_API_BASE_URL",
        _same_as("APOLLO_API_BASE_URL"),
    ),
    Variable(
        "FACE_ENGINE",
        kind.choice(FaceEngineChoice),
        "embedded (on this machine), apollo (a face service) or off.",
        "apollo where a face service is set, else embedded",
        _face_engine,
    ),
    Variable(
        "FACE_MODEL",
        kind.face_model,
        "sface or facenet (both packaged), or an ONNX file with its model card: what the embedded engine embeds with.",
        "sface",
        _unset,
    ),
    Variable(
        "FACE_AUTOBIND_MIN_COS",
        kind.decimal(0, 1),
        "Least cosine similarity, 0 to 1, at which a tag binds a face to a person.",
        "the engine's own; 0.4 with Apollo's ArcFace",
        _unset,
    ),
    Variable(
        "FACE_DETECT_CONCURRENCY",
        kind.whole(1, 256),
        "Photos at once in face detection; the embedded engine starts no more workers than there are cores.",
        "8; with the embedded engine no more than the cores",
        _faces_at_once,
    ),
    Variable(
        "FACE_DETECT_TIMEOUT_SEC",
        kind.decimal(0.1, 3600, " of seconds"),
        "Seconds after which a call to the face service is given up.",
        "60",
    ),
)
