"""Measuring less in dI/dV: readings until the energies of steps are known as well as asked for, chosen and on a grid.

As in adaptive.py: an emulator of G(V) with white noise, random spectra at 1.2 K with a modulation of 0.2 mV between
-10 and 10 mV, everything left free (heights, background and its slope, offset, temperature). The even grid of 201
points is gone through until its error has come to the target, by the Cramer-Rao bound. A third of the chosen readings
is spread over the range. That the emulator stands for the wire is shown by runs of `didv`.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.acquisition.measurement import measure
from stmlab.analysis.adaptive.step_choice import StepChoice
from stmlab.analysis.adaptive.step_forecast import ExpectedSteps
from stmlab.analysis.steps.fit import fit_steps
from stmlab.analysis.steps.model import StepModel
from stmlab.errors import FitError
from stmlab.physics.constants import MEV_PER_V
from stmlab.storage import open_run
from tests.benchmarks.adaptive import MOST, SERIES, Cell, Found, alone, run, stream
from tests.benchmarks.adaptive_wire import equal

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from tests.benchmarks.adaptive import Task
    from tests.benchmarks.side_by_side import Row

REACH, POINTS = 10.0, 201  # meV either way; of the even grid
TEMPERATURE, MODULATION = 1.2, 0.2e-3
CROSSING = 0.15  # of the bias through the whole range, in readings: 0.5 V/s, time constant 30 ms
NAMES = ("inner_energy", "outer_energy")
SAMPLE = """
name = "easy_axis"
kind = "coupled_spins"
title = "spin 1 on an easy axis"
source = "of this benchmark"
decay_constant_per_m = 1.0e10

[coupled_spins]
spin = 1.0
axial_anisotropy_meV = -4.0
transverse_anisotropy_meV = 0.0
temperature_K = 1.2
conductance_S = 0.1e-6
sample_scattering_S = 20e-6
order = 2
"""
"""Steps at 4 meV and nothing else."""


def energies(samples: int, snr: float, target: float, pairs: int = 1, temperature: float | None = None) -> Cell:
    """Random spectra.

    Args:
        samples: their number.
        snr: mean height of a step over the noise of a reading.
        target: relative error of every energy.
        pairs: 1 or 2.
        temperature: K, if it is known to the run.
    """
    this = [20, pairs, round(snr), temperature is not None]
    cell, chance = Cell(), stream(*this)
    free = StepModel(pairs, None, MODULATION, True, True, False)
    known = StepModel(pairs, temperature, MODULATION, True, True, False)
    for seed in range(samples):
        vector = _spectrum(free, chance)
        noise = stream(*this, seed)
        choice = StepChoice(known, -REACH, REACH, target, MOST, CROSSING, seed)
        x, y = run(
            choice,
            -REACH,
            REACH,
            lambda x, v=vector, n=noise: snr * float(free.value(v, np.array([x]))[0]) + n.normal(),
            cell,
        )
        true = free.energies(vector)
        cell.ratios.append(
            grid_readings(known, vector[[free.names.index(n) for n in known.names]], snr, target) / len(x)
        )
        try:
            fit = fit_steps(
                x / MEV_PER_V, y, temperature_K=temperature, modulation_V=MODULATION, pairs=pairs, window_V=None
            )
        except FitError:
            cell.refused += 1
            continue
        cell.doubted += bool(fit.warnings)
        away = [fit[name].value - energy for name, energy in zip(NAMES, true, strict=False)]
        cell.pulls += [a / fit[name].error for a, name in zip(away, NAMES, strict=False)]
        cell.wrong += any(abs(a) > 0.5 * energy for a, energy in zip(away, true, strict=True))
    return cell


def _spectrum(model: StepModel, chance: np.random.Generator) -> FloatArray:
    """Parameters of a random spectrum with steps of about 1."""
    inner = chance.uniform(2.0, 5.0) if model.pairs == 1 else chance.uniform(1.5, 3.5)
    shaping = [inner, chance.uniform(1.5, 3.5)][: model.pairs]
    heights = np.clip(chance.normal(1.0, 0.2, 2 * model.pairs), 0.5, None)
    return np.array([*shaping, chance.uniform(-0.3, 0.3), np.log(TEMPERATURE), *heights, 3.0, 0.02])


def grid_readings(model: StepModel, vector: FloatArray, snr: float, target: float) -> float:
    """Readings on the even grid, each bias as often as the others, until every energy is known to ``target``."""
    vector = np.concatenate([vector[: len(model.shaping)], snr * vector[len(model.shaping) :]])
    return ExpectedSteps(model, vector).grid_readings(np.linspace(-REACH, REACH, POINTS), target, POINTS)


def wire(runs: int, target: float = 0.001) -> Row:
    """Runs of the sequence on the simulated microscope beside the emulator at their signal and parameters."""
    settings = {"biases": "adaptive", "pairs": 1, "target_error": target, "stabilise_time": 0.2}
    settings |= {"setpoint_current": 20e-12, "time_constant": 0.01}
    readings, signals, found = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "easy_axis.toml"
        sample.write_text(SAMPLE)
        for seed in range(runs):
            path = Path(folder) / f"{seed}.h5"
            outcome = measure("didv", sample=str(sample), seed=1000 * SERIES + seed, path=path, settings=settings)
            (fit,) = outcome.fits
            readings.append(len(open_run(outcome.path).visits))
            heights = [fit[f"inner_height_{side}"].value for side in ("negative", "positive")]
            signals.append(float(np.mean(heights)) / fit.residual)
            found.append([heights[0] / np.mean(heights), heights[1] / np.mean(heights), fit["background"].value])
            found[-1][2] /= float(np.mean(heights))
    model = StepModel(1, None, MODULATION, True, True, False)
    vector = np.array([4.0, 0.0, np.log(TEMPERATURE), *np.mean(found, axis=0), 0.0])
    cell, snr = Cell(), float(np.median(signals))
    for seed in range(4 * runs):
        noise = stream(21, seed)
        choice = StepChoice(model, -REACH, REACH, target, MOST, CROSSING, seed)
        run(
            choice,
            -REACH,
            REACH,
            lambda x, n=noise: snr * float(model.value(vector, np.array([x]))[0]) + n.normal(),
            cell,
        )
    return equal(
        "didv: readings", np.array(readings), np.array(cell.readings), f"signal {snr:.0f}, target {target:.1%}"
    )


def _cell(
    work: str, samples: int, snr: float, target: float, pairs: int = 1, temperature: float | None = None
) -> Found:
    cell = energies(samples, snr, target, pairs, temperature)
    return Found([cell.row(work, 3.5, "201 even points"), cell.decision(work)], cell.pulls, "energies")


def _wire(runs: int) -> Found:
    return Found([wire(runs)])


def tasks(samples: int, runs: int) -> list[Task]:
    """Every cell."""
    few = max(samples // 4, 2)
    return [
        partial(_cell, "step energy at 1.2 K to 0.3 %, SNR 10", samples, 10, 0.003),
        partial(_cell, "step energy at 1.2 K to 0.3 %, SNR 10, T known", samples, 10, 0.003, 1, TEMPERATURE),
        partial(_cell, "step energy at 1.2 K to 0.6 %, SNR 3", few, 3, 0.006),
        partial(_cell, "two step energies at 1.2 K to 0.5 %, SNR 10", max(samples // 2, 2), 10, 0.005, 2),
        partial(_wire, runs),
    ]


if __name__ == "__main__":
    sys.exit(alone(tasks))
