"""Least squares of the transport model: residuals of all spectra, their derivatives, and the solution by lmfit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.analysis.transport.model import SpinParameters, SpinSetting, spectrum
from stmlab.errors import FitError, PhysicsError

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

BOUNDS = {"temperature_K": (0.05, 300.0), "correlation": (-1.0, 1.0), "kondo_coupling": (-0.3, 0.3)}
SIZES = {"kondo_coupling": 0.1, "bias_offset": 1e-3}
"""By how much a parameter counts as changed; 1 for those that are not named."""
SMALLEST_NOISE = 1e-6  # of a spectrum's span; less is rounding
_STEP = 1e-4  # of a finite difference, in the size of each parameter
_REFUSED = 1e3  # residual, in units of the noise, where the model refuses the parameters


@dataclass(frozen=True, eq=False)
class SpectrumData:
    """One spectrum: bias in V and dI/dV in S, shape (n,), and the setpoint that it was taken at, S."""

    bias: FloatArray
    conductance: FloatArray
    setpoint: float


@dataclass(frozen=True, eq=False)
class Problem:
    """Least squares of one kind of exchange, with given noise of each spectrum."""

    spectra: list[SpectrumData]
    setting: SpinSetting
    start: SpinParameters
    free: tuple[str, ...]
    noise: FloatArray

    def solved(self, conductances: FloatArray, tolerance: float) -> tuple[SpinParameters, FloatArray, FloatArray]:
        """Parameters, conductances and covariance (for noise as given) from the start and ``conductances``.

        Raises:
            FitError: the data do not determine every parameter.
        """
        import lmfit

        variables = lmfit.Parameters()
        for name in self.free:
            low, high = BOUNDS.get(name, (-math.inf, math.inf))
            variables.add(name, value=getattr(self.start, name), min=low, max=high)
        for k in range(len(self.spectra)):
            variables.add(f"log_{k}", value=0.0)

        def split(values: Any) -> tuple[SpinParameters, FloatArray]:
            spins = replace(self.start, **{name: float(values[name].value) for name in self.free})
            return spins, conductances * np.exp([values[f"log_{k}"].value for k in range(len(self.spectra))])

        minimizer = lmfit.Minimizer(lambda v: np.concatenate(self.residuals(*split(v))), variables, scale_covar=False)
        found = minimizer.leastsq(Dfun=lambda v: self._jacobian(*split(v)), ftol=tolerance, xtol=tolerance, gtol=0.0)
        covariance = getattr(found, "covar", None)
        if not found.success or covariance is None or not np.all(np.isfinite(covariance)):
            raise FitError(
                f"the {len(self.spectra)} spectra do not determine every parameter ({', '.join(self.free)}): "
                "fewer, or more spectra, are needed"
            )
        spins, at = split(found.params)
        scale = np.concatenate([np.ones(len(self.free)), at])
        return spins, at, np.asarray(covariance) * np.outer(scale, scale)

    def residuals(self, spins: SpinParameters, conductances: FloatArray) -> list[FloatArray]:
        """Model less data over the noise, spectrum by spectrum; very large where the model refuses the parameters."""
        try:
            return [
                (spectrum(self.setting, spins, float(g), one.bias) - one.conductance) / n
                for one, g, n in zip(self.spectra, conductances, self.noise, strict=True)
            ]
        except PhysicsError:
            return [np.full(one.bias.size, _REFUSED) for one in self.spectra]

    def _jacobian(self, spins: SpinParameters, conductances: FloatArray) -> FloatArray:
        """Forward differences; all conductances in one pass, because each moves its own spectrum only."""
        here = self.residuals(spins, conductances)
        columns = []
        for name in self.free:
            step = _STEP * SIZES.get(name, 1.0)
            step = -step if getattr(spins, name) > 0 else step  # towards zero: away from the bounds
            moved = self.residuals(replace(spins, **{name: getattr(spins, name) + step}), conductances)
            columns.append(np.concatenate([(a - b) / step for a, b in zip(moved, here, strict=True)]))
        moved = self.residuals(spins, conductances * math.exp(_STEP))
        sizes = [one.bias.size for one in self.spectra]
        own = np.zeros((sum(sizes), len(sizes)))
        first = 0
        for k, (a, b) in enumerate(zip(moved, here, strict=True)):
            own[first : first + sizes[k], k] = (a - b) / _STEP
            first += sizes[k]
        return np.column_stack([*columns, own])
