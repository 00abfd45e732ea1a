"""What binding by tags asks of the vectors before it decides."""

from __future__ import annotations

import pytest

from adapters.background.tag_binding import BindsByTag
from adapters.vectors.similarity import Similarity
from domain.base.actor import CLI
from domain.commands.persons import delete_person
from domain.commands.tags import tag_contents
from tests.domain.world import LEFT, MODEL, World, content, found
from tests.fakes import Failing


@pytest.mark.parametrize("was_named", [True, False])
def test_a_face_that_was_somebodys_who_is_deleted_is_not_bound_where_it_is_liker_to_another(
    world: World, was_named: bool
) -> None:
    engine = Failing(None, None)
    engine.model_version = MODEL
    world.a_person("Ann", *world.shows("ann.jpg", found(LEFT, 30)))
    world.a_person("Bob", *world.shows("bob.jpg", found(LEFT, 5)))
    (face,) = world.shows("party.jpg", found(LEFT))
    if was_named:
        world.do(delete_person, world.a_person("Eve", face))
    world.do(tag_contents, [content("party.jpg")], "Ann")
    BindsByTag(world.ledger, engine, Similarity(), None).answer(world.ledger.events(0, 10_000))
    with world.reading(CLI) as tables:
        shown = tables.faces.view(face)
    assert shown is not None
    assert shown.person_id is None
