"""Who a face may be, against the definition computed face by face."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from adapters.vectors.similarity import STEP, Similarity
from domain.base.geometry import Box
from domain.commands.faces import change_faces, reject_person
from domain.commands.media import ReadFile
from domain.commands.persons import merge_persons
from domain.ports.face_engine import DetectedFace, Thresholds
from domain.rules.recognition import EXEMPLARS, NEAREST, rise
from tests.adapters.vectors.material import Matrix, faces_of, shown
from tests.domain.world import MODEL, ONE_LIBRARY, World, photo

FLOOR = 0.3
THRESHOLDS = Thresholds(autobind=0.5, offer=FLOOR, preselect=0.5, cluster=0.5)


def suggested(
    world: World, face: int, limit: int = 10, least: float = FLOOR, *, step: int = STEP
) -> list[tuple[int, float]]:
    """What is suggested for a face."""
    thresholds = msgspec.structs.replace(THRESHOLDS, offer=least)
    with world.reading() as tables:
        found = Similarity(step).suggest(tables, world.face(face), limit, thresholds)
    return [(person, likely.similarity) for person, likely in found.items()]


def named(world: World, ids: list[int], name: str) -> int:
    """Give faces to a new person; its id."""
    world.do(change_faces, ids, "assign", None, name)
    person = world.named(name)
    assert person is not None
    return person.id


def by_definition(vectors: Matrix, row_of_face: int, owners: dict[int, list[int]]) -> dict[int, float]:
    """The mean of the nearest cosines to each person whose faces are these rows."""
    cosines = vectors @ vectors[row_of_face]
    others = {person: [row for row in rows if row != row_of_face] for person, rows in owners.items()}
    means = {p: float(np.sort(cosines[rows])[-NEAREST:].mean()) for p, rows in others.items() if rows}
    return {person: mean for person, mean in means.items() if mean >= FLOOR + rise(len(owners[person]))}


@pytest.mark.parametrize("limit", [1, 3, 20])
@pytest.mark.parametrize("step", [4, 500])
def test_suggestions_are_what_they_are_defined_as_however_few_faces_are_asked_about_at_once(
    world: World, limit: int, step: int
) -> None:
    chance = np.random.default_rng(3)
    numbers = chance.integers(0, 12, 60).tolist()
    vectors = faces_of(numbers, own=0.7)
    vectors[:, :40] += 0.09  # so that strangers are a little alike, as real ones are
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = shown(world, vectors)
    owners: dict[int, list[int]] = {}
    for number in set(numbers):
        rows = [row for row in range(60) if numbers[row] == number and row % 4]
        if rows:
            owners[named(world, [ids[row] for row in rows], f"Person {number}")] = rows
    for row_of_face in range(0, 60, 7):
        expected = by_definition(vectors, row_of_face, owners)
        best = sorted(expected, key=lambda person: -expected[person])[:limit]
        found = suggested(world, ids[row_of_face], limit, step=step)
        assert [person for person, _ in found] == best
        assert [similarity for _, similarity in found] == pytest.approx([expected[p] for p in best], abs=2e-4)


def test_one_near_face_among_many_far_ones_makes_nobody_alike(world: World) -> None:
    ids = shown(world, np.concatenate([faces_of([1, 1]), faces_of([2, 3, 4, 5], seed=1)]))
    named(world, [ids[1], *ids[2:]], "Odd")
    assert suggested(world, ids[0]) == []
    assert suggested(world, ids[0], least=0.1)


def test_a_person_is_found_behind_many_faces_that_are_nobodys(world: World) -> None:
    ids = shown(world, np.concatenate([faces_of([1] * 40, own=0.95), faces_of([1] * 2, seed=2, own=0.7)]))
    ann = named(world, ids[40:], "Ann")
    assert [person for person, _ in suggested(world, ids[0], step=10)] == [ann]


def test_merged_persons_are_one_and_rejected_ones_never_come(world: World) -> None:
    ids = shown(world, faces_of([1] * 5))
    ann, anna = named(world, ids[1:3], "Ann"), named(world, ids[3:], "Anna")
    assert {person for person, _ in suggested(world, ids[0])} == {ann, anna}
    world.do(merge_persons, ann, anna)
    assert [person for person, _ in suggested(world, ids[0])] == [anna]
    world.do(reject_person, ids[0], anna)
    assert suggested(world, ids[0]) == []


def test_a_person_that_one_of_the_faces_is_not_is_suggested_for_none_of_them(world: World) -> None:
    ids = shown(world, faces_of([1] * 4))
    ann = named(world, ids[2:], "Ann")
    world.do(reject_person, ids[1], ann)
    with world.reading() as tables:
        similarity = Similarity()
        assert similarity.suggest_for_all(tables, [world.face(ids[0])], [ids[0]], 3, THRESHOLDS)
        assert similarity.suggest_for_all(tables, [world.face(ids[0])], ids[:2], 3, THRESHOLDS) == {}


def test_similar_faces_are_nobodys_visible_and_the_likest_first(world: World) -> None:
    vectors = faces_of([1] * 4)
    ids = shown(world, vectors)
    unseen = shown(world, faces_of([1], seed=8), library=world.library("Work"))
    named(world, ids[3:], "Ann")
    with world.reading(ONE_LIBRARY) as tables:
        found = Similarity().similar(tables, world.face(ids[0]), 5, THRESHOLDS)
    cosines = vectors[1:3] @ vectors[0]
    assert list(found) == [ids[1 + int(place)] for place in np.argsort(-cosines)]
    assert unseen[0] not in found


def along(*numbers: float) -> Matrix:
    """A vector of these numbers at length 1."""
    row = np.zeros(8, dtype=np.float32)
    row[: len(numbers)] = numbers
    return row / np.linalg.norm(row)


def likely_of(world: World, face: int) -> dict[int, bool]:
    """The likely others of a face's person, and whether each is presumed."""
    with world.reading() as tables:
        return {
            id_: each.preselected
            for id_, each in Similarity().similar(tables, world.face(face), 50, THRESHOLDS).items()
        }


