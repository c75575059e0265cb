"""Measuring less in time: seconds until a rate is known to 1 %, chosen and on the grid, all real costs counted.

Either way each visit of a frequency costs an upload, the settling of the lock-in's filter and the readings, as the
sequence's own estimate says; `srs` at its defaults. The grid goes through its 60 frequencies once, with as many
averages as it needs: the least time that it can take. The chosen frequencies are visited with as many averages as
``stmlab plan`` says for the noise.
"""

from __future__ import annotations

import math
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.acquisition.measurement import measurement
from stmlab.analysis.adaptive.forecast import ExpectedLine, suiting_averages
from stmlab.analysis.adaptive.posterior import resonance
from stmlab.analysis.adaptive.scale_choice import RESONANCE_CHECKS
from tests.benchmarks.adaptive import BAND, GRID, Found, alone, rates, spread
from tests.benchmarks.side_by_side import Row

if TYPE_CHECKING:
    from tests.benchmarks.adaptive import Task

UPLOAD = 0.05
"""s for a tone: some ten messages to the generator, each confirmed, and a segment of at most a million samples."""
TARGET = 0.01


def visit_seconds(averages: int) -> float:
    """Of one frequency with so many readings."""
    with measurement("srs", "simulated", sample="fe_atom", settings={"averages": averages}) as (runner, _):
        return UPLOAD + runner.sequence.point_seconds()


def seconds(work: str, samples: int, snr: float) -> Found:
    """Random rates; the averages are those of a rate in the middle of the band."""
    middle = 2 * math.pi * math.sqrt(BAND[0] * BAND[1])
    expected = ExpectedLine(resonance, middle, snr, RESONANCE_CHECKS)
    ends = (math.log(2 * math.pi * f) for f in BAND)
    averages = suiting_averages(expected.chosen_readings(*ends, TARGET, 20_000))
    once, further = visit_seconds(1), visit_seconds(2) - visit_seconds(1)
    cell = rates(samples, BAND, snr, TARGET, averages)
    visits = np.array(cell.readings)
    ours = visits * (once + (averages - 1) * further)
    grid = 60 * once + (visits * averages * np.array(cell.ratios) - 60) * further
    row = Row(
        work,
        float(np.median(ours)),
        float(np.median(ours) * np.median(grid / ours)),
        GRID,
        target=1.7,
        spread=spread(grid / ours),
        note=f"averages={averages}, {np.median(visits):.0f} visits; {cell.honest()}",
    )
    return Found([row], cell.pulls)


def tasks(samples: int, _: int) -> list[Task]:
    """Every cell."""
    return [
        partial(seconds, "time to 1 %, SNR 10", samples, 10),
        partial(seconds, "time to 1 %, SNR 30", samples, 30),
    ]


if __name__ == "__main__":
    sys.exit(alone(tasks))
