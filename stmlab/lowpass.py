"""The output filter of a lock-in amplifier: a cascade of identical RC poles, 6 dB per octave each, in closed form."""

from __future__ import annotations

import math
from functools import lru_cache

SLOPES = (6, 12, 18, 24)
"""dB per octave that lock-in amplifiers offer: one to four poles."""


def poles(slope: int) -> int:
    """Number of RC poles of a filter of ``slope`` dB per octave."""
    if slope not in SLOPES:
        raise ValueError(f"slope = {slope} dB/octave: one of {', '.join(map(str, SLOPES))} is allowed")
    return SLOPES.index(slope) + 1


def step_residual(x: float, n: int) -> float:
    """What is still missing of a unit step, ``x`` time constants after it: exp(-x) sum_{k<n} x^k / k!."""
    return math.exp(-x) * math.fsum(x**k / math.factorial(k) for k in range(n))


def settling_time(time_constant: float, slope: int, residual: float) -> float:
    """Seconds after a step until the output is within ``residual`` (relative) of it.

    Solves step_residual(t / time_constant) = residual by bisection; exact for the cascade.
    """
    if not 0 < residual < 1:
        raise ValueError(f"residual = {residual}: more than 0 and less than 1 is allowed")
    return _time_constants(poles(slope), residual) * time_constant


@lru_cache(maxsize=64)
def _time_constants(n: int, residual: float) -> float:
    """The same in time constants; a plan and every point of a run ask for the same few."""
    low, high = 0.0, 1.0
    while step_residual(high, n) > residual:
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if step_residual(middle, n) > residual else (low, middle)
    return high


def noise_bandwidth(time_constant: float, slope: int) -> float:
    """Equivalent noise bandwidth, Hz: 1/4, 1/8, 3/32, 5/64 over the time constant for one to four poles."""
    n = poles(slope)
    return math.comb(2 * n - 2, n - 1) / float(4**n) / time_constant
