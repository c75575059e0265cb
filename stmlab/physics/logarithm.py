"""The logarithm of third-order scattering, broadened by temperature.

A spin flip that passes through an intermediate state costs L(x) = ln[(w0 + |x|) / sqrt(x^2 + G0^2)], x = energy of
the electron minus the pole (Ternes, New J. Phys. 17, 063016). The Fermi sea of the intermediate electrons convolves
it with -f', the two electrodes of the tunnelling electron once more with -f'; here is the twice broadened function,
its integral and its derivatives. With tau = 2 pi kT and xi = (G0 + i y) / tau

    ln sqrt(x^2 + G0^2)  ->  ln tau - 1 + Re[psi(1 + xi) + xi psi'(1 + xi)]

exactly. The cut-off ln(w0 + |x|) has a kink that no closed form knows: near it a Chebyshev series, beyond 40 kT its
moments. Both together are evaluated once a temperature, and laid down as a polynomial a panel: the poles lie 2 pi kT
away, so that few terms do.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import chebyshev

from stmlab.errors import PhysicsError
from stmlab.physics.broadening import windows
from stmlab.physics.polygamma import polygamma

if TYPE_CHECKING:
    from scipy.interpolate import PPoly

    from stmlab.arrays import FloatArray

_FAR = 40.0
"""In units of kT: the double Fermi edge is zero beyond."""
_DEGREE = 110
_PANEL, _GROWTH = 2.0, math.sqrt(2.0)
"""Likewise: width of the panels near the pole, and how much the end of one beyond is farther than its beginning."""
_PANEL_DEGREE = 16
_FARTHEST = 1e18
"""In units of kT: the powers of a panel twice as far are still numbers."""
_FEWEST_BEYOND = 16
"""Panels; more where an argument asks for them."""
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
        """Derivatives ``lowest`` ... ``highest`` (from -1, the integral from 0) at y, each of the shape of y.

        Raises:
            PhysicsError: an energy is farther from its pole than 1e18 kT.
        """
        u, side = np.abs(y) / self._kT, np.sign(y)
        farthest = float(u.max(initial=_FAR))
        if not farthest <= _FARTHEST:
            raise PhysicsError(f"energies of {farthest * self._kT:.3g} meV: up to {_FARTHEST:.0e} kT are allowed")
        beyond = math.ceil(math.log(farthest / _FAR, _GROWTH)) + 1
        series = _series(
            self._kT / self._bandwidth, self._broadening / self._kT, max(beyond, _FEWEST_BEYOND), lowest, highest
        )
        outside, found = math.log(self._bandwidth / self._kT), []
        for order, part in enumerate(series, start=lowest):
            values = part(u) / self._kT**order
            if order % 2:
                values *= side
            if order < 1:
                values += outside * y if order == -1 else outside
            found.append(values)
        return found


@lru_cache(maxsize=64)
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
def _series(small: float, broadening: float, beyond: int, lowest: int, highest: int) -> list[PPoly]:
    """L less ln(w0/kT) over u = |y|/kT and its derivatives, a polynomial a panel, for kT/w0 and G0/kT."""
    from scipy.interpolate import PPoly

    edges = np.concatenate([np.arange(0.0, _FAR, _PANEL), _FAR * _GROWTH ** np.arange(beyond + 1)])
    begin, width = edges[:-1, None], np.diff(edges)[:, None]
    places, to_series, to_powers = _panel_powers()
    u = begin + width * places
    terms = (_cut_off(u, small) - _divergent(u, broadening)) @ to_series  # small where the powers are large
    powers = terms @ to_powers / width ** np.arange(_PANEL_DEGREE + 1)
    whole = PPoly(powers.T[::-1], edges)
    return [whole.antiderivative() if order < 0 else whole.derivative(order) for order in range(lowest, highest + 1)]


@lru_cache
def _panel_powers() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Nodes between 0 and 1, and the matrices from values there to a Chebyshev series, and from that to powers."""
    nodes = chebyshev.chebpts1(_PANEL_DEGREE + 1)
    transform = np.asarray(chebyshev.chebvander(nodes, _PANEL_DEGREE) * (2 / nodes.size), dtype=float)
    transform[:, 0] /= 2
    powers = np.zeros((nodes.size, nodes.size))
    powers[0, 0], powers[1, :2] = 1.0, (-1.0, 2.0)
    for n in range(2, nodes.size):  # T_n = 2 x T_(n-1) - T_(n-2) at x = 2 s - 1, in powers of s
        powers[n, 1:] = 4.0 * powers[n - 1, :-1]
        powers[n] -= 2.0 * powers[n - 1] + powers[n - 2]
    return (nodes + 1) / 2, transform, powers


def _divergent(u: FloatArray, broadening: float) -> FloatArray:
    """ln sqrt(x^2 + G0^2) broadened, everything in units of kT."""
    xi = np.asarray((broadening + 1j * u) / (2 * math.pi), dtype=complex)
    psi, slope = polygamma(1 + xi, 1)
    values: FloatArray = (psi + xi * slope).real + (math.log(2 * math.pi) - 1)
    return values


def _cut_off(u: FloatArray, small: float) -> FloatArray:
    """ln(1 + small |u|), broadened."""
    near = u < _FAR
    values = np.empty_like(u)
    nodes, matrix = _near_projection()
    values[near] = chebyshev.chebval((2 / _FAR) * u[near] - 1, matrix @ np.log1p(small * nodes))
    values[~near] = _far_value(u[~near], small)
    return values


def _far_value(u: FloatArray, small: float) -> FloatArray:
    """The same beyond 40 kT, where broadening adds even derivatives times the kernel's moments."""
    value = np.log1p(small * u)
    for number, moment in enumerate(_MOMENTS, start=1):
        value -= moment * math.factorial(2 * number - 1) * (small / (1 + small * u)) ** (2 * number)
    return value
