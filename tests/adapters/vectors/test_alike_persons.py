"""Who may be one and who may be two, on synthetic faces whose persons are known."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.vectors.alike_persons import LikelyAnothers, LikelyOne, PersonSuggestions, Suggested
from adapters.vectors.coherence import coherence
from adapters.vectors.similarity import Similarity
from domain.base.actor import CLI, Actor
from domain.commands.faces import change_faces, reject_person
from domain.commands.suggestions import confirm_faces, tell_apart
from domain.ports.face_engine import DetectedFace, Thresholds
from domain.rules.recognition import Likely
from tests.adapters.vectors.material import BOX, Matrix, faces_of, shown, unit
from tests.domain.world import MODEL, ONE_LIBRARY, RIGHT, World

LIKE = Thresholds(autobind=0.5, offer=0.35, preselect=0.5, cluster=0.5)


class Watching:
    """What is suggested of a world, by one `PersonSuggestions` that is asked again and again."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.suggestions = PersonSuggestions(Similarity().space)

    def one(self, actor: Actor = CLI) -> list[LikelyOne]:
        """Who may be one."""
        with self.world.reading(actor) as tables:
            return self.suggestions.of(tables, MODEL, LIKE).likely_one()

    def pairs(self, actor: Actor = CLI) -> list[tuple[int, int]]:
        """The same without evidence."""
        return [(one.person, one.into) for one in self.one(actor)]

    def examples(self) -> list[tuple[int, int, float]]:
        """The likest faces of the first of those."""
        with self.world.reading() as tables:
            suggested = self.suggestions.of(tables, MODEL, LIKE)
            return suggested.examples(suggested.likely_one()[0])

    def anothers(self, actor: Actor = CLI) -> list[LikelyAnothers]:
        """Which faces may be somebody else's."""
        with self.world.reading(actor) as tables:
            return self.suggestions.of(tables, MODEL, LIKE).likely_anothers()

    def nearest(self) -> tuple[int, Likely] | None:
        """Whom the first of those are like."""
        with self.world.reading() as tables:
            suggested: Suggested = self.suggestions.of(tables, MODEL, LIKE)
            return suggested.nearest(suggested.likely_anothers()[0])

    def likenesses(self, person: int, actor: Actor = CLI) -> dict[int, float]:
        """How alike the faces of a person are to the others."""
        with self.world.reading(actor) as tables:
            return dict(self.suggestions.likenesses(tables, person, MODEL, LIKE.offer))


@pytest.fixture
def watching(world: World) -> Watching:
    """Who asks in a test."""
    return Watching(world)


def people(world: World, *numbers: int, each: int = 4, seed: int = 0) -> list[list[int]]:
    """So many faces of each of these persons, on photos of their own."""
    ids = shown(world, faces_of([number for number in numbers for _ in range(each)], seed), seed=seed)
    return [ids[at : at + each] for at in range(0, len(ids), each)]


# Who may be one


def test_two_names_of_one_person_are_suggested_with_what_speaks_for_it(world: World, watching: Watching) -> None:
    more, fewer, others = people(world, 1, 1, 2)
    extra = shown(world, faces_of([1], 9), seed=9)
    ann, anna = world.a_person("Anna", *more, *extra), world.a_person("Anna B.", *fewer)
    world.a_person("Bob", *others)
    (one,) = watching.one()
    assert (one.person, one.into, one.threshold, one.names_alike) == (anna, ann, LIKE.offer, True)
    assert 0.5 < one.similarity < 0.8
    pairs = watching.examples()
    assert len({face for pair in pairs for face in pair[:2]}) == 6
    assert {face for face, _, _ in pairs} <= set(fewer)
    assert {face for _, face, _ in pairs} <= {*more, *extra}


def test_a_suggestion_that_was_refused_stays_away_whatever_comes_and_is_back_after_an_undo(
    world: World, watching: Watching
) -> None:
    first, second, third, more = people(world, 1, 1, 1, 1)
    ann, anna = world.a_person("Ann", *first), world.a_person("Anna", *second)
    refusal = world.operation_of(tell_apart, ann, anna)
    assert watching.pairs() == []
    for face in more:
        world.assign(face, ann)
    assert watching.pairs() == []
    world.merge(world.a_person("Annie", *third), anna)
    assert watching.pairs() == []
    world.undo(refusal)
    assert watching.pairs() == [(anna, ann)]


