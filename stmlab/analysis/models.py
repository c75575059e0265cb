"""The models by name, and the one that each sequence's data are meant for."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.columns import averaged, column, modulation, setting, temperature, whole_spectra
from stmlab.analysis.decay import fit_decay
from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.ramp import correlation_of, exchange_of, fit_series
from stmlab.analysis.srs_map import fit_srs_map
from stmlab.analysis.steps import STEP_MODELS, fit_steps
from stmlab.analysis.telegraph import fit_telegraph
from stmlab.analysis.transfer_function import fit_transfer
from stmlab.analysis.transport import fit_transport
from stmlab.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stmlab.analysis.ramp import StepSeries
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult
    from stmlab.storage import Run


def analyse(run: Run, model: str | None = None) -> FitResult:
    """Fit a run.

    Args:
        run: as ``open_run`` gives it.
        model: name of the model; by default the one that belongs to the run's sequence.

    Raises:
        FitError: the model is not known, the sequence has none, or the data cannot carry the fit.
    """
    if model is None:
        model = SEQUENCES.get(run.sequence)
        if model is None:
            raise FitError(f"sequence {run.sequence} has no model of its own: name one of {', '.join(MODELS)}")
    if model not in MODELS:
        raise FitError(f"model {model!r} is not known: {', '.join(MODELS)} are")
    return MODELS[model](run)


def _only(run: Run, model: str, allowed: tuple[str, ...], instead: str) -> None:
    """Refuse a run over more than the model knows of; curves that differ must not be fitted as one."""
    given = [axis.name for axis in run.axes if len(axis) > 1]
    if allowed[0] not in given:
        raise FitError(f"{run.path}: {model} needs a run over {allowed[0]}, this one is over {_listed(given)}")
    if extra := [name for name in given if name not in allowed]:
        raise FitError(
            f"{run.path}: {model} takes a run over {allowed[0]}; this one has many over {_listed(extra)}: {instead}"
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def _srs(run: Run) -> FitResult:
    _only(run, "srs", ("frequency",), _MAPS)
    return fit_srs(column(run, "frequency"), column(run, "current"))


def _srs_two_widths(run: Run) -> FitResult:
    _only(run, "srs_two_widths", ("frequency",), _MAPS)
    return fit_srs(column(run, "frequency"), column(run, "current"), harmonics=2)


def _srs_map(run: Run) -> FitResult:
    return fit_srs_map(*(column(run, name) for name in ("offset", "drive", "frequency", "current")))


def _decay(run: Run) -> FitResult:
    """On the sides and beyond the exclusion that the sequence was given; if that is 0, where pulses do not overlap."""
    _only(run, "decay", ("delay",), "one delay scan a fit")
    given = {name: parameter.value for name, parameter in run.parameters.items()}
    overlap = float(given.get("width", 0.0)) + 2 * float(given.get("rise_time", 0.0))
    return fit_decay(
        column(run, "delay"),
        column(run, "current"),
        exclusion=float(given.get("exclusion", 0.0)) or overlap,
        sides=str(given.get("fitted_sides", "both")),
    )


def _transfer(run: Run) -> FitResult:
    """Amplitudes as asked for; what was played differs by the last digit of the generator's level."""
    if "reference_magnitude" not in run.factors:
        raise FitError(f"{run.path}: the model needs the factor reference_magnitude, which the run does not have")
    return fit_transfer(
        *(column(run, name) for name in ("frequency", "drive", "current")),
        reference_dB=float(run.factors["reference_magnitude"].value),
    )


def _steps(run: Run, model: str) -> FitResult:
    """One spectrum: sweeps there and back, and repeated ones, averaged at each bias."""
    _only(run, model, ("bias", "sweep"), "transport, exchange and correlation take a ramp")
    bias, conductance = averaged(column(run, "bias"), column(run, "conductance"))
    method, pairs = STEP_MODELS[model]
    return fit_steps(
        bias,
        conductance,
        temperature_K=temperature(run),
        modulation_V=modulation(run),
        pairs=pairs,
        method=method,
        unit="S",
    )


def _transport(run: Run) -> FitResult:
    """All spectra of a ramp, or a single one."""
    many = any(axis.name == "setpoint" for axis in run.axes)
    bias, given = column(run, "bias"), column(run, "conductance")
    setpoint = column(run, "setpoint") if many else np.full(bias.shape, _setpoint(run))
    setpoint, bias, conductance, left_out = whole_spectra(*averaged(setpoint, bias, given))
    fit = fit_transport(
        bias,
        conductance,
        setpoint,
        modulation_V=modulation(run),
        temperature_K=temperature(run),
        field_T=setting(run, "field"),
    )
    return replace(fit, warnings=(*left_out, *fit.warnings))


def _setpoint(run: Run) -> float:
    return abs(setting(run, "setpoint_current") / setting(run, "setpoint_bias", 1.0))


def _series(run: Run) -> tuple[StepSeries, FloatArray]:
    """Steps of every spectrum of a ramp, and the biases."""
    columns = averaged(*(column(run, name) for name in ("setpoint", "bias", "conductance")))
    setpoint, bias, conductance, left_out = whole_spectra(*columns)
    series = fit_series(bias, conductance, setpoint, temperature_K=temperature(run), modulation_V=modulation(run))
    return replace(series, warnings=(*left_out, *series.warnings)), np.unique(bias)


def _exchange(run: Run) -> FitResult:
    return exchange_of(_series(run)[0], field_T=setting(run, "field"))


def _correlation(run: Run) -> FitResult:
    series, bias = _series(run)
    return correlation_of(series, bias, field_T=setting(run, "field"), modulation_V=modulation(run))


def _telegraph(run: Run) -> FitResult:
    """All traces together: each is a look at the same process."""
    time = next((axis for axis in run.axes if axis.name == "time"), None)
    if time is None or "current" not in run.data:
        raise FitError(
            f"{run.path}: the model telegraph needs current against time, as the sequence time_trace takes it"
        )
    return fit_telegraph(column(run, "current").reshape(-1, len(time)), float(time.values[1] - time.values[0]))


_MAPS = "srs_map takes maps over bias and amplitude"

# The noise of a lock-in reading is the same at every frequency, and is taken from the residual: readings averaged at
# one point are too few, and too close in time, to weight the points by their scatter.
MODELS: Mapping[str, Callable[[Run], FitResult]] = {
    "srs": _srs,
    "srs_two_widths": _srs_two_widths,
    "srs_map": _srs_map,
    "decay": _decay,
    "transfer": _transfer,
    **{name: partial(_steps, model=name) for name in STEP_MODELS},
    "transport": _transport,
    "exchange": _exchange,
    "correlation": _correlation,
    "telegraph": _telegraph,
}
SEQUENCES: Mapping[str, str] = {
    "srs": "srs",
    "srs_map": "srs_map",
    "pump_probe": "decay",
    "transfer": "transfer",
    "didv": "steps",
    "setpoint_ramp": "transport",
    "time_trace": "telegraph",
}
