"""The counted tables say what a count of every face and tag would say, whatever happened in whatever order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import pytest
from sqlalchemy import distinct, func, select

from adapters.store.generations import rebuild, verify
from adapters.store.ledger import Ledger
from adapters.store.transaction import Transaction
from domain.base.actor import CLI, WATCHER, Actor
from domain.base.geometry import Box
from domain.commands.detection import record_detection
from domain.commands.faces import change_faces
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files, record_missing
from domain.commands.persons import create_person, delete_person, merge_persons
from domain.commands.tags import delete_tag, tag_contents, untag_contents
from domain.events.media import FileFacts
from domain.ports.face_engine import DetectedFace, Detection
from domain.undo.operations import undo
from projections.queries.reading import Lookups
from tests.fakes import PLACE_ALONE

A, B, C = b"a" * 32, b"b" * 32, b"c" * 32
GRANTS = [None, frozenset({1}), frozenset({2}), frozenset({1, 2}), frozenset[int]()]


def read(path: str, content: bytes) -> ReadFile:
    return ReadFile(path, content, FileFacts(1, 1, "photo", width=100, height=100))


def done(ledger: Ledger, command: Callable[[Transaction], object]) -> int:
    """Run a command; its operation's id."""
    with ledger.transaction(CLI) as uow:
        command(uow)
    assert uow.operation_id is not None
    return uow.operation_id


def found(ledger: Ledger, library: int, files: list[ReadFile], vanished: tuple[int, ...] = ()) -> None:
    with ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_files(uow, library, files, vanished)


def lost(ledger: Ledger, *media: int) -> None:
    with ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_missing(uow, media)


@pytest.fixture
def furnished(ledger: Ledger) -> Ledger:
    """Two libraries that share content A; Anna has a face on A and one on B, Bob one on A; two tags."""
    for root in ("/one", "/two"):
        done(ledger, partial(add_library, root=root))
    found(ledger, 1, [read("a.jpg", A), read("b.jpg", B)])
    found(ledger, 2, [read("a.jpg", A), read("c.jpg", C)])
    for content in (A, B):
        faces = tuple(DetectedFace(Box(x, 0.1, 0.2, 0.2), 0.9, bytes(2048)) for x in (0.1, 0.6))
        with ledger.transaction(WATCHER) as uow:
            uow.begin("detect", "looked for faces")
            record_detection(uow, content, Detection("m", faces), PLACE_ALONE)
    for name in ("Anna", "Bob"):
        done(ledger, partial(create_person, name=name))
    done(ledger, lambda uow: change_faces(uow, [1, 3], "assign", 1))
    done(ledger, lambda uow: change_faces(uow, [2], "assign", 2))
    done(ledger, lambda uow: tag_contents(uow, [A, B], "red"))
    done(ledger, lambda uow: tag_contents(uow, [A, C], "blue"))
    return ledger


def counted_one_by_one(lookups: Lookups) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """Faces of each live person and contents of each tag that are visible, counted row by row."""
    t = lookups.tables
    f, m, p, tagged = t.faces.table, t.media.table, t.persons.table, t.tagged_media.table
    shown = m.c.present & m.c.library_id.in_(sorted(lookups.visible))
    faces = (
        select(p.c.canonical_id, func.count(distinct(f.c.id)))
        .select_from(f.join(p, p.c.id == f.c.person_id).join(m, m.c.content_hash == f.c.content_hash))
        .where(shown, f.c.status == "detected", p.c.canonical_id.is_not(None))
        .group_by(p.c.canonical_id)
    )
    tags = (
        select(tagged.c.tag_id, func.count(distinct(tagged.c.content_hash)))
        .join(m, m.c.content_hash == tagged.c.content_hash)
        .where(shown)
        .group_by(tagged.c.tag_id)
    )
    execute = lookups.connection.execute
    return {row[0]: row[1] for row in execute(faces)}, {row[0]: row[1] for row in execute(tags)}


def hold(ledger: Ledger) -> None:
    """Fail where a count that is kept differs from one that is counted, for any grant, or live tables from a replay."""
    for libraries in GRANTS:
        with ledger.reading(Actor("uma", "viewer", libraries)) as lookups:
            faces, tags = counted_one_by_one(lookups)
            views = [
                view
                for view, _ in lookups.persons_with_faces.page(sort="faces", after=None, limit=100, include_hidden=True)
            ]
            assert {view.id: view.face_count for view in views if view.face_count} == faces
            assert all((view.cover_face_id is None) == (view.face_count == 0) for view in views)
            live = {row["id"]: row["count"] for row in lookups.tagged.counts()}
            assert live == {tag: tags.get(tag, 0) for tag in live}
    assert verify(ledger) == []


def test_counts_hold_where_files_are_copied_lost_moved_changed_and_back(furnished: Ledger) -> None:
    hold(furnished)
    steps: list[Callable[[], None]] = [
        lambda: lost(furnished, 1),
        lambda: lost(furnished, 3),
        lambda: found(furnished, 1, [read("a.jpg", A)]),
        lambda: found(furnished, 1, [read("a.jpg", C)]),
        lambda: found(furnished, 2, [read("from-one.jpg", B)], vanished=(2,)),
        lambda: found(furnished, 1, [read("b.jpg", A), read("again.jpg", B)]),
    ]
    for step in steps:
        step()
        hold(furnished)


def test_many_copies_that_come_at_once_count_once(furnished: Ledger) -> None:
    found(furnished, 1, [read(f"{number}.jpg", (A, C)[number % 2]) for number in range(40)])
    hold(furnished)
    with furnished.reading(CLI) as lookups:
        assert [view.face_count for view, _ in lookups.persons_with_faces.page(sort="name", after=None, limit=9)] == [
            2,
            1,
        ]


def test_counts_hold_through_decisions_and_their_undo(furnished: Ledger) -> None:
    commands: list[Callable[[Transaction], object]] = [
        lambda uow: change_faces(uow, [4], "assign", 2),
        lambda uow: change_faces(uow, [1], "unassign"),
        lambda uow: change_faces(uow, [3], "delete"),
        lambda uow: merge_persons(uow, 1, 2),
        lambda uow: change_faces(uow, [1], "assign", 2),
        lambda uow: delete_person(uow, 2, with_faces=True),
        lambda uow: untag_contents(uow, [A], "red"),
        lambda uow: delete_tag(uow, 2),
    ]
    operations = []
    for command in commands:
        operations.append(done(furnished, command))
        hold(furnished)
    for operation in reversed(operations):
        done(furnished, partial(undo, operation_id=operation))
        hold(furnished)


def test_a_rebuild_counts_anew_and_its_tables_go_on_counting(furnished: Ledger) -> None:
    rebuild(furnished)
    hold(furnished)
    done(furnished, lambda uow: change_faces(uow, [4], "assign", 1))
    lost(furnished, 2)
    hold(furnished)


def test_dropped_generations_leave_nothing_behind(furnished: Ledger) -> None:
    rebuild(furnished)
    with furnished.database.reading() as connection:
        names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.dialect.name == "postgresql":
            names = "SELECT proname FROM pg_proc WHERE proname LIKE '%%_counts_%%'"
        left = connection.exec_driver_sql(names).scalars().all()
        number = furnished.live(connection).number
    assert left
    assert all(f"_{number}" in name for name in left)
