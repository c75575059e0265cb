"""Any fit of one curve: points, curve and residual; points left out hollow; a transfer function in dB above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.display.figures.drawing import BLUE, GREY, VERMILION, house_style, sheet
from stmlab.display.figures.page import entitle, grow, logarithmic, plain, scaled, titled, valued, warn
from stmlab.units import prefixed_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

_POINTS: dict[str, Any] = {"marker": "o", "ms": 3.0, "mew": 0.0, "ls": "none", "color": BLUE}
_LEFT_OUT: dict[str, Any] = {"marker": "o", "ms": 3.0, "mew": 0.7, "mfc": "white", "mec": GREY, "ls": "none"}
_MOST_NUMBERS = 6
_NUMBERS = 7.0  # points


def draw_fitted(fit: FitResult, title: str = "") -> Figure:
    """Data with the fitted curve above, what is left of them below.

    Args:
        fit: with curves "x", "data", "fit"; "x_smooth" and "fit_smooth" if the curve is known between the points;
            "x_excluded" and "data_excluded" if points were left out; "magnitude_dB" and "magnitude_error_dB" of a
            transfer function, which then stands above.
        title: of the page.
    """
    with house_style():
        transfer = "magnitude_dB" in fit.curves
        figure = sheet(4.6, 5.0 if transfer else 3.6)
        panels = figure.subplots(2 + transfer, 1, sharex=True, height_ratios=[*[2.2] * transfer, 2.6, 1.0])
        if transfer:
            _magnitude(panels[0], fit)
        _curve(panels[-2], fit)
        _residual(panels[-1], fit)
        _note(panels[0], fit)
        grow(figure, len(fit.parameters[:_MOST_NUMBERS]), _NUMBERS)
        _along(panels[-1], fit)
        entitle(figure, title)
        warn(figure, [("", fit)], 80)
        figure.align_ylabels()
    return figure


def _along(axes: Axes, fit: FitResult) -> None:
    x, unit = fit.curves["x"], fit.labels.get("x_unit", "")
    if fit.labels.get("x_scale") == "log":
        axes.set_xscale("log")
        logarithmic(axes.xaxis, x, unit)
        axes.set_xlabel(plain(fit.labels.get("x", "")))
    else:
        axes.set_xlabel(titled(fit.labels.get("x", ""), _x(fit)[1]))


def _x(fit: FitResult, name: str = "x") -> tuple[FloatArray, str]:
    """A curve's abscissa as it is drawn: in the prefixed unit of "x" unless the axis is logarithmic."""
    unit = fit.labels.get("x_unit", "")
    if fit.labels.get("x_scale") == "log":
        return fit.curves[name], unit
    power, unit = prefixed_unit(float(np.abs(fit.curves["x"]).max()), unit)
    return fit.curves[name] * 10.0**-power, unit


def _magnitude(axes: Axes, fit: FitResult) -> None:
    error = fit.curves["magnitude_error_dB"]
    axes.errorbar(fit.curves["x"], fit.curves["magnitude_dB"], error, fmt="o-", ms=2.5, lw=0.8, color=BLUE)
    axes.set_ylabel("transfer function (dB)")


def _curve(axes: Axes, fit: FitResult) -> None:
    unit = fit.labels.get("y_unit", "")
    power, shown = prefixed_unit(float(np.abs(fit.curves["data"]).max()), unit)
    scale = 10.0**-power
    if fit.curves.get("x_excluded", np.empty(0)).size:
        axes.plot(_x(fit, "x_excluded")[0], scale * fit.curves["data_excluded"], label="left out", **_LEFT_OUT)
        axes.legend(loc="best")
    axes.plot(_x(fit)[0], scale * fit.curves["data"], zorder=2, **_POINTS)
    x, y = ("x_smooth", "fit_smooth") if "x_smooth" in fit.curves else ("x", "fit")
    at, curve = _x(fit, x)[0], scale * fit.curves[y]
    if x == "x_smooth":  # where nothing was fitted, no line
        gaps = np.flatnonzero(np.diff(at) > 2 * np.median(np.diff(at))) + 1
        at, curve = np.insert(at, gaps, np.nan), np.insert(curve, gaps, np.nan)
    axes.plot(at, curve, color=VERMILION, lw=1.2, zorder=3)
    axes.set_ylabel(titled(fit.labels.get("y", ""), shown))


def _residual(axes: Axes, fit: FitResult) -> None:
    left, unit = scaled(fit.curves["data"] - fit.curves["fit"], fit.labels.get("y_unit", ""))
    axes.axhline(0.0, color=VERMILION, lw=0.9, zorder=1)
    axes.plot(_x(fit)[0], left, zorder=2, **_POINTS)
    axes.set_ylabel(titled("residual", unit))


def _note(axes: Axes, fit: FitResult) -> None:
    numbers = [f"{parameter.name} = {valued(fit, parameter.name)}" for parameter in fit.parameters[:_MOST_NUMBERS]]
    axes.set_title(plain("\n".join(numbers)), loc="left", fontsize=_NUMBERS, linespacing=1.4)
