"""How the text of one variable becomes a value: one function a kind, each refusing with what it would have taken.

A parser gets the text and the folder that relative paths start from, and raises `Refused` with the words that come
after "must be". None of them repeats the text: whether it may be shown is for the caller to know.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

_LISTEN = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%\w+)?)\]"
    r"|(?P<host>(?![0-9]+(?::|$))[A-Za-z0-9._-]+))"  # a bare port is no host
    r"(?::(?P<port>[0-9]{1,6}))?"
)
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

Parser = Callable[[str, Path], Any]

PACKAGED_FACE_MODELS: Final = ("sface", "facenet")
"""What FACE_MODEL may name besides a file."""
DEFAULT_PORT: Final = 8330
HIGHEST_PORT: Final = 65535
MINIMUM_KEY_BYTES: Final = 32
_WEB_PORTS: Final = {"http": 80, "https": 443}
"""RFC 7518 section 3.2: an HS256 key has at least the 256 bits of its hash."""


class Refused(ValueError):
    """The text is no value of this kind; the message says what is allowed."""


class LogLevel(StrEnum):
    """How much the log says, in the words of RUST_LOG."""

    OFF = "off"
    ERROR = "error"
    WARN = "warn"
    INFO = "info"
    DEBUG = "debug"
    TRACE = "trace"

    @property
    def number(self) -> int:
        """The level of Python's `logging`; trace is 5, as uvicorn has it, and off lies above CRITICAL."""
        return {"off": 60, "error": 40, "warn": 30, "info": 20, "debug": 10, "trace": 5}[self.value]


class FaceEngineChoice(StrEnum):
    """Who finds and embeds faces."""

    EMBEDDED = "embedded"
    APOLLO = "apollo"
    OFF = "off"


class GeocoderChoice(StrEnum):
    """Who turns a position into the name of a place."""

    OFFLINE = "offline"
    NOMINATIM = "nominatim"
    OFF = "off"


class WatchMode(StrEnum):
    """How changes in libraries are noticed."""

    AUTO = "auto"
    NATIVE = "native"
    POLL = "poll"
    OFF = "off"


class Address(msgspec.Struct, frozen=True):
    """Where the server listens: `host` is a name or an address without brackets, `port` 0..65535 (0: any free one)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def text(given: str, _folder: Path) -> str:
    """Any text that UTF-8 can hold."""
    try:
        given.encode()
    except UnicodeEncodeError as error:
        raise Refused("UTF-8 text") from error
    return given


def header(given: str, _folder: Path) -> str:
    """Text that may travel in an HTTP header: printable ASCII."""
    if not (given.isascii() and given.isprintable()):
        raise Refused("printable ASCII text, because it is sent in an HTTP header")
    return given


def names(given: str, folder: Path) -> tuple[str, ...]:
    """A comma-separated list without its empty entries."""
    entries = (entry.strip() for entry in text(given, folder).split(","))
    return tuple(entry for entry in entries if entry)


def origins(given: str, folder: Path) -> tuple[str, ...]:
    """A comma-separated list of origins as browsers write them (RFC 6454, section 6.2), or `*` alone."""
    allowed = Refused("origins such as https://viewer.example or http://localhost:3000, comma-separated, or * alone")
    entries = names(given, folder)
    if entries == ("*",):
        return entries
    return tuple(_origin(entry, allowed) for entry in entries)


def _origin(given: str, allowed: Refused) -> str:
    parts = _split(given.removesuffix("/"), allowed)
    rest = (parts.path, parts.query, parts.fragment, parts.username, parts.password)
    if parts.scheme not in _WEB_PORTS or not parts.hostname or "*" in parts.hostname or any(rest):
        raise allowed
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in {None, _WEB_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def key(given: str, _folder: Path) -> str:
    """A signing key of at least 32 bytes."""
    if len(given.encode(errors="surrogateescape")) < MINIMUM_KEY_BYTES:
        raise Refused(
            f"at least {MINIMUM_KEY_BYTES} bytes long, for example the output of `openssl rand -base64 48`, "
            "or unset: then imageapi makes one and keeps it in the data folder"
        )
    return text(given, _folder)


def path(given: str, folder: Path) -> Path:
    """An absolute path; `~` is the home folder, a relative path starts at `folder`."""
    try:
        expanded = Path(given).expanduser()
    except RuntimeError as error:
        raise Refused("a path whose ~user exists on this machine") from error
    return Path(folder, expanded)


def library_root(given: str, folder: Path) -> Path:
    """A folder; one that is missing for now (an unmounted disk) is as good as one that is there."""
    found = path(given, folder)
    if found.is_file():
        raise Refused("a folder, and this is a file")
    return found


def face_model(given: str, folder: Path) -> str:
    """The name of a packaged embedder, or the path of an existing file."""
    if given in PACKAGED_FACE_MODELS:
        return given
    found = path(given, folder)
    if not found.is_file():
        raise Refused(f"{', '.join(PACKAGED_FACE_MODELS)}, or a file that exists; there is none at {found}")
    return str(found)


def choice(kind: type[StrEnum]) -> Parser:
    """A parser that takes the words of `kind`, in any case."""

    def parse(given: str, _folder: Path) -> StrEnum:
        try:
            return kind(given.strip().lower())
        except ValueError as error:
            raise Refused(f"one of {', '.join(kind)}") from error

    return parse


def yes_or_no(given: str, _folder: Path) -> bool:
    """A parser that takes yes or no, true or false, 1 or 0, in any case."""
    words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    try:
        return words[given.strip().lower()]
    except KeyError as error:
        raise Refused("yes or no") from error


def whole(lowest: int, highest: int, unit: str = "") -> Parser:
    """A parser that takes whole numbers from `lowest` to `highest`."""

    def parse(given: str, _folder: Path) -> int:
        allowed = Refused(f"a whole number{unit} from {lowest} to {highest}")
        if not re.fullmatch(r"\+?[0-9]{1,12}", given.strip()):
            raise allowed
        if not lowest <= (number := int(given)) <= highest:
            raise allowed
        return number

    return parse


def decimal(lowest: float, highest: float, unit: str = "") -> Parser:
    """A parser that takes decimal numbers from `lowest` to `highest`."""

    def parse(given: str, _folder: Path) -> float:
        allowed = Refused(f"a number{unit} from {lowest:g} to {highest:g}, with a point for decimals")
        if not _DECIMAL.fullmatch(given.strip()):
            raise allowed
        if not lowest <= (number := float(given)) <= highest:
            raise allowed
        return number

    return parse


def day(given: str, _folder: Path) -> date:
    """A calendar day as YYYY-MM-DD."""
    allowed = Refused("a day as YYYY-MM-DD")
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given.strip()):
        raise allowed
    try:
        return date.fromisoformat(given.strip())
    except ValueError as error:
        raise allowed from error


def log_level(given: str, _folder: Path) -> LogLevel:
    """A level, or RUST_LOG's list of directives, of which the one for everything or for imageapi counts."""
    levels = {}
    for directive in given.partition("/")[0].split(","):
        target, _, level = directive.strip().rpartition("=")
        try:
            levels[target.replace("_", "").replace("-", "")] = LogLevel(level.lower())
        except ValueError as error:
            raise Refused(f"one of {', '.join(LogLevel)}") from error
    return levels.get("imageapi", levels.get("", LogLevel.INFO))


