"""Fits of a recorded spectrum over the bias: steps or the transport model, and what is odd about the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.calibration import siemens_per_reading
from stmlab.analysis.iterations import fitting
from stmlab.analysis.one_curve import steps_of, transport_of
from stmlab.analysis.recorded.checks import height_warnings, overload_warnings, phase_warnings, spike_warnings
from stmlab.analysis.recorded.columns import (
    Spectrum,
    backward_of,
    current,
    derivative,
    is_backward,
    quadrature_of,
    spectrum,
)
from stmlab.analysis.recorded.directions import directions, each_sweep, missing_points
from stmlab.analysis.recorded.header import promise_warnings
from stmlab.analysis.recorded.swept import sweeps
from stmlab.analysis.steps import STEP_MODELS, fit_steps
from stmlab.errors import FitEnded, FitError
from stmlab.units import format_value

if TYPE_CHECKING:
    from stmlab.analysis.recorded.header import Told
    from stmlab.analysis.recorded.swept import Rows
    from stmlab.analysis.settings import Settings
    from stmlab.arrays import FloatArray, IntArray
    from stmlab.results import FitResult
    from stmlab.storage.recorded import Column, Recording

_NARROWER = 0.9  # of the residual, which a free temperature leaves where the header's does not suit


def fit_spectra(
    recording: Recording, model: str, channel: str | None, told: Settings, header: Told, rows: Rows
) -> dict[str, FitResult]:
    """Fit every sweep over the bias.

    Args:
        recording: the file.
        model: one of the `STEP_MODELS`, or "transport".
        channel: name of the column, or None.
        told: what was given, or what the header says.
        header: what else it says.
        rows: with the bias.

    Returns:
        "forward", "backward", "forward 2" -> fit.

    Raises:
        FitError: no sweep carries a fit, or there is no column for it.
        FileError: there is no such column.
    """
    seen = spectrum(recording, channel, header.harmonics)
    fit = fit_transport_recorded if model == "transport" else partial(_steps, model=model)

    def fitted(column: Column, part: IntArray) -> FitResult:
        here = replace(seen, column=column)
        found = fit(recording, here, told, rows.column.values, part)
        odd = about(recording, here, told, header, rows.column.values, part)
        return replace(
            found,
            choices={**found.choices, **header.said(told.given), **told.said()},
            warnings=(*odd, *found.warnings),
        )

    backward = backward_of(recording, seen.column)
    steps = partial(fitting, model, told.time_limit)
    try:
        return each_sweep(seen.column, backward, sweeps(rows.column.values), "V", fitted, steps)
    except FitEnded:
        raise
    except FitError as error:
        raise FitError("; ".join([str(error), *promise_warnings(recording, rows.column.values)])) from error


def _steps(
    recording: Recording, seen: Spectrum, told: Settings, bias: FloatArray, part: IntArray, model: str
) -> FitResult:
    at, values = bias[part], seen.column.values[part]
    method, pairs = STEP_MODELS[model]
    if seen.derived:
        values = derivative(at, values)
    known = np.isfinite(at) & np.isfinite(values)
    try:
        fit = steps_of(at[known], values[known], model, told, "S" if seen.derived else seen.column.unit)
    except FitError as error:
        raise told.naming_window(error, at) from error
    return _named(_doubting_temperature(fit, told, at[known], values[known], method, pairs), seen)


def _doubting_temperature(
    fit: FitResult, told: Settings, bias: FloatArray, values: FloatArray, method: str, pairs: int
) -> FitResult:
    """With a warning where the steps are not as wide as the header's temperature and modulation make them."""
    if "temperature" in told.given or "temperature" not in told.known or method != "steps":
        return fit
    try:
        free = fit_steps(bias, values, modulation_V=told.modulation, window_V=told.window, method=method, pairs=pairs)
    except FitError:
        return fit
    if free.residual > _NARROWER * fit.residual:
        return fit
    warm = free["temperature"]
    return replace(
        fit,
        warnings=(
            "the steps are not as wide as the header's temperature and modulation make them: a free temperature would "
            f"be {format_value(warm.value, warm.error, 'K')} (give temperature or modulation)",
            *fit.warnings,
        ),
    )


@dataclass(frozen=True, eq=False)
class SweepInSiemens:
    """A sweep as dI/dV: "forward", bias in V and dI/dV in S, shape (n,), setpoint in S; what is odd about it."""

    name: str
    bias: FloatArray
    conductance: FloatArray
    setpoint: float
    warnings: tuple[str, ...] = ()


