"""Clusters of 100,000 faces whose persons are known, and who is like one face among many.

    python -m bench.clusters [--model sface] [--faces 100000] [--among 1000000] [--skip-dbscan]

The faces are synthetic, with the spread that the model has on labelled photos (bench/recognition_made.py): with SFace
two faces of one person have a cosine of 0.77 ± 0.14, two of different ones of 0.10 ± 0.10; with FaceNet 0.72 ± 0.10 and
0 ± 0.15. How many faces a person has follows a power law, up to 1,000. scikit-learn, faiss and usearch are measured
beside where they are installed; nothing here needs them.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from adapters.face_engines import model_card
from adapters.store.database import Database
from adapters.store.ledger import Ledger
from adapters.vectors.face_clusters import Cluster, ClusterGraph
from adapters.vectors.similarity import Similarity
from adapters.vectors.space import Space
from bench import recognition_made
from bench.recognition_made import Spread, around, directions
from domain.base.actor import CLI, WATCHER
from domain.base.geometry import Box
from domain.events.face import BY_USER, FaceAssigned, FaceDetected
from domain.events.person import PersonCreated
from domain.ports.face_engine import Embedding, Thresholds

Matrix = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
MODEL = "bench"
QUERIES = 200


class Kind(NamedTuple):
    """Which model's faces are made, and its thresholds."""

    spread: Spread
    thresholds: Thresholds


KINDS = {
    "sface": Kind(recognition_made.SFACE, model_card.SFACE.thresholds.resolved()),
    "sface-hard": Kind(recognition_made.SFACE_HARD, model_card.SFACE.thresholds.resolved()),
    "facenet": Kind(recognition_made.FACENET, model_card.FACENET.thresholds.resolved()),
}


def synthetic(count: int, spread: Spread, seed: int = 1) -> tuple[Matrix, Labels]:
    """`count` faces in random order, and whose each is."""
    chance = np.random.default_rng(seed)
    sizes: list[int] = []
    while sum(sizes) < count:
        sizes.append(int(min(chance.pareto(1.0) * 4 + 1, 1000, count - sum(sizes))))
    persons = chance.permutation(np.repeat(np.arange(len(sizes)), sizes))
    shared, centres = directions(1, spread, chance)[0], directions(len(sizes), spread, chance)
    faces = np.empty((count, spread.dimensions), dtype=np.float32)
    for start in range(0, count, 50_000):
        these = persons[start : start + 50_000]
        faces[start : start + 50_000] = around(spread, shared, centres[these], chance)
    return faces, persons


