"""The build that later ones are compared with: unpacked from the history into ``build/``, with packages of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import venv
from functools import cache
from pathlib import Path
from typing import Any

BASE = "499557e"
ROOT = Path(__file__).parents[2]
JOBS = Path(__file__).with_name("base_jobs")
NAME = f"build {BASE}"


class NoBase(Exception):
    """Why there is no build to compare with, in words."""


@cache
def base_python() -> Path:
    """Interpreter of the base build, which is made when it is first asked for.

    Raises:
        NoBase: a checkout without the history, or packages that cannot be had.
    """
    folder = ROOT / "build" / f"base-{BASE}"
    python, done = folder / ".venv" / "bin" / "python", folder / ".done"
    if done.exists():
        return python
    folder.mkdir(parents=True, exist_ok=True)
    _unpack(folder)
    print(f"making {folder} (packages of its own; once)", file=sys.stderr, flush=True)
    venv.create(folder / ".venv", with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    wanted = ["--constraint", "constraints.txt", "--editable", ".[test]"]
    installed = subprocess.run([*pip, *wanted], cwd=folder, capture_output=True, text=True, check=False)
    if installed.returncode:
        raise NoBase((installed.stderr.strip().splitlines() or ["pip failed"])[-1])
    done.touch()
    return python


def _unpack(folder: Path) -> None:
    command = ["git", "-C", str(ROOT), "archive", BASE]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as archive:
            assert archive.stdout is not None
            with tarfile.open(fileobj=archive.stdout, mode="r|") as tar:
                tar.extractall(folder, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise NoBase(f"this checkout has no {BASE}: a whole clone is needed") from error


def run_job(name: str, *arguments: object) -> Any:
    """Run ``base_jobs/NAME.py`` in the base build.

    Args:
        name: of the job.
        arguments: its ``sys.argv[1:]``.

    Returns:
        What it printed last, from JSON.

    Raises:
        NoBase: see `base_python`.
    """
    python = base_python()
    return _run(python, python.parents[2], name, arguments)


def run_here(name: str, *arguments: object) -> Any:
    """The same job in this build, in a process of its own: for jobs that both builds can do."""
    return _run(Path(sys.executable), ROOT, name, arguments)


def _run(python: Path, folder: Path, name: str, arguments: tuple[object, ...]) -> Any:
    surroundings = {**os.environ, "PYTHONPATH": str(folder), "OPENBLAS_NUM_THREADS": "1"}
    command = [str(python), str(JOBS / f"{name}.py"), *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=surroundings, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
