"""Curves that share their axes, as a figure: what was laid over each other on a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.display.figures.drawing import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, house_style, sheet
from stmlab.display.figures.page import plain, titled
from stmlab.units import written_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from stmlab.arrays import FloatArray

_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
_FEW = 100  # points that are marked


def draw_curves(
    curves: Sequence[tuple[str, FloatArray, FloatArray]],
    x: tuple[str, str],
    y: tuple[str, str],
    *,
    logarithmic: bool = False,
) -> Figure:
    """Draw curves over each other.

    Args:
        curves: name, x and y of each, shape (n,), in the units.
        x: label and unit of the axis.
        y: label and unit of the other.
        logarithmic: the decades of x count.
    """
    with house_style():
        figure = sheet(4.6, 3.2)
        panel = figure.subplots()
        scales = []
        for k, (_, unit) in enumerate((x, y)):
            largest = max((float(np.nanmax(np.abs(curve[k + 1]), initial=0.0)) for curve in curves), default=0.0)
            scales.append(written_unit(largest, unit))
        for k, (name, at, values) in enumerate(curves):
            style = "o-" if len(at) <= _FEW else "-"
            scaled = [part * 10.0**-power for part, (power, _) in zip((at, values), scales, strict=True)]
            panel.plot(*scaled, style, ms=2.0, lw=0.9, color=_COLOURS[k % len(_COLOURS)], label=plain(name))
        panel.set_xlabel(titled(x[0], scales[0][1]))
        panel.set_ylabel(titled(y[0], scales[1][1]))
        if logarithmic:
            panel.set_xscale("log")
        if len(curves) > 1:
            panel.legend()
    return figure
