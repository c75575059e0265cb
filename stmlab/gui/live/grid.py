"""A channel over two axes of a run, as the cells of a picture; free of Qt."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stmlab.gui.live.drawn import logarithm
from stmlab.gui.live.shown import Shown, Ways
from stmlab.gui.live.words import place_of

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray
    from stmlab.axes import Axis
    from stmlab.gui.live.run_data import RunData

_WIDEST = 2000  # cells of an image along one axis; of more the mean of neighbours is shown


class Grid(NamedTuple):
    """A map as it is drawn; rows and columns rise.

    Attributes:
        x, y: centres of the cells in coordinates of the view.
        values: shape (rows, columns), nan where nothing was read.
        row_axis: the axis along y; ``order``: positions on it, row by row.
        held: the other outer axes and where they are, in words.
    """

    x: FloatArray
    y: FloatArray
    values: FloatArray
    row_axis: Axis
    order: IntArray
    held: str


def row_axis_of(data: RunData) -> int:
    """The outer axis along y: of those that vary the longest, else the longest repetition."""
    layout = data.layout
    found = layout.varied or layout.repeated or (len(layout.outer) - 1,)
    return max(found, key=lambda k: layout.outer[k])


def is_log(axis: Axis) -> bool:
    """Whether rows are drawn at equal ratios."""
    return axis.logarithmic and axis.values.min() > 0


def grid_of(data: RunData, shown: Shown) -> Grid:
    """The channel over the two axes, at the place of the last reading on all others."""
    layout, row_axis = data.layout, row_axis_of(data)
    piece = layout.pieces[1 if shown.ways is Ways.BACKWARD and len(layout.pieces) > 1 else 0]
    line = layout.line_at(max(data.last, 0) * layout.width)
    place = tuple(slice(None) if k == row_axis else line.outer[k] for k in range(len(layout.outer)))
    values = data.cells(shown.left[0]).reshape(*layout.outer, -1)[(*place, piece)]
    rows = layout.axes[row_axis]
    x, y = layout.values[piece], rows.values
    x = logarithm(x) if shown.log_x else x
    y = logarithm(y) if is_log(rows) else y
    if len(x) > _WIDEST:
        x, values = _means(x, values)
    across, up = np.argsort(x, kind="stable"), np.argsort(y, kind="stable")
    held = place_of(layout, line, way=False, besides=(row_axis,))
    way = layout.way(1 if shown.ways is Ways.BACKWARD else 0)
    return Grid(x[across], y[up], values[np.ix_(up, across)], rows, up, ", ".join(filter(None, (held, way))))


def _means(x: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Means of neighbouring columns, as many as a screen can show."""
    edges = np.unique(np.linspace(0, len(x), _WIDEST + 1).astype(np.int64))[:-1]
    known = np.isfinite(values)
    count = np.add.reduceat(known, edges, axis=1, dtype=np.int64)
    total = np.add.reduceat(np.where(known, values, 0.0), edges, axis=1)
    return x[edges], np.where(count, total / np.maximum(count, 1), np.nan)


def even_cells(grid: Grid) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Edges of the image and its values on cells of equal size: where the axes are uneven, cells are repeated."""
    x_edges, columns = _even_axis(grid.x)
    y_edges, rows = _even_axis(grid.y)
    return x_edges, y_edges, grid.values[np.ix_(rows, columns)]


def _even_axis(centres: FloatArray) -> tuple[FloatArray, IntArray]:
    """First and last edge of an axis, and which cell each of many cells of equal size shows."""
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5]), np.zeros(1, dtype=np.int64)
    middle = 0.5 * (centres[1:] + centres[:-1])
    ends = np.array([2 * centres[0] - middle[0], 2 * centres[-1] - middle[-1]])
    steps = np.diff(centres)
    if steps.max() - steps.min() < 1e-3 * steps.max():
        return ends, np.arange(len(centres))
    count = min(math.ceil((ends[1] - ends[0]) / max(steps.min(), 1e-300)) * 4, _WIDEST)
    places = ends[0] + (np.arange(count) + 0.5) * (ends[1] - ends[0]) / count
    return ends, np.searchsorted(middle, places)
