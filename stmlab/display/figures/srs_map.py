"""Rate and amplitude of SRS over the DC bias and the microwave amplitude (Betz et al., figures 3 and 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.display.figures.drawing import house_style, sheet
from stmlab.display.figures.page import entitle, titled, warn
from stmlab.units import format_quantity, prefixed_unit, written_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from stmlab.results import FitResult

_TITLES = {"bias": "DC bias", "amplitude": "microwave amplitude"}
_FEW = 8  # curves that a legend can name


def draw_srs_map(fit: FitResult, title: str = "") -> Figure:
    """Rate above, SRS amplitude below, with errors: one curve for each value of the shorter axis.

    Args:
        fit: of ``stmlab.analysis.srs_map.fit_srs_map``; or of ``n_state``, whose model is drawn as a line through it.
        title: of the page.
    """
    along, other = "bias", "amplitude"
    if np.unique(fit.curves[other]).size > np.unique(fit.curves[along]).size:
        along, other = other, along
    with house_style():
        figure = sheet(4.6, 4.4)
        rate, step = figure.subplots(2, 1, sharex=True)
        unit = _draw(rate, fit, "rate", "1/s", (along, other))
        rate.set_ylabel(titled("rate", unit))
        unit = _draw(step, fit, "step", "A", (along, other))
        step.set_ylabel(titled("SRS amplitude", unit))
        step.set_xlabel(titled(_TITLES[along], _scale(fit, along)[1]))
        entitle(figure, title)
        warn(figure, [("", fit)], 80)
        figure.align_ylabels()
    return figure


def _scale(fit: FitResult, name: str) -> tuple[float, str]:
    power, unit = prefixed_unit(float(np.abs(fit.curves[name]).max()), "V")
    return 10.0**-power, unit


def _draw(axes: Axes, fit: FitResult, quantity: str, unit: str, names: tuple[str, str]) -> str:
    """Returns the unit in which the quantity stands."""
    from matplotlib import colormaps

    along, other = names
    model = f"fit_{quantity}"
    values, errors = fit.curves[quantity], fit.curves[f"{quantity}_error"]
    finite = np.abs(values[np.isfinite(values)])
    power, shown = written_unit(float(finite.max(initial=0.0)), unit)
    scale, colours = 10.0**-power, colormaps["viridis"]
    groups = np.unique(fit.curves[other])
    for k, group in enumerate(groups):
        rows = np.flatnonzero(fit.curves[other] == group)
        rows = rows[np.argsort(fit.curves[along][rows], kind="stable")]
        look: dict[str, Any] = {
            "fmt": "o" if model in fit.curves else "o-",
            "ms": 3.0,
            "mew": 0,
            "lw": 0.8,
            "elinewidth": 0.8,
        }
        look["color"] = colours(0.85 * k / max(groups.size - 1, 1))
        label = format_quantity(float(f"{group:.4g}"), "V")
        x = _scale(fit, along)[0] * fit.curves[along][rows]
        if model in fit.curves:
            axes.plot(x, scale * fit.curves[model][rows], lw=1.0, color=look["color"])
        axes.errorbar(x, scale * values[rows], scale * errors[rows], label=label, **look)
    if groups.size <= _FEW and quantity == "rate":
        where: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0), "borderaxespad": 0.2}
        axes.legend(title=_TITLES[other], title_fontsize=7, alignment="left", ncols=4, **where)
    return shown
