"""Erasing a person, or the faces of a content, out of the log: masked and deleted in one transaction, then out of the
files of the database.

The transaction rewrites stored events, deletes attachments, records that it was done and drops every read table, all of
it or nothing. What follows may be interrupted and is taken up by the next erasure or start of a server: building the
read tables from what the log says now, and writing the database's files anew so that no deleted byte stays in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, inspect, select, text, update

from adapters.store.drop_generation import drop_functions
from adapters.store.erasure_scope import SUMMARIES, Subject, chunks, named, survey
from adapters.store.generations import rebuild
from adapters.store.ledger import Ledger
from adapters.store.log import EventMapper, log_embeddings, log_events, policy_checkpoints, read_generations
from adapters.store.transaction import Transaction
from domain.base.actor import Actor
from domain.events.erasure import ContentErased, PersonErased
from domain.events.event import Event, Recorded
from domain.events.face import faces_in_words
from domain.events.person import PersonCoverChosen, PersonDeleted
from domain.events.tag import TagDeleted
from domain.rules.erasure import Erasure

UNFINISHED = "erase"
"""Stands among the checkpoints from the transaction of an erasure until the files are clean."""
Report = Callable[[int, int], None]


def erasure_of(ledger: Ledger, actor: Actor, subject: Subject) -> Erasure:
    """What erasing a person (by id) or the faces of a content (by hash) would take.

    Raises:
        NotFound: there is no such person, or no face on such a content.
        AlreadyMerged: the person was merged; the survivor is named.
        Conflict: it was erased before.
    """
    with ledger.reading(actor) as tables:
        return survey(tables, ledger.mapper, subject)


def erase(ledger: Ledger, actor: Actor, subject: Subject, report: Report = lambda done, total: None) -> str:
    """Erase a person or the faces of a content for good; what was done, in words without a name. The caller keeps
    servers away meanwhile.

    Raises:
        NotFound, AlreadyMerged, Conflict: as `erasure_of`; nothing was changed.
        Unavailable: the log is clean and the files of the database are not yet; erasing again goes on with it.
    """
    with ledger.transaction(actor) as uow:
        erasure = survey(uow, ledger.mapper, subject)
        _forget_deleted(uow.connection)
        uow.begin("erase", _text_of(erasure, subject))
        uow.append(*_events(uow, erasure, subject))
        _drop_read_tables(uow.connection)
        _rewrite(uow.connection, ledger.mapper, erasure)
        _mark_unfinished(uow.connection, uow.position)
    finish(ledger, report)
    return uow.text


def is_unfinished(ledger: Ledger) -> bool:
    """Whether an erasure was interrupted before the files were clean."""
    return ledger.checkpoint(UNFINISHED) > 0


def finish(ledger: Ledger, report: Report = lambda done, total: None) -> None:
    """Do what an erasure leaves to do once the log is clean: pasts, read tables and the files of the database.

    Raises:
        Unavailable: another process is reading the database.
    """
    ledger.forget_pasts()
    if not ledger.is_ready():
        rebuild(ledger, report)
    ledger.database.scrub([log_events.name, log_embeddings.name])
    with ledger.database.writing() as connection:
        connection.execute(delete(policy_checkpoints).where(policy_checkpoints.c.policy == UNFINISHED))


def _text_of(erasure: Erasure, subject: Subject) -> str:
    faces = faces_in_words(len(erasure.tombstones))
    if isinstance(subject, bytes):
        return f"erased the faces of a photo ({faces})"
    merged = len(erasure.persons) - 1
    return f"erased person {subject} ({faces})" + (f" and {merged} merged into it" if merged else "")


def _events(uow: Transaction, erasure: Erasure, subject: Subject) -> Iterator[Event]:
    """What the log says of the erasure itself."""
    if isinstance(subject, bytes):
        yield ContentErased(subject)
    else:
        person = uow.persons.get(subject)
        if person is not None and not person.deleted:
            yield PersonDeleted(subject, tuple(sorted(erasure.persons)), with_faces=True)
        yield from (PersonErased(person_id) for person_id in sorted(erasure.persons))
    yield from (TagDeleted(tag_id) for tag_id in sorted(erasure.tags) if _is_called_so(uow, erasure, tag_id))
    p = uow.tables.persons.table
    for person_id, face_id in uow.connection.execute(
        select(p.c.id, p.c.cover_face_id).where(p.c.cover_face_id.is_not(None)).order_by(p.c.id)
    ).all():
        if face_id in erasure.tombstones and person_id not in erasure.persons:
            yield PersonCoverChosen(person_id, None, face_id)


def _is_called_so(uow: Transaction, erasure: Erasure, tag_id: int) -> bool:
    """Whether a tag has the name now, and not only had it once."""
    tag = uow.tags.get(tag_id)
    return tag is not None and tag.name in erasure.called


def _forget_deleted(connection: Connection) -> None:
    """SQLite overwrites with zeros what this process deletes from here on."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def _drop_read_tables(connection: Connection) -> None:
    """Drop the read tables of every generation, those of other versions too: all of them hold what goes."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))  # a table with checks to come cannot be dropped
    numbers = connection.execute(select(read_generations.c.number)).scalars().all()
    of_generations = re.compile(rf"_(?:{'|'.join(map(str, numbers))})$")
    tables = inspect(connection)
    ordered = [name for name, _ in tables.get_sorted_table_and_fkc_names() if name is not None]
    quoted = connection.dialect.identifier_preparer.quote
    for name in reversed(ordered):
        if numbers and of_generations.search(name):
            connection.exec_driver_sql(f"DROP TABLE {quoted(name)}")
    if connection.dialect.name == "postgresql":
        for number in numbers:
            drop_functions(connection, number)
    connection.execute(delete(read_generations))


def _rewrite(connection: Connection, mapper: EventMapper, erasure: Erasure) -> None:
    """Write masked events over the stored ones, and delete the attachments."""
    t = log_events
    change = (
        update(t)
        .where(t.c.position == bindparam("at"))
        .values(topic=bindparam("to_topic"), payload=bindparam("to_payload"))
    )
    for where in _places(erasure):
        events = [mapper.recorded(row) for row in connection.execute(select(t).where(where).order_by(t.c.position))]
        rows = list(_changed(mapper, erasure, events))
        if rows:
            connection.execute(change, rows)
    e = log_embeddings
    for ids in chunks(sorted(erasure.embeddings)):
        connection.execute(delete(e).where(e.c.id.in_(ids)))


def _places(erasure: Erasure) -> Iterator[ColumnElement[bool]]:
    """Where in the log something may be to rewrite."""
    t = log_events
    streams = [f"face-{id_}" for id_ in sorted({*erasure.tombstones, *erasure.bare})]
    streams += [f"person-{id_}" for id_ in sorted({*erasure.persons, *(person for person, _ in erasure.copied)})]
    streams += [f"tag-{id_}" for id_ in sorted(erasure.tags)]
    for some in chunks(streams):
        yield t.c.stream.in_(some)
    if erasure.called:
        yield named("OperationBegan", "OperationEnded", "InsightWritten", "TranscriptAppended", *SUMMARIES)
        yield named("EntityCreated", "EntityRenamed", "EntityAliased", "EntityDescribed")
        yield named("FactRecorded", "FactCorrected")


def _changed(mapper: EventMapper, erasure: Erasure, events: Iterable[Recorded]) -> Iterator[dict[str, object]]:
    for recorded in events:
        event = erasure.rewritten(recorded)
        if event != recorded.event:
            payload = mapper.transcoder.encode(event)
            yield {"at": recorded.position, "to_topic": event.topic, "to_payload": payload}


def _mark_unfinished(connection: Connection, position: int) -> None:
    t = policy_checkpoints
    connection.execute(delete(t).where(t.c.policy == UNFINISHED))
    connection.execute(insert(t), {"policy": UNFINISHED, "position": position})
