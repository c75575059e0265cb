"""Environments of their own for third-party clients whose requirements would clash with ours.

An environment is made with pip in ``.envs/<name>`` of the checkout when a test first asks for it, used again by later
runs, and made anew when its list of requirements has changed. Where the packages cannot be had, the test is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

_FOLDER = Path(__file__).resolve().parents[2] / ".envs"
_NOTE = "requirements.txt"  # lies in each finished environment: what it was made of


@dataclass(frozen=True)
class ClientEnvironment:
    """A Python interpreter that has a third-party client.

    Attributes:
        python: the interpreter.
    """

    python: Path

    def run(self, script: str, *arguments: object, timeout: float = 60.0) -> Any:
        """Run a client script to its end.

        Args:
            script: source text; the last line it prints is one JSON value, whatever else the client prints before.
            arguments: its ``sys.argv[1:]``, turned into text.
            timeout: seconds.

        Returns:
            The JSON value. A script that fails or prints none fails the test with what it wrote.
        """
        command = [str(self.python), "-I", "-c", script, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        lines = done.stdout.strip().splitlines()
        if done.returncode != 0 or not lines:
            pytest.fail(f"the client ended with status {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return json.loads(lines[-1])


def small_clients() -> ClientEnvironment:
    """The makers' and others' programs for lock-in and generator, which need little but numpy."""
    lockin = "srsinst.sr860==0.3.2", "srsgui==0.4.7", "python-vxi11==0.9", "pyserial==3.5"
    generator = "pyarbtools==2025.6.1", "socketscpi==2025.2.0", "pyvisa==1.16.2", "typing_extensions"
    return client_environment("small", ["--no-deps", *lockin, *generator, "numpy"])


class NoEnvironment(Exception):
    """Why an environment cannot be had, in words."""


def client_environment(name: str, requirements: Iterable[str]) -> ClientEnvironment:
    """The environment ``name`` with ``requirements`` (as pip takes them) installed; skips the test if pip fails."""
    try:
        return ClientEnvironment(provided(name, requirements))
    except NoEnvironment as why:
        pytest.skip(f"no environment {name} for the client: {why}")


def provided(name: str, requirements: Iterable[str]) -> Path:
    """The interpreter of the environment ``name`` with ``requirements`` (as pip takes them) installed.

    Raises:
        NoEnvironment: pip fails.
    """
    environment = _FOLDER / name
    if failure := _provide(environment, tuple(requirements)):
        raise NoEnvironment(failure)
    return _interpreter(environment)


@cache  # a failed installation is not tried again within one run
def _provide(environment: Path, requirements: tuple[str, ...]) -> str:
    """Make the environment unless it is there; return why it cannot be made, or an empty string."""
    note = "".join(f"{requirement}\n" for requirement in requirements)
    if _note_of(environment) == note:
        return ""
    _FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{environment.name}-", dir=_FOLDER, ignore_cleanup_errors=True) as folder:
        fresh, old = Path(folder, "fresh"), Path(folder, "old")
        venv.create(fresh)
        # Our own pip installs into it, and only the modules that a client imports are compiled, when it does.
        pip = [sys.executable, "-m", "pip", "--python", str(_interpreter(fresh)), "--disable-pip-version-check"]
        install = [*pip, "install", "--quiet", "--no-compile", *requirements]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        (fresh / _NOTE).write_text(note, encoding="utf-8")
        if environment.exists():
            environment.rename(old)
        # An interpreter finds its environment by its own path, so it may be moved; whole or not at all is what matters.
        try:
            fresh.rename(environment)
        except OSError:  # another process was faster
            shutil.rmtree(fresh)
    return "" if _note_of(environment) == note else f"another process makes {environment} of something else"


def _note_of(environment: Path) -> str | None:
    try:
        return (environment / _NOTE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _interpreter(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
