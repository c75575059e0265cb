"""Spectra of dI/dV with the fit of their inelastic steps, and d2I/dV2 below: forward and backward side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.display.figures.drawing import BLUE, GREY, VERMILION, house_style, sheet
from stmlab.display.figures.page import entitle, plain, titled, valued, warn
from stmlab.errors import FitError
from stmlab.units import prefixed_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from stmlab.results import FitResult

_MV = 1e3
_POINTS: dict[str, Any] = {"marker": "o", "ms": 2.2, "mew": 0.0, "ls": "none", "color": BLUE}
_PAIRS = ("inner", "outer")


def draw_steps(fits: Sequence[tuple[str, FitResult]], title: str = "", unit: str = "") -> Figure:
    """One column for each fit: conductance with fit above, its derivative with fit below, the steps' energies marked.

    Args:
        fits: label and result of ``stmlab.analysis.steps.fit_steps``, at least one.
        title: of the page.
        unit: of the conductance: "S", or "V" of a lock-in's output.

    Raises:
        FitError: no fits.
    """
    if not fits:
        raise FitError("fits = []: at least one is needed to draw")
    with house_style():
        figure = sheet(1.2 + 3.4 * len(fits), 4.8)
        panels = figure.subplots(2, len(fits), sharex="col", sharey="row", height_ratios=[1.35, 1.0], squeeze=False)
        scale, slope_scale = (_scale(fits, name, unit) for name in ("data", "derivative"))
        for (above, below), (label, fit) in zip(panels.T, fits, strict=True):
            _draw(above, fit, ("x", "data"), ("x_smooth", "fit_smooth"), scale)
            _draw(below, fit, ("x_derivative", "derivative"), ("x_smooth", "derivative_smooth"), slope_scale)
            _mark(above, below, fit)
            _say(above, fit)
            above.set_title(plain(label), loc="left")
            below.set_xlabel("bias (mV)")
            below.set_xlim(_MV * fit.curves["x"][0], _MV * fit.curves["x"][-1])
        panels[0, 0].set_ylabel(titled("dI/dV", prefixed_unit(1 / scale, unit)[1]))
        per_volt = prefixed_unit(1 / slope_scale, unit)[1]
        panels[1, 0].set_ylabel(f"$d^2I/dV^2$ ({per_volt}/V)" if per_volt else "$d^2I/dV^2$ (1/V)")
        _make_room(panels, fits, scale, slope_scale)
        entitle(figure, title)
        warn(figure, fits, 45 + 45 * len(fits))
        figure.align_ylabels()
    return figure


def _scale(fits: Sequence[tuple[str, FitResult]], name: str, unit: str) -> float:
    """From the data to the prefixed unit that suits all columns."""
    largest = max(float(np.abs(fit.curves[name]).max()) for _, fit in fits)
    return float(10.0 ** -prefixed_unit(largest, unit)[0])


def _draw(axes: Axes, fit: FitResult, points: tuple[str, str], curve: tuple[str, str], scale: float) -> None:
    x, y = (fit.curves[name] for name in points)
    axes.plot(_MV * x, scale * y, zorder=2, alpha=0.7, **_POINTS)
    x, y = (fit.curves[name] for name in curve)
    axes.plot(_MV * x, scale * y, color=VERMILION, lw=1.2, zorder=3)


def _pairs(fit: FitResult) -> list[str]:
    names = {parameter.name for parameter in fit.parameters}
    return [pair for pair in _PAIRS if f"{pair}_energy" in names]


def _mark(above: Axes, below: Axes, fit: FitResult) -> None:
    """Lines at the steps, as wide as their errors."""
    zero = _MV * fit["bias_offset"].value if any(p.name == "bias_offset" for p in fit.parameters) else 0.0
    for pair in _pairs(fit):
        energy = fit[f"{pair}_energy"]
        for sign in (-1, 1):
            at = zero + sign * energy.value
            for axes in (above, below):
                axes.axvspan(at - energy.error, at + energy.error, color=GREY, alpha=0.25, lw=0, zorder=0)
                axes.axvline(at, color=GREY, lw=0.7, ls=(0, (4, 3)), zorder=1)
    below.axhline(0.0, color=GREY, lw=0.5, zorder=1)


def _say(axes: Axes, fit: FitResult) -> None:
    """Energies, asymmetries and the temperature, at the top of the panel."""
    left = [f"$E_\\mathrm{{{pair}}}$ = {valued(fit, f'{pair}_energy')}" for pair in _pairs(fit)]
    right = [f"$\\eta_\\mathrm{{{pair}}}$ = {valued(fit, f'eta_{pair}')}" for pair in _pairs(fit)]
    if any(parameter.name == "temperature" for parameter in fit.parameters):
        left.append(f"$T_\\mathrm{{eff}}$ = {valued(fit, 'temperature')}")
    behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.0}
    look: dict[str, Any] = {"va": "top", "fontsize": 7, "bbox": behind, "zorder": 5, "linespacing": 1.5}
    for at, lines in ((0.04, left), (0.56, right)):
        axes.text(at, 0.97, "\n".join(lines), transform=axes.transAxes, **look)


def _make_room(panels: Any, fits: Sequence[tuple[str, FitResult]], scale: float, slope_scale: float) -> None:
    """Space above the spectra for the numbers; the derivative not squeezed by its single worst point."""
    data = scale * np.concatenate([fit.curves["data"] for _, fit in fits])
    low, span = float(data.min()), float(np.ptp(data))
    panels[0, 0].set_ylim(low - 0.06 * span, low + 1.42 * span)
    slopes = slope_scale * np.concatenate([fit.curves["derivative"] for _, fit in fits])
    drawn = slope_scale * np.concatenate([fit.curves["derivative_smooth"] for _, fit in fits])
    reach = 1.15 * max(float(np.quantile(np.abs(slopes), 0.99)), float(np.abs(drawn).max()))
    panels[1, 0].set_ylim(-reach, reach)
