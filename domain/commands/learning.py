"""What one reading of an insight adds to the knowledge graph: entities and facts that nobody took out before."""

from __future__ import annotations

from collections.abc import Sequence

from domain.events.entity import EntityCreated, FactOrigin, FactRecorded, InsightExamined, Statement
from domain.events.event import Event
from domain.events.insight import Insight
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.fact_extraction import NEW, PROMPT_VERSION, Proposals, ProposedEntity, ProposedFact, plain


def learn_from_insight(
    uow: UnitOfWork, insight: Insight, model: str, proposals: Proposals, answered: str | None = None
) -> int | None:
    """Record what a model read from an insight, as one operation: facts that are new, and the entities that they are
    about where there are none of that name and type. How many facts are new; None where the insight is gone or this
    `model` was asked before. `answered` is the model that answered, where that is another one.

    What a user wrote stays as it is, what a user took out is not recorded again, and no person is bridged.
    """
    stands = uow.insights.get(insight.id)
    question = (insight.id, model, PROMPT_VERSION)
    if stands is None or stands.deleted or uow.entities.was_examined(*question):
        return None
    source = FactOrigin(insight.id, insight.version, insight.content_hash, answered or model, PROMPT_VERSION)
    known = [_known(uow, entity) for entity in proposals.entities]
    facts = _new_facts(uow, proposals, known)
    used = {place for fact in facts for place in (fact.subject, fact.object) if place is not None}
    made = [place for place in sorted(used) if known[place] == NEW]
    uow.begin("entity.learn", f"read an insight about a photo: {_text(len(facts), len(made))}")
    events: list[Event] = []
    for place in made:
        entity_id, entity = uow.new_id("entity"), proposals.entities[place]
        known[place] = entity_id
        events.append(EntityCreated(entity_id, entity.name, entity.type, entity.description, source=source))
    for fact in facts:
        subject, other = known[fact.subject] or NEW, None if fact.object is None else known[fact.object]
        statement = Statement(fact.text, None if other == subject else other, fact.since, fact.until)
        events.append(FactRecorded(uow.new_id("fact"), subject, statement, source))
    uow.append(*events, InsightExamined(*question))
    return len(facts)


def _known(uow: UnitOfWork, entity: ProposedEntity) -> int | None:
    """The entity that a name leads to: `NEW` where there is none, None where a user deleted it."""
    return next(iter(uow.entities.called(entity.name, entity.type)), NEW)


def _new_facts(uow: UnitOfWork, proposals: Proposals, known: Sequence[int | None]) -> list[ProposedFact]:
    """What was never recorded of its entity in the same words, and is about none that a user deleted."""
    found: list[ProposedFact] = []
    texts: dict[tuple[int, int], set[str]] = {}
    for fact in proposals.facts:
        subject = known[fact.subject]
        if subject is None:
            continue
        place = (subject, fact.subject if subject == NEW else 0)
        if place not in texts:
            texts[place] = set() if subject == NEW else set(map(plain, uow.entities.fact_texts(subject)))
        if plain(fact.text) not in texts[place]:
            texts[place].add(plain(fact.text))
            found.append(fact)
    return found


def _text(facts: int, entities: int) -> str:
    return f"{facts} new fact{'' if facts == 1 else 's'}, {entities} new entit{'y' if entities == 1 else 'ies'}"