def test_who_are_on_one_photo_are_two_and_so_are_who_were_born_on_two_days(world: World, watching: Watching) -> None:
    first, second, third = people(world, 1, 1, 1)
    ann, anna = world.a_person("Ann", *first), world.a_person("Anna", *second)
    (one, other) = (
        DetectedFace(box, 0.9, faces_of([number], 50)[0].tobytes()) for box, number in ((BOX, 5), (RIGHT, 6))
    )
    both = world.shows("both.jpg", one, other)
    world.assign(both[0], ann)
    assert watching.pairs() == [(anna, ann)]
    world.assign(both[1], anna)
    assert watching.pairs() == []
    world.assign(both[1], None)
    world.change(ann, birth_date="1990-01-31")
    assert len(watching.pairs()) == 1
    world.change(anna, birth_date="1990-01-30")
    assert watching.pairs() == []
    annie = world.a_person("Annie", *third)
    assert {annie} <= {id_ for pair in watching.pairs() for id_ in pair}


def test_whose_face_was_said_not_to_be_the_other_is_not_suggested_as_that_one(world: World, watching: Watching) -> None:
    first, second = people(world, 1, 1)
    ann, anna = world.a_person("Ann", *first), world.a_person("Anna", *second)
    assert watching.pairs() == [(anna, ann)]
    world.do(reject_person, second[0], ann)
    assert watching.pairs() == []


def test_by_a_single_face_two_are_one_only_where_it_would_be_presumed_or_their_names_are_alike(
    world: World, watching: Watching
) -> None:
    vectors = unit(np.array([[1.0, 0.0, 0.0], [0.42, (1 - 0.42**2) ** 0.5, 0.0]]))
    padded = np.zeros((2, 512), dtype=np.float32)
    padded[:, :3] = vectors
    first, second = shown(world, padded)
    world.a_person("Cleo", first)
    other = world.a_person("Bob", second)
    assert watching.pairs() == []
    world.change(other, name="Cleo K.")
    (one,) = watching.one()
    assert (round(one.similarity, 3), one.threshold) == (0.42, LIKE.offer)


def test_hidden_merged_and_deleted_persons_are_suggested_with_nobody(world: World, watching: Watching) -> None:
    first, second, third = people(world, 1, 1, 1)
    ann, anna = world.a_person("Ann", *first), world.a_person("Anna", *second)
    world.change(anna, hidden=True)
    assert watching.pairs() == []
    world.change(anna, hidden=False)
    merge = world.merge(anna, ann)
    assert watching.pairs() == []
    world.undo(merge)
    world.a_person("Annie", *third)
    assert len(watching.pairs()) == 3


def test_nobody_learns_of_persons_or_faces_out_of_sight(world: World, watching: Watching) -> None:
    other = world.library("other")
    here = shown(world, faces_of([1] * 4))
    there = shown(world, faces_of([1] * 4, 3), library=other)
    ann, anna = world.a_person("Ann", *here), world.a_person("Anna", *there)
    assert watching.pairs() == [(anna, ann)]
    assert watching.pairs(ONE_LIBRARY) == []
    stranger = shown(world, faces_of([2], 4), library=other, seed=1)
    world.assign(stranger[0], ann)
    assert [each.face_ids for each in watching.anothers()] == [tuple(stranger)]
    assert watching.anothers(ONE_LIBRARY) == []
    assert set(watching.likenesses(ann, ONE_LIBRARY)) == set(here)


def test_where_nobody_has_a_name_nothing_is_suggested(world: World, watching: Watching) -> None:
    assert (watching.one(), watching.anothers()) == ([], [])
    (faces,) = people(world, 1)
    assert (watching.one(), watching.anothers()) == ([], [])
    world.a_person("Ann", *faces)
    assert (watching.one(), watching.anothers()) == ([], [])


# Who may be two


def test_faces_of_another_are_found_as_one_group_with_whom_they_are_like(world: World, watching: Watching) -> None:
    own, wrong, others = people(world, 1, 2, 2, each=6)
    ann, bob = world.a_person("Ann", *own, *wrong[:4]), world.a_person("Bob", *others)
    (group,) = watching.anothers()
    assert (group.person, group.face_ids, group.threshold) == (ann, tuple(wrong[:4]), LIKE.offer)
    assert group.similarity < 0.2
    near = watching.nearest()
    assert near is not None
    assert near[0] == bob
    assert near[1].similarity > 0.5
    assert near[1].preselected
    for face in wrong[:4]:
        world.do(reject_person, face, bob)
    assert watching.nearest() is None


