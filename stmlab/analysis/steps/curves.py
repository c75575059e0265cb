"""The curves of a fit of steps for drawing: dI/dV with its fit, and d2I/dV2 as the differences between points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.constants import MEV_PER_V

if TYPE_CHECKING:
    from stmlab.analysis.steps.spectrum import StepSpectrum
    from stmlab.arrays import FloatArray


def step_curves(
    data: StepSpectrum, fit: FloatArray, smooth_meV: FloatArray, fit_smooth: FloatArray
) -> dict[str, FloatArray]:
    """Curves in V and the unit of the data.

    Args:
        data: what was fitted.
        fit: at each point, in units of the spectrum.
        smooth_meV: energies of a finer curve.
        fit_smooth: at these, in units of the spectrum.
    """
    x = data.x / MEV_PER_V
    first = np.flatnonzero(np.diff(data.x, prepend=-np.inf) > 0)
    counts = np.diff(first, append=len(x))
    apart = np.diff(x[first])
    data_slope, fit_slope = (
        np.diff(np.add.reduceat(values, first) / counts) * data.unit / apart for values in (data.y, fit)
    )
    return {
        "x": x,
        "data": data.y * data.unit,
        "fit": fit * data.unit,
        "residual": (data.y - fit) * data.unit,
        "x_smooth": smooth_meV / MEV_PER_V,
        "fit_smooth": fit_smooth * data.unit,
        "x_derivative": x[first][:-1] + apart / 2,
        "derivative": data_slope,
        "derivative_fit": fit_slope,
        "derivative_smooth": np.gradient(fit_smooth * data.unit, smooth_meV / MEV_PER_V),
    }
