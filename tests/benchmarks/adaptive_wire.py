"""Measuring less through the wire: runs of `srs` on the simulated microscope beside the emulator of adaptive.py.

The emulator has the rate and the signal that the runs found. Both must need as many readings and scatter as their
errors say: distributions of readings and of pulls are compared by the test of Kolmogorov and Smirnov.
Two runs at least.
"""

from __future__ import annotations

import math
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import ks_2samp

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.acquisition.measurement import measure
from stmlab.analysis.adaptive.posterior import resonance
from stmlab.analysis.adaptive.scale_choice import RESONANCE_CHECKS, ScaleChoice
from stmlab.storage import open_run
from tests.benchmarks.adaptive import BAND, MOST, SERIES, Cell, Found, alone, run, stream, verdict
from tests.benchmarks.side_by_side import Row

if TYPE_CHECKING:
    from tests.benchmarks.adaptive import Task

TARGET = 0.005
_EQUAL = 0.01
"""Probability by chance below which two distributions are different."""


def wire(runs: int) -> Found:
    """Default drive on the iron atom."""
    settings = {"grid": "adaptive", "target_error": TARGET, "stabilise_time": 0.2}
    readings, rates, errors, signals = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(runs):
            outcome = measure(
                "srs", sample="fe_atom", seed=1000 * SERIES + seed, path=Path(folder) / f"{seed}.h5", settings=settings
            )
            (fit,) = outcome.fits
            readings.append(len(open_run(outcome.path).visits))
            signals.append(abs(fit["step"].value) / fit.residual)
            rates.append(math.log(fit["rate"].value))
            errors.append(fit["rate"].error / fit["rate"].value)
    pulls = (np.array(rates) - np.mean(rates)) / errors
    emulated, others = _emulated(4 * runs, float(np.mean(rates)), float(np.median(signals)))
    note = f"signal {np.median(signals):.0f}, target {100 * TARGET:g} %"
    widths = f"width {pulls.std():.2f}, emulator {others.std():.2f}"
    return Found(
        [
            _equal("readings", np.array(readings, dtype=float), emulated, note),
            _equal("sizes of pulls", np.abs(pulls), np.abs(others), widths),
        ]
    )


def _emulated(runs: int, u: float, signal: float) -> tuple[np.ndarray, np.ndarray]:
    """Readings and pulls of runs of the emulator."""
    low, high = (math.log(2 * math.pi * f) for f in BAND)
    cell = Cell()
    for seed in range(runs):
        noise = stream(19, seed)
        choice = ScaleChoice(
            resonance, low, high, TARGET, RESONANCE_CHECKS, MOST
        )  # its checks are those of the sequence
        x, y = run(
            choice,
            low,
            high,
            lambda x, n=noise: 2 + signal * float(resonance(np.array(x), np.array(u))) + n.normal(),
            cell,
        )
        cell.judge(lambda x=x, y=y: verdict(x, y, TARGET), "rate", u)
    return np.array(cell.readings), np.array(cell.pulls)


def _equal(name: str, ours: np.ndarray, emulated: np.ndarray, note: str) -> Row:
    chance = float(ks_2samp(ours, emulated).pvalue)
    wrong = "" if chance > _EQUAL else f"different: by chance {chance:.1e}"
    return Row(
        f"{len(ours)} runs by the wire: {name}",
        float(np.median(ours)),
        float(np.median(emulated)),
        "emulator",
        unit="",
        wrong=wrong,
        note=f"equal by chance {chance:.2f}; {note}",
    )


def tasks(_: int, runs: int) -> list[Task]:
    """The only cell."""
    return [partial(wire, runs)]


if __name__ == "__main__":
    sys.exit(alone(tasks))