def test_faces_of_several_others_are_groups_of_their_own_the_largest_first(world: World, watching: Watching) -> None:
    own, three, two, alone = people(world, 1, 2, 3, 4, each=6)
    ann = world.a_person("Ann", *own, *alone[:1], *two[:2], *three[:3])
    assert [each.face_ids for each in watching.anothers()] == [tuple(three[:3]), tuple(two[:2]), tuple(alone[:1])]
    world.do(change_faces, three[:3], "unassign")
    assert [each.face_ids for each in watching.anothers()] == [tuple(two[:2]), tuple(alone[:1])]
    assert {each.person for each in watching.anothers()} == {ann}


def test_a_refused_group_stays_away_and_its_faces_count_as_the_persons(world: World, watching: Watching) -> None:
    own, older = people(world, 1, 2, each=6)
    ann = world.a_person("Ann", *own, *older[:3])
    assert watching.likenesses(ann)[older[0]] < LIKE.offer
    refusal = world.operation_of(confirm_faces, ann, older[:3])
    assert watching.anothers() == []
    for face in older[3:]:
        world.assign(face, ann)
    assert watching.anothers() == []
    assert watching.likenesses(ann)[older[5]] > LIKE.offer
    world.undo(refusal)
    (group,) = watching.anothers()
    assert set(group.face_ids) in ({*own}, {*older})


def test_of_too_few_faces_nothing_is_told(world: World, watching: Watching) -> None:
    own, wrong, others = people(world, 1, 2, 3, each=4)
    ann = world.a_person("Ann", *own[:2], wrong[0])
    assert watching.anothers() == []
    for face in (*wrong[1:2], *others[:2]):
        world.assign(face, ann)
    assert watching.anothers() == []
    world.assign(own[2], ann)
    assert [each.face_ids for each in watching.anothers()] == [tuple(wrong[:2]), tuple(others[:2])]


def test_faces_of_another_model_are_left_out(world: World, watching: Watching) -> None:
    own, wrong = people(world, 1, 2, each=4)
    ann = world.a_person("Ann", *own, wrong[0])
    assert set(watching.likenesses(ann)) == {*own, wrong[0]}
    world.detect(f"1-0-{4}.jpg", model="model-2", **{f"face_{wrong[0]}": faces_of([2], 8)[0].tobytes()})
    assert watching.anothers() == []
    assert set(watching.likenesses(ann)) == set(own)


# How faces hang together


def grown_up(count: int, step: float) -> Matrix:
    """Faces of one who changes: each turned by `step` degrees from the one before."""
    turns = np.radians(step) * np.arange(count)
    rows = np.zeros((count, 64), dtype=np.float32)
    rows[:, 0], rows[:, 1] = np.cos(turns), np.sin(turns)
    return rows


def none(vectors: Matrix) -> np.ndarray:
    """No face was confirmed."""
    return np.zeros(len(vectors), dtype=bool)


def test_who_changes_over_the_years_hangs_together_step_by_step() -> None:
    vectors = grown_up(30, 6)
    assert vectors[0] @ vectors[-1] < -0.9
    hangs = coherence(vectors, none(vectors), 0.9)
    assert hangs.core.all()
    assert hangs.groups == ()
    assert (hangs.likeness >= 0.9).all()


@pytest.mark.parametrize("most", [20, 2000])
def test_the_most_that_hang_together_are_the_person_however_many_are_compared(most: int) -> None:
    numbers = [1] * 40 + [2] * 12 + [3]
    vectors = faces_of(numbers)
    hangs = coherence(vectors, none(vectors), LIKE.offer, most)
    assert hangs.core.tolist() == [number == 1 for number in numbers]
    assert [group.tolist() for group in hangs.groups] == [list(range(40, 52)), [52]]
    assert (hangs.likeness[40:] < LIKE.offer).all()
    assert (hangs.likeness[:40] >= LIKE.offer).all()


def test_the_largest_group_is_the_person_also_where_a_smaller_one_is_denser() -> None:
    dense = np.zeros((9, 64), dtype=np.float32)
    dense[:, 5] = 1
    vectors = np.concatenate([dense, grown_up(19, 6)])
    hangs = coherence(vectors, none(vectors), 0.9)
    assert hangs.core.tolist() == [False] * 9 + [True] * 19


def test_an_only_face_has_no_likeness_and_no_face_no_answer() -> None:
    one = faces_of([1])
    assert np.isnan(coherence(one, none(one), LIKE.offer).likeness).all()
    assert len(coherence(one[:0], none(one[:0]), LIKE.offer).likeness) == 0
