"""CORS_ORIGINS: origins as browsers write them, and nothing that only looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.settings.values import Refused, origins

HERE = Path()


def test_origins_are_written_as_browsers_write_them() -> None:
    given = "https://Viewer.example:443/, http://localhost:3000 ,http://[::1]:80"
    assert origins(given, HERE) == ("https://viewer.example", "http://localhost:3000", "http://[::1]")
    assert origins("*", HERE) == ("*",)
    assert origins(" , ", HERE) == ()


@pytest.mark.parametrize(
    "given",
    [
        "viewer.example",
        "https://*.example",
        "*, https://a.example",
        "https://a.example/viewer",
        "https://u:p@a.example",
        "https://a.example?x",
        "https://a.example:0",
        "file://x",
        "null",
    ],
)
def test_what_is_no_origin_is_refused(given: str) -> None:
    with pytest.raises(Refused):
        origins(given, HERE)
