"""Fits of every curve of a grid: a Nanonis ``.3ds``, a run over several axes, or what else holds many curves.

The mean of all curves says which column is fitted, what was swept and what is odd about the file, as for a single
recording; the curves are fitted side by side, or one by one (the transport model). A place whose fit is refused has nan
and a reason; the others do not notice.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from stmlab.analysis.grid_task import GridTask
from stmlab.analysis.iterations import fitting
from stmlab.analysis.models import TAKES
from stmlab.analysis.recorded.columns import Spectrum, backward_of, signal, spectrum
from stmlab.analysis.recorded.directions import each_sweep
from stmlab.analysis.recorded.header import told_by_header
from stmlab.analysis.recorded.swept import Swept, rows_of, sweeps
from stmlab.analysis.settings import Settings, check_given
from stmlab.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.grid_fit import GridFit
    from stmlab.storage import Run
    from stmlab.storage.recorded import Grid

GRID_MODELS: Mapping[str, tuple[Swept, tuple[str, ...]]] = {
    "steps": (Swept.BIAS, ("temperature", "modulation", "window")),
    "steps_one_pair": (Swept.BIAS, ("temperature", "modulation", "window")),
    "srs": (Swept.FREQUENCY, ()),
    "decay": (Swept.DELAY, ("exclusion", "fitted_sides")),
    "transport": (Swept.BIAS, TAKES["transport"]),
}
"""Models of one curve -> what must have been swept, and the settings they take."""
_OF_MANY = ("transport",)  # of a run: one fit takes all spectra of a ramp
_DEFAULT = {Swept.BIAS: "steps", Swept.FREQUENCY: "srs", Swept.DELAY: "decay"}
_REPEATS = "sweep"  # axis of a run that takes one spectrum several times: averaged by a single fit


def takes_every_curve(run: Run, model: str | None) -> bool:
    """Whether a model that was asked for is one curve's, and the run holds many: over more axes than one fit takes."""
    if model is None or model not in GRID_MODELS or model in _OF_MANY:
        return False
    swept, _ = GRID_MODELS[model]
    names = [axis.name for axis in run.axes if len(axis) > 1]
    return swept.value in names and not set(names) <= {swept.value, _REPEATS}


def analyse_grid(
    grid: Grid,
    model: str | None = None,
    channel: str | None = None,
    settings: Mapping[str, Any] | None = None,
    told: Settings | None = None,
) -> dict[str, GridFit]:
    """Fit every curve.

    Args:
        grid: as ``open_recording`` gives it, or a run through ``recording_of``.
        model: one of the `GRID_MODELS`; None chooses.
        channel: name of a column; by default the lock-in's, or the numerical derivative of the current.
        settings: what overrules the file, or what it does not say, see `stmlab.analysis.settings`; SI. A temperature
            that nobody says is that of a dozen curves, fitted one by one.
        told: instead of settings and header, of a run.

    Returns:
        "forward" and "backward" -> fits, as ``analyse_recording`` names them.

    Raises:
        FitError: the model is not known or does not take a setting, the grid holds no such data, or no curve suffices
            for the fit.
        FileError: there is no such column.
    """
    mean = grid.mean()
    rows = rows_of(mean)
    model = model or _DEFAULT.get(rows.what, "")
    if model not in GRID_MODELS:
        known = f"model {model!r} is not for grids" if model else f"{rows.column.name} was swept"
        raise FitError(f"{grid.path}: {known}: {', '.join(GRID_MODELS)} are fitted at every place")
    needed, takes = GRID_MODELS[model]
    header = told_by_header(mean)
    told = told or Settings(settings or {}, header.known)
    check_given(model, takes, told.given)
    if rows.what is not needed:
        raise FitError(f"{grid.path}: {rows.column.name} was swept: {model} needs a {needed.value}")
    over_bias = needed is Swept.BIAS
    seen = spectrum(mean, channel, header.harmonics) if over_bias else Spectrum(signal(mean, channel), derived=False)
    task = GridTask(grid, mean, rows, model, seen, told, header)
    return each_sweep(
        seen.column,
        backward_of(mean, seen.column),
        sweeps(rows.column.values),
        rows.column.unit,
        task.fitted,
        partial(fitting, model, told.time_limit),
    )
