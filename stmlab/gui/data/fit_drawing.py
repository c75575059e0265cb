"""The curves of a fit for a plot: data, fit and what it leaves; no Qt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray
    from stmlab.gui.data.opened import Curve, Opened
    from stmlab.results import FitResult


def fit_curves(opened: Opened, fit: FitResult | None) -> tuple[list[Curve], list[Curve], list[Curve]]:
    """Data, fit and residual.

    Args:
        opened: the file.
        fit: of it; None: only data are drawn.

    Returns:
        Each as curves over the same axes: several spectra, as of a ramp, have gaps between them.
    """
    data = opened.curve()
    if fit is None or not {"x", "data", "fit"} <= fit.curves.keys():
        return [data], [], []
    curves, labels = fit.curves, fit.labels
    x = np.asarray(curves["x"])
    about = replace(
        data,
        x_label=labels.get("x", data.x_label),
        x_unit=labels.get("x_unit", data.x_unit),
        y_label=labels.get("y", data.y_label),
        y_unit=labels.get("y_unit", data.y_unit),
        logarithmic=bool(x.size) and x.min() > 0 and (labels.get("x_scale") == "log" or data.logarithmic),
    )
    parts = _parts(x, curves.get("spectrum", curves.get("setpoint")))
    smooth = len(parts) == 1 and {"x_smooth", "fit_smooth"} <= curves.keys()
    drawn = ("x_smooth", "fit_smooth") if smooth else ("x", "fit")
    left = np.asarray(curves["data"]) - np.asarray(curves["fit"])
    return (
        [_joined(replace(about, name="data"), x, np.asarray(curves["data"]), parts)],
        [
            replace(about, name="fit", x=np.asarray(curves["x_smooth"]), y=np.asarray(curves["fit_smooth"]))
            if smooth
            else _joined(replace(about, name="fit"), np.asarray(curves[drawn[0]]), np.asarray(curves["fit"]), parts)
        ],
        [_joined(replace(about, name="residual", y_label="residual"), x, left, parts)],
    )


def _parts(x: FloatArray, setpoint: FloatArray | None) -> list[IntArray]:
    """Places of each spectrum, in the order of the points: where the axis begins again, or by setpoint."""
    if setpoint is not None:
        return [np.flatnonzero(setpoint == value) for value in np.unique(setpoint)]
    return np.split(np.arange(x.size), np.flatnonzero(np.diff(x) < 0) + 1)


def _joined(curve: Curve, x: FloatArray, y: FloatArray, parts: list[IntArray]) -> Curve:
    """One spectrum after the other, with a gap between."""
    gap = np.array([np.nan])
    rows = [(x[part], y[part]) for part in parts]
    joined = [np.concatenate([piece for row in rows for piece in (row[k], gap)][:-1]) for k in (0, 1)]
    return replace(curve, x=joined[0], y=joined[1])
