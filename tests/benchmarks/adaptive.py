"""Measuring less: readings until a rate or a T1 is known as well as asked for, chosen one by one and on a grid.

An emulator (y = offset + height L + white noise) carries ``--samples`` random scales a cell; that it stands for the
wire is shown by adaptive_wire.py. Both ways end at the same error: the grid is gone through again and again until the
error of `fit_srs` has come to the target (its readings follow from the Cramer-Rao bound of the grid, which the fit
reaches). Checks are included, and the verdict on the run is the one that the sequence's analysis gives. Printed beside
the readings: pulls, coverage, wrong values, and the CPU time of a decision.

A cell is a function that gives `Found`; adaptive_all.py (``make bench-adaptive``) performs all of all scripts.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.acquisition.choosing import FINE, AxisChooser
from stmlab.analysis.adaptive.decay_verdict import judged_decay
from stmlab.analysis.adaptive.forecast import ExpectedLine
from stmlab.analysis.adaptive.posterior import decay, resonance
from stmlab.analysis.adaptive.resonance_verdict import judged_rate
from stmlab.analysis.adaptive.scale_choice import DECAY_CHECKS, RESONANCE_CHECKS, ScaleChoice
from stmlab.analysis.decay import fit_decay
from stmlab.analysis.lorentzian import fit_srs
from stmlab.errors import FitError
from tests.benchmarks.side_by_side import Row, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from stmlab.acquisition.choosing import Places
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

    Line = Callable[[FloatArray, FloatArray], FloatArray]
    Task = Callable[[], "Found"]

SERIES = 2
"""Of random samples; another number, other samples: a threshold that was chosen on one series is judged on another."""
GRID = "60-point grid"
BAND, WIDE = (3e6, 20e9), (1e3 / (2 * math.pi), 1e11 / (2 * math.pi))
WIDER = (WIDE[0] / math.sqrt(10), WIDE[1] * math.sqrt(10))
"""In which every rate of eight decades lies half a decade from the ends."""
MOST = 20_000
T1_RANGE = (0.74e-9, 4e-9)
ENOUGH = 400
"""Pulls whose mean and width can be held against a bound."""
HALF_A_DECADE = 0.5 * math.log(10) + 0.05


@dataclass
class Found:
    """What a cell gives: rows for the table, and pulls that are pooled with those of other cells."""

    rows: list[Row]
    pulls: list[float] = field(default_factory=list)
    kind: str = "scales"  # pulls are pooled with those of the same kind


@dataclass
class Cell:
    """What the runs of one kind came to."""

    readings: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)  # of the grid's readings to ours
    pulls: list[float] = field(default_factory=list)
    doubted: int = 0
    refused: int = 0
    wrong: int = 0  # by more than a factor of two
    decisions: list[float] = field(default_factory=list)  # s of CPU time

    def row(self, work: str, target: float | None, name: str) -> Row:
        """Its line in the table."""
        return Row(
            work,
            float(np.median(self.readings)),
            float(np.median(self.readings) * np.median(self.ratios)),
            name,
            target=target,
            unit="readings",
            spread=spread(self.ratios),
            note=self.honest(),
        )

    def judge(self, fitted: Callable[[], FitResult], name: str, u: float) -> None:
        """Take a result into account whose logarithm should be u."""
        try:
            fit = fitted()
        except FitError:
            self.refused += 1
            return
        self.doubted += bool(fit.warnings)
        away = math.log(fit[name].value) - u
        self.pulls.append(away / (fit[name].error / fit[name].value))
        self.wrong += abs(away) > math.log(2)

    def decision(self, work: str) -> Row:
        """Its decisions' line in the table: the longest but one in a hundred, which something else disturbs."""
        ours, longest = 1e3 * float(np.quantile(self.decisions, 0.99)), 1e3 * max(self.decisions)
        note = f"longest {longest:.1f} ms"
        return Row(f"{work}: a decision", ours, 10.0, "allowed", target=1.0, unit="ms", note=note)

    def honest(self) -> str:
        """Pulls and what was doubted, in words."""
        pulls = np.array(self.pulls)
        return (
            f"pulls {pulls.mean():+.2f}, width {pulls.std():.2f}, 95 % holds {np.mean(np.abs(pulls) < 1.96):.0%}; "
            f"{self.doubted} doubted, {self.refused} refused, {self.wrong} wrong of {len(pulls) + self.refused}"
        )


