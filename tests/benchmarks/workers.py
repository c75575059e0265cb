"""A grid fitted by two workers beside one: the transport model in third order at each of 360 places, temperature too.

By the clock, as that is what workers are for; both workers are warm. The numbers must be the same to the last bit.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.analysis.grids import analyse_grid
from stmlab.cluster import done_by, workers
from tests.benchmarks.side_by_side import Row, report
from tests.spin_grid import spin_grid

LEAST = 1 / 0.6
TOLD = {"modulation": 0.0, "order": 3}


def workers_beside_one() -> Row:
    """Two beside one."""
    grid, few = spin_grid(36, 10, order=3), spin_grid(2, 8, order=3)
    began = time.perf_counter()
    alone = analyse_grid(grid, "transport", settings=TOLD)["forward"]
    one = time.perf_counter() - began
    with workers(2) as crew, done_by(crew):
        analyse_grid(few, "transport", settings=TOLD)
        began = time.perf_counter()
        shared = analyse_grid(grid, "transport", settings=TOLD)["forward"]
        two = time.perf_counter() - began
    same = all(
        np.array_equal(getattr(alone.batch, name), getattr(shared.batch, name), equal_nan=True)
        for name in ("values", "errors", "covariance", "residual")
    )
    wrong = "" if same else "two workers give other numbers than one"
    note = f"{int(alone.ok.sum())} of {alone.ok.size} places, by the clock"
    return Row("fit of a grid by two workers", two, one, "one worker", LEAST, wrong=wrong, note=note)


if __name__ == "__main__":
    sys.exit(report([workers_beside_one()]))
