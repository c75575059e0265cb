"""The logarithm of third-order scattering, broadened by temperature.

A spin flip that passes through an intermediate state costs L(x) = ln[(w0 + |x|) / sqrt(x^2 + G0^2)], x = energy of
the electron minus the pole (Ternes, New J. Phys. 17, 063016). The Fermi sea of the intermediate electrons convolves
it with -f', the two electrodes of the tunnelling electron once more with -f'; here is the twice broadened function,
its integral and its derivatives. With tau = 2 pi kT and xi = (G0 + i y) / tau

    ln sqrt(x^2 + G0^2)  ->  ln tau - 1 + Re[psi(1 + xi) + xi psi'(1 + xi)]
                          =  d/dy {y (ln tau - 1) + tau Im[xi psi(1 + xi)]}

exactly. The cut-off ln(w0 + |x|) has a kink that no closed form knows: near it a Chebyshev series, beyond 40 kT its
moments.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import chebyshev

from stmlab.physics.broadening import windows
from stmlab.physics.polygamma import polygamma

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

_FAR = 40.0
"""In units of kT: the double Fermi edge is zero beyond."""
_DEGREE = 110
_PANEL = 4.0
"""Likewise: the series is cut into panels, in each of which few terms do: the kernel's poles lie 2 pi away."""
_PANEL_DEGREE = 22
_MOMENTS = tuple(
    math.pi ** (2 * n) * c for n, c in enumerate((1 / 3, 1 / 15, 2 / 189, 1 / 675, 2 / 10395, 1382 / 58046625), start=1)
)
"""2n-th moment of the double Fermi edge over (2n)!: the coefficients of (pi t / sin pi t)^2."""


class BroadenedLogarithm:
    """L(x) after both Fermi edges, as a function of y = energy minus pole in meV.

    Args:
        kT_meV: temperature.
        bandwidth_meV: w0.
        broadening_meV: G0, the lifetime broadening that keeps the logarithm finite at zero temperature.
    """

    def __init__(self, kT_meV: float, bandwidth_meV: float, broadening_meV: float) -> None:
        self._kT, self._bandwidth, self._broadening = kT_meV, bandwidth_meV, broadening_meV

    def orders(self, y: FloatArray, lowest: int, highest: int) -> list[FloatArray]:
        """Derivatives ``lowest`` ... ``highest`` (-1 ... 2; -1 is the integral from 0) at y, each of the shape of y."""
        parts = zip(self._cut_off(y, lowest, highest), self._divergent(y, lowest, highest), strict=True)
        return [cut_off - divergent for cut_off, divergent in parts]

    def _divergent(self, y: FloatArray, lowest: int, highest: int) -> list[FloatArray]:
        """ln sqrt(x^2 + G0^2), broadened."""
        tau = 2 * math.pi * self._kT
        xi = np.asarray((self._broadening + 1j * y) / tau, dtype=complex)
        psi = polygamma(1 + xi, highest + 1)
        values = []
        for order in range(lowest, highest + 1):
            if order == -1:
                values.append(y * (math.log(tau) - 1) + tau * (xi * psi[0]).imag)
            else:
                derivative = (1j / tau) ** order * ((order + 1) * psi[order] + xi * psi[order + 1])
                values.append(derivative.real + (math.log(tau) - 1 if order == 0 else 0.0))
        return values

    def _cut_off(self, y: FloatArray, lowest: int, highest: int) -> list[FloatArray]:
        """ln(w0 + |x|), broadened."""
        small = self._kT / self._bandwidth
        u = np.abs(y) / self._kT
        near = u < _FAR
        far = u[~near]
        inside = _near_values(u[near], _near_panels(small, lowest, highest))
        found = []
        for order in range(lowest, highest + 1):
            values = np.empty_like(u)
            values[near] = inside[order - lowest]
            if far.size:
                values[~near] = _far_value(far, small, order)
            if order % 2:
                values = values * np.sign(y)
            values = values / self._kT**order
            if order == -1:
                values += y * math.log(self._bandwidth)
            found.append(values + math.log(self._bandwidth) if order == 0 else values)
        return found


