"""A current that switches between two levels: the trace, a part of it with the idealised course, the histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.display.figures.drawing import BLUE, GREY, VERMILION, house_style, sheet
from stmlab.display.figures.page import entitle, scaled, titled, valued, warn
from stmlab.units import prefixed_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from stmlab.arrays import FloatArray, IntArray
    from stmlab.results import FitResult

_TRANSITIONS_SHOWN = 8
_TRACE: dict[str, Any] = {"color": BLUE, "lw": 0.6}
_COURSE: dict[str, Any] = {"color": VERMILION, "lw": 1.0, "drawstyle": "steps-mid"}


def draw_telegraph(fit: FitResult, title: str = "") -> Figure:
    """The whole trace above, its most eventful part below, both with the most likely course; the histogram beside.

    Several traces stand one after another, with dotted lines between them.

    Args:
        fit: of ``stmlab.analysis.telegraph.fit_telegraph``.
        title: of the page.
    """
    with house_style():
        figure = sheet(7.0, 4.2)
        panels = figure.subplots(2, 2, sharey="row", width_ratios=[4.0, 1.0])
        (whole, histogram), (part, words) = panels
        power, unit = prefixed_unit(float(np.abs(fit.curves["data"]).max()), fit.labels["y_unit"])
        scale = 10.0**-power
        zoom = _eventful(fit.curves["fit"], _begins(fit))
        _draw(whole, fit, slice(None), scale, span=zoom)
        _draw(part, fit, zoom, scale)
        for axes in (whole, part):
            axes.set_ylabel(titled(fit.labels["y"], unit))
        _draw_histogram(histogram, fit, scale)
        words.set_axis_off()
        _say(words, fit)
        entitle(figure, title)
        warn(figure, [("", fit)])
        figure.align_ylabels()
    return figure


def _begins(fit: FitResult) -> IntArray:
    """Samples with which the second trace and those after it begin."""
    return np.asarray(np.flatnonzero(np.diff(fit.curves["trace"])) + 1)


def _eventful(course: FloatArray, begins: IntArray) -> slice:
    """A typical part of one trace with a few transitions, with room on both sides; all of it if there is only one."""
    bounds = np.concatenate([[0], begins, [course.size]])
    jumps = np.setdiff1d(np.flatnonzero(np.diff(course) != 0), bounds - 1)
    if jumps.size < 2:
        return slice(0, course.size)
    shown = min(_TRANSITIONS_SHOWN, max(2, jumps.size // 3))
    owner = np.searchsorted(bounds, jumps, side="right")
    within = np.flatnonzero(owner[shown - 1 :] == owner[: 1 - shown])
    if within.size == 0:
        return slice(0, course.size)
    reach = jumps[within + shown - 1] - jumps[within]
    first = int(within[np.argsort(reach, kind="stable")[reach.size // 2]])
    begin, end = int(jumps[first]), int(jumps[first + shown - 1])
    room = max((end - begin) // 4, 10)
    earliest, latest = int(bounds[owner[first] - 1]), int(bounds[owner[first]])
    return slice(max(begin - room, earliest), min(end + room, latest))


def _draw(axes: Axes, fit: FitResult, part: slice, scale: float, span: slice | None = None) -> None:
    time, unit = scaled(fit.curves["x"], fit.labels["x_unit"])
    if part != slice(None):
        time, unit = scaled(fit.curves["x"][part], fit.labels["x_unit"])
    axes.plot(time, scale * fit.curves["data"][part], **_TRACE)
    axes.plot(time, scale * fit.curves["fit"][part], **_COURSE)
    if span is not None and span != slice(0, time.size):
        axes.axvspan(time[span][0], time[span][-1], color=GREY, alpha=0.2, lw=0, zorder=0)
    for begin in _begins(fit) if span is not None else ():
        axes.axvline(0.5 * (time[begin - 1] + time[begin]), color="black", lw=1.0, ls=":", zorder=3)
    axes.set_xlim(time[0], time[-1])
    axes.set_xlabel(titled(fit.labels["x"], unit))


def _draw_histogram(axes: Axes, fit: FitResult, scale: float) -> None:
    """Bars, and the fit as what it expects in each bin: a smooth curve would overshoot bins wider than the noise."""
    centres = scale * fit.curves["histogram_x"]
    width = float(np.diff(centres[:2])[0])
    edges = np.append(centres - 0.5 * width, centres[-1] + 0.5 * width)
    axes.barh(centres, fit.curves["histogram"], width, color=BLUE, alpha=0.5)
    axes.plot(np.repeat(fit.curves["histogram_fit"], 2), np.repeat(edges, 2)[1:-1], color=VERMILION, lw=0.8)
    axes.set_xlabel("samples")


def _say(axes: Axes, fit: FitResult) -> None:
    names = {
        "rate_up": r"$\Gamma_\mathrm{up}$",
        "rate_down": r"$\Gamma_\mathrm{down}$",
        "low": r"$I_\mathrm{low}$",
        "high": r"$I_\mathrm{high}$",
        "occupation": r"$p_\mathrm{high}$",
    }
    lines = [f"{symbol} = {valued(fit, name)}" for name, symbol in names.items()]
    lines.append(f"{fit.choices.get('transitions', '?')} transitions")
    axes.text(0.0, 0.95, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=7, linespacing=1.8)