def address(given: str, _folder: Path) -> Address:
    """An address and port to listen on; `http://` and a closing slash are taken, a port may be left out."""
    bare = re.sub(r"^http://", "", given.strip(), flags=re.IGNORECASE).removesuffix("/")
    if bare.lower().startswith("https:"):
        raise Refused("HOST:PORT; imageapi speaks plain HTTP, and a proxy in front of it adds TLS")
    shape = _LISTEN.fullmatch(bare)
    if shape is None:
        raise Refused(
            f"HOST:PORT, for example 127.0.0.1:{DEFAULT_PORT}, [::1]:{DEFAULT_PORT} "
            f"or 0.0.0.0:{DEFAULT_PORT} for every interface"
        )
    port = int(shape["port"] or DEFAULT_PORT)
    if port > HIGHEST_PORT:
        raise Refused(f"HOST:PORT with a port from 0 to {HIGHEST_PORT}")
    return Address(shape["six"] or shape["host"], port)


def http_url(given: str, _folder: Path) -> str:
    """The base URL of an HTTP server, without its closing slash."""
    allowed = Refused("the base URL of a server, http://HOST[:PORT] or https://…, without ? and #")
    parts = _split(given.strip(), allowed)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise allowed
    return given.strip().rstrip("/")


def database_url(given: str, folder: Path) -> str:
    """A database as SQLAlchemy writes it: `sqlite:////absolute/path` or `postgresql+psycopg://…`."""
    scheme, separator, rest = given.strip().partition(":")
    scheme = scheme.lower()
    if scheme in ("sqlite", "sqlite+pysqlite") and separator:
        if "?" in rest or "#" in rest:
            raise Refused("a SQLite URL without parameters; a ? of the path itself is written %3F, a # %23")
        return _sqlite(unquote(rest[3:] if rest.startswith("///") else rest.removeprefix("//")), folder)
    if not re.match(r"[a-z][a-z0-9+.]+://|postgres|file:", given.strip(), flags=re.IGNORECASE):
        return _sqlite(given, folder)
    allowed = Refused("a SQLite path, sqlite:///PATH, or postgresql://USER:PASSWORD@HOST:PORT/NAME")
    if scheme not in ("postgres", "postgresql", "postgresql+psycopg") or not rest.startswith("//"):
        raise allowed
    _split(given.strip(), Refused(f"{allowed}; write a special character of the password as %XX (/ is %2F, @ is %40)"))
    return f"postgresql+psycopg:{rest}"


def _sqlite(place: str, folder: Path) -> str:
    """The URL of a SQLite file at `place`."""
    if place.strip() in ("", ":memory:"):
        raise Refused("a SQLite file: several processes share it, so it cannot live in memory")
    found = path(text(place, folder), folder)
    if found.is_dir():
        raise Refused(f"a file, and {found} is a folder")
    return sqlite_url(found)


def sqlite_url(file: Path) -> str:
    """The URL of an absolute path, with what SQLAlchemy would take for syntax or decode written as %XX."""
    return f"sqlite:///{file}".translate({ord(character): f"%{ord(character):02X}" for character in "%?#"})


def _split(given: str, allowed: Refused) -> SplitResult:
    """The parts of a URL of printable ASCII with a port in range.

    Raises:
        Refused: `allowed`, where the text is no such URL.
    """
    if not (given.isascii() and given.isprintable()) or " " in given:
        raise allowed
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError as error:
        raise allowed from error
    if port == 0:
        raise allowed
    return parts


def masked_url(given: str) -> str:
    """`given` with the password of a URL, in front of its host or among its parameters, replaced by stars."""
    hidden = re.sub(r"(?<=://)([^:/?#@]*):.*@", r"\1:***@", given)
    return re.sub(r"([?&](?:ssl)?password=)[^&]*", r"\1***", hidden, flags=re.IGNORECASE)