def pairwise(found: Labels, true: Labels) -> tuple[float, float, float]:
    """Precision, recall and F1 over all pairs of faces."""

    def pairs(labels: Labels) -> int:
        counts = np.unique(labels, return_counts=True)[1].astype(np.int64)
        return int((counts * (counts - 1) // 2).sum())

    both = pairs(found.astype(np.int64) * (int(true.max()) + 1) + true)
    precision, recall = both / max(pairs(found), 1), both / max(pairs(true), 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def filled(faces: Matrix) -> Space:
    """A space with these faces."""
    space = Space(MODEL)
    for start in range(0, len(faces), 50_000):
        part = faces[start : start + 50_000]
        space.add(range(start + 1, start + len(part) + 1), part)
    return space


def cluster(faces: Matrix, persons: Labels, least: float) -> None:
    """Print what the clusters of these faces are worth, and what a new face costs."""
    began = time.perf_counter()
    space = filled(faces)
    taken = time.perf_counter() - began
    print(f"{len(faces):,} vectors into cells: {taken:.1f} s, {space.bytes_used / len(faces):,.0f} bytes a face")
    graph = ClusterGraph(least)
    places = np.arange(len(faces))
    clusters: Sequence[Cluster] = []
    for what, shown in (("all but one", places[:-1]), ("one more face", places), ("nothing new", places)):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began, used = time.perf_counter(), time.process_time()
        clusters = graph.clusters(space, shown, shown + 1)
        taken, used = time.perf_counter() - began, time.process_time() - used
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"clusters, {what}: {taken:.2f} s ({used:.2f} of CPU), {len(clusters):,} clusters, peak {more:+,.0f} MB")
    found = places.copy()
    for each in clusters:
        found[np.array(each.face_ids) - 1] = each.key - 1
    print("Chinese whispers: precision {:.4f}, recall {:.4f}, F1 {:.4f}".format(*pairwise(found, persons)))


def dbscan(faces: Matrix, persons: Labels, lowest: float) -> None:
    """Print what DBSCAN makes of the same faces at several radii, from every exact cosine of at least `lowest`."""
    if importlib.util.find_spec("sklearn") is None:
        print("DBSCAN: scikit-learn is not installed")
        return
    from scipy.sparse import csr_matrix  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415 - not among the requirements
    from sklearn.cluster import DBSCAN  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415 - as above

    began = time.perf_counter()
    columns, values, ends = [], [], [0]
    for start in range(0, len(faces), 1000):
        cosines = faces[start : start + 1000] @ faces.T
        row, column = np.nonzero(cosines >= lowest)
        columns.append(column.astype(np.int32))
        values.append(np.maximum(1 - cosines[row, column], 0).astype(np.float32))
        ends += (ends[-1] + np.cumsum(np.bincount(row, minlength=len(cosines)))).tolist()
    distances = csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=(len(faces),) * 2)
    taken = time.perf_counter() - began
    print(f"all cosines, exact: {taken:.0f} s, {distances.nnz:,} of at least {lowest}")
    for least in (lowest + 0.05 * step for step in range(6)):
        began = time.perf_counter()
        labels = DBSCAN(eps=1 - least, min_samples=3, metric="precomputed").fit_predict(distances).astype(np.int64)
        alone = labels < 0
        labels[alone] = labels.max() + 1 + np.arange(int(alone.sum()))
        taken = time.perf_counter() - began
        print(
            f"DBSCAN at {least:.2f}: {taken:.1f} s more; "
            + "precision {:.4f}, recall {:.4f}, F1 {:.4f}".format(*pairwise(labels, persons))
        )


def search(count: int, kind: Kind) -> None:
    """Print the nearest of one face among `count`: time of one query and recall@10, beside others in the same run."""
    faces, _ = synthetic(count, kind.spread, seed=2)
    asked = np.random.default_rng(3).choice(count, QUERIES, replace=False)
    truth = []

    def brute(vector: Matrix) -> Sequence[int]:
        cosines = faces @ vector
        likest = np.argpartition(-cosines, 10)[:10]
        return likest.tolist()  # type: ignore[no-any-return,unused-ignore]  # numpy's own types do not say

    truth = timed("numpy, all cosines (float32)", brute, faces[asked], None, faces.nbytes / count)
    began = time.perf_counter()
    space = filled(faces)
    print(f"  into cells: {time.perf_counter() - began:.0f} s")

    def near(vector: Matrix) -> Sequence[int]:
        return space.nearest(vector, kind.thresholds.offer).places[:10].tolist()  # type: ignore[no-any-return,unused-ignore]  # as above

    timed("imageapi", near, faces[asked], truth, space.bytes_used / count)
    for index in (_faiss, _usearch):
        index(faces, asked, truth)


def timed(
    what: str,
    find: Callable[[Matrix], Sequence[int]],
    vectors: Matrix,
    truth: Sequence[set[int]] | None,
    bytes_each: float,
) -> list[set[int]]:
    """Print the median time of one search and the recall against `truth`; what was found."""
    times, found = [], []
    for vector in vectors:
        began = time.perf_counter()
        found.append(set(find(vector)))
        times.append(time.perf_counter() - began)
    recall = 1.0 if truth is None else sum(len(a & b) for a, b in zip(found, truth, strict=True)) / (10 * len(found))
    print(
        f"  {what:<30} median {1000 * statistics.median(times):7.2f} ms, recall@10 {recall:.4f}, "
        f"{bytes_each:,.0f} bytes a face"
    )
    return found


def _faiss(faces: Matrix, asked: Labels, truth: Sequence[set[int]]) -> None:
    if importlib.util.find_spec("faiss") is None:
        print("  faiss is not installed")
        return
    import faiss  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415 - not among the requirements

    began = time.perf_counter()
    cells = round(len(faces) ** 0.5)
    index: Any = faiss.index_factory(faces.shape[1], f"IVF{cells},SQ8", faiss.METRIC_INNER_PRODUCT)
    index.train(faces[np.random.default_rng(0).choice(len(faces), min(len(faces), 40 * cells), replace=False)])
    index.add(faces)
    index.nprobe = 32
    print(f"  faiss, into cells: {time.perf_counter() - began:.0f} s")

    def find(vector: Matrix) -> Sequence[int]:
        near = index.search(vector[None], 40)[1][0]
        near = near[np.argsort(-(faces[near] @ vector))][:10]
        return near.tolist()  # type: ignore[no-any-return,unused-ignore]  # as above

    timed("faiss IVF-SQ8, re-scored", find, faces[asked], truth, faces.shape[1] + 8)


def _usearch(faces: Matrix, asked: Labels, truth: Sequence[set[int]]) -> None:
    if importlib.util.find_spec("usearch") is None:
        print("  usearch is not installed")
        return
    from usearch.index import Index  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415 - not among the requirements

    began = time.perf_counter()
    index: Any = Index(ndim=faces.shape[1], metric="ip", dtype="f16")
    index.add(np.arange(len(faces)), faces)
    print(f"  usearch, graph: {time.perf_counter() - began:.0f} s")

    def find(vector: Matrix) -> Sequence[int]:
        return index.search(vector, 10).keys.tolist()  # type: ignore[no-any-return,unused-ignore]  # as above

    timed("usearch HNSW f16", find, faces[asked], truth, index.memory_usage / len(faces))


def suggest(count: int, kind: Kind) -> None:
    """Print what one suggestion takes, tables and all, where `count` faces are somebody's."""
    faces, persons = synthetic(count, kind.spread, seed=4)
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Database(f"sqlite:///{Path(folder) / 'log.db'}"))
        record_faces(ledger, faces, persons)
        similarity = Similarity()
        times = []
        for asked in np.random.default_rng(5).choice(count, QUERIES, replace=False).tolist():
            with ledger.reading(CLI) as tables:
                face = tables.faces.get(asked + 1)
                assert face is not None
                began = time.perf_counter()
                similarity.suggest(tables, face, 10, kind.thresholds)
            times.append(time.perf_counter() - began)
        print(
            f"suggestions among {count:,} named faces, tables included: first {times[0]:.1f} s (reads the vectors), "
            f"median {1000 * statistics.median(times[1:]):.1f} ms, slowest {1000 * max(times[1:]):.1f} ms"
        )
        ledger.close()


