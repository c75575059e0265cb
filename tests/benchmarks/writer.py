"""The writer alone: a point that is flushed by itself, and one of a batch of 250, beside the base build's.

A file of today has n-d data, a log with checksums and the groups of NeXus; the base build's had flat columns. The price
allowed for that is a tenth for a single point, and twice in batches.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks.base_build import JOBS, NAME, ROOT, NoBase, run_job
from tests.benchmarks.side_by_side import Row, compared, report

WORK = {"single points": (4_000, 1, 1 / 1.1), "batches of 250": (50_000, 250, 1 / 2)}
"""Name -> points, points in a batch, least ratio."""
TURNS, RUNS = 3, 3


def ours(*arguments: int) -> list[float]:
    """CPU seconds of the same job in this build, in a process of its own like the base build's."""
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, str(JOBS / "writer.py"), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def row(name: str, points: int, batch: int, target: float) -> Row:
    """Both builds in turn."""
    work = f"writer a point, {name}"
    mine: list[float] = []
    base: list[float] = []
    try:
        for _ in range(TURNS):
            mine += [1e6 * s / points for s in ours(points, batch, RUNS)]
            base += [1e6 * s / points for s in run_job("writer", points, batch, RUNS)]
    except NoBase as why:
        return Row(work, float(np.median(mine)), None, NAME, target, "us", note=str(why))
    a, b, spread = compared(mine, base)
    return Row(work, a, b, NAME, target, "us", spread)


def main() -> int:
    """Medians of runs taken in turn."""
    return report([row(name, *arguments) for name, arguments in WORK.items()])


if __name__ == "__main__":
    sys.exit(main())
