"""The models by name, and the one that each sequence's data are meant for."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.analysis.adaptive.decay_verdict import judged_decay
from stmlab.analysis.adaptive.resonance_verdict import judged_rate
from stmlab.analysis.adaptive.verdict import judged
from stmlab.analysis.bound_state import fit_ramp, shows_peaks
from stmlab.analysis.columns import averaged, column, whole_spectra
from stmlab.analysis.iterations import fitting, iterations
from stmlab.analysis.n_state import fit_map
from stmlab.analysis.one_curve import SRS_WIDTHS, decay_of, srs_of, steps_of, transport_of
from stmlab.analysis.ramp import correlation_of, exchange_of, fit_series
from stmlab.analysis.settings import Settings, check_given, check_guided
from stmlab.analysis.srs_map import fit_srs_map
from stmlab.analysis.steps import STEP_MODELS
from stmlab.analysis.telegraph import fit_telegraph
from stmlab.analysis.transfer_function import fit_transfer
from stmlab.errors import FitEnded, FitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stmlab.analysis.guided import Guide
    from stmlab.analysis.ramp import StepSeries
    from stmlab.results import FitResult
    from stmlab.storage import Run


def analyse(
    run: Run, model: str | None = None, settings: Mapping[str, Any] | None = None, guide: Guide | None = None
) -> FitResult:
    """Fit a run.

    Args:
        run: as ``open_run`` gives it.
        model: name of the model; by default the one that belongs to the run's sequence.
        settings: what the fit shall take instead of the run's own parameters, see `stmlab.analysis.settings`; SI.
        guide: start values and fixed parameters; None: the fit finds its own.

    Raises:
        FitError: the model is not known or does not take a setting or a guide, the sequence has no model, or the data
            do not suffice for the fit.
    """
    if model is None:
        model = default_model(run)
        if model is None:
            raise FitError(f"sequence {run.sequence} has no model of its own: name one of {', '.join(MODELS)}")
    if model not in MODELS:
        raise FitError(f"model {model!r} is not known: {', '.join(MODELS)} are")
    told = Settings.of_run(run, settings or {}, guide)
    check_given(model, TAKES.get(model, ()), told.given)
    check_guided(model, guide)
    with fitting(model, told.time_limit) as steps:
        fit = steps.marked(MODELS[model](run, told))
    return replace(fit, choices={**fit.choices, **told.said()})


def default_model(run: Run) -> str | None:
    """Name of the model of a run's sequence, None where it has none; of steps, with as many pairs as the run says."""
    model = SEQUENCES.get(run.sequence)
    if model == "transport":
        return ramp_model(run)
    one_pair = model == "steps" and "pairs" in run.parameters and run.parameters["pairs"].value == 1
    return "steps_one_pair" if one_pair else model


def ramp_model(run: Run) -> str:
    """Name of the model of a ramp of conductances: of a bound state where the current has peaks, else of a spin."""
    return "bound_state" if shows_peaks(run) else "transport"


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


def _srs(run: Run, told: Settings, model: str) -> FitResult:
    _only(run, model, ("frequency", "sweep"), _MAPS)
    frequency, current = column(run, "frequency"), column(run, "current")
    fit = srs_of(frequency, current, model, told)
    if _is_adaptive(run, "grid"):
        fit = judged_rate(fit, frequency, current, run.time, float(run.parameters["target_error"].value))
    return _unflattened(run, fit)


def _is_adaptive(run: Run, parameter: str) -> bool:
    return parameter in run.parameters and run.parameters[parameter].value == "adaptive"


def _srs_map(run: Run, _: Settings) -> FitResult:
    """Spectra of a run that was stopped are fitted where they are whole."""
    columns = [column(run, name) for name in ("offset", "drive", "frequency", "current")]
    spectra = len(run.axes[-1])
    whole = len(columns[0]) // spectra * spectra or len(columns[0])
    fit = _unflattened(run, fit_srs_map(*(values[:whole] for values in columns)))
    if whole == len(columns[0]):
        return fit
    left_out = f"the last spectrum is not whole ({len(columns[0]) - whole} of {spectra} points) and left out"
    return replace(fit, warnings=(left_out, *fit.warnings))


def _n_state(run: Run, told: Settings) -> FitResult:
    return _unflattened(run, fit_map(run, told))


def _unflattened(run: Run, fit: FitResult) -> FitResult:
    """With a warning before all others, which are about the line's ripple then, if the run was not flattened."""
    if "flattened" not in run.factors or run.factors["flattened"].value:
        return fit
    warning = (
        "the spectrum is not flattened: it contains the ripple of the line, which makes the rate wrong by "
        "more than any error here"
    )
    return replace(fit, warnings=(warning, *fit.warnings))


def _decay(run: Run, told: Settings) -> FitResult:
    """On the sides and beyond the exclusion that the sequence was given; if that is 0, where pulses do not overlap."""
    _only(run, "decay", ("delay", "sweep"), "one delay scan a fit")
    overlap = told.number("width") + 2 * told.number("rise_time")
    delay, current = column(run, "delay"), column(run, "current")
    fit = decay_of(delay, current, told.number("exclusion") or overlap, told)
    if not _is_adaptive(run, "delays"):
        return fit
    return judged_decay(fit, delay, current, run.time, float(run.parameters["target_error"].value))


def _transfer(run: Run, _: Settings) -> FitResult:
    """Amplitudes as asked for; what was played differs by the last digit of the generator's level."""
    if "reference_magnitude" not in run.factors:
        raise FitError(f"{run.path}: the model needs the factor reference_magnitude, which the run does not have")
    return fit_transfer(
        *(column(run, name) for name in ("frequency", "drive", "current")),
        reference_dB=float(run.factors["reference_magnitude"].value),
    )