def test_the_likely_others_of_a_person_are_compared_with_all_faces_of_that_person(world: World) -> None:
    old, young, turned = along(1, 0.2), along(1, -0.2, 0.3), along(1, 0, -0.9)
    candidate, stranger = along(1, 0.1, 0.2), along(0.6, 0, -1, 0.8)
    ids = shown(world, np.stack([old, young, turned, candidate, stranger]))
    named(world, ids[:3], "Ann")
    assert turned @ stranger > 0.5 > (old @ stranger + young @ stranger + turned @ stranger) / 3
    assert likely_of(world, ids[2])[ids[3]]
    assert not likely_of(world, ids[2]).get(ids[4], False), "one odd face of hers presumes nobody"


def test_a_face_that_is_liker_to_somebody_else_is_no_likely_other(world: World) -> None:
    ids = shown(world, np.stack([along(1), along(0.5, 1), along(0.6, 1), along(1, 0.1)]))
    named(world, ids[:1], "Ann")
    assert set(likely_of(world, ids[0])) == {ids[1], ids[2], ids[3]}
    named(world, ids[1:2], "Bob")
    assert set(likely_of(world, ids[0])) == {ids[3]}
    assert set(likely_of(world, ids[1])) == {ids[2]}


def test_whom_a_face_was_said_not_to_be_is_no_rival_for_it(world: World) -> None:
    ids = shown(world, np.stack([along(1), along(0.5, 1), along(0.6, 1), along(0.65, 1)]))
    named(world, ids[:1], "Ann")
    bob = named(world, ids[1:2], "Bob")
    assert set(likely_of(world, ids[0])) == set()
    world.do(reject_person, ids[2], bob)
    assert set(likely_of(world, ids[0])) == {ids[2]}
    bobby = named(world, ids[3:], "Bobby")
    world.do(merge_persons, bob, bobby)
    assert set(likely_of(world, ids[0])) == {ids[2]}


def test_of_a_person_with_many_faces_the_clearest_ones_stand_for_all(world: World) -> None:
    boxes = [Box(0.1, 0.1, 0.2 + 0.01 * number, 0.2) for number in range(EXEMPLARS + 6)]
    ids = [
        world.shows(f"{number}.jpg", DetectedFace(box, 0.9, along(1, number / 100).tobytes()))[0]
        for number, box in enumerate(boxes)
    ]
    world.do(change_faces, ids, "assign", None, "Ann")
    ann = world.named("Ann")
    assert ann is not None
    with world.reading() as tables:
        found = tables.exemplars.of([ann.id], MODEL)[ann.id]
        vectors = tables.exemplars.vectors_of(ann.id, MODEL)
    assert {face_id for face_id, _ in found} == set(ids[6:])
    assert len(vectors) == EXEMPLARS


def taken(file: ReadFile, at: int) -> ReadFile:
    """A photo that says when it was taken."""
    return msgspec.structs.replace(file, facts=msgspec.structs.replace(file.facts, taken_at=at))


def test_the_faces_of_a_child_stand_for_the_person_beside_hundreds_of_clearer_ones_of_later(world: World) -> None:
    clear, small = Box(0.1, 0.1, 0.4, 0.4), Box(0.1, 0.1, 0.1, 0.1)
    photos = [(f"{number}.jpg", 1_700_000_000_000_000, clear, along(1, number / 500)) for number in range(150)]
    photos += [(f"child-{number}.jpg", 500_000_000_000_000, small, along(0, 1, number / 10)) for number in range(4)]
    world.scan(*(taken(photo(name), taken_at) for name, taken_at, _, _ in photos))
    ids = [world.detect(name, DetectedFace(box, 0.9, row.tobytes()))[0] for name, _, box, row in photos]
    ann = named(world, ids[:-1], "Ann")
    with world.reading() as tables:
        stand = {face for face, _ in tables.exemplars.of([ann], MODEL)[ann]}
    assert {*ids[-4:-1]} < stand
    assert [person for person, _ in suggested(world, ids[-1])] == [ann]


def test_somebody_whose_only_face_is_asked_about_is_not_suggested_for_it(world: World) -> None:
    (face,) = shown(world, faces_of([1]))
    named(world, [face], "Ann")
    assert suggested(world, face) == []


def test_vectors_of_two_lengths_under_one_name_of_a_model_are_compared_by_what_both_have(world: World) -> None:
    short, long = along(1, 0.5), np.concatenate([along(1, 0.4), np.zeros(4, np.float32)])
    ids = shown(world, short[None]) + shown(world, long[None], seed=1)
    named(world, ids[:1], "Ann")
    assert likely_of(world, ids[0]) == {ids[1]: True}
    assert [person for person, _ in suggested(world, ids[1])]


def test_a_face_without_a_vector_is_like_nobody(world: World) -> None:
    ids = shown(world, faces_of([1, 1]))
    named(world, ids[1:], "Ann")
    bare = msgspec.structs.replace(world.face(ids[0]), embedding_id=None)
    with world.reading() as tables:
        assert Similarity().suggest(tables, bare, 5, THRESHOLDS) == {}
        assert Similarity().similar(tables, bare, 5, THRESHOLDS) == {}
