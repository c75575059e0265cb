"""Measuring less: readings until a rate or a T1 is known as well as asked for, chosen one by one and on a grid.

An emulator (y = offset + height L + white noise) carries ``--samples`` random scales a cell; that it stands for the
wire is shown by runs of `srs` on the simulated microscope in the same script. Both ways end at the same error: the grid
is gone through again and again until the error of `fit_srs` has come to the target (its readings follow from the
Cramer-Rao bound of the grid, which the fit reaches). Checks are included. Printed beside the readings: pulls, coverage,
wrong values, how often strong modulation (A = Gamma) is doubted, and the longest decision.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.acquisition.measurement import measure
from stmlab.analysis.adaptive.forecast import grid_readings
from stmlab.analysis.adaptive.posterior import decay, resonance
from stmlab.analysis.adaptive.scale_choice import DECAY_CHECKS, RESONANCE_CHECKS, ScaleChoice
from stmlab.analysis.decay import fit_decay
from stmlab.analysis.lorentzian import fit_srs
from stmlab.errors import FitError
from stmlab.storage import open_run
from tests.benchmarks.side_by_side import Row, report

if TYPE_CHECKING:
    from collections.abc import Callable

BAND, WIDE = (3e6, 20e9), (1e3 / (2 * math.pi), 1e11 / (2 * math.pi))
MOST = 20_000
T1_RANGE = (0.74e-9, 4e-9)


@dataclass
class Cell:
    """What the runs of one kind came to."""

    readings: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)  # of the grid's readings to ours
    pulls: list[float] = field(default_factory=list)
    doubted: int = 0
    refused: int = 0
    wrong: int = 0  # by more than a factor of two
    decision: float = 0.0  # s, the longest

    def row(self, work: str, target: float | None, name: str) -> Row:
        """Its line in the table."""
        return Row(
            work,
            float(np.median(self.readings)),
            float(np.median(self.readings) * np.median(self.ratios)),
            name,
            target=target,
            unit="readings",
            spread=float(np.std(self.ratios)),
            note=self.honest(),
        )

    def honest(self) -> str:
        """Pulls and what was doubted, in words."""
        pulls = np.array(self.pulls)
        return (
            f"pulls {pulls.mean():+.2f}, width {pulls.std():.2f}, 95 % holds {np.mean(np.abs(pulls) < 1.96):.0%}; "
            f"{self.doubted} doubted, {self.refused} refused, {self.wrong} wrong of {len(pulls) + self.refused}; "
            f"decision at most {1e3 * self.decision:.1f} ms"
        )


def run(choice: ScaleChoice, read: Callable[[float], float], cell: Cell) -> tuple[np.ndarray, np.ndarray]:
    """One run on the emulator."""
    x, y = [], []
    while True:
        began = time.process_time()
        place = choice.choose()
        cell.decision = max(cell.decision, time.process_time() - began)
        if place is None:
            break
        x.append(place)
        y.append(read(place))
        choice.learn(len(x), place, y[-1])
    cell.readings.append(len(x))
    return np.array(x), np.array(y)


def rates(samples: int, band: tuple[float, float], snr: float, target: float, line: Callable = resonance) -> Cell:
    """Random rates within the band, half a decade from its ends."""
    low, high = (math.log(2 * math.pi * f) for f in band)
    cell, chance = Cell(), np.random.default_rng(17)
    for seed in range(samples):
        u = np.array(chance.uniform(low + 1.2, high - 1.2))
        noise = np.random.default_rng([17, seed])
        choice = ScaleChoice(resonance, low, high, target, RESONANCE_CHECKS, MOST, seed)
        x, y = run(choice, lambda x, u=u, n=noise: 2 + snr * float(line(np.array(x), u)) + n.normal(), cell)
        cell.ratios.append(grid_readings(np.geomspace(*band, 60), math.exp(u), snr, target) / len(x))
        try:
            rate = (fit := fit_srs(np.exp(x) / (2 * math.pi), y))["rate"]
        except FitError:
            cell.refused += 1
            continue
        cell.doubted += bool(fit.warnings)
        away = math.log(rate.value) - float(u)
        cell.pulls.append(away / (rate.error / rate.value))
        cell.wrong += abs(away) > math.log(2)
    return cell


def lifetimes(samples: int, snr: float, target: float) -> tuple[Cell, list[float]]:
    """Random T1 between the first delay and a quarter of the last; also against delays on both sides of zero."""
    low, high = (math.log(t) for t in T1_RANGE)
    cell, both, chance = Cell(), [], np.random.default_rng(18)
    for seed in range(samples):
        u = np.array(chance.uniform(low - 0.3, high - 1.4))
        noise = np.random.default_rng([18, seed])
        choice = ScaleChoice(decay, low, high, target, DECAY_CHECKS, MOST, seed)
        x, y = run(choice, lambda x, u=u, n=noise: 2 + snr * float(decay(np.array(x), u)) + n.normal(), cell)
        fitted = np.linspace(*T1_RANGE, 41)
        even = np.linspace(-T1_RANGE[1], T1_RANGE[1], 41)
        one = _decay_readings(fitted, float(u), snr, target)
        cell.ratios.append(one / len(x))
        both.append(_decay_readings(even[even > T1_RANGE[0]], float(u), snr, target, of=41) / len(x))
        try:
            t1 = (fit := fit_decay(np.exp(x), y, sides="positive"))["T1"]
        except FitError:
            cell.refused += 1
            continue
        cell.doubted += bool(fit.warnings)
        away = math.log(t1.value) - float(u)
        cell.pulls.append(away / (t1.error / t1.value))
        cell.wrong += abs(away) > math.log(2)
    return cell, both


def _decay_readings(delay: np.ndarray, u: float, snr: float, target: float, of: int | None = None) -> float:
    """On a grid of delays, until T1 is known; ``of``: delays in all, of which these are fitted."""
    line = decay(np.log(delay), np.array(u))
    rows = np.stack([np.ones_like(delay), line, snr * line * delay / math.exp(u)], axis=1)
    error = math.sqrt(np.linalg.inv(rows.T @ rows)[2, 2])
    return (of or len(delay)) * max(1.0, (error / target) ** 2)


def strongly_driven() -> Callable:
    """L(x, u) of a rate that is modulated by as much as it is."""
    from tests.analysis.test_lorentzian import distorted

    away = np.linspace(-12, 12, 600)
    line = distorted(1.0, np.exp(away) / (2 * np.pi))
    line = (line - line[-1]) / (line[0] - line[-1])
    return lambda x, u: np.interp(x - u, away, line)


def wire(runs: int) -> Row:
    """Runs of the sequence on the simulated microscope beside the emulator at their signal and rate."""
    settings = {"grid": "adaptive", "target_error": 0.005, "stabilise_time": 0.2}
    readings, signals, rate = [], [], math.nan
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(runs):
            outcome = measure("srs", sample="fe_atom", seed=seed, path=Path(folder) / f"{seed}.h5", settings=settings)
            (fit,) = outcome.fits
            readings.append(len(open_run(outcome.path).visits))
            signals.append(abs(fit["step"].value) / fit.residual)
            rate = fit["rate"].value
    low, high = (math.log(2 * math.pi * f) for f in BAND)
    cell = Cell()
    for seed in range(4 * runs):
        noise, snr = np.random.default_rng([19, seed]), float(np.median(signals))
        choice = ScaleChoice(resonance, low, high, 0.005, RESONANCE_CHECKS, MOST, seed)
        u = np.array(math.log(rate))
        run(choice, lambda x, n=noise, s=snr, u=u: 2 + s * float(resonance(np.array(x), u)) + n.normal(), cell)
    ours, emulated = float(np.median(readings)), float(np.median(cell.readings))
    apart = abs(ours / emulated - 1)
    wrong = f"{apart:.0%} apart" if apart > 0.25 else ""
    return Row("readings by the wire beside the emulator", ours, emulated, "emulator", unit="readings", wrong=wrong)


def main() -> int:
    """Every cell; returns an exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=25, help="a cell; 200 take twenty minutes")
    parser.add_argument("--runs", type=int, default=4, help="through the wire; 20 take five minutes")
    asked = parser.parse_args()
    n, grid = asked.samples, "60-point grid"
    ten, thirty, wide = rates(n, BAND, 10, 0.01), rates(n, BAND, 30, 0.01), rates(max(n // 4, 4), WIDE, 10, 0.01)
    strong = rates(n, BAND, 30, 0.01, strongly_driven())
    t1, both = lifetimes(n, 20, 0.02)
    rows = [
        ten.row("rate to 1 %, SNR 10", 1.9, grid),
        thirty.row("rate to 1 %, SNR 30", 1.9, grid),
        wide.row("rate to 1 %, SNR 10, eight decades", 4.0, grid),
        t1.row("T1 to 2 %", 1.9, "delays on the fitted side"),
        Row(
            "T1 to 2 %, against both sides",
            float(np.median(t1.readings)),
            float(np.median(t1.readings) * np.median(both)),
            "41 delays on both sides",
            target=4.0,
            unit="readings",
        ),
        Row(
            "strong modulation doubted, of 100", 95.0, 100.0 * strong.doubted / n, "asked for", target=1.0, unit="runs"
        ),
        wire(asked.runs),
    ]
    pooled = np.concatenate([ten.pulls, thirty.pulls, wide.pulls, t1.pulls])
    print(
        f"pooled over {len(pooled)} runs: pulls {pooled.mean():+.3f}, width {pooled.std():.3f}, "
        f"95 % holds {np.mean(np.abs(pooled) < 1.96):.3f}"
    )
    return report(rows)


if __name__ == "__main__":
    sys.exit(main())
