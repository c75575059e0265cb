"""A dI/dV spectrum, checked and scaled, ready for a fit of its inelastic steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.numbers import deviations, finite, number
from stmlab.errors import FitError
from stmlab.physics.constants import MEV_PER_V

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray

_ROUNDING = 1e-11
"""Of the largest value: less structure than this is rounding."""


@dataclass(frozen=True, eq=False)
class StepSpectrum:
    """Checked data inside the window, in rising bias: x in meV, y in units of its span.

    Attributes:
        x: eV, meV, shape (n,).
        y: conductance / ``unit``, shape (n,).
        noise: standard deviation of each y; ones if it is not known.
        noise_known: whether it is.
        unit: span of the conductance, in its own unit.
        cut: what was taken where the window left some out: "267 of 401 points within +-10 mV".
    """

    x: FloatArray
    y: FloatArray
    noise: FloatArray
    noise_known: bool
    unit: float
    cut: str = ""

    @classmethod
    def checked(
        cls,
        bias: ArrayLike,
        conductance: ArrayLike,
        sigma: ArrayLike | None,
        window_V: float | None,
        parameters: int,
    ) -> StepSpectrum:
        """Sort, cut and scale the data; raises FitError for what does not suffice for so many parameters."""
        x, y = finite("bias", bias), finite("conductance", conductance)
        if not x.size:
            raise FitError("bias: no values")
        if x.ndim != 1 or x.shape != y.shape:
            raise FitError(f"bias has shape {x.shape}, conductance {y.shape}: one conductance for each bias is needed")
        window = math.inf if window_V is None else number("window_V", window_V)
        if not window > 0:
            raise FitError(f"window_V = {window_V!r} V: above 0, or None for the whole spectrum, is allowed")
        noise = np.ones_like(y) if sigma is None else deviations(sigma, y)
        order = np.argsort(x, kind="stable")
        order = order[np.abs(x[order]) <= window * (1 + 1e-9)]
        x, y, noise = MEV_PER_V * x[order], y[order], noise[order]
        _check_cover(x, parameters, window)
        unit = float(np.ptp(y))
        line = np.polynomial.Polynomial.fit(x, y, 1)(x)
        if np.abs(y - line).max() <= _ROUNDING * np.abs(y).max():
            raise FitError(f"conductance: a straight line through {y[0]:.6g} and {y[-1]:.6g}, there is no step to fit")
        cut = f"{x.size} of {np.size(bias)} points within +-{1e3 * window:g} mV" if x.size < np.size(bias) else ""
        return cls(x, y / unit, noise / unit if sigma is not None else noise, sigma is not None, unit, cut)

    @property
    def points(self) -> str:
        """For a message: "the 201 points", and of which window."""
        return "the " + (self.cut or f"{len(self.x)} points")

    @property
    def reach(self) -> float:
        """The smaller of the largest energies at either polarity, meV."""
        return float(min(-self.x[0], self.x[-1]))

    @property
    def spacing(self) -> float:
        """Mean distance between neighbouring energies, meV."""
        return float((self.x[-1] - self.x[0]) / (len(np.unique(self.x)) - 1))

    def averaged(self) -> StepSpectrum:
        """One point for each bias: the weighted mean of those measured at it."""
        x, place = np.unique(self.x, return_inverse=True)
        if len(x) == len(self.x):
            return self
        weight = np.bincount(place, self.noise**-2.0).astype(float)
        y = np.bincount(place, self.y * self.noise**-2.0) / weight
        return StepSpectrum(x, y, weight**-0.5, self.noise_known, self.unit, self.cut)


def _check_cover(x: FloatArray, parameters: int, window_V: float) -> None:
    inside = "" if math.isinf(window_V) else f" within +-{window_V:.6g} V"
    different = len(np.unique(x))
    if different < parameters + 2:
        raise FitError(f"{different} different biases{inside} are too few for {parameters} parameters and the noise")
    if x[0] >= 0 or x[-1] <= 0:
        raise FitError(f"bias = {x[0] / MEV_PER_V:.6g} to {x[-1] / MEV_PER_V:.6g} V: both polarities are needed")
    if min(np.count_nonzero(x < 0), np.count_nonzero(x > 0)) < parameters // 2:
        raise FitError(f"bias{inside}: fewer than {parameters // 2} points at one of the polarities")
