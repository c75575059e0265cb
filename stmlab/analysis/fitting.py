"""Fits from Python, as ``stmlab fit`` makes them: of a run, or of a file that another program recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stmlab.analysis.grids import analyse_grid, takes_every_curve
from stmlab.analysis.models import analyse
from stmlab.analysis.ranges import within_range
from stmlab.analysis.recordings import analyse_recording
from stmlab.analysis.settings import UNITS, Settings
from stmlab.analysis.system_files import Source, fit_system
from stmlab.errors import FitError
from stmlab.storage import Run, open_run
from stmlab.storage.exporters import recording_of
from stmlab.storage.recorded import Grid, Recording, is_recorded, open_recording
from stmlab.units import in_unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stmlab.analysis.grid_fit import GridFit
    from stmlab.analysis.guided import Guide
    from stmlab.results import FitResult
    from stmlab.systems import System

RUN = "run"
"""How `fit_file` names the fit of a run."""


def fit(
    run: Source | Sequence[Source],
    model: str | None = None,
    *,
    system: System | str | Path | None = None,
    **settings: Any,
) -> FitResult:
    """Fit a run; raw data and the file are never touched.

    Args:
        run: as `open_run` gives it, or its file; with a ``system`` also what another program recorded, or several.
        model: by default the one for the run's sequence; README lists them.
        system: spin system of the models transport and n_state, compared with the alternatives that its file names: the
            path of a file, or the name of one that comes with stmlab (docs/systems.md).
        settings: what the file does not say, in SI or with a unit: ``field="5 T"``; of several files one for each:
            ``field=[0, 2, 5]``.

    Raises:
        FitError: the model is not known, does not take a setting, or the data do not suffice for it.
        FileError: there is no such run.
        StationError: the system's file is wrong.
    """
    if system is not None:
        sources = [run] if isinstance(run, Run | Recording | str | Path) else list(run)
        return fit_system(sources, system, model=model, settings=settings)
    if not isinstance(run, Run | str | Path):
        raise FitError("give a system to fit several files at once, or fit them one by one")
    return analyse(run if isinstance(run, Run) else open_run(run), model, given(settings))


def fit_recording(
    recording: Recording | Grid | str | Path,
    model: str | None = None,
    channel: str | None = None,
    **settings: float | str,
) -> dict[str, FitResult]:
    """Fit a file that another program recorded: "forward", "backward", "forward 2" or "trace" -> fit.

    Args:
        recording: as `open_recording` gives it, or its file.
        model: by default the one for what was swept: steps, telegraph, srs or decay.
        channel: name of a column; by default the lock-in's.
        settings: what overrules the file, or what it does not say, in SI or with a unit: ``modulation="0.2 mV"``.

    Raises:
        FitError, FileError: as `fit`; or there is no such column.
    """
    found = recording if isinstance(recording, Recording | Grid) else open_recording(Path(recording))
    return analyse_recording(found, model, channel, given(settings))


def fit_file(
    path: Path,
    model: str | None = None,
    channel: str | None = None,
    settings: Mapping[str, Any] | None = None,
    *,
    within: tuple[float | str, float | str] | None = None,
    guide: Guide | None = None,
) -> dict[str, FitResult | GridFit]:
    """Fit whatever a file holds: a run, or what another program recorded; every curve where it holds many.

    Args:
        path: of the file.
        model: by default the one for what was done.
        channel: of a recorded file; by default the lock-in's.
        settings: see `stmlab.analysis.settings`; in SI or as people write them.
        within: both ends of the stretch of what was swept that is fitted, in its unit or as people write them.
        guide: start values and fixed parameters; None: the fit finds its own.

    Returns:
        `RUN` -> fit of a run; else as `fit_recording` and `fit_grid` name them.

    Raises:
        FitError, FileError, SequenceError: as those; or a guide for a map of many fits.
    """
    source = opened(path, within)
    return fit_opened(source, model, channel, settings, guide)


def opened(path: Path, within: tuple[float | str, float | str] | None = None) -> Run | Recording | Grid:
    """What a file holds, or a stretch of it; ``within`` as of `fit_file`, which says what is raised."""
    source: Recording | Grid | Run = open_recording(path) if is_recorded(path) else open_run(path)
    return source if within is None else within_range(source, *within)


def holds_many(source: Run | Recording | Grid, model: str | None) -> bool:
    """Whether every curve of it is fitted by itself."""
    return isinstance(source, Grid) or (isinstance(source, Run) and takes_every_curve(source, model))


def fit_opened(
    source: Run | Recording | Grid,
    model: str | None = None,
    channel: str | None = None,
    settings: Mapping[str, Any] | None = None,
    guide: Guide | None = None,
) -> dict[str, FitResult | GridFit]:
    """Fit what a file holds, as `fit_file` does."""
    told = given(settings or {})
    if isinstance(source, Grid) or (isinstance(source, Run) and holds_many(source, model)):
        if guide is not None:
            raise FitError(f"{source.path}: start values are for one curve, and every one of this file would be fitted")
        return {**fit_grid(source, model, channel, **told)}
    if isinstance(source, Recording):
        return {**analyse_recording(source, model, channel, told, guide)}
    if channel is not None:
        raise FitError(f"{source.path}: --channel is for recorded files; a run's model knows its channels")
    return {RUN: analyse(source, model, told, guide)}


def fit_grid(
    grid: Grid | Run | str | Path, model: str | None = None, channel: str | None = None, **settings: float | str
) -> dict[str, GridFit]:
    """Fit every curve of a grid, or of a run over several axes: "forward" and "backward" -> maps of what was fitted.

    Args:
        grid: as `open_recording` or `open_run` gives it, or its file.
        model: steps, steps_one_pair, srs or decay; by default the one for what was swept.
        channel: name of a column; by default the lock-in's.
        settings: as of `fit_recording`.

    Raises:
        FitError, FileError: as `fit_recording`; or the file holds one curve.
    """
    if isinstance(grid, str | Path):
        grid = Path(grid)
        found: Recording | Grid | Run = open_recording(grid) if is_recorded(grid) else open_run(grid)
    else:
        found = grid
    told = None
    if isinstance(found, Run):
        told, channel = Settings.of_run(found, given(settings)), channel or _fitted_channel(found)
    table = recording_of(found) if isinstance(found, Run) else found
    if isinstance(table, Recording):
        raise FitError(f"{table.path}: holds one curve: fit, or fit_recording, fits it")
    return analyse_grid(table, model, channel, given(settings), told)


def _fitted_channel(run: Run) -> str | None:
    """The physical quantity that a sequence makes of its lock-in's volts: what a single fit of the run takes too."""
    known = {channel.name for channel in run.channels}
    return next((name for name in ("conductance", "current") if name in known), None)


def given(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings in SI; a name that nobody knows is left for the model to refuse.

    Raises:
        SequenceError: a text that is no number in that unit.
    """
    return {
        name: in_unit(value, UNITS[name]) if isinstance(value, str) and UNITS.get(name) else value
        for name, value in settings.items()
    }