def peak(kT_meV: float, bandwidth_meV: float, broadening_meV: float) -> float:
    """L at its pole after both Fermi edges, with the cut-off at ln w0: how large the logarithm gets."""
    tau = 2 * math.pi * kT_meV
    xi = np.array([broadening_meV / tau], dtype=complex)
    psi, slope = polygamma(1 + xi, 1)
    return math.log(bandwidth_meV / tau) + 1.0 - float((psi + xi * slope).real[0])


@lru_cache
def _near_projection() -> tuple[FloatArray, FloatArray]:
    """Nodes u_n, and the matrix from an even g(u_n) to the Chebyshev series of g, broadened, on 0 < u < 40."""
    points = chebyshev.chebpts1(_DEGREE + 1)
    nodes, weights = np.polynomial.legendre.leggauss(12)
    # Panels of 4 kT up to where nothing of the kernel around the last point is left; the kink lies on the edge.
    panels = np.arange(0.0, 2 * _FAR, 4.0)[:, None]
    u, du = (panels + 2 * (nodes + 1)).ravel(), np.tile(2 * weights, len(panels))
    y = (points[:, None] + 1) * _FAR / 2
    kernel = windows(y - u, 2)[0][2] + windows(y + u, 2)[0][2]
    projection = chebyshev.chebvander(points, _DEGREE).T * (2 / len(points))
    projection[0] /= 2
    return u, projection @ (kernel * du)


@lru_cache(maxsize=64)
def _near_panels(small: float, lowest: int, highest: int) -> FloatArray:
    """Derivatives (-1: the integral) of ln(1 + small |u|), broadened, on 0 < u < 40: a Chebyshev series a panel.

    Returns:
        Shape (panels, derivatives, _PANEL_DEGREE + 2), for u from -1 to 1 across its panel.
    """
    u, matrix = _near_projection()
    nodes = chebyshev.chebpts1(_PANEL_DEGREE + 1)
    transform = chebyshev.chebvander(nodes, _PANEL_DEGREE).T * (2 / nodes.size)
    transform[0] /= 2
    starts = np.arange(0.0, _FAR, _PANEL)[:, None]
    places = (starts + 0.5 * _PANEL * (nodes + 1)) * (2 / _FAR) - 1
    series = chebyshev.chebval(places, matrix @ np.log1p(small * u)) @ transform.T
    panels = np.zeros((len(series), highest - lowest + 1, _PANEL_DEGREE + 2))
    so_far = 0.0
    for panel, one in enumerate(series):
        for order in range(lowest, highest + 1):
            if order == -1:
                column = chebyshev.chebint(one, lbnd=-1, scl=_PANEL / 2)
                column[0] += so_far
                so_far = float(column.sum())  # at the panel's end, where every polynomial is 1
            else:
                column = chebyshev.chebder(one, order, scl=2 / _PANEL)
            panels[panel, order - lowest, : column.size] = column
    return panels


def _near_values(u: FloatArray, panels: FloatArray) -> FloatArray:
    """The series of `_near_panels` at u of shape (n,), 0 <= u < 40: shape (derivatives, n)."""
    panel = (u / _PANEL).astype(int)
    terms = chebyshev.chebvander((2 / _PANEL) * (u - _PANEL * panel) - 1, _PANEL_DEGREE + 1)
    found: FloatArray = np.einsum("nk,nok->on", terms, panels[panel])
    return found


def _far_value(u: FloatArray, small: float, order: int) -> FloatArray:
    """The same beyond 40 kT, where broadening adds even derivatives times the kernel's moments."""
    value = _unbroadened(u, small, order)
    for number, moment in enumerate(_MOMENTS, start=1):
        value = value + moment * _unbroadened(u, small, order + 2 * number)
    return value


def _unbroadened(u: FloatArray, small: float, order: int) -> FloatArray:
    """A derivative (-1: the integral) of ln(1 + small u)."""
    if order == -1:
        return (1 + small * u) * np.log1p(small * u) / small - u
    if order == 0:
        return np.log1p(small * u)
    return -math.factorial(order - 1) * (-small / (1 + small * u)) ** order
