"""Files of every kind that users have, through the whole server: shown or named, in the right colours, with what was
written in them.

    python -m bench.corpus [--keep FOLDER] [WORD ...]     (only rows and names with one of the words)

The files are made with Pillow, exiftool, ffmpeg, cjxl, heif-enc, avifenc and tiffcp (Debian: libjxl-tools,
libheif-examples, libavif-bin, libtiff-tools) and put into a library that a real server serves. Colours are judged by
LittleCMS, metadata by `exiftool -json`. What is not right is listed below the table, each with what it should be.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec
from PIL import Image

from bench.corpus_colours import colour_files
from bench.corpus_extensions import extension_files
from bench.corpus_files import CorpusFile, FromExiftool, fields_of, run
from bench.corpus_limits import limit_files
from bench.corpus_metadata import metadata_files
from tests.scenarios.serving import Served, listed, serving
from tests.waiting import until

SOURCES: Final = (colour_files, extension_files, metadata_files, limit_files)
"""What makes the files of each line: whoever adds a line adds it here."""
NEAR: Final = 6
"""By how much of 255 a colour may be off."""
PATIENCE_SECONDS: Final = 900


class Verdict(msgspec.Struct):
    """What became of one file: whether its picture, or the reason that there is none, is there as it should be, by how
    much the worst of its colours is off (None: not asked), and what is wrong, in words."""

    file: CorpusFile
    is_shown: bool = False
    is_named: bool = False
    off: int | None = None
    wrong: list[str] = []


def corpus(words: Sequence[str] = ()) -> Iterator[CorpusFile]:
    """Every file of the corpus, or those whose row or name has one of the words."""
    for file in chain.from_iterable(source() for source in SOURCES):
        if not words or any(word.lower() in f"{file.row} {file.name}".lower() for word in words):
            yield file


def judged(folder: Path, files: Sequence[CorpusFile]) -> list[Verdict]:
    """Make the files, serve them, and judge what the server says of each."""
    photos, data = folder / "photos", folder / "data"
    photos.mkdir(parents=True)
    for number, file in enumerate(files):
        (photos / f"{number:03}").mkdir()  # of its own, so that no two are a stack
        file.make(photos / f"{number:03}" / file.name)
    said = _exiftool(photos)
    with serving(data, photos, FACE_ENGINE="off", WATCH_QUICK_INTERVAL_SECONDS="2") as served:
        items = _settled(served)
        problems = {each["path"]: each["problem"] for each in _problems(served)}
        return [
            _verdict(served, file, path, items.get(path), problems.get(path), said.get(path, {}))
            for path, file in ((f"{number:03}/{file.name}", file) for number, file in enumerate(files))
        ]


def _settled(served: Served) -> dict[str, dict[str, Any]]:
    """Every file that the server tells of, once nothing is under way any more."""
    items: dict[str, dict[str, Any]] = {}

    def is_quiet() -> bool:
        items.update({item["path"]: item for item in listed(served, stacked="false")})
        jobs = served.client.get("/jobs").json()["items"]
        return bool(items) and all(job["ended_at"] for job in jobs)

    until(is_quiet, lambda: f"{len(items)} files: {served.lines[-5:]}", seconds=PATIENCE_SECONDS, interval=1)
    return items


def _problems(served: Served) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = served.client.get("/libraries/1/problems?limit=1000").json()["items"]
    return found


def _verdict(
    served: Served,
    file: CorpusFile,
    path: str,
    item: Mapping[str, Any] | None,
    problem: str | None,
    said: Mapping[str, Any],
) -> Verdict:
    verdict = Verdict(file)
    answer = served.client.get("/image", params={"path": path, "size": "thumb"})
    verdict.is_shown = answer.status_code == 200
    verdict.is_named = problem is not None
    if item is None and not verdict.is_named:
        verdict.wrong.append("passed over in silence")
    elif verdict.is_shown != file.is_shown:
        verdict.wrong.append(f"{'no picture' if file.is_shown else 'a picture'}: {problem}")
    elif not file.is_shown and not verdict.is_named:
        verdict.wrong.append("no reason is told")
    if item is not None and item["kind"] != file.kind:
        verdict.wrong.append(f"a {item['kind']}")
    if verdict.is_shown and file.colours is not None:
        _judge_colours(verdict, Image.open(io.BytesIO(answer.content)), file.colours)
    if file.metadata:
        told = served.client.get("/image/metadata", params={"path": path})
        _judge_metadata(verdict, told.json() if told.status_code == 200 else {}, said)
    return verdict


def _judge_colours(verdict: Verdict, picture: Image.Image, right: Sequence[tuple[int, int, int]]) -> None:
    found = fields_of(picture, len(right))
    offs = [max(abs(a - b) for a, b in zip(one, other, strict=True)) for one, other in zip(found, right, strict=True)]
    worst = max(range(len(offs)), key=offs.__getitem__)
    verdict.off = offs[worst]
    if verdict.off > NEAR:
        verdict.wrong.append(f"colours {verdict.off} off: {found[worst]} for {right[worst]}")


def _judge_metadata(verdict: Verdict, told: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    """Compare fields of `/image/metadata`, by dotted names, with fixed values or with exiftool's."""
    for name, right in verdict.file.metadata.items():
        value: Any = told
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        wanted = right.read(said.get(right.tag)) if isinstance(right, FromExiftool) else right
        if not _is_equal(value, wanted):
            verdict.wrong.append(f"{name} is {value!r}, not {wanted!r}")


