"""What is done with daily summaries: the server writes and embeds them, a user deletes one."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from domain.base.errors import NotFound
from domain.events.summary import Summary, SummaryDeleted, SummaryEmbedded, SummarySource, SummaryWritten
from domain.ports.face_engine import Embedding
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import require_may_read_summaries
from domain.rules.summaries import SummaryWish, is_wanted


class Telling(msgspec.Struct, frozen=True):
    """What a model said of a conversation: `prompt_version` names what it was asked for."""

    text: str
    model: str
    prompt_version: int


def ask_for_summaries(uow: UnitOfWork, wish: SummaryWish) -> int:
    """Begin the writing of summaries that a user asks for; the id of the operation, to which the summaries are
    added."""
    require_may_read_summaries(uow.actor)
    return uow.begin("summary.write", f"asked for daily summaries of {wish.span.first} to {wish.span.last}")


def write_summary(
    uow: UnitOfWork,
    source: SummarySource,
    telling: Telling,
    models: Collection[str],
    embedding: Embedding | None,
    *,
    again: bool,
) -> int | None:
    """Record what a model said of a conversation, and the vector of that where there is one; the summary's id, None
    where it is no longer wanted. It takes the place of an earlier one of that day and contact.

    `models` are those whose summary would do as well; `again` makes one even so.
    """
    standing = uow.summaries.of_day(source.day)
    if not is_wanted(source, standing, telling.prompt_version, models, again=again):
        return None
    before = next((each.id for each in standing if each.contact_key == source.contact_key), None)
    uow.begin("summary.write", "wrote daily summaries")
    summary_id = uow.new_id("summary")
    uow.append(
        SummaryWritten(
            summary_id,
            day=source.day,
            contact=source.contact,
            source_hash=source.hash,
            messages=source.messages,
            prompt_version=telling.prompt_version,
            model=telling.model,
            text=telling.text,
            supersedes=before,
        )
    )
    if embedding is not None:
        _embed(uow, {summary_id: embedding})
    return summary_id


def embed_summaries(uow: UnitOfWork, embeddings: Mapping[int, Embedding]) -> int:
    """Record vectors of the texts of summaries, by id; of how many that still wanted one."""
    found = {id_: uow.summaries.get(id_) for id_ in embeddings}
    wanting = {
        id_: embeddings[id_]
        for id_, summary in found.items()
        if summary is not None
        and summary.superseded_by is None
        and summary.embedding_model != embeddings[id_].model_version
    }
    if wanting:
        uow.begin("summary.embed", "made daily summaries findable by meaning")
        _embed(uow, wanting)
    return len(wanting)


def delete_summary(uow: UnitOfWork, summary_id: int) -> None:
    """Take a summary away for good: none of that conversation and day is made again, until this is undone.

    Raises:
        Forbidden: the actor may not read it.
        NotFound: there is none, it was deleted before, or another one took its place.
    """
    require_may_read_summaries(uow.actor)
    summary = live_summary(uow.summaries.get(summary_id), summary_id)
    uow.begin("summary.delete", f"deleted a daily summary of {summary.day}")
    uow.append(SummaryDeleted(summary_id))


def live_summary(summary: Summary | None, summary_id: int) -> Summary:
    """The summary; raises `NotFound` where it is not, or no longer, there."""
    if summary is None or summary.deleted:
        raise NotFound(f"there is no summary {summary_id}")
    if summary.superseded_by is not None:
        raise NotFound(f"summary {summary.superseded_by} took the place of summary {summary_id}")
    return summary


def _embed(uow: UnitOfWork, embeddings: Mapping[int, Embedding]) -> None:
    ids = uow.attach(list(embeddings.values()))
    uow.append(
        *(
            SummaryEmbedded(summary_id, embedding.model_version, id_)
            for (summary_id, embedding), id_ in zip(embeddings.items(), ids, strict=True)
        )
    )
