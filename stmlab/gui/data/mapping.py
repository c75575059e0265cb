"""A grid of curves as maps: what can be shown at every place, where the places lie, and which one was meant; no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.units import format_quantity, format_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.grid_fit import GridFit
    from stmlab.arrays import FloatArray
    from stmlab.gui.data.opened import Opened
    from stmlab.storage.recorded import Grid

_EVEN = 0.02  # of the spacing: places that stand evenly


@dataclass(frozen=True, eq=False)
class Layer:
    """One map.

    Attributes:
        name, unit: of what it shows.
        values: shape (rows, columns), nan where there is nothing.
    """

    name: str
    unit: str
    values: FloatArray


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a map: centres of its cells in ``unit``, or their numbers."""

    label: str
    unit: str
    centres: FloatArray

    @property
    def ends(self) -> tuple[float, float]:
        """Of the map, half a cell beyond the outer centres."""
        first, last = float(self.centres[0]), float(self.centres[-1])
        half = (last - first) / (2 * (len(self.centres) - 1)) if len(self.centres) > 1 else 0.5
        return first - half, last + half


def drawn_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns: outer axes beyond two stand below each other, a single one is a row."""
    return int(np.prod(shape[:-1], dtype=int)), shape[-1]


def place_in(shape: tuple[int, ...], row: int, column: int) -> tuple[int, ...]:
    """The place of a cell in the grid."""
    return tuple(int(k) for k in np.unravel_index(row * shape[-1] + column, shape))


def sides(grid: Grid) -> tuple[Side, Side]:
    """Of the columns and of the rows: by the parameter called as the axis where that is even, else by number."""
    rows, columns = drawn_shape(grid.shape)
    across = _side(grid, len(grid.shape) - 1, columns, axis=0)
    down = (
        _side(grid, len(grid.shape) - 2, rows, axis=1)
        if len(grid.shape) == 2
        else Side("row", "", np.arange(float(rows)))
    )
    return across, down


def _side(grid: Grid, k: int, count: int, *, axis: int) -> Side:
    name = grid.axes[k]
    by_number = Side(f"{name} (index)", "", np.arange(float(count)))
    known = next((column for column in grid.parameters if column.name.lower() == name.lower()), None)
    if known is None or count < 2:
        return by_number
    values = known.values.reshape(drawn_shape(grid.shape))
    if not np.isfinite(values).any(axis=axis).all():
        return by_number
    line = np.nanmean(values, axis=axis)
    steps = np.diff(line)
    uneven = np.abs(steps - steps.mean()).max() > _EVEN * abs(steps.mean())
    apart = np.nanmax(np.abs(values - np.expand_dims(line, axis))) > _EVEN * abs(steps.mean()) * count
    return by_number if not steps[0] > 0 or uneven or apart else Side(name, known.unit, line)


def layer_names(opened: Opened, fits: Mapping[str, GridFit]) -> list[str]:
    """What can be shown: channels, and what was fitted, with its errors."""
    names = [f"channel {name}" for name in opened.channels]
    for label, fit in fits.items():
        names += [f"{label}: {name}{part}" for name in fit.batch.names for part in ("", ", error")]
    return names


def layer(opened: Opened, fits: Mapping[str, GridFit], name: str, at: int | None) -> Layer:
    """The map called ``name``, as `layer_names` has it.

    Args:
        opened: a grid.
        fits: of its curves, by the sweep.
        name: of the map.
        at: number of the place along the sweep at which a channel is shown; None: its mean.
    """
    shape = drawn_shape(opened.shape)
    if name.startswith("channel "):
        channel = name.removeprefix("channel ")
        return Layer(channel.replace("_", " "), opened.table[channel].unit, opened.map(channel, at).reshape(shape))
    label, _, fitted = name.partition(": ")
    parameter, error, _ = fitted.partition(", error")
    values, errors = fits[label][parameter]
    shown = errors if error else values
    return Layer(fitted.replace("_", " "), fits[label].unit(parameter), shown.reshape(shape))


def told(fits: Mapping[str, GridFit], place: tuple[int, ...]) -> str:
    """What was fitted at a place, in words; why nothing was."""
    words = []
    for label, fit in fits.items():
        if why := fit.reason(*place):
            words.append(f"{label}: {why}")
            continue
        words.append(f"{label}: {', '.join(_written(fit, name, place) for name in fit.batch.names)}")
    return "; ".join(words)


def _written(fit: GridFit, name: str, place: tuple[int, ...]) -> str:
    values, errors = fit[name]
    return f"{name.replace('_', ' ')} {format_value(float(values[place]), float(errors[place]), fit.unit(name))}"


def where(grid: Grid, place: tuple[int, ...]) -> str:
    """A place in words: its numbers, and what is known of it."""
    known = [f"{c.name} {format_quantity(float(f'{c.values[place]:.5g}'), c.unit)}" for c in grid.parameters]
    numbers = ", ".join(f"{name} {k}" for name, k in zip(grid.axes, place, strict=True))
    return f"place {numbers}" + (f": {', '.join(known)}" if known else "")