def _steps(run: Run, told: Settings, model: str) -> FitResult:
    """One spectrum: sweeps there and back, and repeated ones, averaged at each bias."""
    _only(run, model, ("bias", "sweep"), "transport, exchange and correlation take a ramp")
    if _is_adaptive(run, "biases"):
        return _chosen_steps(run, told, model)
    bias, conductance = averaged(column(run, "bias"), column(run, "conductance"))
    try:
        return steps_of(bias, conductance, model, told, "S")
    except FitError as error:
        raise told.naming_window(error, bias) from error


def _chosen_steps(run: Run, told: Settings, model: str) -> FitResult:
    """All that was visited, unless a window is given: the biases were chosen within the range of the run."""
    bias, conductance = column(run, "bias"), column(run, "conductance")
    if "window" not in told.given:
        told = replace(told, known={**told.known, "window": float(np.abs(run.axes[-1].values).max())})
    fit = steps_of(bias, conductance, model, told, "S")
    inside = np.abs(bias) <= told.window * (1 + 1e-9)
    fitted = np.interp(bias[inside], fit.curves["x"], fit.curves["fit"])
    line = (fitted - fitted.min()) / max(float(np.ptp(fitted)), 1e-300)
    rising = np.gradient(fit.curves["fit_smooth"], fit.curves["x_smooth"]) * np.sign(fit.curves["x_smooth"])
    shift = np.interp(bias[inside], fit.curves["x_smooth"], rising)
    names = [parameter.name for parameter in fit.parameters if parameter.name in ("inner_energy", "outer_energy")]
    target = float(run.parameters["target_error"].value)
    return judged(fit, line, conductance[inside], run.time[inside], target, *names, x=bias[inside], shift=shift)


def _transport(run: Run, told: Settings) -> FitResult:
    """All spectra of a ramp, or a single one; over all of the bias, if no window is given."""
    many = any(axis.name == "setpoint" for axis in run.axes)
    bias, given = column(run, "bias"), column(run, "conductance")
    setpoint = column(run, "setpoint") if many else np.full(bias.shape, told.setpoint)
    setpoint, bias, conductance, left_out = whole_spectra(*averaged(setpoint, bias, given))
    inside = np.abs(bias) <= told.number("window", math.inf) * (1 + 1e-9)
    no_spin = (_NO_SPIN,) if many and shows_peaks(run) else ()
    try:
        fit = transport_of(bias[inside], conductance[inside], setpoint[inside], told)
    except FitError as error:
        if no_spin and not isinstance(error, FitEnded):
            raise FitError(f"{_NO_SPIN}; {error}") from error
        raise
    return replace(fit, warnings=(*no_spin, *left_out, *fit.warnings))


_NO_SPIN = (
    "the current falls beyond a peak at either polarity, as through a bound state under a superconducting tip: fit "
    "bound_state"
)


def _series(run: Run, told: Settings) -> StepSeries:
    """Steps of every spectrum of a ramp."""
    columns = averaged(*(column(run, name) for name in ("setpoint", "bias", "conductance")))
    setpoint, bias, conductance, left_out = whole_spectra(*columns)
    series = fit_series(bias, conductance, setpoint, temperature_K=told.temperature, modulation_V=told.modulation)
    return replace(series, warnings=(*left_out, *series.warnings))


def _exchange(run: Run, told: Settings) -> FitResult:
    series = _series(run, told)
    with iterations().finishing():
        return exchange_of(series, field_T=told.number("field"))


def _correlation(run: Run, told: Settings) -> FitResult:
    return correlation_of(_series(run, told), field_T=told.number("field"))


def _telegraph(run: Run, told: Settings) -> FitResult:
    """All traces together: each is a look at the same process."""
    time = next((axis for axis in run.axes if axis.name == "time"), None)
    if time is None or "current" not in run.data:
        raise FitError(
            f"{run.path}: the model telegraph needs current against time, as the sequence time_trace takes it"
        )
    return fit_telegraph(
        column(run, "current").reshape(-1, len(time)),
        float(time.values[1] - time.values[0]),
        threshold=told.optional("threshold"),
        dead_time=told.optional("dead_time"),
    )


_MAPS = "srs_map takes maps over bias and amplitude"

# The noise of a lock-in reading is the same at every frequency, and is taken from the residual: readings averaged at
# one point are too few, and too close in time, to weight the points by their scatter.
MODELS: Mapping[str, Callable[[Run, Settings], FitResult]] = {
    **{name: partial(_srs, model=name) for name in SRS_WIDTHS},
    "srs_map": _srs_map,
    "n_state": _n_state,
    "decay": _decay,
    "transfer": _transfer,
    **{name: partial(_steps, model=name) for name in STEP_MODELS},
    "transport": _transport,
    "exchange": _exchange,
    "correlation": _correlation,
    "telegraph": _telegraph,
    "bound_state": fit_ramp,
}
_SPECTRUM = ("temperature", "modulation", "window")
_RAMP = ("temperature", "modulation", "field")
TAKES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(STEP_MODELS, _SPECTRUM),
    "transport": (*_SPECTRUM, "field", "scattering", "order"),
    "exchange": _RAMP,
    "correlation": _RAMP,
    "n_state": ("temperature", "field", "spin", "offset"),
    "decay": ("exclusion", "fitted_sides"),
    "telegraph": ("threshold", "dead_time"),
    "bound_state": ("window",),
}
"""Settings that each model takes beside the data; the others take none."""
SEQUENCES: Mapping[str, str] = {
    "srs": "srs",
    "srs_map": "srs_map",
    "pump_probe": "decay",
    "transfer": "transfer",
    "didv": "steps",
    "setpoint_ramp": "transport",
    "time_trace": "telegraph",
}