def in_siemens(
    recording: Recording, channel: str | None, told: Settings, header: Told, rows: Rows
) -> list[SweepInSiemens]:
    """Every sweep over the bias; arguments as of `fit_spectra`.

    Raises:
        FitError: there is no column for it, or no current that would say what a reading is in S.
    """
    seen, bias, found = spectrum(recording, channel, header.harmonics), rows.column.values, []
    for name, column, part in directions(seen.column, backward_of(recording, seen.column), sweeps(bias)):
        here = replace(seen, column=column)
        odd = about(recording, here, told, header, bias, part)
        found.append(SweepInSiemens(name, *_in_siemens(recording, here, bias, part), tuple(odd)))
    return found


def _in_siemens(
    recording: Recording, seen: Spectrum, bias: FloatArray, part: IntArray
) -> tuple[FloatArray, FloatArray, float]:
    """Bias, the lock-in's reading in S by the current of the same direction, and the setpoint."""
    column = seen.column
    at, values = bias[part], column.values[part]
    flowing = column.values[part] if seen.derived else _current_of(recording, column).values[part]
    known = np.isfinite(at) & np.isfinite(values) & np.isfinite(flowing)
    at, values, amperes = at[known], values[known], flowing[known]
    conductance = derivative(at, values) if seen.derived else values * siemens_per_reading(at, values, amperes)
    end = np.abs(at).argmax()
    return at, conductance, float(abs(amperes[end] / at[end]))  # the tip is stabilised at an end of the sweep


def fit_transport_recorded(
    recording: Recording, seen: Spectrum, told: Settings, bias: FloatArray, part: IntArray
) -> FitResult:
    """The transport model: the lock-in's reading in S by the current of the same direction.

    Args:
        recording: the file.
        seen: what is fitted of it.
        told: what was given, or what the header says.
        bias: V, shape (n,).
        part: rows of the sweep.

    Raises:
        FitError: there is no current, or the sweep does not carry the fit.
    """
    at, conductance, setpoint = _in_siemens(recording, seen, bias, part)
    inside = np.abs(at) <= told.window * (1 + 1e-9)
    fit = transport_of(at[inside], conductance[inside], np.full(np.count_nonzero(inside), setpoint), told)
    return _named(fit, seen)


def _current_of(recording: Recording, column: Column) -> Column:
    """The current of the same direction as a lock-in's reading."""
    flowing = current(recording)
    return (backward_of(recording, flowing) or flowing) if is_backward(column) else flowing


def _named(fit: FitResult, seen: Spectrum) -> FitResult:
    name = f"d({seen.column.name})/dV" if seen.derived else seen.column.name
    return replace(fit, labels={**fit.labels, "y": name}, choices={"column": seen.column.name, **fit.choices})


def about(
    recording: Recording, seen: Spectrum, told: Settings, header: Told, bias: FloatArray, part: IntArray
) -> list[str]:
    """Warnings: what the file does not say, or holds no numbers for, and what is odd about it."""
    column, warnings = seen.column, list(seen.warnings)
    here = np.zeros(bias.size, dtype=bool)
    here[part] = True
    if not seen.derived:
        warnings += _unknown_modulation(told, header)
        warnings += _phase(recording, column, bias, part)
    if "temperature" in header.doubts and "temperature" not in told.given:
        warnings.append(f"{header.doubts['temperature']} (give temperature)")
    warnings += promise_warnings(recording, bias)
    warnings += overload_warnings(column.name, column.values[part]) + spike_warnings(column.name, column.values[part])
    warnings += height_warnings(recording, here)
    known = np.isfinite(bias[part]) & np.isfinite(column.values[part])
    return warnings + missing_points(int(np.count_nonzero(~known)), known.size)


def _unknown_modulation(told: Settings, header: Told) -> list[str]:
    if "modulation" in told.given or "modulation" in told.known:
        return []
    doubt = f"{header.doubts['modulation']}: " if "modulation" in header.doubts else ""
    return [
        f"{doubt}the modulation at the junction is not known: the steps' width is taken for temperature alone (give "
        "modulation)"
    ]


def _phase(recording: Recording, column: Column, bias: FloatArray, part: IntArray) -> list[str]:
    try:
        flowing = _current_of(recording, column)
    except FitError:
        return ["no current was recorded beside it: whether it is dI/dV cannot be checked"]
    if flowing.name == column.name:
        return []
    out = quadrature_of(recording, column)
    return phase_warnings(
        bias[part], column.values[part], None if out is None else out.values[part], flowing.values[part]
    )
