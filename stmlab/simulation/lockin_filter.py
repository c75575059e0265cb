"""The lock-in's low-pass filter: a cascade of identical RC stages, solved exactly in time.

Stage j obeys tau dz_j/dt = z_(j-1) - z_j, where z_0 is the demodulated input. For an input of tones u exp(i w t) the
state is the steady state plus a transient that dies as exp(-t/tau) times a polynomial; for white noise at the input it
is Gaussian, with a covariance in closed form. So a reading is right at any time after any step, however long the time
between two readings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray

STAGES = 4
_KEPT = 1024  # lengths of time whose filter is remembered
_SERIES_BELOW = 2.0  # argument below which the incomplete gamma function is summed as a series
_FORGOTTEN = 700.0  # time constants after which exp(-t) is nothing
_COMPLETE = 50.0  # time constants after which the stages' covariance is that of an endless time, to the last bit
_FACTORIALS = [math.factorial(n) for n in range(2 * STAGES)]
_ORDER = np.arange(STAGES)
_APART = np.where(_ORDER[:, None] >= _ORDER, _ORDER[:, None] - _ORDER, STAGES)  # of two stages; no way back
_SUM = _ORDER[:, None] + _ORDER
_SHARE = np.array([[math.comb(j + k, j) / 2 ** (j + k + 1) for k in range(STAGES)] for j in range(STAGES)])


@dataclass(frozen=True)
class Tones:
    """A demodulated signal: the sum of amplitudes[j] exp(2 pi i frequencies[j] t), with t on the microscope's clock.

    Attributes:
        frequencies: shape (J,), Hz, negative ones too.
        amplitudes: shape (J,), V rms.
    """

    frequencies: FloatArray
    amplitudes: ComplexArray


class LowPassCascade:
    """Four RC stages; the output may be taken behind any of them.

    Args:
        random: where the noise is drawn from.
    """

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._state = np.zeros(STAGES, dtype=complex)
        self._input: tuple[Tones, float] | None = None  # the last one, and the time constant
        self._behind: ComplexArray = np.zeros((0, STAGES), dtype=complex)  # its lines behind each stage
        self._known: tuple[float, ComplexArray] = (
            math.nan,
            self._state,
        )  # its steady state where the last interval ended

    def output(self, poles: int) -> complex:
        """X + iY behind stage ``poles`` (1 ... 4), V rms."""
        return complex(self._state[poles - 1])

    def run(
        self, tones: Tones, noise: float, start: float, interval: float, count: int, time_constant: float
    ) -> ComplexArray:
        """Live through ``count`` equal intervals with unchanged input and time constant.

        Args:
            tones: the demodulated input.
            noise: one-sided density of the input noise around the reference frequency, V/sqrt(Hz).
            start: where the first interval begins on the microscope's clock, s.
            interval: s.
            count: at least 1.
            time_constant: of one stage, s.

        Returns:
            All stages at the end of each interval, shape (count, 4).
        """
        turns = interval / time_constant
        if self._input is None or self._input[0] is not tones or self._input[1] != time_constant:
            self._input, self._behind = (tones, time_constant), _lines_behind(tones, time_constant)
            self._known = math.nan, self._state
        times = start + interval * np.arange(1.0, count + 1.0)
        steady = _stages_at(times, tones, self._behind)
        known_at, begun = self._known
        if known_at != start:
            begun = _stages_at(np.array([start]), tones, self._behind)[0]
        self._known = float(times[-1]), steady[-1].copy()
        drawn = self._random.standard_normal((2, count, STAGES))
        factor, faded = _passage(turns)
        kicks = (drawn[0] + 1j * drawn[1]) @ (noise / math.sqrt(2 * time_constant) * factor.T)
        away = self._state - begun
        for k in range(count):
            away = faded @ away + kicks[k]
            steady[k] += away
        self._state = steady[-1]
        return steady


def steady_state(tones: Tones, times: FloatArray, time_constant: float) -> ComplexArray:
    """All stages at ``times`` (s) after the transients have died; shape (times, 4)."""
    return _stages_at(times, tones, _lines_behind(tones, time_constant))


@lru_cache(_KEPT)
def _passage(turns: float) -> tuple[FloatArray, ComplexArray]:
    """`noise_factor` and `decay` after ``turns`` time constants: steps of a clock have few lengths."""
    factor, faded = noise_factor(turns), decay(turns).astype(complex)
    factor.flags.writeable = faded.flags.writeable = False
    return factor, faded


def _lines_behind(tones: Tones, time_constant: float) -> ComplexArray:
    """Amplitudes of all lines behind each stage, V rms; shape (J, 4)."""
    one_stage = 1 / (1 + 2j * np.pi * tones.frequencies * time_constant)
    behind: ComplexArray = tones.amplitudes[:, None] * one_stage[:, None] ** np.arange(1, STAGES + 1)
    return behind


def _stages_at(times: FloatArray, tones: Tones, behind: ComplexArray) -> ComplexArray:
    cycles = np.fmod(np.multiply.outer(times, tones.frequencies), 1.0)
    stages: ComplexArray = np.exp(2j * np.pi * cycles) @ behind
    return stages


def decay(turns: float) -> FloatArray:
    """What becomes of the stages after ``turns`` time constants without input; shape (4, 4), lower triangular."""
    left = math.exp(-turns) if turns < _FORGOTTEN else 0.0
    faded = [left * turns**apart / _FACTORIALS[apart] if left else 0.0 for apart in range(STAGES)]
    matrix: FloatArray = np.array([*faded, 0.0])[_APART]
    return matrix


def noise_factor(turns: float) -> FloatArray:
    """Lower-triangular L with L L^T = C, the stages' covariance after ``turns`` time constants of white noise.

    C_jk = int_0^turns g_j(y) g_k(y) dy with g_j(y) = y^(j-1) e^-y / (j-1)!, the stages' impulse responses; it tends
    to binomial(j+k-2, j-1) / 2^(j+k-1). Noise of one-sided density S adds S^2/(2 tau) C to X and to Y alike, which for
    one stage is S^2 times its noise bandwidth 1/(4 tau).
    """
    return _COMPLETE_FACTOR if turns >= _COMPLETE else _noise_factor(turns)


def _noise_factor(turns: float) -> FloatArray:
    covariance = _SHARE * np.array(_lower_gammas(2 * turns))[_SUM]
    size = np.sqrt(covariance.diagonal())
    if size[-1] == 0.0:  # the last stages have felt nothing yet that a float could hold
        return np.diag(size)
    factor: FloatArray = size[:, None] * np.linalg.cholesky(covariance / (size[:, None] * size))
    return factor


def _lower_gammas(x: float) -> list[float]:
    """The regularised lower incomplete gamma functions P(n, x) for n = 1 ... 7, without cancellation."""
    if x < _SERIES_BELOW:
        return [_series(n, x) for n in range(1, 2 * STAGES)]
    left = math.exp(-x)
    terms = (left * x**m / _FACTORIALS[m] for m in range(2 * STAGES - 1))
    return [1 - upper for upper in accumulate(terms)]


def _series(n: int, x: float) -> float:
    term = math.exp(-x) * x**n / _FACTORIALS[n]
    total, m = 0.0, n
    while term > 1e-17 * total:
        total += term
        m += 1
        term *= x / m
    return total


_COMPLETE_FACTOR = _noise_factor(_COMPLETE)
