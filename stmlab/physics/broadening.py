"""What temperature and the lock-in's modulation do to a spectrum.

Temperature: an electron at bias energy eV that must leave the energy D behind passes at the rate zeta(D - eV), where
zeta(x) = x / (exp(x / kT) - 1) is the convolution of two Fermi edges. Its slope is the thermally broadened step.

Modulation: a lock-in that modulates V + A cos(wt) and demodulates at w reads I_1 / A, which is dI/dV convolved with a
semicircle of half width A; at 2w it reads 4 I_2 / A^2, which is d2I/dV2 convolved with (8 / 3 pi A) (1 -
(v/A)^2)^(3/2). A is the peak amplitude at the junction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import not_negative, positive, real_array, refuse
from stmlab.physics.constants import K_B_MEV_PER_K, MEV_PER_V

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import FloatArray

_OVERFLOW = 700.0
_SERIES = 0.3
_SLOPE_SERIES = (-1 / 2, 1 / 6, -1 / 180, 1 / 5040, -1 / 151200, 1 / 4790016, -691 / 108972864000)
"""zeta' = c_0 + c_1 x + c_2 x^3 + c_3 x^5 ..."""
_DIGITS = 40.0
"""exp(-40) is below rounding."""


def windows(x: FloatArray, derivatives: int = 0) -> tuple[list[FloatArray], list[FloatArray]]:
    """zeta(x) = x / (exp(x) - 1) and its first derivatives (at most two), at x and at -x.

    Both are exact in relative terms, where zeta is as small as exp(-700) too.
    """
    size = np.abs(x)
    grown = np.expm1(np.minimum(size, _OVERFLOW))
    near = size < _SERIES
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.where(size > 0, size / grown, 1.0)
        high = low + size
        small, large = [low], [high]
        if derivatives > 0:
            slope = (1.0 - high) / grown
            slope[near] = _slope_series(size[near])
            small.append(slope)
            large.append(-1.0 - slope)
        if derivatives > 1:
            curvature = -(1.0 + slope * (grown + 2.0)) / grown
            curvature[near] = _curvature_series(size[near])
            small.append(curvature)
            large.append(curvature)
    negative = x < 0
    at_x = [np.where(negative, many, few) for few, many in zip(small, large, strict=True)]
    at_minus_x = [np.where(negative, few, many) for few, many in zip(small, large, strict=True)]
    return at_x, at_minus_x


def _slope_series(x: FloatArray) -> FloatArray:
    square = x * x
    total = np.zeros_like(x)
    for coefficient in _SLOPE_SERIES[:0:-1]:
        total = total * square + coefficient
    return total * x + _SLOPE_SERIES[0]


def _curvature_series(x: FloatArray) -> FloatArray:
    square = x * x
    total = np.zeros_like(x)
    for number in range(len(_SLOPE_SERIES) - 1, 0, -1):
        total = total * square + (2 * number - 1) * _SLOPE_SERIES[number]
    return total


def thermal_step(bias_V: FloatArray, threshold_meV: float, temperature_K: float) -> FloatArray:
    """dI/dV of one inelastic channel: (1 + (x - 1) e^x) / (e^x - 1)^2 with x = (threshold - eV)/kT.

    It rises from 0 to 1 within about 5.4 kT. Raises PhysicsError unless T > 0 and the rest is finite.
    """
    kT = K_B_MEV_PER_K * positive("temperature_K", temperature_K, "K")
    x = (
        float(real_array("threshold_meV", threshold_meV, ())) - MEV_PER_V * real_array("bias_V", bias_V, unit="V")
    ) / kT
    return -windows(np.atleast_1d(x), 1)[0][1].reshape(x.shape)


def modulated(
    spectrum: Callable[[FloatArray], FloatArray],
    bias_V: FloatArray,
    modulation_V: float,
    temperature_K: float,
    *,
    harmonic: int = 1,
) -> FloatArray:
    """What a lock-in reads when it modulates the bias of a thermally broadened spectrum.

    Args:
        spectrum: the derivative of the current that the harmonic stands for, at any biases: dI/dV for the first
            harmonic (or d2I/dV2, for the slope of that reading), d2I/dV2 for the second. Shape (..., m) for m biases.
        bias_V: any shape, in V.
        modulation_V: A of V + A cos(wt), peak, at the junction; 0 leaves the spectrum as it is.
        temperature_K: sets how many points a period needs: the spectrum is smooth on the scale of 2 pi kT.
        harmonic: 1 (semicircle, the first harmonic I_1 / A) or 2 (the second harmonic 4 I_2 / A^2).

    Raises:
        PhysicsError: an argument is not finite, negative, or the harmonic is neither 1 nor 2.
    """
    bias = real_array("bias_V", bias_V, unit="V")
    amplitude = not_negative("modulation_V", modulation_V, "V")
    if harmonic not in (1, 2):
        raise refuse("harmonic", harmonic, "1 or 2 is needed")
    if amplitude == 0:
        return spectrum(bias)
    smooth = 2 * np.pi * K_B_MEV_PER_K * positive("temperature_K", temperature_K, "K") / MEV_PER_V
    points = int(_DIGITS / np.arcsinh(smooth / amplitude)) + 6
    phase = np.pi * np.arange(1, points + 1) / (points + 1)
    # Gauss-Chebyshev quadrature of the second kind: exact for the semicircle up to degree 2 points - 1.
    weights = 2 / (points + 1) * np.sin(phase) ** 2
    if harmonic == 2:
        weights = weights * 4 / 3 * np.sin(phase) ** 2
    values = spectrum((bias[..., None] + amplitude * np.cos(phase)).ravel())
    read: FloatArray = values.reshape(*values.shape[:-1], *bias.shape, points) @ weights
    return read
