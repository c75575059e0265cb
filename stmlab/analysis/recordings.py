"""Fits of files that other programs recorded: steps of a spectrum or the transport model, switching of a trace."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.analysis.calibration import siemens_per_reading
from stmlab.analysis.models import TAKES
from stmlab.analysis.settings import Settings, check_given
from stmlab.analysis.steps import STEP_MODELS, fit_steps
from stmlab.analysis.telegraph import fit_telegraph
from stmlab.analysis.transport import fit_transport
from stmlab.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult
    from stmlab.storage.recorded import Column, Recording

MODELS = (*STEP_MODELS, "transport", "telegraph")
_BACKWARD = "[bwd]"
_LOCKIN = re.compile(r"lock-?in(?! y)|\bLIX? |Demod \d* ?X|\bZI (X|R)", re.IGNORECASE)
_SINGLE_SWEEP = re.compile(r"\[\d{5}\]")


def analyse_recording(
    recording: Recording,
    model: str | None = None,
    channel: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, FitResult]:
    """Fit what a file holds: a trace (its first column stands still) for switching, a sweep for steps.

    Args:
        recording: as ``open_recording`` gives it.
        model: "telegraph", "transport" or one of the ``STEP_MODELS``; None chooses.
        channel: name of a column; by default the lock-in's, or the numerical derivative of the current where there is
            none; of a trace the current.
        settings: what the file does not say, see `stmlab.analysis.settings`; SI.

    Returns:
        "forward" and, if it was recorded, "backward" -> fit; of a trace "trace" -> fit. ``choices`` names the column.

    Raises:
        FitError: the model is not known or does not take a setting, the file holds no such data, or they cannot carry
            the fit.
        FileError: there is no such column.
    """
    model = model or ("telegraph" if recording.is_trace else "steps")
    if model not in MODELS:
        raise FitError(f"model {model!r} is not for recorded files: {', '.join(MODELS)} are")
    told = Settings(settings or {})
    check_given(model, TAKES[model], told.given)
    if model == "telegraph":
        return {"trace": _telegraph(recording, channel, told)}
    if recording.is_trace:
        raise FitError(f"{recording.path}: {recording.columns[0].name} stands still: there is no spectrum to fit")
    forward, derived = _spectrum(recording, channel)
    fit = _transport if model == "transport" else partial(_steps, model=model)
    fits = {"forward": fit(recording, forward, told, derived=derived)}
    backward = _backward_of(recording, forward)
    if backward is not None:
        fits["backward"] = fit(recording, backward, told, derived=derived)
    return fits


def _telegraph(recording: Recording, channel: str | None, told: Settings) -> FitResult:
    if recording.sample_interval is None:
        raise FitError(f"{recording.path}: the file does not say how far apart its samples are: no rate can be had")
    column = recording[channel] if channel else _current(recording)
    fit = fit_telegraph(
        column.values,
        recording.sample_interval,
        threshold=told.optional("threshold"),
        dead_time=told.optional("dead_time"),
    )
    labels = {**fit.labels, "y": column.name, "y_unit": column.unit}
    return replace(fit, labels=labels, choices={"column": column.name, **fit.choices, **told.said()})


def _steps(recording: Recording, column: Column, told: Settings, model: str, *, derived: bool) -> FitResult:
    bias, values = _bias(recording), column.values
    method, pairs = STEP_MODELS[model]
    if derived:
        values = np.gradient(values, bias)
    fit = fit_steps(
        bias,
        values,
        temperature_K=told.temperature,
        modulation_V=told.modulation,
        window_V=told.window,
        method=method,
        pairs=pairs,
        unit="S" if derived else column.unit,
    )
    return _described(fit, column, told, derived=derived)


def _transport(recording: Recording, column: Column, told: Settings, *, derived: bool) -> FitResult:
    """The lock-in's reading in S by the current of the same direction."""
    bias, values = _bias(recording), column.values
    current = column if derived else _current(recording)
    if _BACKWARD in column.name and not derived:
        current = _backward_of(recording, current) or current
    conductance = np.gradient(values, bias) if derived else values * siemens_per_reading(bias, values, current.values)
    end = np.abs(bias).argmax()
    setpoint = abs(current.values[end] / bias[end])  # the tip is stabilised at an end of the sweep
    inside = np.abs(bias) <= told.window * (1 + 1e-9)
    fit = fit_transport(
        bias[inside],
        conductance[inside],
        np.full(np.count_nonzero(inside), setpoint),
        **told.transport(),
    )
    return _described(fit, column, told, derived=derived)


def _bias(recording: Recording) -> FloatArray:
    bias = recording.columns[0]
    if bias.unit != "V":
        raise FitError(f"{recording.path}: {bias.name} in {bias.unit or 'no unit'} was swept: steps need a bias in V")
    return bias.values


def _described(fit: FitResult, column: Column, told: Settings, *, derived: bool) -> FitResult:
    """With the column's name and what was given; and what the file does not say."""
    name = f"d({column.name})/dV" if derived else column.name
    warnings = ["dI/dV is the numerical derivative of the current: there is no lock-in column"] if derived else []
    if not derived and "modulation" not in told.given:
        warnings.append(
            "the modulation at the junction is not known: the steps' width is taken for temperature alone (give "
            "modulation)"
        )
    choices = {"column": column.name, **fit.choices, **told.said()}
    return replace(fit, labels={**fit.labels, "y": name}, choices=choices, warnings=(*warnings, *fit.warnings))


def _spectrum(recording: Recording, channel: str | None) -> tuple[Column, bool]:
    """The column of the forward sweep, and whether it must be differentiated."""
    if channel is not None:
        column = recording[channel]
        return column, column.unit == "A" and not _LOCKIN.search(column.name)
    for column in recording.columns[1:]:
        if _LOCKIN.search(column.name) and not _other(column.name):
            return column, False
    return _current(recording), True


def _current(recording: Recording) -> Column:
    for column in recording.columns[1:]:
        if column.unit == "A" and not _other(column.name):
            return column
    names = ", ".join(column.name for column in recording.columns)
    raise FitError(f"{recording.path}: no current among {names}: name the channel")


def _other(name: str) -> bool:
    """A backward or a single one of several sweeps."""
    return _BACKWARD in name or _SINGLE_SWEEP.search(name) is not None


def _backward_of(recording: Recording, forward: Column) -> Column | None:
    wanted = sorted([*re.findall(r"\[[^\]]*\]", forward.name), _BACKWARD])
    base = forward.name.split(" [")[0]
    for column in recording.columns:
        if column.name.split(" [")[0] == base and sorted(re.findall(r"\[[^\]]*\]", column.name)) == wanted:
            return column
    return None
