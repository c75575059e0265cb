"""Our side of the jobs that the peers do: CPU seconds of each repetition, and the answer."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drivers.m8195a import M8195A
from stmlab.analysis.batch import fit_srs_batch
from stmlab.analysis.lorentzian import fit_srs
from stmlab.physics.stochastic_resonance import line_shape
from stmlab.physics.two_spins import TwoSpins
from tests.benchmarks.imports import HEADLESS
from tests.benchmarks.overhead import ours as run_into_file
from tests.benchmarks.side_by_side import cpu_now, cpu_seconds
from tests.benchmarks.two_spins import ANGULAR, PROBE
from tests.benchmarks.two_spins import ours as two_spins_here
from tests.benchmarks.upload import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.arrays import FloatArray

Fits = tuple[list[float], "FloatArray", "FloatArray"]
"""Seconds a spectrum; rate in 1e9/s, step and offset in pA of each; their errors."""
ROOT = Path(__file__).parents[2]
OF_PYTHON = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
"""Variables that would give one side the other's packages, or have it compiled anew each time."""
SPECTRA = 300
CURVE_POINTS, CURVE_STEPS, CURVE_SIZE = 1_000_000, 40, (900, 600)
_START = (
    "import sys; from pathlib import Path; from stmlab.acquisition.runner import Runner; "
    "from tests.acquisition.bench_station import BenchStation, Ramp; "
    "Runner(Ramp(points=1, rows=1), BenchStation(), Path(sys.argv[1])).run()"
)


def points(count: int, folder: Path, repeats: int) -> list[float]:
    """Zero-delay instruments, every point in HDF5, the watch on; seconds a point."""
    run_into_file(100, folder / "warm.h5")
    return [cpu_seconds(lambda k=k: run_into_file(count, folder / f"{k}.h5"), 1)[0] / count for k in range(repeats)]


def start(folder: Path) -> float:
    """A fresh process from its imports to a file with one point, with the drivers of a whole station imported.

    The first of a folder compiles.
    """
    path = folder / "start.h5"
    path.unlink(missing_ok=True)
    surroundings = {name: value for name, value in os.environ.items() if name not in OF_PYTHON}
    surroundings |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    before = cpu_now()
    subprocess.run([sys.executable, "-c", f"{HEADLESS}; {_START}", str(path)], check=True, env=surroundings)
    return cpu_now() - before


@contextmanager
def instrument() -> Iterator[int]:
    """The port of a virtual generator in a process of its own."""
    context = multiprocessing.get_context("spawn")
    wire, other_end = context.Pipe()
    process = context.Process(target=serve, args=(other_end,), daemon=True)
    process.start()
    try:
        yield wire.recv()
    finally:
        wire.send("stop")
        process.join()


def questions(port: int, count: int, repeats: int) -> tuple[list[float], str]:
    """By our driver: seconds a question, and the last answer."""
    driver = M8195A(f"TCPIP::127.0.0.1::{port}::SOCKET")

    def ask() -> str:
        for _ in range(count):
            answer = driver.ask("*IDN?")
        return str(answer)

    answer = ask().strip()
    seconds = [second / count for second in cpu_seconds(ask, repeats)]
    driver.close()
    return seconds, answer


def two_spins() -> dict[str, Any]:
    """The Hamiltonian and the collapse operators of the couplings, the probe and the angular frequencies."""
    system = TwoSpins(0.1, 1.0, 0.01, 0.009, exchange=0.2)
    collapse = []
    for part in system.dissipators:
        weights, vectors = np.linalg.eigh(part.rates)
        for weight, vector in zip(weights, vectors.T, strict=True):
            collapse.append(np.sqrt(max(weight, 0.0)) * np.einsum("n,nij->ij", vector.conj(), part.operators))
    return {"hamiltonian": system.hamiltonian, "collapse": np.array(collapse), "probe": PROBE, "angular": ANGULAR}


def two_spin_spectrum(repeats: int) -> tuple[list[float], FloatArray]:
    """From the numbers of the system; twenty at a time, since one is less than a millisecond."""
    return [seconds / 20 for seconds in cpu_seconds(lambda: [two_spins_here() for _ in range(20)], repeats)], (
        two_spins_here()
    )


def lines() -> dict[str, Any]:
    """Spectra of one line each: frequency in Hz, currents in pA, the true rates in 1/s."""
    random, frequency = np.random.default_rng(1), np.geomspace(3e6, 20e9, 60)
    rates = np.exp(random.uniform(np.log(3e8), np.log(2e10), SPECTRA))
    clean = np.array([line_shape(frequency, rate, 5.0, -3.0) for rate in rates])
    return {"frequency": frequency, "currents": clean + 0.5 * random.standard_normal(clean.shape), "rates": rates}


def batch_fits(given: dict[str, Any], repeats: int) -> Fits:
    """All side by side, ten thousand at a time as in a map; no start is given."""
    many = np.tile(1e-12 * given["currents"], (34, 1))
    fit_srs_batch(given["frequency"], many[:100])
    seconds = [s / len(many) for s in cpu_seconds(lambda: fit_srs_batch(given["frequency"], many), repeats)]
    fit = fit_srs_batch(given["frequency"], many[:SPECTRA])
    unit = np.array([1e9, 1e-12, 1e-12])
    return seconds, fit.values[:, :3] / unit, fit.errors[:, :3] / unit


def single_fits(given: dict[str, Any], repeats: int) -> Fits:
    """One after the other, each with its start looked for and all that is doubtful said."""
    frequency, currents = given["frequency"], 1e-12 * given["currents"]
    fit_srs(frequency, currents[0])
    fits: list[Any] = []
    seconds = [
        s / SPECTRA
        for s in cpu_seconds(lambda: fits.__setitem__(slice(None), [fit_srs(frequency, y) for y in currents]), repeats)
    ]
    unit = np.array([1e9, 1e-12, 1e-12])
    names = ("rate", "step", "offset")
    values = np.array([[fit[name].value for name in names] for fit in fits]) / unit
    errors = np.array([[fit[name].error for name in names] for fit in fits]) / unit
    return seconds, values, errors


def redraws(repeats: int) -> list[float]:
    """Of the live plot, off screen, seconds each."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PyQt6.QtWidgets import QApplication

    from tests.benchmarks.redraw import Ours, seconds

    application = QApplication.instance() or QApplication(sys.argv)
    assert isinstance(application, QApplication)
    x = np.linspace(-1e-2, 1e-2, CURVE_POINTS)
    ours = Ours(x, 1e-12 * np.random.default_rng(1).normal(size=CURVE_POINTS))
    found = []
    for _ in range(repeats):
        ours.begin()
        found.append(seconds(ours, CURVE_STEPS, application))
    return found
