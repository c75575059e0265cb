"""Figures of recorded files: with their fits where they can be fitted, else every column as it stands."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from stmlab.display.figures import save_figure
from stmlab.display.figures.drawing import BLUE, GREY, VERMILION, house_style, sheet
from stmlab.display.figures.fits import draw_fits
from stmlab.display.figures.page import SMALL, entitle, plain, scaled, titled
from stmlab.errors import FitError
from stmlab.storage.recorded import Grid
from stmlab.units import prefixed_unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.figure import Figure

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult
    from stmlab.storage.recorded import Column, Recording

_MOST_PANELS = 12


def draw_recording(recording: Recording | Grid, path: str | Path) -> None:
    """Draw a recorded file into a PNG file, with its fits if it can be fitted.

    Raises:
        FileError: the file cannot be written.
    """
    from stmlab.analysis.grids import analyse_grid
    from stmlab.analysis.recordings import analyse_recording
    from stmlab.display.figures.grid import save_grid_fits

    if isinstance(recording, Grid):
        try:
            save_grid_fits(recording.path.name, analyse_grid(recording), path)
        except FitError as error:
            save_figure(draw_columns(recording.mean(), note=f"the mean of all places; {error}"), path)
        return
    try:
        fits = analyse_recording(recording)
    except FitError as error:
        save_figure(draw_columns(recording, note=str(error)), path)
    else:
        draw_recorded_fits(recording.path.name, fits, path)


def draw_recorded_fits(title: str, fits: Mapping[str, FitResult], path: str | Path) -> None:
    """Draw the fits of a recorded file, each direction by itself, into a PNG file; raises FileError as above."""
    save_figure(draw_fits(title, list(fits.items())), path)


def draw_columns(recording: Recording, note: str = "") -> Figure:
    """Every column that varies over the first, forward and backward together; ``note`` says why there is no fit.

    Beyond twelve, single sweeps and filtered columns give way first. What is left out is named below.
    """
    swept, forward, left_out = recording.columns[0], *_chosen(recording)
    with house_style():
        rows = math.ceil(len(forward) / 2) or 1
        figure = sheet(7.0, 0.8 + 1.7 * rows)
        panels = figure.subplots(rows, 2, squeeze=False).ravel()
        x, x_unit = scaled(swept.values, swept.unit)
        for panel, column in zip(panels, forward, strict=False):
            finite = np.abs(column.values[np.isfinite(column.values)])
            power, y_unit = prefixed_unit(float(finite.max(initial=0.0)), column.unit)
            panel.plot(x, column.values * 10.0**-power, color=BLUE, lw=0.8, label="forward")
            for other in recording.columns:
                if "[bwd]" in other.name and other.name.replace(" [bwd]", "") == column.name:
                    panel.plot(x, other.values * 10.0**-power, color=VERMILION, lw=0.8, label="backward")
                    panel.legend(fontsize=SMALL)
            panel.set_xlabel(titled(swept.name, x_unit))
            panel.set_ylabel(titled(column.name, y_unit))
        for panel in panels[len(forward) :]:
            panel.set_axis_off()
        entitle(figure, recording.path.name)
        notes = [f"no fit: {note}"] if note else []
        notes += [f"not drawn: {', '.join(left_out)}"] if left_out else []
        if lines := [line for text in notes for line in textwrap.wrap(text, 130)]:
            figure.supxlabel(plain("\n".join(lines)), x=0.02, ha="left", fontsize=SMALL, color=GREY)
    return figure


def _chosen(recording: Recording) -> tuple[list[Column], list[str]]:
    """Columns to draw, in the order of the file, and the names of the others."""
    swept, *columns = recording.columns
    forward = [column for column in columns if "[bwd]" not in column.name]
    varying = [column for column in forward if _varies(column.values) and not _is_the_same(column, swept)]
    kept = sorted(varying, key=lambda column: column.name.count("["))[:_MOST_PANELS]
    drawn = [column for column in forward if column in kept]
    return drawn, [column.name for column in forward if column not in kept]


def _varies(values: FloatArray) -> bool:
    known = values[np.isfinite(values)]
    return bool(known.size) and bool(np.ptp(known) > 0)


def _is_the_same(column: Column, swept: Column) -> bool:
    """The swept bias as it was read back, in whatever prefix."""
    scale = float(np.abs(swept.values).max()) / max(float(np.abs(column.values).max()), 1e-300)
    return column.unit.endswith(swept.unit) and bool(np.allclose(scale * column.values, swept.values, rtol=0.02))
