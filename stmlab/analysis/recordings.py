"""Fits of files that other programs recorded: steps, the transport model, switching, resonance lines, decays."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.analysis.iterations import fitting
from stmlab.analysis.models import TAKES
from stmlab.analysis.one_curve import SRS_WIDTHS, decay_of, srs_of
from stmlab.analysis.recorded.checks import overload_warnings
from stmlab.analysis.recorded.columns import backward_of, in_base_unit, of_trace, signal
from stmlab.analysis.recorded.directions import each_sweep, missing_points
from stmlab.analysis.recorded.header import told_by_header
from stmlab.analysis.recorded.spectra import fit_spectra
from stmlab.analysis.recorded.swept import Rows, Swept, rows_of, sweeps
from stmlab.analysis.settings import Settings, check_given, check_guided
from stmlab.analysis.steps import STEP_MODELS
from stmlab.analysis.telegraph import fit_telegraph
from stmlab.errors import FitError
from stmlab.storage.recorded import Grid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.guided import Guide
    from stmlab.arrays import IntArray
    from stmlab.results import FitResult
    from stmlab.storage.recorded import Column, Recording

_OF_A_BIAS = (*STEP_MODELS, "transport")
MODELS = (*_OF_A_BIAS, "telegraph", *SRS_WIDTHS, "decay")
_DEFAULT = {Swept.BIAS: "steps", Swept.TIME: "telegraph", Swept.FREQUENCY: "srs", Swept.DELAY: "decay"}
_NEEDS = {
    **dict.fromkeys(_OF_A_BIAS, Swept.BIAS),
    "telegraph": Swept.TIME,
    **dict.fromkeys(SRS_WIDTHS, Swept.FREQUENCY),
    "decay": Swept.DELAY,
}


def analyse_recording(
    recording: Recording | Grid,
    model: str | None = None,
    channel: str | None = None,
    settings: Mapping[str, Any] | None = None,
    guide: Guide | None = None,
) -> dict[str, FitResult]:
    """Fit what a file holds: steps over a bias, switching over time, a line over frequency, a decay over delay.

    Args:
        recording: as ``open_recording`` gives it.
        model: one of the ``MODELS``; None chooses.
        channel: name of a column; by default the lock-in's, or the numerical derivative of the current where there is
            none; of a trace the current.
        settings: what overrules the file, or what it does not say, see `stmlab.analysis.settings`; SI.
        guide: start values and fixed parameters; None: the fit finds its own.

    Returns:
        Of a trace "trace" -> fit. Of sweeps "forward" -> fit of the first and those that went the same way ("forward
        2"), "backward" -> of the way back. ``choices`` names the column, the sweep and what the header said; sweeps
        that hold no fit are named in the warnings of those that do.

    Raises:
        FitError: the model is not known or does not take a setting, the file holds no such data, or they do not suffice
            for the fit.
        FileError: there is no such column.
    """
    if isinstance(recording, Grid):
        raise FitError(
            f"{recording.path}: a grid of curves: fit_grid fits all of them, grid.spectrum(row, column) is one"
        )
    if model is not None and model not in MODELS:
        raise FitError(f"model {model!r} is not for recorded files: {', '.join(MODELS)} are")
    rows = rows_of(recording)
    if model == "decay" and rows.what is Swept.TIME and rows.column.unit == "s":  # who asks for it calls it a delay
        rows = replace(rows, what=Swept.DELAY)
    model = model or _DEFAULT.get(rows.what)
    if model is None:
        raise FitError(
            f"{recording.path}: {rows.column.name} in {rows.column.unit or 'no unit'} was swept: steps need a bias in V"
        )
    header = told_by_header(recording)
    told = Settings(settings or {}, header.known, guide=guide)
    check_given(model, TAKES.get(model, ()), told.given)
    check_guided(model, guide)
    _check_swept(recording, rows, model)
    if rows.what is Swept.TIME:
        with fitting(model, told.time_limit) as steps:
            fits = {"trace": steps.marked(_telegraph(recording, channel, told, rows))}
    elif rows.what is Swept.BIAS:
        fits = fit_spectra(recording, model, channel, told, header, rows)
    else:
        fits = _of_a_sweep(recording, model, channel, told, rows)
    notes = tuple(recording.notes)
    return {name: replace(fit, warnings=(*notes, *rows.warnings, *fit.warnings)) for name, fit in fits.items()}


def _check_swept(recording: Recording, rows: Rows, model: str) -> None:
    needed = _NEEDS[model]
    if rows.what is needed:
        return
    path, name = recording.path, rows.column.name
    if rows.what is Swept.TIME and needed is Swept.BIAS:
        raise FitError(f"{path}: {name} stands still or is the time of a trace: there is no spectrum to fit")
    unit = {Swept.BIAS: "a bias in V", Swept.TIME: "a trace", Swept.FREQUENCY: "a frequency in Hz"}
    raise FitError(
        f"{path}: {name} in {rows.column.unit or 'no unit'} was swept: {model} needs {unit.get(needed, 'a delay in s')}"
    )


# -- traces ------------------------------------------------------------------------------------------------------------


def _telegraph(recording: Recording, channel: str | None, told: Settings, rows: Rows) -> FitResult:
    if rows.interval is None:
        raise FitError(
            f"{recording.path}: the file does not say the interval of its samples: no rate can be determined"
        )
    column = in_base_unit(recording[channel]) if channel else of_trace(recording, rows.column)
    fit = fit_telegraph(
        column.values[rows.kept],
        rows.interval,
        threshold=told.optional("threshold"),
        dead_time=told.optional("dead_time"),
    )
    choices = {"column": column.name, **fit.choices, **told.said()}
    return replace(_in_unit(fit, column), choices=choices)


# -- over frequency or delay -------------------------------------------------------------------------------------------


def _of_a_sweep(
    recording: Recording, model: str, channel: str | None, told: Settings, rows: Rows
) -> dict[str, FitResult]:
    column = signal(recording, channel)
    at = rows.column.values
    backward = backward_of(recording, column)

    def fitted(seen: Column, part: IntArray) -> FitResult:
        known = part[np.isfinite(seen.values[part])]
        x, y = at[known], seen.values[known]
        if model == "decay":
            fit = decay_of(x, y, told.number("exclusion"), told)
        else:
            fit = srs_of(x, y, model, told)
        warnings = [*overload_warnings(seen.name, y), *missing_points(part.size - known.size, part.size), *fit.warnings]
        choices = {"column": seen.name, **fit.choices, **told.said()}
        return replace(_in_unit(fit, seen), choices=choices, warnings=tuple(warnings))

    steps = partial(fitting, model, told.time_limit)
    return each_sweep(column, backward, sweeps(at), rows.column.unit, fitted, steps)


def _in_unit(fit: FitResult, column: Column) -> FitResult:
    """With the column's name, and its unit in the place of A."""
    parameters = tuple(replace(p, unit=column.unit) if p.unit == "A" else p for p in fit.parameters)
    return replace(fit, parameters=parameters, labels={**fit.labels, "y": column.name, "y_unit": column.unit})
