"""Fits from Python, as ``stmlab fit`` makes them: of a run, or of a file that another program recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stmlab.analysis.models import analyse
from stmlab.analysis.recordings import analyse_recording
from stmlab.analysis.settings import UNITS
from stmlab.storage import Run, open_run
from stmlab.storage.recorded import Grid, Recording, open_recording
from stmlab.units import in_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def given(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings in SI; a name that nobody knows is left for the model to refuse.

    Raises:
        SequenceError: a text that is no number in that unit.
    """
    return {
        name: in_unit(value, UNITS[name]) if isinstance(value, str) and UNITS.get(name) else value
        for name, value in settings.items()
    }
