"""The triggers that keep `person_counts` and `tag_counts`, in the words of each database.

Each row of `media`, `face_detections` and `tagged_media` that changes takes what it counted out and puts in what it
counts now, as the other table stands at that moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import Template
from typing import Final

from sqlalchemy import Connection

from projections.tables.visible_counts import COUNTS, Counted, VisibleCounts

_LIBRARIES: Final = {
    "sqlite": "(SELECT ',' || group_concat(library_id) || ','"
    " FROM (SELECT DISTINCT library_id FROM $files ORDER BY 1))",
    "postgresql": "(SELECT ',' || string_agg(library_id::text, ',' ORDER BY library_id) || ','"
    " FROM (SELECT DISTINCT library_id FROM $files) AS shown)",
}
"""The set of libraries as `libraries` holds it, NULL where there is none."""
_NOW: Final = "$media WHERE content_hash = $content AND present"
_THEN: Final = """(
  SELECT library_id FROM $media WHERE content_hash = $content AND present AND id <> NEW.id
  UNION SELECT NEW.library_id WHERE NEW.present AND NEW.content_hash = $content
) AS files"""
_FILE_CHANGES: Final = """
UPDATE $counts SET seen = seen - (
  SELECT count(*) FROM $source AS s WHERE s.content_hash = $content AND s.$subject = $counts.$subject AND $of_s)
WHERE libraries = $now AND $subject IN (SELECT s.$subject FROM $source AS s WHERE s.content_hash = $content AND $of_s);
INSERT INTO $counts ($subject, libraries, seen)
SELECT s.$subject, $then, count(*) FROM $source AS s
WHERE s.content_hash = $content AND $of_s AND $then IS NOT NULL GROUP BY s.$subject
ON CONFLICT ($subject, libraries) DO UPDATE SET seen = $counts.seen + excluded.seen;
DELETE FROM $counts
WHERE seen = 0 AND $subject IN (SELECT s.$subject FROM $source AS s WHERE s.content_hash = $content AND $of_s);
"""
"""Before a file's row changes: what shows its content moves from the set of libraries now to the one then."""
_ROW_GOES: Final = """
UPDATE $counts SET seen = seen - 1 WHERE $subject = OLD.$subject AND libraries = $libraries;
DELETE FROM $counts WHERE $subject = OLD.$subject AND seen = 0;
"""
_ROW_COMES: Final = """
INSERT INTO $counts ($subject, libraries, seen) SELECT NEW.$subject, $libraries, 1 WHERE $libraries IS NOT NULL
ON CONFLICT ($subject, libraries) DO UPDATE SET seen = $counts.seen + 1;
"""
_ROWS_GO: Final = """
UPDATE $counts SET seen = $counts.seen - gone.seen
FROM (SELECT s.$subject AS subject, $libraries AS held, count(*) AS seen
  FROM went AS s WHERE $of_s GROUP BY 1, 2) AS gone
WHERE $counts.$subject = gone.subject AND libraries = gone.held;
DELETE FROM $counts WHERE seen = 0 AND $subject IN (SELECT s.$subject FROM went AS s);
"""
_ROWS_COME: Final = """
INSERT INTO $counts ($subject, libraries, seen)
SELECT subject, held, count(*)
FROM (SELECT s.$subject AS subject, $libraries AS held FROM came AS s WHERE $of_s) AS new
WHERE held IS NOT NULL GROUP BY subject, held
ON CONFLICT ($subject, libraries) DO UPDATE SET seen = $counts.seen + excluded.seen;
"""
_FILE_DIFFERS: Final = {
    "sqlite": "(OLD.content_hash IS NOT NEW.content_hash OR OLD.library_id <> NEW.library_id"
    " OR OLD.present <> NEW.present)",
    "postgresql": "(OLD.content_hash IS DISTINCT FROM NEW.content_hash OR OLD.library_id <> NEW.library_id"
    " OR OLD.present <> NEW.present)",
}


def triggers(generation: int, dialect: str) -> Iterator[str]:
    """The statements that make the triggers of one generation, for `sqlite` or `postgresql`."""
    write = _sqlite if dialect == "sqlite" else _postgresql
    for counts in COUNTS:
        yield from write(counts, generation)


