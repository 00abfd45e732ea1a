"""How much the server has done and still has to do, in figures for Prometheus: the log and how far each policy has
come in it, the backlog of jobs, worker processes, requests to language models.

They come from memory and a few rows, so that asking often costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from adapters.background.jobs import JobBoard
from adapters.language.call_counts import Tally
from adapters.store.ledger import Ledger
from adapters.workers.pool import WorkerPool

Kind = Literal["gauge", "counter"]


class Figure(msgspec.Struct, frozen=True):
    """One figure: `samples` are values, each under labels; a counter only rises."""

    name: str
    meaning: str
    kind: Kind
    samples: Sequence[tuple[Mapping[str, str], float]]


class Figures:
    """Takes the figures of one process."""

    def __init__(
        self,
        version: str,
        ledger: Ledger,
        board: JobBoard,
        *,
        pools: Mapping[str, WorkerPool],
        tally: Tally,
        policies: Callable[[], Mapping[str, int]],
        clips_wanted: Callable[[], int],
    ) -> None:
        """`pools` are worker processes by name, `policies` says how far each policy has come, `clips_wanted` how many
        clips wait to be made."""
        self._version, self._ledger, self._board, self._pools = version, ledger, board, pools
        self._tally, self._policies, self._clips_wanted = tally, policies, clips_wanted

    def __call__(self) -> list[Figure]:
        """All of them as they are now."""
        head, reached = self._ledger.head(), self._policies()
        lags = {policy: max(0, head - position) for policy, position in sorted(reached.items())}
        return [
            Figure("imageapi_build", "The version that runs", "gauge", [({"version": self._version}, 1)]),
            Figure("imageapi_log_events", "Events in the log: the position of its head", "counter", [({}, head)]),
            _by("policy", "imageapi_policy_position", "The last event that a policy has looked at", reached),
            _by("policy", "imageapi_policy_lag_events", "Events that a policy has not looked at yet", lags),
            _by("work", "imageapi_backlog", "Photos, clips and events that wait for this work", self._backlog(lags)),
            *self._workers(),
            *self._language(),
        ]

    def _backlog(self, lags: Mapping[str, int]) -> Mapping[str, int]:
        """What waits. Detection counts its photos itself, every few seconds while it works."""
        jobs = [job for job in self._board.progress() if job.kind.startswith("detect") and job.state != "done"]
        photos = sum((job.total or job.done) - job.done for job in jobs)
        return {"detection": photos, "thumbnails": lags.get("thumbnails", 0), "clips": self._clips_wanted()}

    def _workers(self) -> list[Figure]:
        pools = dict(sorted(self._pools.items()))
        return [
            _by("pool", "imageapi_workers", "Worker processes at most", {n: p.workers for n, p in pools.items()}),
            _by("pool", "imageapi_workers_busy", "Workers at work", {n: p.busy for n, p in pools.items()}),
            _by("pool", "imageapi_tasks_waiting", "Tasks waiting", {n: p.waiting for n, p in pools.items()}),
        ]

    def _language(self) -> list[Figure]:
        requests = [({"server": s, "outcome": o}, float(n)) for (s, o), n in sorted(self._tally.requests.items())]
        given_up = [({"server": server}, float(n)) for server, n in sorted(self._tally.failovers.items())]
        return [
            Figure("imageapi_language_requests", "Requests to servers of language models", "counter", requests),
            Figure("imageapi_language_failovers", "Times that the next server was asked", "counter", given_up),
        ]


def _by(label: str, name: str, meaning: str, values: Mapping[str, int]) -> Figure:
    return Figure(name, meaning, "gauge", [({label: key}, value) for key, value in values.items()])
