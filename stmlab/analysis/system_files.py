"""A spin system fitted to what files hold: one spectrum, a ramp, a field series, or several files at once.

What differs from spectrum to spectrum - conductance, field, temperature, height - is an axis of a run, a parameter of
it, or given for each file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.analysis.columns import are_whole, averaged, column
from stmlab.analysis.iterations import fitting
from stmlab.analysis.n_state import FREE, fit_runs, takes_states
from stmlab.analysis.ranges import within_range
from stmlab.analysis.recorded.header import told_by_header
from stmlab.analysis.recorded.spectra import in_siemens
from stmlab.analysis.recorded.swept import Swept, rows_of
from stmlab.analysis.settings import UNITS, Settings, check_given
from stmlab.analysis.transport import SpectrumData, fit_systems
from stmlab.errors import FitError
from stmlab.storage import Run, open_run
from stmlab.storage.recorded import Grid, Recording, is_recorded, open_recording
from stmlab.systems import System, read_system
from stmlab.units import format_quantity, in_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stmlab.analysis.iterations import Iterations
    from stmlab.results import FitResult

TAKES: Mapping[str, tuple[str, ...]] = {
    "transport": ("temperature", "modulation", "window", "field", "height"),
    "n_state": ("temperature", "field", "offset"),
}
"""Models that take a system, and their settings: of all files alike, or one for each."""
_CONDITIONS = ("setpoint", "field", "temperature", "height")  # axes of a run that tell its spectra apart
_REPEATS = "sweep"
_NEVER_NEGATIVE = ("temperature", "modulation", "window", "time_limit")
_DIFFERENT = 1e-6  # of a field, in T, and of a temperature

Source = Run | Recording | str | Path


def fit_system(
    sources: Sequence[Source],
    system: System | str | Path,
    *,
    model: str | None = None,
    channel: str | None = None,
    settings: Mapping[str, Any] | None = None,
    within: tuple[float | str, float | str] | None = None,
) -> FitResult:
    """Fit a spin system, and the alternatives that its file names, to all spectra of some files at once.

    Args:
        sources: runs, recordings or their files.
        system: of a file; by its path, or the name of one that comes with stmlab.
        model: one of `TAKES`; by default the one for what was measured.
        channel: column of recorded files; by default the lock-in's.
        settings: `TAKES`, in SI or as people write them; of several files one value, or one for each: "0 T, 2 T, 5 T".
        within: both ends of the bias that is fitted.

    Raises:
        FitError: the data do not suffice for the fit, or conditions are not known.
        FileError, SequenceError, StationError: a file is not what it should be; a setting is no number.
    """
    if not sources:
        raise FitError("no file: there is nothing to fit")
    whole = system if isinstance(system, System) else read_system(system)
    opened = [_opened(source, within) for source in sources]
    model = model or ("n_state" if all(takes_states(one) for one in opened) else "transport")
    if model not in TAKES:
        raise FitError(f"the model {model} takes no spin system: {' and '.join(TAKES)} do")
    given = dict(settings or {})
    check_given(f"{model} with a system", TAKES[model], given)
    said = {"given": ", ".join(f"{name} = {value}" for name, value in given.items())} if given else {}
    limit = {"time_limit": _values("time_limit", given.pop("time_limit"), 1)[0]} if "time_limit" in given else {}
    offset = str(given.pop("offset", FREE))
    each = _of_each(given, len(sources))
    _check_used(given, whole)
    _check_apart(opened)
    with fitting(model, Settings(limit).time_limit) as steps:
        if model == "n_state":
            fit = steps.marked(fit_runs(opened, each, [whole, *whole.alternatives], offset))
        else:
            fit = _fitted(opened, each, whole, channel, steps)
    return replace(fit, choices={**fit.choices, **said})


def _fitted(
    opened: Sequence[Run | Recording],
    each: Sequence[Mapping[str, float]],
    system: System,
    channel: str | None,
    steps: Iterations,
) -> FitResult:
    """The transport model."""
    found, warnings = list[SpectrumData](), list[str]()
    for one, told in zip(opened, each, strict=True):
        read = _of_run(one, told) if isinstance(one, Run) else _of_recording(one, channel, told)
        found += [_placed(spectrum, one.path if len(opened) > 1 else None) for spectrum in read.spectra]
        warnings += read.warnings
    warnings += [*_other_fields(found, system), *_other_temperatures(found, system)]
    fit = steps.marked(fit_systems(found, [system, *system.alternatives]))
    return replace(fit, warnings=(*warnings, *fit.warnings))


@dataclass(frozen=True, eq=False)
class _Read:
    """What a file holds."""

    spectra: list[SpectrumData]
    warnings: tuple[str, ...] = ()


def _opened(source: Source, within: tuple[float | str, float | str] | None) -> Run | Recording:
    if isinstance(source, str | Path):
        path = Path(source)
        found: Run | Recording | Grid = open_recording(path) if is_recorded(path) else open_run(path)
    else:
        found = source
    if isinstance(found, Grid):
        raise FitError(f"{found.path}: a grid of curves: a spin system is fitted to single spectra and series of them")
    return found if within is None else within_range(found, *within)  # type: ignore[return-value]


# -- settings ----------------------------------------------------------------------------------------------------------


def _of_each(given: Mapping[str, Any], count: int) -> list[dict[str, float]]:
    """The settings of every file."""
    rows = {name: _values(name, value, count) for name, value in given.items()}
    return [{name: values[k] for name, values in rows.items()} for k in range(count)]


def _check_used(given: Mapping[str, Any], system: System) -> None:
    """Raise FitError for a field or a temperature that the file, and whatever it is compared with, has itself."""
    every = (system, *system.alternatives)
    wanted = {"field": any(one.wants_field for one in every)}
    wanted["temperature"] = any(one.wants_temperature for one in every)
    for name, wants in wanted.items():
        if name in given and not wants:
            key = f"{name}_{UNITS[name]}"
            raise FitError(f"{name}: the system's file has {key}, which is taken: leave one of both out")


def _check_apart(opened: Sequence[Run | Recording]) -> None:
    """Raise FitError for a file that is given twice."""
    paths = [one.path.resolve() for one in opened]
    for path in paths:
        if paths.count(path) > 1:
            raise FitError(f"{path.name} is given twice: errors would be too small")


def _values(name: str, value: Any, count: int) -> list[float]:
    parts = value.split(",") if isinstance(value, str) else list(value) if np.ndim(value) else [value]
    numbers = [in_unit(part.strip(), UNITS[name]) if isinstance(part, str) else float(part) for part in parts]
    if len(numbers) not in (1, count):
        raise FitError(f"{name}: {len(numbers)} values for {count} files: one, or one for each, is needed")
    for number in numbers:
        if number < 0.0 and name in _NEVER_NEGATIVE:
            raise FitError(f"{name} = {format_quantity(number, UNITS[name])}: 0 {UNITS[name]} or more is needed")
    return numbers * count if len(numbers) == 1 else numbers


# -- spectra -----------------------------------------------------------------------------------------------------------


def _of_run(run: Run, given: Mapping[str, float]) -> _Read:
    """Every spectrum; sweeps there and back, and repeated ones, averaged; those that are not whole left out."""
    told = Settings.of_run(run, given)
    axes = [axis.name for axis in run.axes if len(axis) > 1]
    varied = [name for name in _CONDITIONS if name in axes]
    if "bias" not in axes:
        raise FitError(
            f"{run.path}: a spectrum over the bias is needed, this run is over {', '.join(axes) or 'nothing'}"
        )
    if others := [name for name in axes if name not in (*varied, "bias", _REPEATS)]:
        raise FitError(
            f"{run.path}: spectra over {', '.join(_CONDITIONS)} are fitted at once; these are over {others[0]}"
        )
    *places, bias, conductance = averaged(*(column(run, name) for name in (*varied, "bias", "conductance")))
    keys, number = np.unique(np.column_stack([*places, np.zeros(bias.size)]), axis=0, return_inverse=True)
    number = number.ravel()
    whole = are_whole(np.bincount(number), bias)
    warnings = (
        () if whole.all() else (f"{run.path.name}: {np.count_nonzero(~whole)} spectra are not whole, and left out",)
    )
    found = []
    for k in np.flatnonzero(whole).tolist():
        inside = (number == k) & (np.abs(bias) <= told.number("window", math.inf) * (1 + 1e-9))
        here = {name: value for name, value in zip(varied, keys[k].tolist(), strict=False) if name not in given}
        setpoint = abs(here["setpoint"]) if "setpoint" in here else told.setpoint
        temperature, height = here.get("temperature", told.temperature), here.get("height", told.optional("height"))
        found.append(
            SpectrumData(
                bias[inside],
                conductance[inside],
                setpoint,
                here.get("field", told.optional("field")),
                temperature,
                told.modulation,
                height,
            )
        )
    return _Read(found, warnings)


def _of_recording(recording: Recording, channel: str | None, given: Mapping[str, float]) -> _Read:
    """Every sweep, its lock-in's reading in S by the current beside it."""
    rows = rows_of(recording)
    if rows.what is not Swept.BIAS:
        raise FitError(f"{recording.path}: a spectrum over the bias is needed, {rows.column.name} was swept")
    header = told_by_header(recording)
    told = Settings(given, header.known)
    found, warnings = [], [*recording.notes, *rows.warnings]
    for sweep in in_siemens(recording, channel, told, header, rows):
        inside = np.abs(sweep.bias) <= told.number("window", math.inf) * (1 + 1e-9)
        one = SpectrumData(
            sweep.bias[inside],
            sweep.conductance[inside],
            sweep.setpoint,
            told.optional("field"),
            told.temperature,
            told.modulation,
            told.optional("height"),
            sweep.name,
        )
        found.append(one)
        warnings += [warning for warning in sweep.warnings if warning not in warnings]
    return _Read(found, tuple(warnings))


