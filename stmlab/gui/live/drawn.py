"""What of a line a screen can show: each point where there is room for it, else the envelope; free of Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray
    from stmlab.gui.live.lines import Line
    from stmlab.gui.live.pyramid import Pyramid
    from stmlab.gui.live.run_data import RunData
    from stmlab.gui.live.shown import Shown

_ROOM = 2  # points a pixel, up to which each is drawn


class Extent(NamedTuple):
    """The part of the innermost axis that is in view.

    Attributes:
        low, high: its ends; infinite: all of it.
        pixels: on the screen.
        logarithmic: whether pixels are equal ratios.
    """

    low: float
    high: float
    pixels: int
    logarithmic: bool = False


class Drawn(NamedTuple):
    """A line for the screen.

    Attributes:
        x, y: same shape; nan in y is a gap.
        dense: whether it is the envelope: smallest and largest value in turn, one pair a pixel.
    """

    x: FloatArray
    y: FloatArray
    dense: bool


def drawn_line(data: RunData, channel: str, line: Line, extent: Extent) -> Drawn:
    """A line of a channel, as far as it was read."""
    first, stop = _in_view(_planned(data, line), extent)
    cells = slice(line.start + first, line.start + stop)
    room = _ROOM * max(extent.pixels, 1)
    if stop - first <= room:
        return Drawn(data.x(cells), data.cells(channel)[cells], dense=False)
    if data.layout.width == 1 and np.count_nonzero(data.known[cells]) <= room:  # few of many, as of an adaptive axis
        read = cells.start + np.flatnonzero(data.known[cells])
        return Drawn(data.x(read), data.cells(channel)[read], dense=False)
    edges = line.start + _edges(_planned(data, line), first, stop, extent)
    return _envelope(data.x(edges[:-1]), data.pyramid(channel), edges)


def drawn_mean(data: RunData, channel: str, line: Line, extent: Extent) -> Drawn:
    """The mean over the repetitions of a line (see `RunData.mean`)."""
    layout = data.layout
    kept = [k for k in range(len(layout.outer)) if k not in layout.repeated]
    row = 0
    for k in kept:
        row = row * layout.outer[k] + line.outer[k]
    length, piece = len(layout.values), line.number % len(layout.pieces)
    first, stop = _in_view(_planned(data, line), extent)
    part = layout.pieces[piece]
    cells = slice(part.start + first, part.start + stop)
    y = data.mean(channel).reshape(-1, length)[row][cells]
    x = layout.values[cells]
    if stop - first <= _ROOM * max(extent.pixels, 1):
        return Drawn(x, y, dense=False)
    edges = _edges(_planned(data, line), first, stop, extent) - first
    low, high = np.fmin.reduceat(y, edges[:-1]), np.fmax.reduceat(y, edges[:-1])
    return Drawn(np.repeat(x[edges[:-1]], 2), np.column_stack([low, high]).ravel(), dense=True)


def _planned(data: RunData, line: Line) -> FloatArray:
    """The innermost axis along a line, as planned: it rises or falls, whatever was really reached."""
    return data.layout.values[data.layout.pieces[line.number % len(data.layout.pieces)]]


def _in_view(planned: FloatArray, extent: Extent) -> tuple[int, int]:
    """First point in view and the one after the last; one more on each side, for the line that leaves the picture."""
    if np.isinf(extent.low) and np.isinf(extent.high):
        return 0, len(planned)
    ends = _positions(planned, np.array([extent.low, extent.high]))
    return max(int(ends.min()) - 1, 0), min(int(ends.max()) + 1, len(planned))


def _positions(planned: FloatArray, x: FloatArray) -> IntArray:
    """Where values would stand along an axis that rises or falls."""
    if planned[0] <= planned[-1]:
        return np.searchsorted(planned, x)
    return len(planned) - np.searchsorted(planned[::-1], x)


def _edges(planned: FloatArray, first: int, stop: int, extent: Extent) -> IntArray:
    """Stretches of points, each as wide as a pixel; rising, from ``first`` to ``stop``."""
    ends = planned[first], planned[stop - 1]
    spaced = np.geomspace if extent.logarithmic and min(ends) > 0 else np.linspace
    inside = np.sort(_positions(planned, spaced(*ends, extent.pixels + 1)[1:-1]))
    return np.unique(np.concatenate([[first], np.clip(inside, first, stop - 1), [stop]]))


def _envelope(x: FloatArray, pyramid: Pyramid, edges: IntArray) -> Drawn:
    low, high = pyramid.envelope(edges)
    return Drawn(np.repeat(x, 2), np.column_stack([low, high]).ravel(), dense=True)


def logarithm(values: FloatArray) -> FloatArray:
    """To base 10; nan where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.log10(values)
    return np.where(np.isfinite(found), found, np.nan)


def mapped(shown: Shown, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Values as coordinates of a view; nan where a logarithmic axis has no place for them."""
    return logarithm(x) if shown.log_x else x, logarithm(y) if shown.log_y else y
