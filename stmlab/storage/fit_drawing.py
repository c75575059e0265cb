"""A fit beside the data that it was made of: where a viewer draws the data of a run, it draws the last fit too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import h5py

    from stmlab.arrays import FloatArray, IntArray
    from stmlab.results import FitResult

_SAME = 1e-9  # of the axis: two positions that are the same but for rounding


def draw_fit(data: h5py.Group, fit: FitResult) -> None:
    """Write the values of ``fit`` where the default plot has points, if it is a curve over the same axis.

    Args:
        data: the group with the default plot.
        fit: with the curves ``x`` and ``fit``; others are not drawn.
    """
    axes = list(data.attrs.get("axes", ()))
    if len(axes) != 1 or not {"x", "fit"} <= fit.curves.keys():
        return
    name = f"{axes[0]}_measured"
    position = data[name if name in data else axes[0]][:]
    x, values = np.asarray(fit.curves["x"]), np.asarray(fit.curves["fit"])
    measured = np.isfinite(position)
    if x.ndim != 1 or x.shape != values.shape or not x.size or not measured.any():
        return
    order = np.argsort(x)
    nearest = order[_nearest(x[order], position[measured])]
    scale = np.abs(position[measured]).max()
    same = np.abs(x[nearest] - position[measured]) <= _SAME * scale
    if len(np.unique(x[nearest[same]])) < len(np.unique(x)):
        return  # a fit over something else
    drawn = np.full(position.shape, np.nan)
    drawn[measured] = np.where(same, values[nearest], np.nan)
    data[f"{data.attrs['signal']}_fit"][:] = drawn


def _nearest(ordered: FloatArray, position: FloatArray) -> IntArray:
    """Index of the element of ``ordered`` next to each position."""
    if len(ordered) == 1:
        return np.zeros(len(position), dtype=np.int64)
    after = np.clip(np.searchsorted(ordered, position), 1, len(ordered) - 1)
    nearer_before = position - ordered[after - 1] < ordered[after] - position
    nearest: IntArray = after - nearer_before
    return nearest