def _placed(one: SpectrumData, path: Path | None) -> SpectrumData:
    """With what tells it from the others."""
    return replace(one, place=", ".join(_said(one, path)))


def _said(one: SpectrumData, path: Path | None) -> Iterator[str]:
    if path is not None:
        yield path.name
    if one.place:
        yield one.place
    yield f"setpoint {format_quantity(float(f'{one.setpoint:.4g}'), 'S')}"
    if one.field_T:
        yield format_quantity(one.field_T, "T")
    if one.height_m is not None:
        yield f"z = {format_quantity(one.height_m, 'm')}"


def _other_fields(spectra: list[SpectrumData], system: System) -> list[str]:
    """A warning where a run was taken in another field than the one in the system's file."""
    if system.table.field_T is None:
        return []
    if not all(one.value is not None for one in system.table.field_T):
        return []
    said = math.sqrt(sum((one.value or 0.0) ** 2 for one in system.table.field_T))
    others = {one.field_T for one in spectra if one.field_T and abs(abs(one.field_T) - said) > _DIFFERENT}
    return [
        f"the run says {format_quantity(field, 'T')}, the system's file {format_quantity(said, 'T')}, which is taken: "
        "field_direction instead of field_T takes the run's"
        for field in sorted(others)
    ]


def _other_temperatures(spectra: list[SpectrumData], system: System) -> list[str]:
    """A warning where a run was taken at another temperature than the one in the system's file."""
    table = system.table.temperature_K
    if table is None or table.value is None:
        return []
    said = table.value
    others = {one.temperature_K for one in spectra if one.temperature_K}
    return [
        f"the run says {format_quantity(other, 'K')}, the system's file {format_quantity(said, 'K')}, which is taken: "
        "without temperature_K the run's is"
        for other in sorted(others)
        if not math.isclose(other, said, rel_tol=_DIFFERENT)
    ]
