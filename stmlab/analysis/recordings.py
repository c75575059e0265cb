"""Fits of files that other programs recorded: steps, the transport model, switching, resonance lines, decays."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.analysis.calibration import siemens_per_reading
from stmlab.analysis.decay import fit_decay
from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.models import SRS_WIDTHS, TAKES
from stmlab.analysis.recorded.checks import height_warnings, overload_warnings, phase_warnings, spike_warnings
from stmlab.analysis.recorded.columns import (
    Spectrum,
    backward_of,
    current,
    derivative,
    in_amperes,
    is_backward,
    quadrature_of,
    signal,
    spectrum,
)
from stmlab.analysis.recorded.header import promise_warnings, told_by_header
from stmlab.analysis.recorded.swept import Rows, Swept, labels, rows_of, sweeps
from stmlab.analysis.settings import Settings, check_given
from stmlab.analysis.steps import STEP_MODELS, fit_steps
from stmlab.analysis.telegraph import fit_telegraph
from stmlab.analysis.transport import fit_transport
from stmlab.errors import FitError
from stmlab.units import format_quantity, format_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.analysis.recorded.header import Told
    from stmlab.analysis.recorded.swept import Sweep
    from stmlab.arrays import FloatArray, IntArray
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
_NARROWER = 0.9  # of the residual, which a free temperature leaves where the header's does not suit


def analyse_recording(
    recording: Recording,
    model: str | None = None,
    channel: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, FitResult]:
    """Fit what a file holds: steps over a bias, switching over time, a line over frequency, a decay over delay.

    Args:
        recording: as ``open_recording`` gives it.
        model: one of the ``MODELS``; None chooses.
        channel: name of a column; by default the lock-in's, or the numerical derivative of the current where there is
            none; of a trace the current.
        settings: what overrules the file, or what it does not say, see `stmlab.analysis.settings`; SI.

    Returns:
        Of a trace "trace" -> fit. Of sweeps "forward" -> fit of the first and those that went the same way ("forward
        2"), "backward" -> of the way back. ``choices`` names the column, the sweep and what the header said; sweeps
        that hold no fit are named in the warnings of those that do.

    Raises:
        FitError: the model is not known or does not take a setting, the file holds no such data, or they cannot carry
            the fit.
        FileError: there is no such column.
    """
    if model is not None and model not in MODELS:
        raise FitError(f"model {model!r} is not for recorded files: {', '.join(MODELS)} are")
    rows = rows_of(recording)
    model = model or _DEFAULT.get(rows.what)
    if model is None:
        raise FitError(
            f"{recording.path}: {rows.column.name} in {rows.column.unit or 'no unit'} was swept: steps need a bias in V"
        )
    header = told_by_header(recording)
    told = Settings(settings or {}, header.known)
    check_given(model, TAKES.get(model, ()), told.given)
    _check_swept(recording, rows, model)
    if rows.what is Swept.TIME:
        fits = {"trace": _telegraph(recording, channel, told, rows)}
    elif rows.what is Swept.BIAS:
        fits = _of_a_bias(recording, model, channel, told, header, rows)
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
        raise FitError(f"{recording.path}: the file does not say how far apart its samples are: no rate can be had")
    column = recording[channel] if channel else current(recording)
    column = in_amperes(column) or column
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
            exclusion, sides = told.number("exclusion"), told.text("fitted_sides", "both")
            fit = fit_decay(x, y, exclusion=exclusion, sides=sides)
        else:
            fit = fit_srs(x, y, harmonics=SRS_WIDTHS[model])
        warnings = [*overload_warnings(seen.name, y), *_missing(part.size - known.size, part.size), *fit.warnings]
        choices = {"column": seen.name, **fit.choices, **told.said()}
        return replace(_in_unit(fit, seen), choices=choices, warnings=tuple(warnings))

    return _each_sweep(column, backward, sweeps(at), "", fitted)


def _in_unit(fit: FitResult, column: Column) -> FitResult:
    """With the column's name, and its unit in the place of A."""
    parameters = tuple(replace(p, unit=column.unit) if p.unit == "A" else p for p in fit.parameters)
    return replace(fit, parameters=parameters, labels={**fit.labels, "y": column.name, "y_unit": column.unit})


# -- over the bias -----------------------------------------------------------------------------------------------------


def _of_a_bias(
    recording: Recording, model: str, channel: str | None, told: Settings, header: Told, rows: Rows
) -> dict[str, FitResult]:
    seen = spectrum(recording, channel, header.harmonics)
    fit = _transport if model == "transport" else partial(_steps, model=model)

    def fitted(column: Column, part: IntArray) -> FitResult:
        here = replace(seen, column=column)
        found = fit(recording, here, told, rows.column.values, part)
        about = _about(recording, here, told, header, rows.column.values, part)
        return replace(
            found,
            choices={**found.choices, **header.said(told.given), **told.said()},
            warnings=(*about, *found.warnings),
        )

    backward = backward_of(recording, seen.column)
    try:
        return _each_sweep(seen.column, backward, sweeps(rows.column.values), "V", fitted)
    except FitError as error:
        raise FitError("; ".join([str(error), *promise_warnings(recording, rows.column.values)])) from error


def _each_sweep(
    column: Column,
    backward: Column | None,
    found: list[Sweep],
    unit: str,
    fit: Callable[[Column, IntArray], FitResult],
) -> dict[str, FitResult]:
    """The fit of every sweep; those that are refused are named in the warnings of the others.

    Raises:
        FitError: every sweep is refused; it says why the first is.
    """
    if not found:
        raise FitError("what was swept holds no numbers")
    if backward is not None or is_backward(column):  # the columns name the direction, whatever the order of the bias
        every = np.sort(np.concatenate([sweep.rows for sweep in found]))
        tasks = [("backward" if is_backward(c) else "forward", c, every) for c in (column, backward) if c is not None]
    else:
        tasks = [(name, column, sweep.rows) for name, sweep in zip(labels(found), found, strict=True)]
    fits: dict[str, FitResult] = {}
    refused: dict[str, FitError] = {}
    for name, seen, rows in tasks:
        try:
            fits[name] = fit(seen, rows)
        except FitError as error:
            refused[name] = error
    if not fits:
        raise next(iter(refused.values()))
    told = tuple(f"the sweep {name} is refused: {error}" for name, error in refused.items())
    ways = {} if len(tasks) != len(found) or len(found) == 1 else dict(zip(labels(found), found, strict=True))
    return {
        name: replace(result, warnings=(*told, *result.warnings), choices={**result.choices, **_way(ways, name, unit)})
        for name, result in fits.items()
    }


def _way(ways: Mapping[str, Sweep], name: str, unit: str) -> dict[str, str]:
    if name not in ways:
        return {}
    ends = (format_quantity(float(f"{end:.6g}"), unit) for end in (ways[name].start, ways[name].end))
    return {"sweep": " to ".join(ends)}


def _steps(
    recording: Recording, seen: Spectrum, told: Settings, bias: FloatArray, part: IntArray, model: str
) -> FitResult:
    at, values = bias[part], seen.column.values[part]
    method, pairs = STEP_MODELS[model]
    if seen.derived:
        values = derivative(at, values)
    known = np.isfinite(at) & np.isfinite(values)
    try:
        fit = fit_steps(
            at[known],
            values[known],
            temperature_K=told.temperature,
            modulation_V=told.modulation,
            window_V=told.window,
            method=method,
            pairs=pairs,
            unit="S" if seen.derived else seen.column.unit,
        )
    except FitError as error:
        raise _naming_window(error, told, at) from error
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


def _naming_window(error: FitError, told: Settings, bias: FloatArray) -> FitError:
    """The refusal, with how to fit more of the file where the window left some out."""
    reach = float(np.nanmax(np.abs(bias), initial=0.0))
    if reach <= told.window * (1 + 1e-9):
        return error
    window, whole = format_quantity(told.window, "V"), format_quantity(reach, "V")
    return FitError(
        f"{error}; fitted within +-{window}, where the file reaches +-{whole}: --set window={whole.replace(' ', '')} "
        "takes all of it"
    )


def _transport(recording: Recording, seen: Spectrum, told: Settings, bias: FloatArray, part: IntArray) -> FitResult:
    """The lock-in's reading in S by the current of the same direction."""
    column = seen.column
    at, values = bias[part], column.values[part]
    flowing = column.values[part] if seen.derived else _current_of(recording, column).values[part]
    known = np.isfinite(at) & np.isfinite(values) & np.isfinite(flowing)
    at, values, amperes = at[known], values[known], flowing[known]
    conductance = derivative(at, values) if seen.derived else values * siemens_per_reading(at, values, amperes)
    end = np.abs(at).argmax()
    setpoint = abs(amperes[end] / at[end])  # the tip is stabilised at an end of the sweep
    inside = np.abs(at) <= told.window * (1 + 1e-9)
    fit = fit_transport(
        at[inside],
        conductance[inside],
        np.full(np.count_nonzero(inside), setpoint),
        **told.transport(),
    )
    return _named(fit, seen)


def _current_of(recording: Recording, column: Column) -> Column:
    """The current of the same direction as a lock-in's reading."""
    flowing = current(recording)
    return (backward_of(recording, flowing) or flowing) if is_backward(column) else flowing


def _named(fit: FitResult, seen: Spectrum) -> FitResult:
    name = f"d({seen.column.name})/dV" if seen.derived else seen.column.name
    return replace(fit, labels={**fit.labels, "y": name}, choices={"column": seen.column.name, **fit.choices})


def _about(
    recording: Recording, seen: Spectrum, told: Settings, header: Told, bias: FloatArray, part: IntArray
) -> list[str]:
    """What the file does not say, or holds no numbers for, and what is odd about it."""
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
    return warnings + _missing(int(np.count_nonzero(~known)), known.size)


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


def _missing(missing: int, size: int) -> list[str]:
    return [f"{missing} of {size} points are no numbers, and left out"] if missing else []
