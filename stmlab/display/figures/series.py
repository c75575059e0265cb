"""What was read off each spectrum of a ramp, over the conductance: step energies, or asymmetries, with the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.display.figures.drawing import BLUE, GREEN, house_style, sheet
from stmlab.display.figures.page import entitle, plain, titled, valued, warn
from stmlab.units import prefixed_unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from stmlab.results import FitResult

_ENDS = (("inner", BLUE, "o"), ("outer", GREEN, "s"))


def draw_series(fit: FitResult, title: str = "") -> Figure:
    """Inner and outer steps with their errors and the model through them.

    Args:
        fit: of ``fit_exchange`` or ``fit_correlation``.
        title: of the page.
    """
    with house_style():
        figure = sheet(4.6, 3.4)
        axes = figure.subplots()
        curves, unit = fit.curves, fit.labels.get("x_unit", "")
        power, shown = prefixed_unit(float(np.abs(curves["x"]).max()), unit)
        for (name, colour, marker), rows in zip(_ENDS, _ends(fit), strict=False):
            x = curves["x"][rows] * 10.0**-power
            look: dict[str, Any] = {"fmt": marker, "ms": 3.5, "mew": 0, "color": colour, "elinewidth": 0.8}
            axes.errorbar(x, curves["data"][rows], curves["error"][rows], label=name, zorder=2, **look)
            if f"{name}_smooth" in curves:
                smooth = curves["x_smooth"] * 10.0**-power
                axes.plot(smooth, curves[f"{name}_smooth"], color=colour, lw=1.0, zorder=1)
            else:
                axes.plot(x, curves["fit"][rows], color=colour, lw=1.0, zorder=1)
        axes.set_xlabel(titled(fit.labels.get("x", ""), shown))
        axes.set_ylabel(titled(fit.labels.get("y", ""), fit.labels.get("y_unit", "")))
        axes.legend()
        lines = [f"{parameter.name} = {valued(fit, parameter.name)}" for parameter in fit.parameters]
        lines += [f"{name}: {chosen}" for name, chosen in fit.choices.items()]
        axes.set_title(plain("\n".join(lines)), loc="left", fontsize=7, linespacing=1.4)
        entitle(figure, title)
        warn(figure, [("", fit)], 80)
    return figure


def _ends(fit: FitResult) -> list[slice]:
    """The rows of the inner and of the outer steps: each rises in conductance, and the outer ones follow."""
    x = fit.curves["x"]
    falls = np.flatnonzero(np.diff(x) <= 0)
    middle = int(falls[0]) + 1 if falls.size else x.size
    return [slice(0, middle), slice(middle, x.size)]
