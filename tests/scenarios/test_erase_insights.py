"""Who is erased is erased from what was written and said about photos as well."""

from __future__ import annotations

import unicodedata

import pytest

from adapters.store.erase import erase
from adapters.store.generations import verify
from domain.base.actor import CLI
from domain.commands.insights import Writing, amend_insight, continue_transcript, rewind_transcript, write_insight
from domain.commands.persons import create_person
from domain.events.insight import RecordedToolCall, TranscriptMessage
from domain.undo.operations import undo
from tests.scenarios.conftest import Place
from tests.scenarios.contents import exported, files_of, traces_in

NAME, QUOTED = "Zoë Quimby", 'Zoë "Zo" Quimby'
KEPT = "Zoë Quimby Hall"


@pytest.fixture
def persons(place: Place) -> tuple[int, int]:
    """A photo, and two persons, one of whom has a name that JSON writes with escapes."""
    place.picture("lake.jpg", "teal")
    place.scan()
    ids = []
    for name in (NAME, QUOTED, KEPT):
        with place.ledger.transaction(CLI) as uow:
            ids.append(create_person(uow, name))
    return ids[0], ids[1]


def tell(place: Place, name: str) -> int:
    """An insight that is full of a name, with a turn that was gone back behind; its id."""
    escaped = name.replace("ë", "\\u00eb").replace('"', '\\"')
    said = (
        TranscriptMessage("user", f"Is this {name.upper()}, or {KEPT}?"),
        TranscriptMessage(
            "assistant",
            f"I look for {name}.",
            (
                RecordedToolCall("a", "find", f'{{"{escaped}":["{escaped}"]}}'),
                RecordedToolCall("b", "find", f"{{{name}"),
            ),
            model="m",
        ),
        TranscriptMessage("tool", f'{{"people":[{{"name":"{escaped}"}}],"n":1}}', answers="a"),
        TranscriptMessage("tool", '[{"name":"' + name.replace('"', '\\"') + '"},{"na', answers="b"),
        TranscriptMessage("assistant", f"{name}'s day.", model="m"),
    )
    content = place.files()["lake.jpg"].content_hash or b""
    with place.ledger.transaction(CLI) as uow:
        insight = write_insight(uow, content, Writing(f"{name} swims", f"All of {name}, {KEPT} too.", "m", "l"), said)
    with place.ledger.transaction(CLI) as uow:
        continue_transcript(uow, insight, said)
    with place.ledger.transaction(CLI) as uow:
        rewind_transcript(uow, insight, 2)
    with place.ledger.transaction(CLI) as uow:
        amend_insight(uow, insight, Writing(f"Again {name}", f"{name}.", "m", "l"), said)
    return insight


@pytest.mark.parametrize("which", [0, 1])
def test_no_file_holds_a_name_that_was_written_or_said(place: Place, persons: tuple[int, int], which: int) -> None:
    name = (NAME, QUOTED)[which]
    insight = tell(place, name)
    traces = [form.encode() for form in (name, name.upper(), name.replace('"', '\\"'), name.replace("ë", "\\u00eb"))]
    traces += [trace.replace(b'"', b'\\"') for trace in traces]
    before = files_of(place.data)
    assert traces_in(before, traces[:3]) == traces[:3], "they are there before, or the search finds nothing"
    erase(place.ledger, CLI, persons[which])
    after = files_of(place.data).replace(KEPT.encode(), b"").replace(KEPT.upper().encode(), b"")
    assert traces_in(after, traces) == []
    assert traces_in(exported(place.ledger).replace(KEPT.encode(), b""), traces) == []
    assert verify(place.ledger) == []
    with place.ledger.reading(CLI) as tables:
        found = tables.insights.get(insight)
        said = tables.transcripts.of(insight)
    assert found is not None
    mask = f"erased person {persons[which]}"
    assert found.title == f"{mask} swims"
    assert found.text == f"All of {mask}, {KEPT} too."
    assert said[0].text == f"Is this {mask}, or {KEPT}?"
    assert said[1].calls[0].arguments == f'{{"{mask}":["{mask}"]}}'
    assert said[2].text == f'{{"people":[{{"name":"{mask}"}}],"n":1}}'
    assert said[3].text == f'[{{"name":"{mask}"}},{{"na'


def test_an_undo_brings_back_what_was_said_without_the_name(place: Place, persons: tuple[int, int]) -> None:
    insight = tell(place, NAME)
    with place.ledger.reading(CLI) as tables:
        rewound = tables.operations.latest(1, kind="insight.rewind")[0].id
    erase(place.ledger, CLI, persons[0])
    with place.ledger.transaction(CLI) as uow:
        undo(uow, rewound)
    with place.ledger.reading(CLI) as tables:
        said = tables.transcripts.of(insight)
    assert len(said) == 10
    assert said[-1].text == f"erased person {persons[0]}'s day."


def test_a_name_goes_that_is_written_with_other_letters_or_in_json_that_nobody_can_read(
    place: Place, persons: tuple[int, int]
) -> None:
    taken_apart, broken = unicodedata.normalize("NFD", NAME), NAME.replace(" ", "\n")
    deep = "[" * 3000 + f'"{NAME}"' + "]" * 3000
    said = (TranscriptMessage("user", deep), TranscriptMessage("assistant", f"{taken_apart} or {broken}.", model="m"))
    content = place.files()["lake.jpg"].content_hash or b""
    with place.ledger.transaction(CLI) as uow:
        insight = write_insight(uow, content, Writing(taken_apart, broken, "m", "l"), said)
    erase(place.ledger, CLI, persons[0])
    mask = f"erased person {persons[0]}"
    with place.ledger.reading(CLI) as tables:
        found, left = tables.insights.get(insight), tables.transcripts.of(insight)
    assert found is not None
    assert (found.title, found.text) == (mask, mask)
    assert [message.text for message in left] == [deep.replace(NAME, mask), f"{mask} or {mask}."]
