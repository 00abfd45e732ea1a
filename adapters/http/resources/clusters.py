"""The review: unassigned faces in clusters, each to be accepted at once, and persons made from tags."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from adapters.http.web import (
    Call,
    Cursor,
    Id,
    LibraryParam,
    LibraryRef,
    Name,
    Page,
    Reply,
    Routes,
    next_cursor,
    place_of,
    within,
    write,
)
from adapters.http.web.face_models import compared_model
from adapters.http.web.validation import OneOf
from adapters.http.web.views.faces import BatchOutcome, Suggestion, suggestions
from adapters.store.transaction import Transaction
from adapters.vectors.face_clusters import Cluster
from domain.base.errors import Conflict, NotFound
from domain.commands.faces import LARGEST_BATCH, Outcome
from domain.commands.review import MOST_TAGS, Bootstrapped, accept_cluster, bootstrap_persons
from domain.rules.recognition import likest
from projections.queries.faces import FaceView
from projections.queries.reading import Lookups

routes = Routes("Review")

SAMPLES: Final = 6
"""Faces of a cluster that come with it in full."""
NEIGHBOURS: Final = 5
"""Persons looked at for the nearest one that the user may know of."""


class ClustersQuery(msgspec.Struct):
    """Which clusters."""

    library: LibraryParam | None = None
    min_size: Annotated[int, Meta(ge=2, le=LARGEST_BATCH, description="the fewest faces")] = 2
    limit: Annotated[int, Meta(ge=1, le=200, description="how many items at most")] = 20
    cursor: Cursor | None = None


class ClusterView(msgspec.Struct):
    """Unassigned faces that are likely one person's.

    `id` is the lowest id among them, `face_ids` all of them (at most 5000, the most typical first), `faces` the first
    six in full, `tightness` the mean cosine of those that are next to each other, `nearest` the known person that the
    most typical faces are likest to, where one is near and none of the faces was said not to be that person.
    """

    id: int
    size: int
    tightness: float
    face_ids: list[int]
    faces: list[FaceView]
    nearest: Suggestion | None


class AfterCluster(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The cursor: size, tightness and id of the last cluster of the page before."""

    size: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    tightness: Annotated[float, Meta(ge=-2, le=2)]
    id: Annotated[int, Meta(ge=0, le=2**53 - 1)]


class ClusterAccepted(msgspec.Struct):
    """Whose a cluster is: the `person_id` of a person, or the `name` of a new one.

    Which faces: `ids`, as they were shown; or the `cluster` with this id as it stands now, `without` some of them, and
    only where it still has the `size` that was shown.
    """

    excludes: ClassVar = (OneOf(("ids", "cluster")), OneOf(("person_id", "name")))

    ids: Annotated[list[Id], Meta(min_length=1, max_length=LARGEST_BATCH)] | None = None
    cluster: Id | None = None
    size: Annotated[int, Meta(ge=2)] | None = None
    without: Annotated[list[Id], Meta(max_length=LARGEST_BATCH)] = []
    library: LibraryRef | None = None
    person_id: Id | None = None
    name: Name | None = None


class TagsThatArePeople(msgspec.Struct):
    """The tags that are names of people, each by its id or its name."""

    tags: Annotated[list[Id | str], Meta(min_length=1, max_length=MOST_TAGS)]


class BootstrapOutcome(msgspec.Struct):
    """One row a tag, and the operation that undo takes, null where nobody was new."""

    results: list[Bootstrapped]
    operation_id: int | None


@routes("GET", "/faces/clusters", query=ClustersQuery, answers=Page[ClusterView], errors=(404,))
def list_clusters(call: Call, query: ClustersQuery) -> Reply:
    """Unassigned faces in groups that are likely one person's, the largest and then the tightest first.

    Faces that were named, put aside as strangers' or deleted are in none. The groups are the same at each call until
    something is decided or found; a new face joins without the others being grouped anew.
    """
    after = None if query.cursor is None else place_of(query.cursor, AfterCluster)
    with call.dependencies.ledger.reading(call.actor) as tables:
        narrowed = within(tables, query.library)
        following = [
            cluster
            for cluster in _clusters(call, narrowed)
            if len(cluster.face_ids) >= query.min_size and (after is None or _place(cluster) > _cursor_place(after))
        ]
        kept = following[: query.limit]
        items = [_view(call, narrowed, cluster) for cluster in kept]
    cursor = next_cursor(following, query.limit, lambda row: AfterCluster(len(row.face_ids), row.tightness, row.key))
    return Reply(Page(items, cursor))