def run(
    choice: Places, low: float, high: float, read: Callable[[float], float], cell: Cell
) -> tuple[np.ndarray, np.ndarray]:
    """One run on the emulator: the points are those of an axis, each visited once, as in a sequence."""
    axis, x, y = np.linspace(low, high, FINE), [], []
    chooser = AxisChooser(choice, axis, np.asarray, "y")
    while True:
        began = time.process_time()
        index = chooser.choose()
        cell.decisions.append(time.process_time() - began)
        if index is None:
            break
        x.append(float(axis[index]))
        y.append(read(x[-1]))
        chooser.learn(index, x[-1], {"y": y[-1]})
    cell.readings.append(len(x))
    return np.array(x), np.array(y)


def verdict(x: np.ndarray, y: np.ndarray, target: float) -> FitResult:
    """What the analysis of a run with readings y at x = ln 2 pi f says; FitError where it gives no rate."""
    frequency = np.exp(x) / (2 * math.pi)
    return judged_rate(fit_srs(frequency, y), frequency, y, np.arange(len(x), dtype=float), target)


def stream(*numbers: int) -> np.random.Generator:
    """Random numbers of the series, of their own for each tuple."""
    return np.random.default_rng([SERIES, len(numbers), *numbers])  # without their count, trailing zeros would not tell


def rates(samples: int, band: tuple[float, float], snr: float, target: float, averages: int = 1) -> Cell:
    """Random rates within the band, half a decade from its ends; readings of so many averages."""
    low, high = (math.log(2 * math.pi * f) for f in band)
    this = [17, round(snr), averages, round(100 * low)]
    cell, chance = Cell(), stream(*this)
    height = snr * math.sqrt(averages)
    for seed in range(samples):
        u = np.array(chance.uniform(low + HALF_A_DECADE, high - HALF_A_DECADE))
        noise = stream(*this, seed)
        choice = ScaleChoice(resonance, low, high, target, RESONANCE_CHECKS, MOST, seed)
        x, y = run(
            choice, low, high, lambda x, u=u, n=noise: 2 + height * float(resonance(np.array(x), u)) + n.normal(), cell
        )
        expected = ExpectedLine(resonance, math.exp(u), snr, RESONANCE_CHECKS)
        grid = np.log(2 * math.pi * np.geomspace(*band, 60))
        cell.ratios.append(expected.grid_readings(grid, target, 60) / (averages * len(x)))
        cell.judge(lambda x=x, y=y: verdict(x, y, target), "rate", float(u))
    return cell


def lifetimes(samples: int, snr: float, target: float) -> tuple[Cell, list[float]]:
    """Random T1 between the first delay and a quarter of the last; also against delays on both sides of zero."""
    low, high = (math.log(t) for t in T1_RANGE)
    cell, both, chance = Cell(), [], stream(18)
    for seed in range(samples):
        u = np.array(chance.uniform(low - 0.3, high - 1.4))
        noise = stream(18, seed)
        choice = ScaleChoice(decay, low, high, target, DECAY_CHECKS, MOST, seed)
        x, y = run(choice, low, high, lambda x, u=u, n=noise: 2 + snr * float(decay(np.array(x), u)) + n.normal(), cell)
        fitted = np.linspace(*T1_RANGE, 41)
        even = np.linspace(-T1_RANGE[1], T1_RANGE[1], 41)
        one = _decay_readings(fitted, float(u), snr, target)
        cell.ratios.append(one / len(x))
        both.append(_decay_readings(even[even > T1_RANGE[0]], float(u), snr, target, of=41) / len(x))
        cell.judge(lambda x=x, y=y, u=u: decay_verdict(x, y, target), "T1", float(u))
    return cell, both


