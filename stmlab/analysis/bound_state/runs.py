"""The fit of a bound state to a run: a ramp of conductance setpoints, a spectrum of the current at each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.bound_state.fit import fit_bound_state
from stmlab.analysis.bound_state.peaks import have_peaks, peaks
from stmlab.analysis.columns import averaged, column, whole_spectra
from stmlab.errors import FitError
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.analysis.settings import Settings
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult
    from stmlab.storage import Run

_BEYOND = 2.0  # times the bias of the peak: where the setpoint's current is the normal state's


def fit_ramp(run: Run, told: Settings) -> FitResult:
    """Fit the peak currents of a ramp, within the window of its settings.

    Raises:
        FitError: the run is no ramp, or its currents have no peak; as `fit_bound_state`.
    """
    axes = [axis.name for axis in run.axes if len(axis) > 1]
    if "setpoint" not in axes or "bias" not in axes:
        raise FitError(
            f"{run.path}: bound_state takes a ramp over setpoint and bias, as setpoint_ramp makes it; this run is over "
            f"{', '.join(axes) or 'nothing'}"
        )
    bias, conductances, currents, left_out = _spectra(run, told.number("window", np.inf))
    positive, negative = (peaks(bias, conductances, currents, side) for side in (1, -1))
    fit = fit_bound_state(positive, negative)
    return replace(fit, warnings=(*left_out, *_within_gaps(told, positive.bias), *fit.warnings))


def shows_peaks(run: Run) -> bool:
    """Whether the current of a ramp falls beyond a peak at either polarity.

    It does where the coherence peaks of a superconducting tip meet a bound state. A spin's steps add conductance.
    """
    try:
        bias, conductances, currents, _ = _spectra(run, np.inf)
    except FitError:
        return False
    return have_peaks(bias, conductances, currents)


def _spectra(run: Run, window: float) -> tuple[FloatArray, FloatArray, FloatArray, tuple[str, ...]]:
    """Biases in V, conductances in S and the currents in A of the whole spectra, (K, V); and which were left out."""
    columns = averaged(*(column(run, name) for name in ("setpoint", "bias", "current")))
    setpoint, bias, current, left_out = whole_spectra(*columns)
    inside = np.abs(bias) <= window * (1 + 1e-9)
    conductances, across = np.unique(setpoint), np.unique(bias[inside])
    if not across.size or across.size * conductances.size != current[inside].size:
        raise FitError(f"{run.path}: no spectrum is whole")
    return across, np.abs(conductances), current[inside].reshape(conductances.size, across.size), left_out


def _within_gaps(told: Settings, peak: float) -> list[str]:
    bias = abs(told.number("setpoint_bias"))
    if bias >= _BEYOND * abs(peak):
        return []
    at = format_quantity(float(f"{bias:.3g}"), "V")
    return [f"the setpoint's {at} is not far beyond the gaps: the conductances are not those of the normal state"]
