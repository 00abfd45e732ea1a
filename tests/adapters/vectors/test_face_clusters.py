"""Clusters of unassigned faces: right, the same at each call, and grown by what is new."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from adapters.vectors.face_clusters import Cluster
from adapters.vectors.similarity import Similarity
from adapters.vectors.space import Space
from domain.base.actor import CLI, WATCHER, Actor
from domain.commands.faces import FaceChanges, change_face, delete_face, reject_person
from domain.commands.media import record_missing
from tests.adapters.vectors.material import LIKE, faces_of, shown
from tests.domain.world import MODEL, ONE_LIBRARY, World


def clusters(world: World, similarity: Similarity, actor: Actor = CLI, model: str = MODEL) -> Sequence[Cluster]:
    """The clusters that an actor sees."""
    with world.reading(actor) as tables:
        return similarity.clusters(tables, model, LIKE)


def members(found: Sequence[Cluster]) -> list[list[int]]:
    """The faces of each cluster, by id."""
    return [sorted(cluster.face_ids) for cluster in found]


def test_faces_fall_into_their_persons_the_largest_first_and_who_is_alone_into_none(world: World) -> None:
    ids = shown(world, faces_of([1, 2, 1, 2, 3, 1]))
    found = clusters(world, Similarity())
    assert members(found) == [[ids[0], ids[2], ids[5]], [ids[1], ids[3]]]
    assert [cluster.key for cluster in found] == [ids[0], ids[1]]
    assert all(LIKE < cluster.tightness < 1 for cluster in found)


def test_of_two_clusters_of_one_size_the_tighter_comes_first(world: World) -> None:
    shown(world, np.concatenate([faces_of([1, 1], own=0.8), faces_of([2, 2], own=0.95)]))
    loose, tight = sorted(clusters(world, Similarity()), key=lambda cluster: cluster.key)
    assert [cluster.key for cluster in clusters(world, Similarity())] == [tight.key, loose.key]
    assert tight.tightness > loose.tightness


def test_the_same_faces_come_to_the_same_clusters_at_each_call_and_after_a_restart(world: World) -> None:
    shown(world, faces_of([number % 7 for number in range(60)]))
    similarity = Similarity()
    first = clusters(world, similarity)
    assert clusters(world, similarity) == first
    assert clusters(world, Similarity()) == first


def test_the_most_typical_face_comes_first(world: World) -> None:
    centre = faces_of([1], own=1.0)[0]
    vectors = np.stack([*faces_of([1] * 5, own=0.75), centre])
    ids = shown(world, vectors)
    (cluster,) = clusters(world, Similarity())
    assert cluster.face_ids[0] == ids[-1]
    assert cluster.key == ids[0]


def test_what_somebody_decided_about_is_left_out_and_comes_back_with_undo(world: World) -> None:
    ids = shown(world, faces_of([1] * 7))
    similarity = Similarity()
    assert members(clusters(world, similarity)) == [ids]
    ann = world.a_person("Ann")
    named = world.assign(ids[0], ann)
    ignored = world.operation_of(change_face, ids[1], FaceChanges(ignored=True))
    deleted = world.operation_of(delete_face, ids[2])
    assert members(clusters(world, similarity)) == [ids[3:]]
    world.undo(deleted)
    world.undo(ignored)
    world.undo(named)
    assert members(clusters(world, similarity)) == [ids]


def test_what_is_rejected_stays_a_face_of_nobody(world: World) -> None:
    ids = shown(world, faces_of([1] * 3))
    world.do(reject_person, ids[0], world.a_person("Ann"))
    assert members(clusters(world, Similarity())) == [ids]


def test_a_file_that_is_gone_takes_its_faces_along(world: World) -> None:
    ids = shown(world, faces_of([1] * 3))
    similarity = Similarity()
    assert members(clusters(world, similarity)) == [ids]
    with world.uow(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_missing(uow, [world.media("1-0-0.jpg").id])
    assert members(clusters(world, similarity)) == [ids[1:]]


def test_a_new_face_is_searched_for_alone_and_joins_its_cluster(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []
    joined = Space.joined

    def counted(self: Space, of: np.ndarray, *rest: object) -> object:
        searched.append(len(of))
        return joined(self, of, *rest)  # type: ignore[arg-type]  # the rest goes on as it came

    monkeypatch.setattr(Space, "joined", counted)
    ids = shown(world, faces_of([1, 1, 2, 2]))
    similarity = Similarity()
    clusters(world, similarity)
    late = shown(world, faces_of([2, 3], seed=9), seed=9)
    assert members(clusters(world, similarity)) == [[ids[2], ids[3], late[0]], ids[:2]]
    clusters(world, similarity)
    assert searched == [4, 2]


def test_a_face_that_lost_half_of_its_edges_is_searched_for_again(world: World) -> None:
    loose = shown(world, faces_of([1] * 8))
    typical = shown(world, faces_of([1] * 20, seed=1, own=0.97), seed=1)
    similarity = Similarity()
    assert members(clusters(world, similarity)) == [[*loose, *typical]]
    ann = world.a_person("Ann")
    for face in typical:
        world.assign(face, ann)
    assert members(clusters(world, similarity)) == [loose]


def test_everyone_sees_only_clusters_of_what_is_theirs(world: World) -> None:
    work = world.library("Work")
    own = shown(world, faces_of([1, 1, 2]))
    other = shown(world, faces_of([1, 2, 2], seed=4), library=work)
    similarity = Similarity()
    everything = [[own[2], *other[1:]], [*own[:2], other[0]]]
    assert sorted(members(clusters(world, similarity))) == sorted(everything)
    assert members(clusters(world, similarity, ONE_LIBRARY)) == [own[:2]]
    assert sorted(members(clusters(world, similarity))) == sorted(everything)


def test_models_are_never_mixed_and_an_unknown_one_has_no_clusters(world: World) -> None:
    shown(world, faces_of([1, 1]))
    assert clusters(world, Similarity(), model="another-model") == []


def test_a_library_without_faces_has_no_clusters(world: World) -> None:
    assert clusters(world, Similarity()) == []
