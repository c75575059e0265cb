"""Measuring less through the wire: `srs` and `pump_probe` on the simulated microscope beside the emulator.

The emulator is that of adaptive.py, with the scale and the signal that the runs found. Both must need as many readings
and scatter as their errors say: distributions of readings and of pulls are compared by the test of Kolmogorov and
Smirnov. Two runs at least.
"""

from __future__ import annotations

import math
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.stats import ks_2samp

sys.path.insert(0, str(Path(__file__).parents[2]))
from sequences.pump_probe import PumpProbe
from stmlab.acquisition.measurement import measure
from stmlab.analysis.adaptive.posterior import decay, resonance
from stmlab.analysis.adaptive.scale_choice import DECAY_CHECKS, RESONANCE_CHECKS, ScaleChoice
from stmlab.storage import open_run
from tests.benchmarks.adaptive import BAND, MOST, SERIES, Cell, Found, alone, decay_verdict, run, stream, verdict
from tests.benchmarks.side_by_side import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.analysis.adaptive.scale_choice import Pattern
    from stmlab.results import FitResult
    from tests.benchmarks.adaptive import Line, Task

CONFIG = Path(__file__).parents[2] / "config"

_EQUAL = 0.01
"""Probability by chance below which two distributions are different."""
_FLAT = """
[simulation.options.line]
standing_waves = []
"""
"""A line without the echo at 2.4 ns, which a T1 of one exponential does not know; its table has it still."""


class Kind(NamedTuple):
    """Runs of a sequence, and what the emulator needs of it."""

    sequence: str
    settings: dict[str, Any]
    value: str  # its name in the fit
    height: str
    line: Line
    checks: Pattern
    ends: tuple[float, float]  # logarithms of the range
    verdict: Callable[[np.ndarray, np.ndarray, float], FitResult]
    flat: bool  # over a line without echoes

    @property
    def target(self) -> float:
        """Relative error that is asked for."""
        return float(self.settings["target_error"])


def kinds() -> list[Kind]:
    """Default drives on the iron atom; T1 with readings of 0.3 s, which stand out of the noise."""
    rate = {"grid": "adaptive", "target_error": 0.005, "stabilise_time": 0.2}
    delays = {"delays": "adaptive", "target_error": 0.02, "stabilise_time": 0.2, "time_constant": 0.3}
    pulses = PumpProbe(**delays).axes()[-1].values[[0, -1]]
    band = tuple(math.log(2 * math.pi * f) for f in BAND)
    return [
        Kind("srs", rate, "rate", "step", resonance, RESONANCE_CHECKS, band, verdict, False),
        Kind(
            "pump_probe",
            delays,
            "T1",
            "height_positive",
            decay,
            DECAY_CHECKS,
            tuple(np.log(pulses)),
            decay_verdict,
            True,
        ),
    ]


def flat_station(folder: Path) -> Path:
    """The file of the simulated microscope with a line without echoes."""
    text = (CONFIG / "simulated.toml").read_text()
    station = folder / "flat.toml"
    station.write_text(text.replace('"transfer/', f'"{(CONFIG / "transfer").as_posix()}/') + _FLAT)
    return station


def wire(kind: Kind, runs: int) -> Found:
    """Runs of the sequence beside those of the emulator."""
    readings, values, errors, signals = [], [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        station = str(flat_station(folder)) if kind.flat else "simulated"
        for seed in range(runs):
            outcome = measure(
                kind.sequence,
                station,
                sample="fe_atom",
                seed=1000 * SERIES + seed,
                path=folder / f"{seed}.h5",
                settings=kind.settings,
            )
            (fit,) = outcome.fits
            readings.append(len(open_run(outcome.path).visits))
            signals.append(abs(fit[kind.height].value) / fit.residual)
            values.append(math.log(fit[kind.value].value))
            errors.append(fit[kind.value].error / fit[kind.value].value)
    pulls = (np.array(values) - np.mean(values)) / errors
    emulated, others = _emulated(kind, 4 * runs, float(np.mean(values)), float(np.median(signals)))
    note = f"signal {np.median(signals):.0f}, target {100 * kind.target:g} %"
    widths = f"width {pulls.std():.2f}, emulator {others.std():.2f}"
    return Found(
        [
            equal(f"{kind.sequence}: readings", np.array(readings, dtype=float), emulated, note),
            equal(f"{kind.sequence}: sizes of pulls", np.abs(pulls), np.abs(others), widths),
        ]
    )


def _emulated(kind: Kind, runs: int, u: float, signal: float) -> tuple[np.ndarray, np.ndarray]:
    """Readings and pulls of runs of the emulator."""
    cell = Cell()
    for seed in range(runs):
        noise = stream(19, seed)
        choice = ScaleChoice(kind.line, *kind.ends, kind.target, kind.checks, MOST)  # its checks are the sequence's
        x, y = run(
            choice,
            *kind.ends,
            lambda x, n=noise: 2 + signal * float(kind.line(np.array(x), np.array(u))) + n.normal(),
            cell,
        )
        cell.judge(lambda x=x, y=y: kind.verdict(x, y, kind.target), kind.value, u)
    return np.array(cell.readings), np.array(cell.pulls)


def equal(name: str, ours: np.ndarray, emulated: np.ndarray, note: str) -> Row:
    """Whether what the wire gave and what the emulator gave may be of one distribution (Kolmogorov and Smirnov)."""
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
    """A cell for each kind."""
    return [partial(wire, kind, runs) for kind in kinds()]


if __name__ == "__main__":
    sys.exit(alone(tasks))
