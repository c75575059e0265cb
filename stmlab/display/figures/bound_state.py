"""Peak currents through a bound state over conductance, with the rate law and the kinks (Betz et al., figure S7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.display.figures.drawing import BLUE, GREEN, house_style, sheet
from stmlab.display.figures.page import entitle, titled, warn
from stmlab.units import prefixed_unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from stmlab.results import FitResult

_SIDES = ((1.0, "positive", BLUE), (-1.0, "negative", GREEN))


def draw_bound_state(fit: FitResult, title: str = "") -> Figure:
    """Both polarities on logarithmic axes; a cross where two power laws meet.

    Args:
        fit: of ``stmlab.analysis.bound_state``.
        title: of the page.
    """
    across, siemens = _scale(fit, "x", "S")
    up, amperes = _scale(fit, "data", "A")
    known = {parameter.name: parameter.value for parameter in fit.parameters}
    with house_style():
        figure = sheet(4.6, 3.4)
        axes = figure.subplots()
        for side, name, colour in _SIDES:
            own = np.flatnonzero(fit.curves["side"] == side)
            own = own[np.argsort(fit.curves["x"][own], kind="stable")]
            x = across * fit.curves["x"][own]
            data, error, law = (up * fit.curves[curve][own] for curve in ("data", "error", "fit"))
            axes.errorbar(x, data, error, fmt="o", ms=3.0, mew=0, elinewidth=0.8, color=colour, label=f"{name} bias")
            axes.plot(x, law, lw=1.0, color=colour)
            if f"{name}_kink_current" in known:
                kink = across * known[f"{name}_kink_conductance"], up * known[f"{name}_kink_current"]
                axes.plot(*kink, "k+", ms=9.0, label="kink")
        axes.set(xscale="log", yscale="log")
        axes.set_xlabel(titled("conductance", siemens))
        axes.set_ylabel(titled("peak current", amperes))
        axes.legend()
        entitle(figure, title)
        warn(figure, [("", fit)], 80)
    return figure


def _scale(fit: FitResult, curve: str, unit: str) -> tuple[float, str]:
    power, shown = prefixed_unit(float(fit.curves[curve].max()), unit)
    return 10.0**-power, shown
