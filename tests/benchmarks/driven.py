"""The SRS spectrum of Fe on Cu2N at 60 frequencies: harmonic balance beside LSODA and the one-period propagator.

Limits of the issue: a fiftieth of LSODA's time, error at most 1e-8. LSODA is used as well as we know how: odeint's
compiled steps, rates from a spline, an analytic Jacobian, and one period of the propagator instead of hundreds of
periods of one state. Errors are relative to harmonic balance with more harmonics, which the extrapolated propagator
confirms at four of the frequencies.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.integrate import odeint
from scipy.interpolate import CubicSpline

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.driven import held_occupation
from stmlab.physics.occupation import generator
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.stochastic_resonance import static_current, stochastic_resonance
from stmlab.physics.transport import TunnelJunction
from tests.benchmarks.side_by_side import Row, cpu_now, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import FloatArray

FREQUENCIES = np.geomspace(1e6, 20e9, 60)
OFFSET, AMPLITUDE = -5.5e-3, 1.3e-3
TIMES_FASTER, LARGEST_ERROR, REPEATS = 50.0, 1e-8, 5
FE = TunnelJunction(
    SpinSystem((Spin(2, -1.557, 0.248, 2.15),), (), (0, 0, -2)),
    temperature_K=0.5,
    conductance_S=0.05e-6,
    tip=Electrode((0, 0, 0.86)),
    baths=(Bath(0, 7.2e-6),),
    potential_scattering=0.76,
)


def by_harmonic_balance(tolerance: float = 1e-9) -> FloatArray:
    """The SRS signal, as the public function gives it."""
    spectrum = stochastic_resonance(FE, FREQUENCIES, offset_V=OFFSET, amplitude_V=AMPLITUDE, tolerance=tolerance)
    return spectrum.signal_A


def by_lsoda(rtol: float = 1e-8, knots: int = 2000) -> FloatArray:
    """The same: one period of P' = W(V(t)) P and Q' = I(V(t)) P for all initial states, at each frequency."""
    bias = np.linspace(OFFSET - 1.01 * AMPLITUDE, OFFSET + 1.01 * AMPLITUDE, knots)
    rows = np.concatenate([generator(FE.rates(bias)), FE.state_currents(bias)[:, None, :] * 1e9], axis=1)
    cubics = np.ascontiguousarray(CubicSpline(bias, rows).c.transpose(1, 0, 2, 3))
    unit = np.eye(5)

    def rows_at(phase: float) -> FloatArray:
        place = OFFSET + AMPLITUDE * np.cos(2 * np.pi * phase)
        knot = int((place - bias[0]) / (bias[1] - bias[0]))
        cubic, x = cubics[knot], place - bias[knot]
        value: FloatArray = ((cubic[0] * x + cubic[1]) * x + cubic[2]) * x + cubic[3]
        return value

    def slope(flat: FloatArray, phase: float, frequency: float) -> FloatArray:
        change: FloatArray = rows_at(phase) @ flat.reshape(6, 5)[:5]
        change[:5] /= frequency
        return change.reshape(-1)

    def jacobian(flat: FloatArray, phase: float, frequency: float) -> FloatArray:
        square = np.zeros((6, 6))
        square[:, :5] = rows_at(phase)
        square[:5] /= frequency
        return np.kron(square, unit)

    signal = []
    start = np.concatenate([unit.reshape(-1), np.zeros(5)])
    for frequency in FREQUENCIES:
        end = odeint(slope, start, [0, 1], (frequency,), jacobian, rtol=rtol, atol=1e-3 * rtol, mxstep=10**6)[1]
        change = end[:25].reshape(5, 5) - unit
        change[-1] = 1.0
        signal.append(1e-9 * end[25:] @ np.linalg.solve(change, np.array([0.0, 0.0, 0.0, 0.0, 1.0])))
    return np.array(signal) - static_current(FE, np.array([OFFSET]))


def by_propagator(steps: int, frequencies: FloatArray = FREQUENCIES) -> FloatArray:
    """The same by the propagator of one period, with the drive held during ``steps`` steps."""
    bias = OFFSET + AMPLITUDE * np.cos(2 * np.pi * np.arange(steps) / steps)
    generators, currents = generator(FE.rates(bias)), FE.state_currents(bias)
    mean = [(held_occupation(generators, f) * currents).sum(axis=1).mean() for f in frequencies]
    return np.array(mean) - static_current(FE, np.array([OFFSET]))


def extrapolated(frequencies: FloatArray) -> FloatArray:
    """Propagator with 256 ... 4096 steps, extrapolated after Romberg."""
    row: list[FloatArray] = []
    for steps in (256, 512, 1024, 2048, 4096):
        new = [by_propagator(steps, frequencies)]
        for order, coarser in enumerate(row, start=1):
            new.append(new[-1] + (new[-1] - coarser) / (4.0**order - 1.0))
        row = new
    return row[-1]


def main() -> int:
    """Print them side by side; 1 if a limit is missed."""
    exact = by_harmonic_balance(1e-12)
    some = np.arange(0, 60, 17)
    agreement = np.abs(extrapolated(FREQUENCIES[some]) / exact[some] - 1).max()
    runs: dict[str, tuple[Callable[[], FloatArray], int]] = {
        "harmonic balance": (by_harmonic_balance, REPEATS),
        "LSODA": (by_lsoda, 2),
        "propagator, 256 steps": (lambda: by_propagator(256), 1),
        "propagator, 1024 steps": (lambda: by_propagator(1024), 1),
    }
    print(f"SRS spectrum of five states at {FREQUENCIES.size} frequencies, 1 MHz - 20 GHz")
    found = {name: _timed(run, repeats) for name, (run, repeats) in runs.items()}
    ours_s = found["harmonic balance"][0]
    errors = {name: float(np.abs(signal / exact - 1).max()) for name, (_, signal) in found.items()}
    for name, (seconds, _) in found.items():
        print(f"  {name:24s} {seconds * 1e3:7.1f} ms {seconds / ours_s:6.1f} x   relative error {errors[name]:.1e}")
    print(f"  reference confirmed by the extrapolated propagator to {agreement:.1e}")
    error = errors["harmonic balance"]
    wrong = "" if error <= LARGEST_ERROR else f"error {error:.1e}, at most {LARGEST_ERROR:.0e} is allowed"
    work = "driven five-state rate equation, 60 frequencies"
    return report([Row(work, 1e3 * ours_s, 1e3 * found["LSODA"][0], "LSODA", TIMES_FASTER, "ms", wrong=wrong)])


def _timed(run: Callable[[], FloatArray], repeats: int) -> tuple[float, FloatArray]:
    best, answer = np.inf, np.empty(0)
    for _ in range(repeats):
        start = cpu_now()
        answer = run()
        best = min(best, cpu_now() - start)
    return best, answer


if __name__ == "__main__":
    sys.exit(main())
