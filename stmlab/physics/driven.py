"""Driven rate equations: the occupations of n states whose rates follow a periodic drive (Betz et al.).

dp/dt = W(t) p, where W_fi is the rate from state i to state f and every column of W sums to zero (Betz et al.,
eq. S26). `occupation_harmonics` solves it by harmonic balance; `periodic_occupation` does the same in the time domain,
by the propagator of one period, as an independent check and for drives with sharp edges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.harmonic_balance import HarmonicBalance, shifted_to_even

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray, IntArray

_LADDER = (4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""Numbers of harmonics that are tried, in turn."""
_FEW = 3
"""Up to so many frequencies, solving at each of them costs less than an eigendecomposition."""


def occupation_harmonics(generators: FloatArray, frequencies: FloatArray, *, tolerance: float = 1e-9) -> ComplexArray:
    """Fourier coefficients of the occupations in the periodic steady state of dp/dt = W(t) p.

    p(t) = sum_k p_k exp(2 pi i k f t). The number of harmonics K grows until the average and the fundamental change by
    less than ``tolerance`` at the lowest, the middle and the highest frequency; it is the same for all frequencies.

    Args:
        generators: shape (T, n, n), the rate matrix W in 1/s at T equally spaced times of one period, beginning at
            t = 0; W[:, f, i] is the rate from i to f, columns sum to zero. T must resolve the drive: its harmonics
            beyond T/2 are lost.
        frequencies: shape (F,), fundamental frequency of the drive in Hz; 0 is the adiabatic limit.
        tolerance: largest change of an occupation's average or fundamental when K is raised to its last value.

    Returns:
        Shape (F, 2K+1, n), harmonics -K ... K; the average occupations [:, K] sum to one.

    Raises:
        PhysicsError: ``generators`` is no rate matrix or has more than one steady state, a frequency is negative or not
            finite, or T samples are too few to converge.
    """
    generators, frequencies = _checked_generators(generators), _checked_frequencies(frequencies)
    if not tolerance > 0.0:
        raise PhysicsError(f"tolerance = {tolerance!r} is not allowed: give a positive number")
    rate = float(np.abs(generators).max()) or 1.0
    angular = 2.0 * np.pi * frequencies / rate
    coefficients, phase, even = shifted_to_even(_fourier(generators / rate))
    _check_unique(coefficients[0].real)
    reduced = _converged(coefficients, angular, even, tolerance)
    return _all_states(reduced, phase)


def _fourier(samples: FloatArray) -> ComplexArray:
    """Fourier coefficients 0 ... T/2 of T real samples over one period."""
    coefficients = np.fft.rfft(samples, axis=0) / len(samples)
    if len(samples) % 2 == 0:
        coefficients[-1] *= 0.5  # the harmonic at T/2 stands for itself and its conjugate
    return coefficients


def _converged(coefficients: ComplexArray, angular: FloatArray, even: bool, tolerance: float) -> ComplexArray:
    """Harmonics 0 ... K of all states but the last, with K large enough; shape (F, K+1, n-1)."""
    samples = 2 * (coefficients.shape[0] - 1)
    few = angular.size <= _FEW
    probes = np.arange(angular.size) if few else np.argsort(angular)[[0, angular.size // 2, -1]]
    before = np.full((probes.size, 2, coefficients.shape[1] - 1), np.inf)
    for harmonics in _LADDER:
        balance = _truncated(coefficients, harmonics, even)
        answer = balance.solve_each(angular[probes])
        tail, change = np.abs(answer[:, -(harmonics // 4) :]).max(), np.abs(answer[:, :2] - before).max()
        if min(tail, change) <= tolerance:
            return answer if few else _at_all(balance, angular, probes, answer, tolerance)
        if harmonics > samples:
            break
        before = answer[:, :2]
    raise PhysicsError(
        f"generators: {samples} samples a period and {harmonics} harmonics do not reach tolerance = {tolerance:g}; "
        "give more samples of a smooth drive, or use periodic_occupation for one with sharp edges"
    )


def _at_all(
    balance: HarmonicBalance, angular: FloatArray, probes: IntArray, known: ComplexArray, tolerance: float
) -> ComplexArray:
    """All frequencies by one eigendecomposition, unless that fails to repeat the ``known`` answers at the probes."""
    answer = balance.solve_all(angular)
    if np.abs(answer[probes] - known).max() <= tolerance:
        return answer
    return balance.solve_each(angular)


def _truncated(coefficients: ComplexArray, harmonics: int, even: bool) -> HarmonicBalance:
    """Eliminate the last state (the occupations sum to one) and keep ``harmonics`` harmonics."""
    last = coefficients.shape[1] - 1
    known = np.zeros((2 * harmonics + 1, last + 1, last + 1), dtype=complex)
    kept = min(coefficients.shape[0], known.shape[0])
    known[:kept] = coefficients[:kept]
    matrix = known[:, :last, :last] - known[:, :last, last:]
    return HarmonicBalance(matrix, known[: harmonics + 1, :last, last], even=even)


def _all_states(reduced: ComplexArray, phase: float) -> ComplexArray:
    """Restore the last state, the shift of time and the negative harmonics."""
    last = -reduced.sum(axis=2, keepdims=True)
    last[:, 0] += 1.0
    harmonics = reduced.shape[1] - 1
    positive = np.concatenate([reduced, last], axis=2) * np.exp(1j * phase * np.arange(harmonics + 1))[:, None]
    return np.concatenate([positive[:, :0:-1].conj(), positive], axis=1)


def _checked_generators(generators: FloatArray) -> FloatArray:
    generators = np.asarray(generators, dtype=float)
    if (
        generators.ndim != 3
        or generators.shape[1] != generators.shape[2]
        or generators.shape[1] < 2
        or not len(generators)
    ):
        raise PhysicsError(f"generators has shape {generators.shape}; allowed is (samples, n, n) with n >= 2 states")
    largest = float(np.abs(generators).max())
    if not np.isfinite(largest):
        raise PhysicsError("generators holds a value that is not finite; rates in 1/s are allowed")
    columns = float(np.abs(generators.sum(axis=1)).max())
    if columns > 1e-9 * largest:
        raise PhysicsError(
            f"generators: a column sums to {columns:.3g} /s; each must sum to zero (W[:, f, i] from i to f)"
        )
    diagonal = np.arange(generators.shape[1])
    lowest = generators.min(axis=0)
    lowest[diagonal, diagonal] = 0.0
    if lowest.min() < -1e-12 * largest:
        raise PhysicsError(f"generators: a rate of {lowest.min():.3g} /s is negative; rates must be >= 0")
    return generators


def _checked_frequencies(frequencies: FloatArray) -> FloatArray:
    frequencies = np.atleast_1d(np.asarray(frequencies, dtype=float))
    if frequencies.ndim != 1 or not frequencies.size:
        raise PhysicsError(f"frequencies has shape {frequencies.shape}; allowed is (F,) with F >= 1")
    for value in frequencies[~(np.isfinite(frequencies) & (frequencies >= 0.0))]:
        raise PhysicsError(f"frequencies: {value:g} Hz is not allowed; give finite frequencies >= 0")
    return frequencies


def _check_unique(average: FloatArray) -> None:
    """A chain whose averaged rates leave two sets of states unconnected has no unique steady state."""
    second = float(np.sort(np.abs(np.linalg.eigvals(average)))[1])
    if second <= 1e-14:
        raise PhysicsError(
            "generators: the steady state is not unique, for some states are never left or reached from one another; "
            "connect them with a rate > 0"
        )
