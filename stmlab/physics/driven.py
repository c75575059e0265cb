"""Driven rate equations: the occupations of n states whose rates follow a periodic drive (Betz et al.).

dp/dt = W(t) p, where W[f, i] is the rate from state i to state f (Betz et al., eq. S26). `occupation_harmonics` solves
it by harmonic balance, which loses 1e-16 times the fastest over the slowest rate; where that is too much, or the drive
is too sharp, on panels of time (`stiff_drive`), which loses nothing and takes longer. `held_occupation` does the same
by the propagator of one period, as an independent check and for drives with sharp edges. `adiabatic_occupation` and
`fast_occupation` are the two limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.arguments import positive, real_array, refuse, whole
from stmlab.physics.harmonic_balance import HarmonicBalance, shifted_to_even
from stmlab.physics.rate_equations import (
    checked_generators,
    cycle_start,
    held_steps,
    rooted_order,
    settled_occupation,
)
from stmlab.physics.stiff_drive import equal_panels, periodic_states

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray, IntArray
    from stmlab.physics.stiff_drive import Rates

_LADDER = (6, 16, 28, 40, 56, 80, 128, 192, 256)
"""Numbers of harmonics that are tried, in turn."""
_PANEL_LADDER = (16, 32, 64, 128, 256)
"""Numbers of panels, and of harmonics, that are tried where harmonic balance fails."""
_LOSS = 0.1
"""Largest share of the tolerance that rounding in harmonic balance may take."""
_MOST_UNKNOWNS = 1200
"""Of linear systems that are larger than rates, and have another way out: their solution takes a tenth of a second."""
_MOMENTS = 8
"""Samples of a period at which the slowest relaxation is looked up."""
_FEW = 3
"""Frequencies by which the number of harmonics is chosen."""
_SOME = 16
"""Up to so many frequencies, solving at each of them costs less than an eigendecomposition."""
_WAY_OUT = "give more samples of a smooth drive, or use held_occupation for one with sharp edges"


class DrivenStates(Protocol):
    """n states whose rates and currents are functions of the bias; a `transport.TunnelJunction` is one."""

    def rates(self, bias_V: FloatArray) -> FloatArray:
        """Rates of all transitions at biases of shape (V,): shape (V, n, n) in 1/s, [f, i] from i to f."""
        ...

    def state_currents(self, bias_V: FloatArray) -> FloatArray:
        """Current through the junction while it is in each state: shape (V, n) in A."""
        ...


class FewerStates:
    """The lowest ``count`` states of a system, as if the others did not exist (Betz et al., Figs. 3e, 3f and 4)."""

    def __init__(self, states: DrivenStates, count: int) -> None:
        self.states, self.count = states, whole("count", count, 2, states.rates(np.zeros(1)).shape[-1])

    def rates(self, bias_V: FloatArray) -> FloatArray:
        """Rates between the states that are left, shape (V, count, count) in 1/s; see `DrivenStates`."""
        return self.states.rates(bias_V)[:, : self.count, : self.count]

    def state_currents(self, bias_V: FloatArray) -> FloatArray:
        """Current in each state that is left, shape (V, count) in A; tunnelling into all final states counts."""
        return self.states.state_currents(bias_V)[:, : self.count]


def occupation_harmonics(generators: FloatArray, frequencies: FloatArray, *, tolerance: float = 1e-9) -> ComplexArray:
    """Fourier coefficients of the occupations in the periodic steady state of dp/dt = W(t) p.

    p(t) = sum_k p_k exp(2 pi i k f t). The number of harmonics K grows until the average and the fundamental change by
    less than ``tolerance`` at the lowest, the middle and the highest frequency; it is the same for all frequencies.

    Args:
        generators: shape (T, n, n), the rate matrix W in 1/s at T equally spaced times of one period, beginning at
            t = 0; W[:, f, i] is the rate from i to f, columns sum to zero. Harmonics of W beyond T/2 are lost.
        frequencies: shape (F,), fundamental frequency of the drive in Hz; 0 is the adiabatic limit.
        tolerance: largest change of an occupation's average or fundamental when K is raised to its last value.

    Returns:
        Shape (F, 2K+1, n), harmonics -K ... K; the average occupations [:, K] sum to one.

    Raises:
        PhysicsError: ``generators`` is no rate matrix or has more than one steady state, a frequency is negative or not
            finite, T samples do not resolve the drive, or too many harmonics would be needed.
    """
    matrices, values = checked_generators("generators", generators), checked_frequencies(frequencies)
    tolerance = positive("tolerance", tolerance)
    rooted_order(matrices.mean(axis=0)[None])  # refuses a drive that leaves the steady state open
    coefficients = _fourier(matrices)
    _require_resolved(coefficients, len(matrices), tolerance)
    balanced = _balanced(matrices, coefficients, values, tolerance)
    if balanced is None:
        balanced = panel_harmonics(_interpolated(matrices), values, tolerance)
    return np.concatenate([balanced[:, :0:-1].conj(), balanced], axis=1)


def balanced_harmonics(generators: FloatArray, frequencies_Hz: FloatArray, tolerance: float) -> ComplexArray | None:
    """Harmonics 0 ... K of the occupations by harmonic balance, shape (F, K+1, n), arguments checked by the caller.

    None where rounding, 1e-16 times the fastest rate times the longest time that occupations remember, would exceed a
    tenth of ``tolerance``, or where more harmonics would be needed than are tried.
    """
    return _balanced(generators, _fourier(generators), frequencies_Hz, tolerance)


def linear_harmonics(
    generators: FloatArray, frequencies_Hz: FloatArray, tolerance: float, weights: FloatArray
) -> ComplexArray | None:
    """Harmonics 0 ... K of dx/dt = L(t) x with ``weights`` @ x = 1, which L conserves; shape (F, K+1, m).

    Args:
        generators: shape (T, m, m), L in 1/s over one period.
        frequencies_Hz: shape (F,).
        tolerance: see `occupation_harmonics`.
        weights: shape (m,), the last of them 1.

    Returns:
        None where more harmonics would be needed than are tried, or the system is singular; rounding is the caller's
        to check.
    """
    coefficients, fastest = _fourier(generators), float(np.abs(generators).max())
    angular = 2.0 * np.pi * frequencies_Hz
    try:
        return _of_coefficients(coefficients, fastest, angular, tolerance, weights, _MOST_UNKNOWNS)
    except np.linalg.LinAlgError:
        return None


def panel_harmonics(rates: Rates, frequencies_Hz: FloatArray, tolerance: float) -> ComplexArray:
    """Harmonics 0 ... K of the occupations on panels of time, shape (F, K+1, n); see `stiff_drive.periodic_states`.

    Raises:
        PhysicsError: the steady state is not unique, or the drive is too sharp.
    """
    for count in _PANEL_LADDER:
        harmonics = periodic_states(rates, frequencies_Hz, equal_panels(count)).harmonics(count)
        if np.abs(harmonics[:, -(count // 4) :]).max() <= tolerance:
            return harmonics
    raise PhysicsError(f"tolerance = {tolerance:g}: {_PANEL_LADDER[-1]} harmonics do not reach it; {_WAY_OUT}")


def held_occupation(generators: FloatArray, frequency_Hz: float) -> FloatArray:
    """Occupations in the periodic steady state of a drive that is sampled and held, by the propagator of one period.

    Exact for a drive that is constant between its samples; for a smooth drive the error falls with 1/T^2.

    Args:
        generators: shape (T, n, n), rate matrices in 1/s; matrix j is held for 1/(f T) from t = j/(f T).
        frequency_Hz: f, above 0.

    Returns:
        Shape (T, n): occupations averaged over each interval, so that sum_j currents[j] . p[j] / T is the mean current.

    Raises:
        PhysicsError: as `occupation_harmonics`.
    """
    matrices = checked_generators("generators", generators)
    duration = 1.0 / (positive("frequency_Hz", frequency_Hz, "Hz") * len(matrices))
    steps, means = held_steps(matrices, np.full(len(matrices), duration))
    occupation = cycle_start(steps)
    held = np.empty(matrices.shape[:2])
    for j, (step, mean) in enumerate(zip(steps, means, strict=True)):
        held[j] = mean @ occupation
        occupation = step @ occupation
    return held


def adiabatic_occupation(generators: FloatArray) -> FloatArray:
    """The limit f -> 0: at each of T samples the steady state of that moment (Betz et al., eq. S24); shape (T, n)."""
    return settled_occupation(checked_generators("generators", generators))


def fast_occupation(generators: FloatArray) -> FloatArray:
    """The limit f -> infinity: the steady state of the averaged rates (Betz et al., eq. S20); shape (n,)."""
    return settled_occupation(checked_generators("generators", generators).mean(axis=0))


def _fourier(samples: FloatArray) -> ComplexArray:
    """Fourier coefficients 0 ... T/2 of T real samples over one period."""
    mean = samples.mean(axis=0)
    coefficients = np.fft.rfft(samples - mean, axis=0) / len(samples)
    coefficients[0] += mean
    if len(samples) % 2 == 0:
        coefficients[-1] *= 0.5  # the harmonic at T/2 stands for itself and its conjugate
    return coefficients


def _balanced(
    generators: FloatArray, coefficients: ComplexArray, frequencies_Hz: FloatArray, tolerance: float
) -> ComplexArray | None:
    """See `balanced_harmonics`; ``coefficients`` are those of the ``generators``."""
    angular, fastest = 2.0 * np.pi * frequencies_Hz, float(np.abs(generators).max())
    if _spread(generators, fastest, float(angular.min())) * np.finfo(float).eps > _LOSS * tolerance:
        return None
    return _of_coefficients(coefficients, fastest, angular, tolerance, np.ones(generators.shape[-1]))


def _of_coefficients(
    coefficients: ComplexArray,
    fastest: float,
    angular: FloatArray,
    tolerance: float,
    weights: FloatArray,
    most: float = np.inf,
) -> ComplexArray | None:
    """See `linear_harmonics`; ``coefficients`` are those of the generators, whose largest element is ``fastest``."""
    coefficients, phase, even = shifted_to_even(coefficients / fastest)
    reduced = _converged(coefficients, angular / fastest, even, tolerance, weights, most)
    return None if reduced is None else _all_states(reduced, phase, weights)


def _require_resolved(coefficients: ComplexArray, samples: int, tolerance: float) -> None:
    """Refuse a drive whose highest harmonics are still strong: averages would be wrong by the square of their share."""
    highest = coefficients[-(samples // 8) :] if samples >= 8 else coefficients[:0]
    share = float(np.abs(highest).max(initial=0.0) / max(np.abs(coefficients).max(), np.finfo(float).tiny))
    if share**2 > tolerance:
        raise PhysicsError(
            f"generators: {samples} samples do not resolve the drive to tolerance = {tolerance:g}, for their highest "
            f"harmonics still have {share:.1g} of the strength; {_WAY_OUT}"
        )


def _spread(generators: FloatArray, fastest: float, slowest_angular: float) -> float:
    """Fastest rate times the longest time after which occupations remember what they were; not above about 1e16."""
    moments = generators[:: max(1, len(generators) // _MOMENTS)]
    some = np.concatenate([generators.mean(axis=0)[None], moments]) / fastest
    try:
        inverse = np.abs(np.linalg.inv(some - 1.0 / some.shape[1])).max(axis=(1, 2))
    except np.linalg.LinAlgError:  # the states fall into groups that do not exchange
        return np.inf
    whole, moment = float(inverse[0]), float(inverse[1:].max())
    return max(whole, min(moment, fastest / slowest_angular if slowest_angular > 0.0 else np.inf))


def _interpolated(generators: FloatArray) -> Rates:
    """The rates at any phase of the period, by the Fourier series of each of them."""
    coefficients = 2.0 * _fourier(generators)
    coefficients[0] *= 0.5
    order = np.arange(len(coefficients))

    def rates(phases: FloatArray) -> FloatArray:
        waves = np.exp(2j * np.pi * phases[:, None] * order)
        values: FloatArray = np.maximum(np.tensordot(waves, coefficients, axes=1).real, 0.0)
        return values

    return rates


def _converged(
    coefficients: ComplexArray, angular: FloatArray, even: bool, tolerance: float, weights: FloatArray, most: float
) -> ComplexArray | None:
    """Harmonics 0 ... K of all states but the last, with K large enough, shape (F, K+1, n-1); None if none is."""
    few = angular.size <= _FEW
    probes = np.arange(angular.size) if few else np.argsort(angular)[[0, angular.size // 2, -1]]
    before = np.full((probes.size, 2, coefficients.shape[1] - 1), np.inf)
    for harmonics in _LADDER:
        balance = _truncated(coefficients, harmonics, even, weights)
        if balance.unknowns > most:
            return None
        answer = balance.solve_each(angular[probes])
        tail, change = np.abs(answer[:, -(harmonics // 4) :]).max(), np.abs(answer[:, :2] - before).max()
        if min(tail, change) <= tolerance:
            return answer if few else _at_all(balance, angular, probes, answer, tolerance)
        before = answer[:, :2]
    return None


def _at_all(
    balance: HarmonicBalance, angular: FloatArray, probes: IntArray, known: ComplexArray, tolerance: float
) -> ComplexArray:
    """Many frequencies by one eigendecomposition, unless that fails to repeat the ``known`` answers at the probes."""
    if angular.size > _SOME:
        answer = balance.solve_all(angular)
        if np.abs(answer[probes] - known).max() <= tolerance:
            return answer
    return balance.solve_each(angular)


def _truncated(coefficients: ComplexArray, harmonics: int, even: bool, weights: FloatArray) -> HarmonicBalance:
    """Eliminate the last state (with their weights the states sum to one) and keep ``harmonics`` harmonics."""
    last = coefficients.shape[1] - 1
    known = np.zeros((2 * harmonics + 1, last + 1, last + 1), dtype=complex)
    kept = min(coefficients.shape[0], known.shape[0])
    known[:kept] = coefficients[:kept]
    matrix = np.asarray(known[:, :last, :last] - known[:, :last, last:] * weights[:last], dtype=complex)
    return HarmonicBalance(matrix, known[: harmonics + 1, :last, last], even=even)


def _all_states(reduced: ComplexArray, phase: float, weights: FloatArray) -> ComplexArray:
    """Restore the last state and the shift of time."""
    last = -(reduced * weights[:-1]).sum(axis=2, keepdims=True)
    last[:, 0] += 1.0
    turns = np.exp(1j * phase * np.arange(reduced.shape[1]))[:, None]
    answer: ComplexArray = np.concatenate([reduced, last], axis=2) * turns
    return answer


def checked_frequencies(frequencies: FloatArray) -> FloatArray:
    """``frequencies`` as floats of shape (F,); raises PhysicsError unless there are some, all 0 Hz or more."""
    values = np.atleast_1d(real_array("frequencies", frequencies, unit="Hz"))
    if values.ndim != 1 or not values.size:
        raise refuse("shape of frequencies", values.shape, "(F,) with F >= 1 is needed")
    if values.min() < 0.0:
        raise refuse("frequencies", float(values.min()), "0 Hz or more is needed")
    return values
