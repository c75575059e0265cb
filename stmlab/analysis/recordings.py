"""Fits of files that other programs recorded: steps of a spectrum, switching of a trace."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.steps import STEP_MODELS, fit_steps
from stmlab.analysis.telegraph import fit_telegraph
from stmlab.errors import FitError

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult
    from stmlab.storage.recorded import Column, Recording

MODELS = (*STEP_MODELS, "telegraph")
_BACKWARD = "[bwd]"
_LOCKIN = re.compile(r"lock-?in(?! y)|\bLIX? |Demod \d* ?X|\bZI (X|R)", re.IGNORECASE)
_SINGLE_SWEEP = re.compile(r"\[\d{5}\]")


def analyse_recording(
    recording: Recording, model: str | None = None, channel: str | None = None
) -> dict[str, FitResult]:
    """Fit what a file holds: a trace (its first column stands still) for switching, a sweep for steps.

    Args:
        recording: as ``open_recording`` gives it.
        model: "telegraph" or one of the ``STEP_MODELS``; None chooses.
        channel: name of a column; by default the lock-in's, or the numerical derivative of the current where there is
            none; of a trace the current.

    Returns:
        "forward" and, if it was recorded, "backward" -> fit; of a trace "trace" -> fit.

    Raises:
        FitError: the model is not known, the file holds no such data, or they cannot carry the fit.
        FileError: there is no such column.
    """
    model = model or ("telegraph" if recording.is_trace else "steps")
    if model not in MODELS:
        raise FitError(f"model {model!r} is not for recorded files: {', '.join(MODELS)} are")
    if model == "telegraph":
        return {"trace": _telegraph(recording, channel)}
    if recording.is_trace:
        raise FitError(f"{recording.path}: {recording.columns[0].name} stands still: there is no spectrum to fit")
    forward, derived = _spectrum(recording, channel)
    fits = {"forward": _steps(recording, forward, model, derived=derived)}
    backward = _backward_of(recording, forward)
    if backward is not None:
        fits["backward"] = _steps(recording, backward, model, derived=derived)
    return fits


def _telegraph(recording: Recording, channel: str | None) -> FitResult:
    if recording.sample_interval is None:
        raise FitError(f"{recording.path}: the file does not say how far apart its samples are: no rate can be had")
    column = recording[channel] if channel else _current(recording)
    fit = fit_telegraph(column.values, recording.sample_interval)
    return replace(fit, labels={**fit.labels, "y": column.name, "y_unit": column.unit})


def _steps(recording: Recording, column: Column, model: str, *, derived: bool) -> FitResult:
    bias = recording.columns[0]
    if bias.unit != "V":
        raise FitError(f"{recording.path}: {bias.name} in {bias.unit or 'no unit'} was swept: steps need a bias in V")
    values: FloatArray = column.values
    if derived:
        values = np.gradient(values, bias.values)
    method, pairs = STEP_MODELS[model]
    fit = fit_steps(bias.values, values, method=method, pairs=pairs, unit="S" if derived else column.unit)
    name = f"d({column.name})/dV" if derived else column.name
    warnings = fit.warnings
    if derived:
        warnings = ("dI/dV is the numerical derivative of the current: there is no lock-in column", *warnings)
    return replace(fit, labels={**fit.labels, "y": name}, warnings=warnings)


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