def decay_verdict(x: np.ndarray, y: np.ndarray, target: float) -> FitResult:
    """What the analysis of a run with readings y at x = ln t says; FitError where it gives no T1."""
    delay = np.exp(x)
    fit = fit_decay(delay, y, sides="positive")
    return judged_decay(fit, delay, y, np.arange(len(x), dtype=float), target)


def _decay_readings(delay: np.ndarray, u: float, snr: float, target: float, of: int | None = None) -> float:
    """On a grid of delays, until T1 is known; ``of``: delays in all, of which these are fitted."""
    line = decay(np.log(delay), np.array(u))
    rows = np.stack([np.ones_like(delay), line, snr * line * delay / math.exp(u)], axis=1)
    error = math.sqrt(np.linalg.inv(rows.T @ rows)[2, 2])
    return (of or len(delay)) * max(1.0, (error / target) ** 2)


def _rate_cell(work: str, wanted: float, samples: int, band: tuple[float, float], snr: float) -> Found:
    cell = rates(samples, band, snr, 0.01)
    told = f"{cell.wrong} are" if cell.wrong else ""
    wrong = Row(f"{work}: wrong by more than 2", cell.wrong, None, "", unit="runs", wrong=told)
    return Found([cell.row(work, wanted, GRID), cell.decision(work), wrong], cell.pulls)


def _decay_cell(samples: int) -> Found:
    cell, both = lifetimes(samples, 20, 0.02)
    ours = float(np.median(cell.readings))
    old = Row(
        "T1 to 2 %, against both sides", ours, ours * float(np.median(both)), "41 delays on both sides", 4.0, "readings"
    )
    return Found([cell.row("T1 to 2 %", 1.9, "41 delays on the fitted side"), old], cell.pulls)


def tasks(samples: int, _: int) -> list[Task]:
    """Every cell of the emulator."""
    return [
        partial(_rate_cell, "rate to 1 %, SNR 10", 1.9, samples, BAND, 10),
        partial(_rate_cell, "rate to 1 %, SNR 30", 1.9, samples, BAND, 30),
        partial(_rate_cell, "rate to 1 %, SNR 10, unknown over 8 decades", 4.0, samples, WIDER, 10),
        partial(_rate_cell, "rate to 1 %, SNR 10, band of 8 decades", 4.0, samples, WIDE, 10),
        partial(_decay_cell, samples),
    ]


def spread(ratios: ArrayLike) -> float:
    """Half the range of the middle half, relative to the median: rates near an end of the band gain most."""
    low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    return float((high - low) / (2 * middle))


def pooled(found: list[Found]) -> list[Row]:
    """Whether errors are what they say, over the runs of all cells of a kind."""
    kinds = {one.kind: [p for other in found if other.kind == one.kind for p in other.pulls] for one in found}
    return [row for kind, pulls in kinds.items() if len(pulls) >= ENOUGH for row in _pooled(kind, np.array(pulls))]


def _pooled(kind: str, values: np.ndarray) -> list[Row]:
    mean, width, held = float(values.mean()), float(values.std()), float(np.mean(np.abs(values) < 1.96))
    said = [
        ("mean, size", abs(mean), 0.0, 0.1),
        ("width", width, 0.93, 1.10),
        ("95 % coverage", held, 0.93, 0.97),
    ]
    rows = []
    for name, value, low, high in said:
        wrong = "" if low <= value <= high else "MISSED"
        note = f"{low:g} to {high:g} wanted"
        rows.append(Row(f"pulls of {len(values)} {kind}: {name}", value, None, "", unit="", wrong=wrong, note=note))
    return rows


def alone(listed: Callable[[int, int], list[Task]]) -> int:
    """Perform the cells of one script; returns an exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=25, help="of the emulator, a cell")
    parser.add_argument("--runs", type=int, default=4, help="through the wire")
    asked = parser.parse_args()
    found = [task() for task in listed(asked.samples, asked.runs)]
    return report([row for one in found for row in one.rows] + pooled(found))


if __name__ == "__main__":
    sys.exit(alone(tasks))
