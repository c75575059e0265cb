"""Spectra of a ramp or another series with the transport model's fit: as a waterfall, and as maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.display.figures.drawing import BLUE, GREY, VERMILION, house_style, sheet
from stmlab.display.figures.page import entitle, valued, warn
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

_SYMBOLS = {
    "axial_anisotropy_meV": "$D$",
    "transverse_anisotropy_meV": "$E$",
    "exchange_slope_meV_per_uS": r"$J/G_{12}$",
    "correlation": "$C$",
    "kondo_coupling": r"$J\rho$",
    "potential_scattering": "$U$",
    "temperature_K": "$T$",
}
_APART = 0.55  # offset of neighbouring spectra, as a share of their mean span


def draw_ramp(fit: FitResult, title: str = "") -> Figure:
    """All spectra over their conductance at the setpoint, one above the other; the same and the residual as maps.

    Args:
        fit: of ``stmlab.analysis.transport.fit_transport``.
        title: of the page.
    """
    rows = _Rows(fit)
    with house_style():
        figure = sheet(7.0, 4.6)
        layout = figure.subplot_mosaic([["waterfall", "map"], ["waterfall", "residual"]], width_ratios=[1.25, 1.0])
        _waterfall(layout["waterfall"], rows)
        _say(layout["waterfall"], fit)
        _map(layout["map"], rows, rows.data, r"$(dI/dV)\,/\,G_s$")
        _map(layout["residual"], rows, rows.data - rows.fit, r"residual$\,/\,G_s$", centred=True)
        for name in ("waterfall", "residual"):
            layout[name].set_xlabel("bias (mV)")
        entitle(figure, title)
        warn(figure, [("", fit)])
    return figure


class _Rows:
    """The points of a fit as one row a spectrum: ``bias`` in mV (n,), the others over the setpoint (K, n); labels.

    Spectra on other biases than the first are interpolated for the maps and curves.
    """

    def __init__(self, fit: FitResult) -> None:
        curves = fit.curves
        which = curves.get("spectrum", curves["setpoint"])
        places = [np.flatnonzero(which == value) for value in np.unique(which)]
        self.setpoint = np.array([curves["setpoint"][place[0]] for place in places])
        told = [parameter.at.removeprefix("setpoint ") for parameter in fit.parameters if parameter.at]
        by_setpoint = [format_quantity(float(f"{value:.3g}"), "S") for value in self.setpoint.tolist()]
        self.labels = told if len(told) == len(places) and "system" in fit.choices else by_setpoint
        places = [place[np.argsort(curves["x"][place], kind="stable")] for place in places]
        self.bias: FloatArray = 1e3 * curves["x"][places[0]]

        def laid_out(name: str) -> FloatArray:
            rows = [np.interp(self.bias, 1e3 * curves["x"][place], curves[name][place]) for place in places]
            return np.stack(rows) / np.where(self.setpoint > 0, self.setpoint, 1.0)[:, None]

        self.data, self.fit = laid_out("data"), laid_out("fit")


def _waterfall(axes: Axes, rows: _Rows) -> None:
    offset = _APART * float(np.ptp(rows.data, axis=1).mean())
    for k, (label, data, fit) in enumerate(zip(rows.labels, rows.data, rows.fit, strict=True)):
        axes.plot(rows.bias, data + k * offset, "o", ms=2.6, mew=0, color=BLUE, alpha=0.6, zorder=2)
        axes.plot(rows.bias, fit + k * offset, color=VERMILION, lw=0.7, zorder=3)
        axes.annotate(
            label,
            (rows.bias[-1], fit[-1] + k * offset),
            (4, 0),
            textcoords="offset points",
            fontsize=6.5,
            color=GREY,
            va="center",
            annotation_clip=False,
        )
    axes.set_xlim(rows.bias[0], rows.bias[-1] + 0.16 * float(np.ptp(rows.bias)))
    axes.set_ylabel(r"$(dI/dV)\,/\,G_s$, each spectrum shifted")


def _say(axes: Axes, fit: FitResult) -> None:
    known = {parameter.name: _SYMBOLS.get(parameter.name, "") for parameter in fit.parameters if not parameter.at}
    if "system" in fit.choices:
        known = {name: symbol or name for name, symbol in known.items()}
    lines = [f"{symbol} = {valued(fit, name)}" for name, symbol in known.items() if symbol]
    lines += [f"{kind}: {fit.choices[kind]}" for kind in ("exchange", "system") if kind in fit.choices]
    axes.set_title(",   ".join(lines[:3]) + "\n" + ",   ".join(lines[3:]), loc="left", fontsize=7, linespacing=1.5)


def _map(axes: Axes, rows: _Rows, values: FloatArray, label: str, *, centred: bool = False) -> None:
    """Spectra in equal stripes: setpoints are rarely evenly spaced."""
    reach = float(np.abs(values).max()) or 1.0
    limits: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -reach, "vmax": reach} if centred else {}
    stripes = np.arange(rows.setpoint.size + 1) - 0.5
    step = 0.5 * float(np.diff(rows.bias).mean())
    edges = np.concatenate([[rows.bias[0] - step], rows.bias[:-1] + 0.5 * np.diff(rows.bias), [rows.bias[-1] + step]])
    mesh = axes.pcolormesh(edges, stripes, values, rasterized=True, **limits)
    axes.figure.colorbar(mesh, ax=axes, label=label, pad=0.02)
    shown = np.unique(np.linspace(0, rows.setpoint.size - 1, min(rows.setpoint.size, 7)).astype(int))
    axes.set_yticks(shown, [rows.labels[k] for k in shown])
    axes.set_ylabel("setpoint $G_s$")
