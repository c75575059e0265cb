"""Fits from Python, as ``stmlab fit`` makes them: of a run, or of a file that another program recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stmlab.analysis.grids import analyse_grid
from stmlab.analysis.models import analyse
from stmlab.analysis.recordings import analyse_recording
from stmlab.analysis.settings import UNITS, Settings
from stmlab.errors import FitError
from stmlab.storage import Run, open_run
from stmlab.storage.exporters import recording_of
from stmlab.storage.recorded import Grid, Recording, is_recorded, open_recording
from stmlab.units import in_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.grid_fit import GridFit
    from stmlab.results import FitResult


def fit(run: Run | str | Path, model: str | None = None, **settings: float | str) -> FitResult:
    """Fit a run; raw data and the file are never touched.

    Args:
        run: as `open_run` gives it, or its file.
        model: by default the one for the run's sequence; README lists them.
        settings: what the file does not say, in SI or with a unit: ``field="5 T"``.

    Raises:
        FitError: the model is not known, does not take a setting, or the data cannot carry it.
        FileError: there is no such run.
    """
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