def _is_equal(value: object, wanted: object) -> bool:
    if isinstance(wanted, float) and isinstance(value, float | int):
        return abs(value - wanted) < 1e-6 * max(1.0, abs(wanted))
    return value == wanted


def _exiftool(photos: Path) -> dict[str, Mapping[str, Any]]:
    """What exiftool says of every file, by its path below the folder; its status says that one is broken."""
    words = ("-json", "-G", "-n", "-struct", "-r", "-ext", "*", ".")
    listing: list[dict[str, Any]] = json.loads(run("exiftool", *words, folder=photos, checked=False))
    return {each["SourceFile"].removeprefix("./"): each for each in listing}


def table(verdicts: Sequence[Verdict]) -> str:
    """The rows with their numbers, then each file that is not right."""
    rows: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        rows.setdefault(verdict.file.row, []).append(verdict)
    lines = [
        "| row | files | right | shown | named | colours within 6 | metadata equal |",
        "| --- | " + "---: | " * 5 + "---: |",
    ]
    for row, group in sorted(rows.items()):
        lines.append(f"| {row} | " + " | ".join(_figures(group)) + " |")
    lines.append("| all | " + " | ".join(_figures(verdicts)) + " |")
    wrong = [f"- {each.file.row}: `{each.file.name}`: {'; '.join(each.wrong)}" for each in verdicts if each.wrong]
    return "\n".join([*lines, "", *wrong])


def _figures(group: Sequence[Verdict]) -> list[str]:
    coloured = [each for each in group if each.file.colours is not None]
    told = [each for each in group if each.file.metadata]
    near = sum(each.off is not None and each.off <= NEAR for each in coloured)
    equal = sum(not any(" is " in words for words in each.wrong) for each in told)
    right = sum(not each.wrong for each in group)
    numbers = [len(group), right, sum(each.is_shown for each in group), sum(each.is_named for each in group)]
    return [*map(str, numbers), f"{near} of {len(coloured)}", f"{equal} of {len(told)}"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="bench.corpus", description="The corpus through the whole server.")
    parser.add_argument("--keep", type=Path, help="an empty folder for the files and the server's data")
    parser.add_argument("words", nargs="*")
    given = parser.parse_args()
    files = list(corpus(given.words))
    if given.keep is not None:
        print(table(judged(given.keep, files)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        print(table(judged(Path(scratch), files)))


if __name__ == "__main__":
    main()
