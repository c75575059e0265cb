"""A fit for each sweep of a recorded file, by the direction it went."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from stmlab.analysis.recorded.columns import is_backward
from stmlab.analysis.recorded.swept import labels
from stmlab.errors import FitError
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from stmlab.analysis.grid_fit import GridFit
    from stmlab.analysis.iterations import Iterations
    from stmlab.analysis.recorded.swept import Sweep
    from stmlab.arrays import IntArray
    from stmlab.results import FitResult
    from stmlab.storage.recorded import Column

Fit = TypeVar("Fit", bound="FitResult | GridFit")


def each_sweep(
    column: Column,
    backward: Column | None,
    found: list[Sweep],
    unit: str,
    fit: Callable[[Column, IntArray], Fit],
    steps: Callable[[], AbstractContextManager[Iterations]],
) -> dict[str, Fit]:
    """The fit of every sweep; those that are refused are named in the warnings of the others.

    Args:
        column: what is fitted.
        backward: the same on the way back, where that is a column of its own.
        found: the sweeps.
        unit: of what was swept.
        fit: of a column's rows.
        steps: the iterations of each.

    Raises:
        FitError: every sweep is refused; it says why the first is.
    """
    tasks = directions(column, backward, found)
    fits: dict[str, Fit] = {}
    refused: dict[str, FitError] = {}
    for name, seen, rows in tasks:
        try:
            with steps() as taken:
                fits[name] = taken.marked(fit(seen, rows))
        except FitError as error:
            refused[name] = error
    if not fits:
        raise next(iter(refused.values()))
    told = [f"the sweep {name} is refused: {error}" for name, error in refused.items()]
    ways = {} if len(tasks) != len(found) or len(found) == 1 else dict(zip(labels(found), found, strict=True))
    for name, result in fits.items():
        choices = {**result.choices, **_way(ways, name, unit)}
        fits[name] = replace(result, warnings=(*told, *result.warnings), choices=choices)
    return fits


def directions(column: Column, backward: Column | None, found: list[Sweep]) -> list[tuple[str, Column, IntArray]]:
    """Name, column and rows of every sweep; see `each_sweep`.

    Raises:
        FitError: there is none.
    """
    if not found:
        raise FitError("what was swept holds no numbers")
    if backward is None and not is_backward(column):
        return [(name, column, sweep.rows) for name, sweep in zip(labels(found), found, strict=True)]
    # The columns name the direction, whatever the order of the bias.
    every = np.sort(np.concatenate([sweep.rows for sweep in found]))
    return [("backward" if is_backward(c) else "forward", c, every) for c in (column, backward) if c is not None]


def _way(ways: Mapping[str, Sweep], name: str, unit: str) -> dict[str, str]:
    if name not in ways:
        return {}
    ends = (format_quantity(float(f"{end:.6g}"), unit) for end in (ways[name].start, ways[name].end))
    return {"sweep": " to ".join(ends)}


def missing_points(missing: int, size: int) -> list[str]:
    """A warning where points are no numbers."""
    return [f"{missing} of {size} points are no numbers, and left out"] if missing else []
