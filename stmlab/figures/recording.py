"""Figures of recorded files: with their fits where they can be fitted, else every column as it stands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError
from stmlab.figures import save_figure
from stmlab.figures.fits import draw_fits
from stmlab.figures.page import SMALL, entitle, plain, scaled, titled
from stmlab.papers.drawing import BLUE, GREY, VERMILION, house_style, sheet
from stmlab.results import prefixed_unit

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from stmlab.storage.recorded import Recording

_MOST_PANELS = 12


def draw_recording(recording: Recording, path: str | Path) -> None:
    """Draw a recorded file into a PNG file, with its fits if it can be fitted.

    Raises:
        FileError: the file cannot be written.
    """
    from stmlab.analysis.recordings import analyse_recording

    try:
        figure = draw_fits(recording.path.name, list(analyse_recording(recording).items()))
    except FitError as error:
        figure = draw_columns(recording, note=str(error))
    save_figure(figure, path)


def draw_columns(recording: Recording, note: str = "") -> Figure:
    """Every column over the first, forward and backward together; ``note`` says why there is no fit."""
    swept = recording.columns[0]
    forward = [column for column in recording.columns[1:] if "[bwd]" not in column.name][:_MOST_PANELS]
    with house_style():
        rows = math.ceil(len(forward) / 2) or 1
        figure = sheet(7.0, 0.8 + 1.7 * rows)
        panels = figure.subplots(rows, 2, squeeze=False).ravel()
        x, x_unit = scaled(swept.values, swept.unit)
        for panel, column in zip(panels, forward, strict=False):
            finite = np.abs(column.values[np.isfinite(column.values)])
            power, y_unit = prefixed_unit(float(finite.max(initial=0.0)), column.unit)
            panel.plot(x, column.values * 10.0**-power, color=BLUE, lw=0.8)
            for other in recording.columns:
                if "[bwd]" in other.name and other.name.replace(" [bwd]", "") == column.name:
                    panel.plot(x, other.values * 10.0**-power, color=VERMILION, lw=0.8)
            panel.set_xlabel(titled(swept.name, x_unit))
            panel.set_ylabel(titled(column.name, y_unit))
        for panel in panels[len(forward) :]:
            panel.set_axis_off()
        entitle(figure, recording.path.name)
        if note:
            figure.supxlabel(plain(f"no fit: {note}"), x=0.02, ha="left", fontsize=SMALL, color=GREY)
    return figure
