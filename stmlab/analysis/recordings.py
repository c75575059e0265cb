"""Fits of files that other programs recorded: steps of a spectrum or the transport model, switching of a trace."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.analysis.calibration import siemens_per_reading
from stmlab.analysis.models import TAKES
from stmlab.analysis.recorded_columns import (
    backward_of,
    bias,
    current,
    derivative,
    in_amperes,
    is_backward,
    spectrum,
)
from stmlab.analysis.settings import Settings, check_given
from stmlab.analysis.steps import STEP_MODELS, fit_steps
from stmlab.analysis.telegraph import fit_telegraph
from stmlab.analysis.transport import fit_transport
from stmlab.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import BoolArray
    from stmlab.results import FitResult
    from stmlab.storage.recorded import Column, Recording

MODELS = (*STEP_MODELS, "transport", "telegraph")


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
    column, derived = spectrum(recording, channel)
    fit = _transport if model == "transport" else partial(_steps, model=model)
    fits = {"backward" if is_backward(column) else "forward": fit(recording, column, told, derived=derived)}
    backward = backward_of(recording, column)
    if backward is not None:
        fits["backward"] = fit(recording, backward, told, derived=derived)
    return fits


def _telegraph(recording: Recording, channel: str | None, told: Settings) -> FitResult:
    if recording.sample_interval is None:
        raise FitError(f"{recording.path}: the file does not say how far apart its samples are: no rate can be had")
    column = recording[channel] if channel else current(recording)
    column = in_amperes(column) or column
    fit = fit_telegraph(
        column.values,
        recording.sample_interval,
        threshold=told.optional("threshold"),
        dead_time=told.optional("dead_time"),
    )
    labels = {**fit.labels, "y": column.name, "y_unit": column.unit}
    return replace(fit, labels=labels, choices={"column": column.name, **fit.choices, **told.said()})


def _steps(recording: Recording, column: Column, told: Settings, model: str, *, derived: bool) -> FitResult:
    at, values = bias(recording), column.values
    method, pairs = STEP_MODELS[model]
    if derived:
        values = derivative(at, values)
    known = np.isfinite(at) & np.isfinite(values)
    fit = fit_steps(
        at[known],
        values[known],
        temperature_K=told.temperature,
        modulation_V=told.modulation,
        window_V=told.window,
        method=method,
        pairs=pairs,
        unit="S" if derived else column.unit,
    )
    return _described(fit, column, told, known, derived=derived)


def _transport(recording: Recording, column: Column, told: Settings, *, derived: bool) -> FitResult:
    """The lock-in's reading in S by the current of the same direction."""
    at, values = bias(recording), column.values
    flowing = column if derived else current(recording)
    if is_backward(column) and not derived:
        flowing = backward_of(recording, flowing) or flowing
    known = np.isfinite(at) & np.isfinite(values) & np.isfinite(flowing.values)
    at, values, amperes = at[known], values[known], flowing.values[known]
    conductance = derivative(at, values) if derived else values * siemens_per_reading(at, values, amperes)
    end = np.abs(at).argmax()
    setpoint = abs(amperes[end] / at[end])  # the tip is stabilised at an end of the sweep
    inside = np.abs(at) <= told.window * (1 + 1e-9)
    fit = fit_transport(
        at[inside],
        conductance[inside],
        np.full(np.count_nonzero(inside), setpoint),
        **told.transport(),
    )
    return _described(fit, column, told, known, derived=derived)


def _described(fit: FitResult, column: Column, told: Settings, known: BoolArray, *, derived: bool) -> FitResult:
    """With the column's name and what was given; and what the file does not say, or holds no numbers for."""
    name = f"d({column.name})/dV" if derived else column.name
    warnings = ["dI/dV is the numerical derivative of the current: there is no lock-in column"] if derived else []
    if not derived and "modulation" not in told.given:
        warnings.append(
            "the modulation at the junction is not known: the steps' width is taken for temperature alone (give "
            "modulation)"
        )
    if missing := int(np.count_nonzero(~known)):
        warnings.append(f"{missing} of {known.size} points are no numbers, and left out")
    choices = {"column": column.name, **fit.choices, **told.said()}
    return replace(fit, labels={**fit.labels, "y": name}, choices=choices, warnings=(*warnings, *fit.warnings))
