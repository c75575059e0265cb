"""A stochastic resonance spectrum with its fit, the marked characteristic frequency and the residual below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.display.figures.drawing import BLUE, GREY, VERMILION, house_style, sheet
from stmlab.display.figures.page import foot, head, logarithmic, plain, say, settings_of, titled, valued, warn
from stmlab.units import prefixed_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult
    from stmlab.storage import Run

_POINTS: dict[str, Any] = {
    "fmt": "o",
    "ms": 3.2,
    "mew": 0.0,
    "color": BLUE,
    "ecolor": BLUE,
    "elinewidth": 0.7,
    "capsize": 0,
}
_MARGIN = 1.35  # beyond the first and last frequency


def is_spectrum(run: Run) -> bool:
    """Whether a run is one spectrum that can be drawn here."""
    return run.sequence == "srs" and len(run.axes) == 1 and "frequency" in run.coordinates and "current" in run.data


def draw_spectrum(run: Run, fit: FitResult | None) -> Figure:
    """The SRS current over the logarithm of the frequency; with a fit also its curve, its rate and its residual.

    Args:
        run: of the sequence "srs", over one axis.
        fit: of one of its models.
    """
    with house_style():
        figure = sheet(4.6, 3.6 if fit is not None else 2.9)
        if fit is not None:
            spectrum, residual = figure.subplots(2, 1, sharex=True, height_ratios=[3.4, 1.0])
        else:
            spectrum = residual = figure.subplots()
        unit = next(channel.unit for channel in run.channels if channel.name == "current")
        power, shown = prefixed_unit(_largest(run.data["current"]), unit)
        scale = 10.0**-power
        _draw_points(spectrum, run, scale)
        spectrum.set_xscale("log")
        logarithmic(spectrum.xaxis, run.axes[0].values, run.axes[0].unit)
        spectrum.set_ylabel(titled("SRS current", shown))
        if fit is not None:
            _draw_fit(spectrum, fit, scale)
            _draw_residual(residual, run, fit, unit)
            for panel in (spectrum, residual):
                panel.axvline(fit["frequency"].value, color=GREY, lw=0.7, ls=(0, (4, 3)), zorder=1)
        spectrum.margins(y=0.12)
        spectrum.set_xlim(run.axes[0].values.min() / _MARGIN, run.axes[0].values.max() * _MARGIN)
        residual.set_xlabel(plain(run.axes[0].label or run.axes[0].name))
        if not run.points:
            say(spectrum, "no points")
        if fit is not None:
            warn(figure, [("", fit)], 80)
        head(figure, run, settings_of(run))
        foot(figure, run)
        figure.align_ylabels()
    return figure


def _draw_points(axes: Axes, run: Run, scale: float) -> None:
    frequency, current = run.coordinates["frequency"], run.data["current"]
    axes.errorbar(frequency, current * scale, _errors(run, scale), zorder=2, **_POINTS)


def _errors(run: Run, scale: float) -> FloatArray | None:
    error = run.data.get("current_error")
    return error * scale if error is not None and np.isfinite(error).any() else None


def _draw_fit(axes: Axes, fit: FitResult, scale: float) -> None:
    x, y = _smooth(fit.curves)
    axes.plot(x, y * scale, color=VERMILION, lw=1.2, zorder=3)
    at = fit["frequency"].value
    if x[0] <= at <= x[-1]:
        axes.plot(at, np.interp(np.log(at), np.log(x), y) * scale, "o", ms=5, mfc="white", mec=VERMILION, zorder=4)
    lines = [f"$\\Gamma$ = {valued(fit, 'rate')},   $f_\\Gamma$ = {valued(fit, 'frequency')}"]
    lines += [f"$I_\\mathrm{{SR}}$ = {valued(fit, 'step')}"]
    axes.set_title("\n".join(lines), loc="left", fontsize=7, linespacing=1.4)


def _draw_residual(axes: Axes, run: Run, fit: FitResult, unit: str) -> None:
    left = fit.curves["data"] - fit.curves["fit"]
    power, shown = prefixed_unit(_largest(left), unit)
    scale = 10.0**-power
    errors = _errors(run, scale)
    if errors is not None:  # the fit's points stand in rising frequency
        errors = errors[np.argsort(run.coordinates["frequency"], kind="stable")] if len(errors) == len(left) else None
    axes.axhline(0.0, color=VERMILION, lw=0.9, zorder=1)
    axes.errorbar(fit.curves["x"], left * scale, errors, zorder=2, **_POINTS)
    reach = 1.3 * (_largest(left * scale) + (0.0 if errors is None else _largest(errors)))
    axes.set_ylim(-(reach or 1.0), reach or 1.0)
    axes.set_ylabel(titled("residual", shown))


def _smooth(curves: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """The curve for drawing, or the one at the points where a fit has no other."""
    return (curves["x_smooth"], curves["fit_smooth"]) if "x_smooth" in curves else (curves["x"], curves["fit"])


def _largest(values: FloatArray) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0
