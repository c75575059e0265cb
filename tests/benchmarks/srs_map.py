"""A map of 2,500 resonance lines with its doubts, beside the base build, and beside a loop of scipy's curve_fit.

A fifth of the lines are distorted. The answers are those of `fit_srs` of each spectrum by itself. curve_fit begins at
the truth, looks for no start and has no doubts.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.optimize import curve_fit

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.analysis.lorentzian import fit_srs
from stmlab.errors import FitError
from stmlab.physics.stochastic_resonance import line_shape
from tests.benchmarks.base_build import NAME, NoBase, run_here, run_job
from tests.benchmarks.side_by_side import Row, cpu_seconds, report

FREQUENCY, SIDE = np.geomspace(3e6, 20e9, 60), 50
CHOSEN, RUNS = 256, 7
FASTER, FASTER_THAN_LOOP, SAME = 50.0, 20.0, 1e-3  # times, times, standard errors


def lines() -> tuple[np.ndarray, ...]:
    """Bias and amplitude of each spectrum, its rate and step, (m,), and the currents, (m, n)."""
    random, count = np.random.default_rng(1), SIDE * SIDE
    bias, drive = np.meshgrid(np.linspace(-4e-3, 4e-3, SIDE), np.linspace(0.5e-3, 3e-3, SIDE), indexing="ij")
    rates, steps = 1e9 * np.exp(random.uniform(-2.0, 3.0, count)), 5e-12 * (bias.ravel() / 4e-3)
    currents = np.array([line_shape(FREQUENCY, g, s, -3e-12) for g, s in zip(rates, steps, strict=True)])
    half = np.array([line_shape(FREQUENCY, g / 2, 0.5 * s, 0.0) for g, s in zip(rates, steps, strict=True)])
    currents += np.where(random.uniform(size=count) < 0.2, 1.0, 0.0)[:, None] * half
    return bias.ravel(), drive.ravel(), rates, steps, currents + 0.2e-12 * random.standard_normal(currents.shape)


def line(angular: np.ndarray, rate: float, step: float, offset: float) -> np.ndarray:
    """Eq. 1 as one writes it for curve_fit."""
    return step / (1 + (angular / rate) ** 2) + offset


def loop(rates: np.ndarray, steps: np.ndarray, currents: np.ndarray) -> None:
    """scipy's, in picoamperes and nanoseconds: least squares without scaling does not like 1e-12."""
    angular = 2e-9 * np.pi * FREQUENCY
    for rate, step, current in zip(rates, steps, currents, strict=True):
        start = (1e-9 * rate, 1e12 * step, -3.0)
        try:
            curve_fit(line, angular, 1e12 * current, p0=start)
        except RuntimeError:
            continue


def apart(found: dict[str, list[float]], currents: np.ndarray, chosen: np.ndarray) -> float:
    """Largest distance from a single fit, in standard errors; infinite where only one of them refuses."""
    worst = 0.0
    for k in chosen.tolist():
        try:
            rate = fit_srs(FREQUENCY, currents[k])["rate"]
        except FitError:
            worst = max(worst, 0.0 if np.isnan(found["rate"][k]) else np.inf)
            continue
        worst = max(worst, abs(found["rate"][k] - rate.value) / rate.error)
    return worst


def main() -> int:
    """Two rows."""
    bias, drive, rates, steps, currents = lines()
    chosen = np.random.default_rng(2).permutation(rates.size)[:CHOSEN]
    work = f"fit of a map of {rates.size} resonance lines with its doubts"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "map.npz")
        columns = {"bias": bias, "amplitude": drive}
        repeated = {name: np.repeat(values, FREQUENCY.size) for name, values in columns.items()}
        np.savez(path, **repeated, frequency=np.tile(FREQUENCY, rates.size), current=currents.ravel())
        ours = run_here("srs_map", path, RUNS)
        theirs = min(cpu_seconds(lambda: loop(rates[chosen], steps[chosen], currents[chosen]), 3))
        distance = apart(ours, currents, chosen)
        wrong = "" if distance < SAME else f"{distance:.1e} standard errors from the single fits"
        note = f"within {distance:.0e} standard errors of the single fits"
        scipy = Row(
            work,
            ours["seconds"],
            theirs * rates.size / CHOSEN,
            "scipy curve_fit, without doubts",
            FASTER_THAN_LOOP,
            wrong=wrong,
            note=f"{note}; the loop by {CHOSEN} of them, beginning at the truth",
        )
        try:
            base = run_job("srs_map", path, 1)
        except NoBase as why:
            return report([Row(work, ours["seconds"], None, NAME, note=str(why)), scipy])
    return report([Row(work, ours["seconds"], base["seconds"], NAME, FASTER, wrong=wrong, note=note), scipy])


if __name__ == "__main__":
    sys.exit(main())
