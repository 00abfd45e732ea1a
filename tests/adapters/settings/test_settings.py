"""The settings: each variable's values and refusals, where values come from, and what is shown of them."""

from __future__ import annotations

import dataclasses
import logging
import re
import stat
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from adapters.settings import Address, FaceEngineChoice, GeocoderChoice, LogLevel, Settings, SettingsError, dotenv
from adapters.settings.catalogue import VARIABLES, cores

REPOSITORY = Path(__file__).parents[3]
KEY = "k" * 32


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A working folder of its own, below a folder that may hold a `.env` too."""
    folder = tmp_path / "home" / "work"
    folder.mkdir(parents=True)
    return folder


def load(here: Path, **environ: str) -> Settings:
    return Settings.load(environ, here)


def refusal(here: Path, name: str, value: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(here, **{name: value})
    assert [problem.name for problem in caught.value.problems] == [name]
    return str(caught.value)


# --- defaults and types


def test_nothing_is_required_and_every_default_is_the_documented_one(here: Path) -> None:
    settings = load(here, IMAGEAPI_DATA="/srv/data")
    assert settings.database_url == "sqlite:////srv/data/imageapi.db"
    assert settings.database_path == Path("/srv/data/imageapi.db")
    assert settings.base_path is None
    assert settings.thumbnails == Path("/srv/data/thumbnails")
    assert settings.renditions == Path("/srv/data/renditions")
    assert settings.video_path == Path("/srv/data/video")
    assert settings.gifs_directory == Path("/srv/data/gifs")
    assert settings.preview_clips_directory == Path("/srv/data/preview_clips")
    assert settings.secret_key_file == Path("/srv/data/secret.key")
    assert settings.links_file == Path("/srv/data/links.json")
    assert settings.bind_url == Address("127.0.0.1", 8330)
    assert settings.secret_key is None
    assert settings.log_level is LogLevel.INFO
    assert settings.excluded_dirs == ()
    assert (settings.watch_quick_interval_seconds, settings.watch_full_interval_seconds) == (60, 3600)
    assert settings.ollama_primary_url == "http://localhost:11434"
    assert settings.ollama_fallback_url is None
    assert settings.ollama_primary_model == settings.ollama_fallback_model == "nemotron-3-nano:30b"
    assert settings.openrouter_default_model == "anthropic/claude-sonnet-4"
    assert settings.openrouter_base_url == "https://openrouter.ai/api/v1"
    assert settings.openrouter_embedding_model == "openai/text-embedding-3-small"
    assert (settings.agentic_max_iterations, settings.agentic_chat_max_iterations) == (10, 6)
    assert settings.geocoder is GeocoderChoice.OFFLINE
    assert settings.face_engine is FaceEngineChoice.EMBEDDED
    assert settings.face_autobind_min_cos is None
    assert settings.face_detect_concurrency == min(8, cores())
    assert settings.face_detect_timeout_sec == 60.0
    assert settings.warnings == ()


def test_the_default_data_folder_is_the_platforms(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(here / "share"))
    monkeypatch.setenv("HOME", str(here))
    data = load(here).imageapi_data
    assert data.is_relative_to(here)
    assert data.name == "imageapi"


def test_loading_makes_no_folder_and_using_the_data_folder_makes_it_private(here: Path) -> None:
    settings = load(here, IMAGEAPI_DATA="a/data")
    assert list(here.iterdir()) == []
    assert settings.make_data_folder() == here / "a" / "data"
    assert stat.S_IMODE((here / "a" / "data").stat().st_mode) == 0o700
    settings.make_data_folder()


def test_a_file_in_place_of_the_data_folder_is_named(here: Path) -> None:
    (here / "data").write_text("")
    with pytest.raises(SettingsError, match=r"IMAGEAPI_DATA \(environment\) is .*data"):
        load(here, IMAGEAPI_DATA="data").make_data_folder()


def test_each_variable_is_an_attribute_of_its_declared_type(here: Path) -> None:
    model = here / "model.onnx"
    model.write_bytes(b"onnx")
    given = {
        "BASE_PATH": ".",
        "SECRET_KEY": KEY,
        "OLLAMA_FALLBACK_URL": "http://b:1",
        "OPENROUTER_API_KEY": "sk",
        "OPENROUTER_HTTP_REFERER": "https://me",
        "OPENROUTER_APP_TITLE": "Mine",
        "DAILY_SUMMARY_FROM": "2026-01-01",
        "DAILY_SUMMARY_TO": "2026-01-02",
        "SMS_API_URL": "http://localhost:8000",
        "SMS_API_TOKEN": "t",
        "APOLLO_API_BASE_URL": "http://apollo",
        "NOMINATIM_URL": "http://nominatim",
        "FACE_MODEL": str(model),
        "FACE_AUTOBIND_MIN_COS": "0.5",
    }
    settings = load(here, **given)
    hints = get_type_hints(Settings)
    attributes = {field.name for field in dataclasses.fields(Settings)} - {"warnings", "_readings"}
    assert attributes == {variable.name.lower() for variable in VARIABLES}
    for name in attributes:
        hint = hints[name]
        kinds = [kind for kind in get_args(hint) if kind is not NoneType] if isinstance(hint, UnionType) else [hint]
        (kind,) = kinds
        assert isinstance(getattr(settings, name), get_origin(kind) or kind), name


# --- where a value comes from


def test_the_command_line_beats_the_environment_which_beats_the_file(here: Path) -> None:
    (here / ".env").write_text("LOG_LEVEL=error\nGIFS_DIRECTORY=from-file\nEXCLUDED_DIRS=a\n")
    environ = {"LOG_LEVEL": "warn", "GIFS_DIRECTORY": "from-env"}
    settings = Settings.load(environ, here, {"LOG_LEVEL": "debug"})
    assert settings.log_level is LogLevel.DEBUG
    assert settings.gifs_directory == here / "from-env"
    assert settings.excluded_dirs == ("a",)
    assert settings.origin("LOG_LEVEL") == "command line"
    assert settings.origin("GIFS_DIRECTORY") == "environment"
    assert settings.origin("EXCLUDED_DIRS") == f".env ({here / '.env'})"
    assert settings.origin("BIND_URL") == "default"
    with pytest.raises(KeyError):
        settings.origin("NO_SUCH_THING")


def test_the_nearest_file_above_the_working_folder_is_read_and_its_paths_start_at_it(here: Path) -> None:
    (here.parent.parent / ".env").write_text("LOG_LEVEL=error\nVIDEO_PATH=far")
    (here.parent / ".env").write_text("THUMBNAILS=thumbs\n")
    settings = load(here)
    assert settings.thumbnails == here.parent / "thumbs"
    assert settings.log_level is LogLevel.INFO
    assert settings.video_path.name == "video"


def test_an_empty_value_counts_as_unset_and_hides_the_files(here: Path) -> None:
    (here / ".env").write_text("OPENROUTER_API_KEY=from-file\n")
    settings = load(here, OPENROUTER_API_KEY="", BIND_URL="  ")
    assert settings.openrouter_api_key is None
    assert settings.origin("OPENROUTER_API_KEY") == "default"
    assert settings.bind_url.port == 8330


def test_older_names_are_used_only_where_the_primary_ones_are_unset(here: Path) -> None:
    settings = load(here, OLLAMA_URL="http://old:1", OLLAMA_MODEL="old", OLLAMA_PRIMARY_MODEL="new")
    assert settings.ollama_primary_url == "http://old:1"
    assert settings.origin("OLLAMA_PRIMARY_URL") == "environment, as OLLAMA_URL"
    assert settings.origin("OLLAMA_URL") == "environment"
    assert settings.ollama_primary_model == settings.ollama_fallback_model == "new"
    assert settings.origin("OLLAMA_PRIMARY_MODEL") == "environment"


def test_a_wrong_value_under_an_older_name_is_refused_under_that_name(here: Path) -> None:
    assert refusal(here, "OLLAMA_URL", "localhost:11434").startswith("OLLAMA_URL (environment) is 'localhost:11434'")
    assert load(here, OLLAMA_URL="not a URL", OLLAMA_PRIMARY_URL="http://a").ollama_primary_url == "http://a"


# --- refusals


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("BIND_URL", "8330", "HOST:PORT, for example 127.0.0.1:8330"),
        ("BIND_URL", "127.0.0.1:70000", "from 0 to 65535"),
        ("BIND_URL", "127.0.0.1:99999999", "127.0.0.1:8330"),
        ("BIND_URL", ":8330", "0.0.0.0:8330 for every interface"),
        ("BIND_URL", "::1:8330", "[::1]:8330"),
        ("BIND_URL", "https://127.0.0.1:8330", "plain HTTP"),
        ("BIND_URL", "http://127.0.0.1:8330/path", "HOST:PORT"),
        ("LOG_LEVEL", "loud", "off, error, warn, info, debug, trace"),
        ("RUST_LOG", "imageapi=loud", "off, error, warn, info, debug, trace"),
        ("WATCH_QUICK_INTERVAL_SECONDS", "0", "a whole number of seconds from 1 to 604800"),
        ("WATCH_FULL_INTERVAL_SECONDS", "1.5", "a whole number"),
        ("WATCH_FULL_INTERVAL_SECONDS", "1_000", "a whole number"),
        ("AGENTIC_MAX_ITERATIONS", "ten", "a whole number from 1 to 100"),
        ("AGENTIC_CHAT_MAX_ITERATIONS", "-1", "a whole number from 1 to 100"),
        ("OLLAMA_PRIMARY_URL", "localhost:11434", "http://HOST"),
        ("OLLAMA_FALLBACK_URL", "ftp://host", "http://HOST"),
        ("OPENROUTER_BASE_URL", "https://host/api?key=1", "without ? and #"),
        ("SMS_API_URL", "http://", "http://HOST"),
        ("SMS_API_URL", "http://host:0", "http://HOST"),
        ("SMS_API_URL", "http://host:port", "http://HOST"),
        ("SMS_API_URL", "http://ho st", "http://HOST"),
        ("APOLLO_API_BASE_URL", "http://[::1", "http://HOST"),
        ("OPENROUTER_APP_TITLE", "Fotos für alle", "printable ASCII"),
        ("OPENROUTER_HTTP_REFERER", "a\nX-Evil: 1", "without control characters"),
        ("DAILY_SUMMARY_FROM", "2026-02-30", "YYYY-MM-DD"),
        ("DAILY_SUMMARY_TO", "01.02.2026", "YYYY-MM-DD"),
        ("GEOCODER", "google", "offline, nominatim, off"),
        ("FACE_ENGINE", "dlib", "embedded, apollo, off"),
        ("FACE_AUTOBIND_MIN_COS", "1.01", "a number from 0 to 1"),
        ("FACE_AUTOBIND_MIN_COS", "0,4", "with a point for decimals"),
        ("FACE_AUTOBIND_MIN_COS", "nan", "a number from 0 to 1"),
        ("FACE_DETECT_CONCURRENCY", "0", "a whole number from 1 to 256"),
        ("FACE_DETECT_TIMEOUT_SEC", "0", "a number of seconds from 0.1 to 3600"),
        ("FACE_MODEL", "missing.onnx", "there is none at"),
        ("THUMBNAILS", "~no-such-user-here/x", "~user exists"),
        ("DATABASE_URL", "mysql://host/db", "postgresql://USER:PASSWORD@HOST:PORT/NAME"),
        ("DATABASE_URL", "postgresql:photos", "postgresql://USER:PASSWORD@HOST:PORT/NAME"),
        ("DATABASE_URL", "postgresql+asyncpg://host/db", "postgresql://"),
        ("DATABASE_URL", "sqlite://", "cannot live in memory"),
        ("DATABASE_URL", ":memory:", "cannot live in memory"),
        ("DATABASE_URL", "sqlite:///a.db?mode=ro", "without parameters"),
        ("DATABASE_URL", ".", "is a folder"),
        ("OLLAMA_PRIMARY_MODEL", "\udcff", "UTF-8 text"),
        ("BASE_PATH", "x" * 300, "a path that this user may look at"),
    ],
)
def test_a_wrong_value_names_the_variable_what_was_found_and_what_is_allowed(
    here: Path, name: str, value: str, allowed: str
) -> None:
    message = refusal(here, name, value)
    assert message.startswith(f"{name} (environment) is {value!r}; it must be ")
    assert allowed in message


def test_all_wrong_values_are_reported_at_once(here: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(here, BIND_URL="?", FACE_ENGINE="x", GEOCODER="nominatim", SECRET_KEY="short")
    assert [problem.name for problem in caught.value.problems] == ["BIND_URL", "SECRET_KEY", "FACE_ENGINE", "GEOCODER"]
    assert len(str(caught.value).splitlines()) == 4


def test_a_short_key_is_refused_with_a_hint_and_never_shown(here: Path) -> None:
    message = refusal(here, "SECRET_KEY", "hunter2hunter2")
    assert "hunter2" not in message
    assert "a value of 14 characters" in message
    assert "openssl rand -base64 48" in message
    assert load(here, SECRET_KEY=KEY).secret_key == KEY


def test_the_library_root_may_be_missing_but_not_a_file(here: Path) -> None:
    assert load(here, BASE_PATH="unmounted").base_path == here / "unmounted"
    (here / "file").write_text("")
    assert "this is a file" in refusal(here, "BASE_PATH", "file")


@pytest.mark.parametrize(
    ("environ", "name", "hint"),
    [
        ({"FACE_ENGINE": "apollo"}, "FACE_ENGINE", "APOLLO_FACE_API_BASE_URL"),
        ({"GEOCODER": "nominatim"}, "GEOCODER", "NOMINATIM_URL"),
        (
            {"DAILY_SUMMARY_FROM": "2026-02-02", "DAILY_SUMMARY_TO": "2026-02-01"},
            "DAILY_SUMMARY_FROM",
            "no later than DAILY_SUMMARY_TO (2026-02-01)",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused(
    here: Path, environ: dict[str, str], name: str, hint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(here, **environ)
    (problem,) = caught.value.problems
    assert problem.name == name
    assert hint in problem.allowed


# --- values


@pytest.mark.parametrize(
    ("value", "address", "shown"),
    [
        ("127.0.0.1:8330", Address("127.0.0.1", 8330), "127.0.0.1:8330"),
        ("[::1]:9000", Address("::1", 9000), "[::1]:9000"),
        ("http://192.0.2.1:80/", Address("192.0.2.1", 80), "192.0.2.1:80"),
        ("HTTP://[::]", Address("::", 8330), "[::]:8330"),
        ("localhost", Address("localhost", 8330), "localhost:8330"),
        ("my-nas.lan:0", Address("my-nas.lan", 0), "my-nas.lan:0"),
    ],
)
def test_an_address_to_listen_on(here: Path, value: str, address: Address, shown: str) -> None:
    assert load(here, BIND_URL=value).bind_url == address
    assert str(address) == shown


@pytest.mark.parametrize(
    ("value", "file"),
    [
        ("photos.db", "{here}/photos.db"),
        ("/srv/photos.db", "/srv/photos.db"),
        ("sqlite:photos.db", "{here}/photos.db"),
        ("sqlite://photos.db", "{here}/photos.db"),
        ("sqlite:///photos.db", "{here}/photos.db"),
        ("sqlite:////srv/photos.db", "/srv/photos.db"),
        ("SQLite+pysqlite:////srv/a%20b.db", "/srv/a b.db"),
        ("/srv/100%41 #1?/ä@b:c.db", "/srv/100%41 #1?/ä@b:c.db"),
    ],
)
def test_a_sqlite_path_or_url_becomes_the_url_that_sqlalchemy_reads_back_as_that_file(
    here: Path, value: str, file: str
) -> None:
    settings = load(here, DATABASE_URL=value)
    expected = Path(file.format(here=here))
    assert settings.database_path == expected
    assert make_url(settings.database_url).database == str(expected)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "PostgreSQL"])
def test_a_postgresql_url_is_given_the_driver_and_keeps_the_rest(here: Path, scheme: str) -> None:
    settings = load(here, DATABASE_URL=f"{scheme}://me:p%40ss@db:5433/photos?sslmode=require")
    assert settings.database_url == "postgresql+psycopg://me:p%40ss@db:5433/photos?sslmode=require"
    assert settings.database_path is None
    assert make_url(settings.database_url).password == "p@ss"
    assert load(here, DATABASE_URL=f"{scheme}:///photos?host=/run/pg").database_url.endswith(":///photos?host=/run/pg")


def test_a_password_that_breaks_its_url_is_refused_with_a_hint_and_not_shown(here: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(here, DATABASE_URL="postgresql://me:se/cret@db/photos")
    assert "cret" not in str(caught.value)
    assert "%2F" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "level"),
    [
        ("LOG_LEVEL", "TRACE", LogLevel.TRACE),
        ("RUST_LOG", "debug", LogLevel.DEBUG),
        ("RUST_LOG", "warn,image_api=debug,hyper=off", LogLevel.DEBUG),
        ("RUST_LOG", "hyper=trace,error/filter", LogLevel.ERROR),
        ("RUST_LOG", "hyper=trace", LogLevel.INFO),
    ],
)
def test_a_level_by_either_name(here: Path, name: str, value: str, level: LogLevel) -> None:
    assert load(here, **{name: value}).log_level is level


def test_log_level_beats_rust_log(here: Path) -> None:
    assert load(here, RUST_LOG="debug", LOG_LEVEL="warn").log_level is LogLevel.WARN


def test_levels_stand_in_order_among_those_of_the_logging_module() -> None:
    numbers = [level.number for level in LogLevel]
    assert numbers == sorted(numbers, reverse=True)
    assert LogLevel.OFF.number > logging.CRITICAL
    assert LogLevel.WARN.number == logging.WARNING
    assert LogLevel.TRACE.number < logging.DEBUG


def test_lists_days_and_urls_are_tidied(here: Path) -> None:
    settings = load(
        here,
        EXCLUDED_DIRS=" Screenshots, ,WhatsApp/Sent ,",
        DAILY_SUMMARY_FROM="2026-01-31",
        SMS_API_URL="http://localhost:8000/",
    )
    assert settings.excluded_dirs == ("Screenshots", "WhatsApp/Sent")
    assert settings.daily_summary_from == date(2026, 1, 31)
    assert settings.sms_api_url == "http://localhost:8000"


def test_home_is_expanded_in_paths(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    assert load(here, THUMBNAILS="~/t").thumbnails == here / "t"


def test_a_path_that_is_not_utf_8_keeps_its_bytes_and_can_be_shown(here: Path) -> None:
    settings = load(here, THUMBNAILS="/t\udcff")
    assert settings.thumbnails == Path("/t\udcff")
    shown = {row.name: row.value for row in settings.rows()}["THUMBNAILS"]
    assert shown.encode("utf-8") == b"/t\\udcff"


# --- the face engine


def test_apollo_is_the_engine_where_a_face_service_is_set(here: Path) -> None:
    by_places = load(here, APOLLO_API_BASE_URL="http://apollo:1")
    assert by_places.face_engine is FaceEngineChoice.APOLLO
    assert by_places.apollo_face_api_base_url == "http://apollo:1"
    assert by_places.face_detect_concurrency == 8
    own = load(here, APOLLO_API_BASE_URL="http://apollo:1", APOLLO_FACE_API_BASE_URL="http://faces:2")
    assert own.apollo_face_api_base_url == "http://faces:2"
    assert load(here, APOLLO_API_BASE_URL="http://a", FACE_ENGINE="off").face_engine is FaceEngineChoice.OFF
    assert load(here, APOLLO_API_BASE_URL="http://a", FACE_ENGINE="Embedded").face_engine is FaceEngineChoice.EMBEDDED


def test_the_embedded_engine_gets_no_more_workers_than_cores(here: Path) -> None:
    settings = load(here, FACE_DETECT_CONCURRENCY="256")
    assert settings.face_detect_concurrency == 256
    assert settings.embedded_face_workers == cores()
    assert load(here, FACE_DETECT_CONCURRENCY="1").embedded_face_workers == 1


# --- what is shown


def test_no_secret_is_shown_by_rows_or_repr(here: Path) -> None:
    settings = load(
        here,
        SECRET_KEY="hush-" * 10,
        OPENROUTER_API_KEY="hush-key",
        SMS_API_TOKEN="hush-token",
        DATABASE_URL="postgres://me:hush-pass@db/photos?password=hush-too",
        OLLAMA_URL="http://me:hush-http@host:1",
    )
    rows = {row.name: row for row in settings.rows()}
    assert "hush" not in repr(rows)
    assert "hush" not in repr(settings)
    assert rows["SECRET_KEY"].value == rows["OPENROUTER_API_KEY"].value == "***"
    assert rows["DATABASE_URL"].value == "postgresql+psycopg://me:***@db/photos?password=***"
    assert rows["OLLAMA_PRIMARY_URL"].value == rows["OLLAMA_URL"].value == "http://me:***@host:1"


def test_rows_have_every_variable_with_its_value_origin_and_meaning(here: Path) -> None:
    rows = {row.name: row for row in load(here, EXCLUDED_DIRS="a,b").rows()}
    expected = {variable.name for variable in VARIABLES} | {"RUST_LOG", "OLLAMA_URL", "OLLAMA_MODEL"}
    assert set(rows) == expected
    assert (rows["EXCLUDED_DIRS"].value, rows["EXCLUDED_DIRS"].origin) == ("a, b", "environment")
    assert rows["DAILY_SUMMARY_CONTACTS"].value == "everyone"
    assert rows["SECRET_KEY"].value == "generated once into secret.key in the data folder"
    assert rows["OLLAMA_URL"].value == "none"
    assert rows["BIND_URL"].value == "127.0.0.1:8330"
    assert all(row.meaning and row.value and row.origin for row in rows.values())


# --- misspelt names


def test_a_misspelt_name_is_pointed_out(here: Path) -> None:
    (here / ".env").write_text("DATABASE_URI=x\n")
    settings = load(here, FACE_DETECT_TIMEOUT_SECONDS="5", secret_key="x", BASEPATH="/x")
    file = here / ".env"
    assert settings.warnings == (
        "BASEPATH (environment) is not a setting; BASE_PATH is.",
        f"DATABASE_URI (.env ({file})) is not a setting; DATABASE_URL is.",
        "FACE_DETECT_TIMEOUT_SECONDS (environment) is not a setting; FACE_DETECT_TIMEOUT_SEC is.",
        "secret_key (environment) is not a setting; SECRET_KEY is.",
    )


def test_names_of_other_programs_pass_without_a_word(here: Path) -> None:
    names = ["PATH", "HOME", "OLLAMA_MODELS", "OLLAMA_HOST", "POSTGRES_PASSWORD", "FACE", "LANG", "LOGNAME", "SHLVL"]
    assert Settings.load(dict.fromkeys(names, "x"), here).warnings == ()


def test_a_geocoding_server_that_is_not_asked_is_pointed_out(here: Path) -> None:
    settings = load(here, NOMINATIM_URL="http://geo")
    assert settings.geocoder is GeocoderChoice.OFFLINE
    assert settings.warnings == ("NOMINATIM_URL is set but not used, because GEOCODER is offline.",)
    assert load(here, NOMINATIM_URL="http://geo", GEOCODER="nominatim").warnings == ()


def test_a_token_without_a_service_is_pointed_out_and_never_shown(here: Path) -> None:
    settings = load(here, SMS_API_TOKEN="very-secret")
    assert settings.warnings == ("SMS_API_TOKEN is set but not used, because SMS_API_URL is not.",)
    assert load(here, SMS_API_TOKEN="very-secret", SMS_API_URL="http://sms").warnings == ()


@pytest.mark.parametrize(
    ("given", "with_it"),
    [
        ({"OLLAMA_FALLBACK_MODEL": "small"}, {"OLLAMA_FALLBACK_URL": "http://second:11434"}),
        ({"OPENROUTER_ALLOWED_MODELS": "a/one, b/two"}, {"OPENROUTER_API_KEY": "sk-secret"}),
        ({"DAILY_SUMMARY_FROM": "2020-05-01"}, {"SMS_API_URL": "http://sms"}),
        ({"DAILY_SUMMARY_CONTACTS": "Anna"}, {"SMS_API_URL": "http://sms"}),
    ],
)
def test_what_is_never_asked_is_pointed_out(here: Path, given: dict[str, str], with_it: dict[str, str]) -> None:
    (name,), (needed,) = given, with_it
    assert load(here, **given).warnings == (f"{name} is set but not used, because {needed} is not set.",)
    assert load(here, **given, **with_it).warnings == ()


# --- the .env file


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ("A = two words  # note", "two words"),
        ("  export   A=x", "x"),
        ("A=a#b", "a#b"),
        ("A=#b", "#b"),
        ("A= # only a note", ""),
        ("A=", ""),
        ("A='single # $HOME \\n'", "single # $HOME \\n"),
        ('A="a\\"b\\\\c\\td$e"  # note', 'a"b\\c\td$e'),
        ('A="C:\\photos"', "C:\\photos"),
        ('A="two\nlines"', "two\nlines"),
        ("A=$B ${B} `x`", "$B ${B} `x`"),
        ("A=it's", "it's"),
        (r"A='it\'s \\ $1'", r"it's \ $1"),
        ("A=1\nA=2", "2"),
        ("# A=0\n\n \t\nA=1\n#", "1"),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_line_of_a_file(line: str, value: str, ends: str, mark: bytes) -> None:
    content = mark + f"{line}\nLAST=1\n".replace("\n", ends).encode()
    assert dotenv.parse(content) == {"A": value, "LAST": "1"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"A=1\nnonsense\n", "line 2 is not NAME=value"),
        (b"\n1A=2", "line 2 is not NAME=value"),
        (b"A=1\nB='open\nC=2", "line 2 is not NAME=value, or not with a closing quote"),
        (b'A="x" y', "line 1 is not NAME=value, or not with a closing quote at its end"),
        (b'\n# note\n\nA="x" y', "line 4 is not NAME=value"),
        (b"A=1\nB=\xff", "line 2 is not UTF-8 text"),
    ],
)
def test_a_malformed_file_is_refused_by_line_number(here: Path, content: bytes, reason: str) -> None:
    with pytest.raises(dotenv.MalformedLine, match=reason):
        dotenv.parse(content)
    (here / ".env").write_bytes(content)
    with pytest.raises(SettingsError, match=reason):
        load(here)


def test_a_malformed_line_is_not_repeated_because_it_may_hold_a_secret() -> None:
    with pytest.raises(dotenv.MalformedLine) as caught:
        dotenv.parse(b"SECRET_KEY: hush-hush")
    assert "hush" not in str(caught.value)


@given(st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), st.text(st.characters(codec="utf-8"))))
def test_any_text_survives_double_quotes(values: dict[str, str]) -> None:
    def quoted(value: str) -> str:
        escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}
        return '"' + "".join(escapes.get(character, character) for character in value) + '"'

    lines = "".join(f"{name}={quoted(value)}\n" for name, value in values.items())
    assert dotenv.parse(lines.encode()) == values


@given(st.binary(max_size=60))
def test_no_file_breaks_the_reader(content: bytes) -> None:
    try:
        values = dotenv.parse(content)
    except dotenv.MalformedLine:
        return
    assert all("=" not in name for name in values)


def test_a_folder_named_dot_env_is_passed_over(here: Path) -> None:
    (here / ".env").mkdir()
    (here.parent / ".env").write_text("LOG_LEVEL=off")
    assert load(here).log_level is LogLevel.OFF


# --- the documentation


def documented() -> str:
    return (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_the_documentation_has_each_variable_with_its_meaning_and_default() -> None:
    rows = [line for line in documented().splitlines() if re.match(r"\| `[A-Z]", line)]
    expected = []
    for variable in VARIABLES:
        expected.append(f"| `{variable.name}` | {variable.meaning} | {variable.default} |")
        if variable.older:
            expected.append(f"| `{variable.older}` | Older name of `{variable.name}`, used where that is unset. | |")
    assert sorted(rows) == sorted(expected)


def test_the_example_file_of_the_documentation_loads_without_a_warning(here: Path) -> None:
    (example,) = re.findall(r"```ini\n(.*?)```", documented(), flags=re.DOTALL)
    (here / ".env").write_text(example, encoding="utf-8")
    settings = load(here)
    assert settings.warnings == ()
    assert settings.face_engine is FaceEngineChoice.APOLLO
    assert len([row for row in settings.rows() if row.origin.startswith(".env")]) == len(dotenv.parse(example.encode()))
