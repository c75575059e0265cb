"""A run of stmlab as other programs know data: a table over one axis, a grid of curves over more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.storage.recorded import Column, Grid, Recording
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.axes import Axis
    from stmlab.storage.run import Run

_SAID = ("run_id", "sequence", "date", "station", "sample", "git", "reason", "message", "seed")


def recording_of(run: Run) -> Recording | Grid:
    """A run on its axes, the innermost swept; nan where nothing was measured.

    Axes of one value stand in the header, with the parameters and factors. Beside each axis that software moves stands
    where its points really were (``<axis>_measured``), and when (``elapsed``). A point that was taken twice counts as
    it was taken last; a note says so.
    """
    axes = [axis for axis in run.axes if len(axis) > 1] or list(run.axes[-1:])
    shape = tuple(len(axis) for axis in axes)
    moved = [axis for axis in run.axes if not axis.hardware]
    outer = tuple(len(axis) for axis in axes if not axis.hardware)
    known = [Column(f"{axis.name}_measured", axis.unit, run.grid(axis.name).reshape(outer)) for axis in moved]
    known.append(Column("elapsed", "s", run.grid("time").reshape(outer)))
    channels = [Column(c.name, c.unit, run.grid(c.name).reshape(shape)) for c in run.channels]
    if outer == shape:
        channels, known = [*known, *channels], []
    again = len(run.visits) - run.points
    notes = (f"{again} readings of points that were taken again are left out",) if again else ()
    header = _header(run, [axis for axis in run.axes if axis not in axes])
    inner = Column(axes[-1].name, axes[-1].unit, np.asarray(axes[-1].values, dtype=float))
    if len(axes) == 1:
        columns = [inner, *(Column(c.name, c.unit, np.broadcast_to(c.values, shape)) for c in (*known, *channels))]
        return Recording(run.path, "stmlab", header, tuple(columns), notes=notes)
    places = [_along(axis, k, shape[:-1]) for k, axis in enumerate(axes[:-1])]
    known = [Column(c.name, c.unit, np.broadcast_to(_padded(c.values, shape[:-1]), shape[:-1])) for c in known]
    names = tuple(axis.name for axis in axes[:-1])
    return Grid(run.path, "stmlab", header, names, inner, tuple(channels), (*places, *known), notes)


def _along(axis: Axis, k: int, shape: tuple[int, ...]) -> Column:
    values = np.asarray(axis.values, dtype=float).reshape([-1 if k == m else 1 for m in range(len(shape))])
    return Column(axis.name, axis.unit, np.broadcast_to(values, shape))


def _padded(values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """With an axis of length one for each hardware-swept axis beside the innermost."""
    return values.reshape((*values.shape, *[1] * (len(shape) - values.ndim)))


def _header(run: Run, single: list[Axis]) -> dict[str, str]:
    header = {name: str(value) for name in _SAID if (value := getattr(run, name)) not in (None, "")}
    header["state"] = str(run.state)
    header |= {axis.name: format_quantity(float(axis.values[0]), axis.unit) for axis in single if len(axis)}
    for name, quantity in (*run.parameters.items(), *run.factors.items()):
        header.setdefault(name, f"{quantity.value!s} {quantity.unit}".strip())
    return header