def _sqlite(counts: type[VisibleCounts], generation: int) -> Iterator[str]:
    names, counted = _names(counts, generation), counts.counted
    differs, was_shown = _FILE_DIFFERS["sqlite"], "OLD.content_hash IS NOT NEW.content_hash"
    for event, content, only in (("INSERT", "NEW", "TRUE"), ("UPDATE", "NEW", differs), ("UPDATE", "OLD", was_shown)):
        body = _file_changes(names, counted, f"{content}.content_hash", "sqlite")
        when = f"{only} AND {_shows(names, content)}"
        name = f"{names['counts']}_{event.lower()}_{content.lower()}"
        yield f"CREATE TRIGGER {name} BEFORE {event} ON {names['media']} WHEN {when} BEGIN {body} END"
    for event, row, text in (
        ("INSERT", "NEW", _ROW_COMES),
        ("UPDATE", "NEW", _ROW_COMES),
        ("UPDATE", "OLD", _ROW_GOES),
        ("DELETE", "OLD", _ROW_GOES),
    ):
        held = _libraries("sqlite", _NOW, names, f"{row}.content_hash")
        body = Template(text).substitute(names, libraries=held)
        when = Template(counted.condition).substitute(row=row)
        name = f"{names['counts']}_row_{event.lower()}_{row.lower()}"
        yield f"CREATE TRIGGER {name} AFTER {event} ON {names['source']} WHEN {when} BEGIN {body} END"


def _postgresql(counts: type[VisibleCounts], generation: int) -> Iterator[str]:
    """One function a trigger. What happens to rows is told by the statement, so that a count that changes many times in
    one statement is written once."""
    names, counted = _names(counts, generation), counts.counted
    moved = [_file_changes(names, counted, f"{row}.content_hash", "postgresql") for row in ("NEW", "OLD")]
    differs = "OLD.content_hash IS DISTINCT FROM NEW.content_hash"
    inserted = f"IF {_shows(names, 'NEW')} THEN {moved[0]} END IF;"
    updated = f"{inserted} IF {differs} THEN {moved[1]} END IF;"
    of_s = Template(counted.condition).substitute(row="s")
    held = _libraries("postgresql", _NOW, names, "s.content_hash")
    come = Template(_ROWS_COME).substitute(names, libraries=held, of_s=of_s)
    go = Template(_ROWS_GO).substitute(names, libraries=held, of_s=of_s)
    files, rows = names["media"], names["source"]
    for name, event, table, more, body in (
        ("insert", "BEFORE INSERT", files, "FOR EACH ROW", inserted),
        ("update", "BEFORE UPDATE", files, f"FOR EACH ROW WHEN ({_FILE_DIFFERS['postgresql']})", updated),
        ("row_insert", "AFTER INSERT", rows, "REFERENCING NEW TABLE AS came", come),
        ("row_update", "AFTER UPDATE", rows, "REFERENCING OLD TABLE AS went NEW TABLE AS came", go + come),
        ("row_delete", "AFTER DELETE", rows, "REFERENCING OLD TABLE AS went", go),
    ):
        function = f"{names['counts']}_{name}_{generation}"
        yield f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$"
        yield f"CREATE TRIGGER {counts.name}_{name} {event} ON {table} {more} EXECUTE FUNCTION {function}()"


def trigger_functions(connection: Connection, generation: int) -> Sequence[str]:
    """The functions of a generation's triggers, which PostgreSQL keeps when it drops the tables."""
    found = connection.exec_driver_sql(
        "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prorettype ="
        " 'trigger'::regtype"
    )
    return [name for name in found.scalars() if name.endswith(f"_{generation}")]


def _names(counts: type[VisibleCounts], generation: int) -> dict[str, str]:
    return {
        "counts": f"{counts.name}_{generation}",
        "source": f"{counts.counted.source}_{generation}",
        "subject": counts.counted.subject,
        "media": f"media_{generation}",
    }


def _file_changes(names: dict[str, str], counted: Counted, content: str, dialect: str) -> str:
    of_s = Template(counted.condition).substitute(row="s")
    now, then = (_libraries(dialect, files, names, content) for files in (_NOW, _THEN))
    return Template(_FILE_CHANGES).substitute(names, content=content, of_s=of_s, now=now, then=then)


def _shows(names: dict[str, str], row: str) -> str:
    """Whether anything may count that the content of a file's row shows."""
    return Template("EXISTS (SELECT 1 FROM $source WHERE content_hash = $row.content_hash)").substitute(names, row=row)


def _libraries(dialect: str, files: str, names: dict[str, str], content: str) -> str:
    return Template(_LIBRARIES[dialect]).substitute(files=Template(files).substitute(names, content=content))
