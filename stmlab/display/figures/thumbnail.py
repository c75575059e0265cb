"""A small picture of a file: its default plot without words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.display.figures.drawing import BLUE, GREY, VERMILION, house_style, sheet
from stmlab.storage.recorded import Grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Panel
    from matplotlib.figure import Figure

    from stmlab.arrays import FloatArray
    from stmlab.axes import Axis
    from stmlab.storage import Run
    from stmlab.storage.recorded import Recording

_WIDTH_IN, _HEIGHT_IN = 1.6, 1.2
_FEW = 2  # curves that are drawn as such; more are a map


def draw_run_thumbnail(run: Run) -> Figure:
    """The first channel over the inner axes, at the first value of the outer ones, with the last fit over it."""
    with house_style():
        figure, panel = _page()
        axes = [axis for axis in run.axes if len(axis) > 1][-2:]
        drawn = [axis in axes for axis in run.axes]
        if run.channels:
            values = run.grid(run.channels[0].name)[tuple(slice(None) if d else 0 for d in drawn)]
            _draw(panel, axes, np.atleast_1d(values))
        curves = run.fits[-1].curves if run.fits else {}
        if len(axes) == 1 and {"x", "fit"} <= curves.keys() and np.shape(curves["x"]) == np.shape(curves["fit"]):
            panel.plot(curves["x"], curves["fit"], color=VERMILION, lw=1.0)
    return figure


def draw_recorded_thumbnail(recording: Recording | Grid) -> Figure:
    """Of a table the second column over the first; of a grid the mean of its first channel at each place."""
    with house_style():
        figure, panel = _page()
        if isinstance(recording, Grid):
            values = recording.channels[0].values
            known = np.isfinite(values)
            count = known.sum(axis=-1)
            mean = np.where(count, np.where(known, values, 0.0).sum(axis=-1) / np.maximum(count, 1), np.nan)
            _map(panel, np.atleast_2d(mean))
        else:
            columns = [column.values for column in recording.columns[:2]]
            panel.plot(*columns, color=BLUE, lw=0.8)
    return figure


def _page() -> tuple[Figure, Panel]:
    figure = sheet(_WIDTH_IN, _HEIGHT_IN)
    panel = figure.subplots()
    panel.tick_params(which="both", labelbottom=False, labelleft=False, length=0)
    for side in panel.spines.values():
        side.set_color(GREY)
    return figure, panel


def _draw(panel: Panel, axes: list[Axis], values: FloatArray) -> None:
    if len(axes) == 2 and len(axes[0]) > _FEW:
        _map(panel, values)
        return
    at = axes[-1].values if axes else np.zeros(1)
    for curve in values.reshape(-1, len(at)):
        panel.plot(at, curve, "o-", color=BLUE, lw=0.8, ms=1.5 if len(at) < 100 else 0)
    if axes and axes[-1].logarithmic and at.min() > 0:
        panel.set_xscale("log")
        panel.tick_params(which="both", labelbottom=False, labelleft=False, length=0)


def _map(panel: Panel, values: FloatArray) -> None:
    panel.imshow(np.ma.masked_invalid(values), origin="lower", aspect="auto", interpolation="nearest")
