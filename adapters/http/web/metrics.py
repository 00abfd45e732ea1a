"""Counts and times the requests, and writes figures in Prometheus' text format.

Requests are told apart by the route's template, never by the path that was asked for, so that no client decides how
many series there are. What is timed is how long it takes until an answer begins: a stream or a film goes on for as long
as somebody watches.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.background.job_counts import Figure

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds: those of Prometheus' own clients, with one more for what has to be made first."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
OTHER: Final = "other"
"""Any other method, and any path that leads nowhere."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's own oversight


class PrometheusRegistry:
    """The requests that one application answered."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "imageapi_http_request_seconds",
            "Seconds until an answer began",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        labels = (method if method in METHODS else OTHER, route, f"{status // 100}xx")
        self._seconds.labels(*labels).observe(seconds)

    def exposition(self, figures: Iterable[Figure]) -> bytes:
        """The requests and these figures, in the text format."""
        return generate_latest(self._registry) + generate_latest(_Once(figures))


class RequestMetrics:
    """The outermost layer of the application, which sees every answer."""

    def __init__(self, app: ASGIApp, registry: PrometheusRegistry, templates: Mapping[Any, str]) -> None:
        """`templates` maps each endpoint to its route as it was declared."""
        self._app, self._registry, self._templates = app, registry, templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and time its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = self._templates.get(scope.get("endpoint"), OTHER)
                self._registry.observe(scope["method"], route, message["status"], time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, timed)


class _Once(CollectorRegistry, Collector):
    """Figures as the library takes them, for one answer."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        super().__init__()
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """Each figure with its samples."""
        for figure in self._figures:
            labels = list(figure.samples[0][0]) if figure.samples else []
            kind = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
            family = kind(figure.name, figure.meaning, labels=labels)
            for named, value in figure.samples:
                family.add_metric([named[label] for label in labels], value)
            yield family
