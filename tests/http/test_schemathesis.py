"""Requests that schemathesis makes up from the document, good and bad ones, over every operation that ends."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fakes import LettersEmbedder
from tests.http.real import really_served
from tests.http.words import named
from tests.http.world import DOCUMENT, World, face_ids

ENDLESS: Final = {"/events/stream", "/jobs/stream"}
"""Heard by hand, in test_generated_client.py."""
METHODS: Final = ("GET", "POST", "PATCH", "DELETE")
CHECKS: Final = [status_code_conformance, content_type_conformance, response_schema_conformance]


def operations() -> Iterator[APIOperation[Any, Any, Any, Any]]:
    """Every operation but the endless ones; what takes things away comes last."""
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    found = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    yield from sorted(
        (each for each in found if each.path not in ENDLESS), key=lambda each: METHODS.index(each.method.upper())
    )


class Trial:
    """An admin's requests to one world, counted by what came of them."""

    def __init__(self, world: World, base: str) -> None:
        self._world, self._base = world, base
        self.statuses: Counter[int] = Counter()

    def run(self, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, cases: int) -> None:
        """Send so many requests of one operation, of which none may be answered against the document."""

        @hypothesis.settings(
            max_examples=cases,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(operation.as_strategy(generation_mode=mode))
        def hold(case: Case[Any]) -> None:
            headers = {"Authorization": self._world.api("ann").headers["authorization"]}
            answer = case.call(base_url=self._base, headers=headers)
            self.statuses[answer.status_code] += 1
            case.validate_response(answer, checks=CHECKS)

        with contextlib.suppress(Unsatisfiable):  # of what takes nothing there is no bad request
            hold()


@pytest.mark.parametrize("cases", [1, pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_every_operation_answers_as_the_document_says_whatever_it_is_sent(own_world: World, cases: int) -> None:
    own_world.photo_embedder = LettersEmbedder()
    ann = own_world.api("ann")
    named(ann, "Bob", face_ids(ann, "bob.jpg")[0])
    ann.post("/insights/generate", json={"path": "bob.jpg"})
    with really_served(own_world.app) as base:
        trial = Trial(own_world, base)
        for operation in operations():
            for mode in GenerationMode:
                trial.run(operation, mode, cases)
    print(f"{trial.statuses.total()} requests: {dict(sorted(trial.statuses.items()))}")  # noqa: T201 - figures
    assert trial.statuses[500] == 0
    assert trial.statuses.total() >= cases * 150
    assert sum(count for status, count in trial.statuses.items() if status < 300) > cases * 30
