"""Any run: every channel over the axes, as curves or as maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.display.figures.drawing import BLUE, house_style, sheet
from stmlab.display.figures.page import SMALL, foot, head, logarithmic, plain, say, scaled, settings_of, titled
from stmlab.units import format_quantity, prefixed_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Panel
    from matplotlib.figure import Figure

    from stmlab.arrays import FloatArray
    from stmlab.axes import Axis, Channel
    from stmlab.storage import Run

_MANY = 300  # points of a curve beyond which they are not marked one by one
_FEW = 6  # curves that are told apart in one panel; more are a map


def draw_channels(run: Run) -> Figure:
    """One panel for each channel that varies: a curve along one axis, a few curves or a map over two.

    Of more axes than two the inner two are drawn, at the first value of the outer ones; the head says so, and what the
    channels are that stand still or are empty. Axes of a single value count as settings.
    """
    channels = [channel for channel in run.channels if _varies(run.data[channel.name])] or list(run.channels)
    with house_style():
        columns = 1 if len(channels) < 3 else 2
        rows = math.ceil(len(channels) / columns) or 1
        figure = sheet(4.2 * columns, 0.7 + 2.1 * rows)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        drawn = [k for k, axis in enumerate(run.axes) if len(axis) > 1][-2:]
        place = tuple(slice(None) if k in drawn else 0 for k in range(len(run.axes)))
        axes = [run.axes[k] for k in drawn]
        for panel, channel in zip(panels, channels, strict=False):
            if len(run.axes) == 1 and not run.axes[0].hardware:
                _draw_curve(panel, run.axes[0], channel, run.data[channel.name], run.coordinates[run.axes[0].name])
            else:
                _draw(panel, axes, channel, run.grid(channel.name)[place])
        for panel in panels[len(channels) :]:
            panel.set_axis_off()
        still = [_standing(channel, run.data[channel.name]) for channel in run.channels if channel not in channels]
        held = [_held(axis) for k, axis in enumerate(run.axes) if k not in drawn]
        head(figure, run, [*held, *still, *settings_of(run)])
        foot(figure, run)
    return figure


def _varies(values: FloatArray) -> bool:
    known = values[np.isfinite(values)]
    return bool(known.size) and bool(np.ptp(known) > 0 or values.size == 1)


def _standing(channel: Channel, values: FloatArray) -> str:
    known = values[np.isfinite(values)]
    value = format_quantity(float(known[0]), channel.unit) if known.size else "no values"
    return f"{plain(channel.name)} = {value}" if known.size else f"{plain(channel.name)}: {value}"


def _held(axis: Axis) -> str:
    value = f"{plain(axis.label or axis.name)} = {format_quantity(float(axis.values[0]), axis.unit)}"
    return value if len(axis) == 1 else f"{value} (the first of {len(axis)})"


def _draw(panel: Panel, axes: list[Axis], channel: Channel, values: FloatArray) -> None:
    if not np.isfinite(values).any():
        say(panel, f"{channel.name}: no values")
    elif len(axes) == 2 and len(axes[0]) <= _FEW:
        _draw_curves(panel, axes, channel, values)
    elif len(axes) == 2:
        _draw_map(panel, axes, channel, values)
    elif len(axes) == 1:
        _draw_curve(panel, axes[0], channel, values, axes[0].values)
    else:
        say(panel, f"{channel.name} = {format_quantity(float(values), channel.unit)}")


def _draw_curve(panel: Panel, axis: Axis, channel: Channel, values: FloatArray, at: FloatArray) -> None:
    """A curve point by point, in the order in which the points were taken."""
    power = _along(panel, axis, "x")
    shown, unit = scaled(values, channel.unit)
    panel.plot(at * 10.0**-power, shown, "o-", color=BLUE, ms=2 if len(shown) < _MANY else 0, lw=0.8)
    panel.set_ylabel(titled(channel.name, unit))
    if not np.isfinite(values).any():
        say(panel, "no values")


def _draw_curves(panel: Panel, axes: list[Axis], channel: Channel, values: FloatArray) -> None:
    """A curve for each value of the outer axis."""
    from matplotlib import colormaps

    power = _along(panel, axes[1], "x")
    shown, unit = scaled(values, channel.unit)
    for k, (value, curve) in enumerate(zip(axes[0].values.tolist(), shown, strict=True)):
        label = f"{axes[0].label or axes[0].name} {format_quantity(value, axes[0].unit)}"
        colour = colormaps["viridis"](0.85 * k / max(len(shown) - 1, 1))
        panel.plot(axes[1].values * 10.0**-power, curve, color=colour, lw=0.7, label=plain(label))
    panel.set_ylabel(titled(channel.name, unit))
    panel.legend(fontsize=SMALL, ncols=2)


def _draw_map(panel: Panel, axes: list[Axis], channel: Channel, values: FloatArray) -> None:
    shown, unit = scaled(values, channel.unit)
    y = axes[0].values * 10.0 ** -_along(panel, axes[0], "y")
    x = axes[1].values * 10.0 ** -_along(panel, axes[1], "x")
    rows, columns = np.argsort(y, kind="stable"), np.argsort(x, kind="stable")  # a sweep may go down, or there and back
    edges = _edges(x[columns], panel.get_xscale()), _edges(y[rows], panel.get_yscale())
    mesh = panel.pcolormesh(*edges, np.ma.masked_invalid(shown[np.ix_(rows, columns)]), rasterized=True)
    panel.figure.colorbar(mesh, ax=panel, label=titled(channel.name, unit), pad=0.02)


def _edges(centres: FloatArray, scale: str) -> FloatArray:
    """Edges of the cells around rising ``centres``, halfway between them as they are drawn; shape (n + 1,)."""
    drawn = np.log(centres) if scale == "log" else centres
    middle = 0.5 * (drawn[1:] + drawn[:-1])
    edges = np.concatenate([[2 * drawn[0] - middle[0]], middle, [2 * drawn[-1] - middle[-1]]])
    return np.exp(edges) if scale == "log" else edges


def _along(panel: Panel, axis: Axis, which: str) -> int:
    """Scale and title an axis of the panel; returns the power of ten that its unit takes out of the values."""
    drawn = panel.xaxis if which == "x" else panel.yaxis
    name = axis.label or axis.name
    if axis.logarithmic and axis.values.min() > 0:
        panel.set(**{f"{which}scale": "log"})
        logarithmic(drawn, axis.values, axis.unit)
        drawn.set_label_text(plain(name))
        return 0
    power, unit = prefixed_unit(float(np.abs(axis.values).max()), axis.unit)
    drawn.set_label_text(titled(name, unit))
    return power