def record_faces(ledger: Ledger, faces: Matrix, persons: Labels) -> None:
    """Faces of persons as they would be found and named, each on a content of its own."""
    with ledger.transaction(CLI) as uow:
        uow.begin("bootstrap", "made persons")
        ids = uow.new_ids("person", int(persons.max()) + 1)
        uow.append(*(PersonCreated(id_, f"Person {id_}") for id_ in ids))
    for start in range(0, len(faces), 1000):
        with ledger.transaction(WATCHER) as uow:
            uow.begin("detect", "looked for faces")
            part = faces[start : start + 1000].astype("<f4")
            embeddings = uow.attach([Embedding(MODEL, vector.tobytes()) for vector in part])
            numbers = uow.new_ids("face", len(part))
            uow.append(
                *(
                    FaceDetected(n, hashlib.sha256(str(n).encode()).digest(), Box(0.2, 0.2, 0.2, 0.2), 0.9, MODEL, e)
                    for n, e in zip(numbers, embeddings, strict=True)
                )
            )
            owners = persons[start : start + 1000].tolist()
            uow.append(*(FaceAssigned(n, owner + 1, BY_USER) for n, owner in zip(numbers, owners, strict=True)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(prog="python -m bench.clusters")
    parser.add_argument("--model", choices=KINDS, default="sface")
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--among", type=int, default=1_000_000)
    parser.add_argument("--skip-dbscan", action="store_true")
    chosen = parser.parse_args(arguments)
    kind = KINDS[chosen.model]
    faces, persons = synthetic(chosen.faces, kind.spread)
    cluster(faces, persons, kind.thresholds.cluster)
    if not chosen.skip_dbscan:
        dbscan(faces, persons, kind.thresholds.cluster)
    for count in (chosen.faces, chosen.among):
        suggest(count, kind)
    for count in (chosen.faces, chosen.among):
        print(f"the nearest of one face among {count:,}:")
        search(count, kind)


if __name__ == "__main__":
    main()