@routes(
    "POST",
    "/faces/clusters/accept",
    body=ClusterAccepted,
    answers=BatchOutcome,
    role="editor",
    errors=(404, 409),
    rehearses=True,
)
def accept(call: Call, body: ClusterAccepted) -> Reply:
    """Say whose the faces of a cluster are, in one operation, with one answer a face.

    A face that somebody decided about since it was shown says so and leaves the others alone. Of a cluster of more
    than 5000 faces the most typical 5000 are taken; the rest stay a cluster.
    """
    ids = body.ids if body.ids is not None else _members(call, body)

    def take(uow: Transaction) -> list[Outcome]:
        return accept_cluster(uow, ids, body.person_id, body.name)

    return write(call, take, lambda uow, outcomes: BatchOutcome(outcomes, uow.operation_id))


@routes("POST", "/persons/bootstrap", body=TagsThatArePeople, answers=BootstrapOutcome, role="editor", rehearses=True)
def bootstrap(call: Call, body: TagsThatArePeople) -> Reply:
    """Make a person of each tag that is the name of one, in one operation, with one answer a tag.

    A name that somebody has already, and a tag that is not there, say so and leave the others alone.
    """

    def make(uow: Transaction) -> list[Bootstrapped]:
        return bootstrap_persons(uow, body.tags)

    return write(call, make, lambda uow, rows: BootstrapOutcome(rows, uow.operation_id))


def _clusters(call: Call, lookups: Lookups) -> list[Cluster]:
    dependencies = call.dependencies
    model = compared_model(dependencies, lookups)
    if model is None:
        return []
    thresholds = dependencies.thresholds_of(model)
    return [] if thresholds is None else list(dependencies.similarity.clusters(lookups, model, thresholds.cluster))


def _place(cluster: Cluster) -> tuple[int, float, int]:
    return -len(cluster.face_ids), -cluster.tightness, cluster.key


def _cursor_place(after: AfterCluster) -> tuple[int, float, int]:
    return -after.size, -after.tightness, after.id


def _view(call: Call, lookups: Lookups, cluster: Cluster) -> ClusterView:
    views = {view.id: view for view in lookups.faces.views(cluster.face_ids[:SAMPLES])}
    samples = [views[face] for face in cluster.face_ids[:SAMPLES] if face in views]
    return ClusterView(
        id=cluster.key,
        size=len(cluster.face_ids),
        tightness=cluster.tightness,
        face_ids=list(cluster.face_ids[:LARGEST_BATCH]),
        faces=samples,
        nearest=_nearest(call, lookups, cluster),
    )


def _nearest(call: Call, lookups: Lookups, cluster: Cluster) -> Suggestion | None:
    typical = [face for face in (lookups.faces.get(id_) for id_ in cluster.face_ids[:SAMPLES]) if face is not None]
    thresholds = call.dependencies.thresholds_of(typical[0].model_version) if typical else None
    if thresholds is None:
        return None
    similarity = call.dependencies.similarity
    likely = similarity.suggest_for_all(lookups, typical, cluster.face_ids, NEIGHBOURS, thresholds)
    known = {each.person_id: each for each in suggestions(lookups, likely)}
    person = likest({id_: likely[id_] for id_ in known})
    return None if person is None else known[person]


def _members(call: Call, body: ClusterAccepted) -> list[int]:
    """The faces of a cluster as it stands now, without those that were taken out.

    Raises:
        NotFound: no cluster has this id any more.
        Conflict: it has another size than the one that was shown.
    """
    with call.dependencies.ledger.reading(call.actor) as tables:
        clusters = _clusters(call, within(tables, body.library))
    found = next((each for each in clusters if each.key == body.cluster), None)
    if found is None:
        raise NotFound(f"there is no cluster {body.cluster} any more: look at the clusters again")
    size = len(found.face_ids)
    if body.size is not None and body.size != size:
        raise Conflict(f"the cluster {body.cluster} has {size} faces now, not {body.size}: look at it again")
    without = set(body.without)
    return [face for face in found.face_ids if face not in without][:LARGEST_BATCH]
