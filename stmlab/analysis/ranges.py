"""A stretch of what was swept: a run or a recorded file with what lies outside left out, for a fit of a part."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError
from stmlab.storage.recorded import Column, Grid, Recording
from stmlab.units import format_quantity, in_unit

if TYPE_CHECKING:
    from stmlab.arrays import BoolArray, FloatArray
    from stmlab.axes import Axis
    from stmlab.storage import Run
    from stmlab.storage.visits import Visits


def within_range(source: Run | Recording | Grid, low: float | str, high: float | str) -> Run | Recording | Grid:
    """A run or a recorded file within a stretch of what was swept; both ends belong to it.

    Args:
        source: whole.
        low: one of its ends, in the unit of what was swept, or as people write it: "1 GHz".
        high: the other one.

    Raises:
        FitError: nothing was swept, nothing lies within, or the places of a grid differ in their sweeps.
        SequenceError: an end is no number in that unit.
    """
    from stmlab.storage import Run

    if isinstance(source, Run):
        axis = _innermost(source)
        return run_within(source, *_ends(low, high, axis.unit))
    column = source.sweep if isinstance(source, Grid) else source.columns[0]
    return recording_within(source, *_ends(low, high, column.unit))


def _ends(low: float | str, high: float | str, unit: str) -> tuple[float, float]:
    first, last = (in_unit(end, unit) if isinstance(end, str) else end for end in (low, high))
    return min(first, last), max(first, last)


def _innermost(run: Run) -> Axis:
    swept = [axis for axis in run.axes if len(axis) > 1] or list(run.axes)
    if not swept:
        raise FitError(f"{run.path}: has no axis: there is no range to choose")
    return swept[-1]


def run_within(run: Run, low: float, high: float) -> Run:
    """A run within a stretch of its innermost axis, in the axis's unit; both ends belong to it.

    Raises:
        FitError: the run has no axis, or nothing lies within.
    """
    axis = _innermost(run)
    kept = _kept(axis.values, low, high, axis.name, axis.unit, str(run.path))
    place = run.axes.index(axis)
    axes = (*run.axes[:place], replace(axis, values=axis.values[kept]), *run.axes[place + 1 :])
    started = replace(run.started, axes=axes)
    return replace(
        run, started=started, visits=_hardware(run, axis, kept) if axis.hardware else _software(run, axis, kept)
    )


def _hardware(run: Run, axis: Axis, kept: BoolArray) -> Visits:
    """Visits whose arrays are cut along an axis that an instrument sweeps."""
    inner = [one for one in run.axes if one.hardware]
    place = 1 + inner.index(axis)
    data = {
        name: np.compress(kept, values, axis=place) if values.ndim > place else values
        for name, values in run.visits.data.items()
    }
    return replace(run.visits, data=data)


def _software(run: Run, axis: Axis, kept: BoolArray) -> Visits:
    """Those visits that lie within, with the places that they have then."""
    outer = [one for one in run.axes if not one.hardware]
    shape, place = tuple(len(one) for one in outer), outer.index(axis)
    positions = list(np.unravel_index(run.visits.index, shape))
    rows = kept[positions[place]]
    positions[place] = (np.cumsum(kept) - 1)[positions[place]]
    fewer = tuple(int(kept.sum()) if k == place else length for k, length in enumerate(shape))
    visits = run.visits
    return replace(
        visits,
        index=np.ravel_multi_index([position[rows] for position in positions], fewer),
        time=visits.time[rows],
        attempt=visits.attempt[rows],
        session=visits.session[rows],
        coordinates={name: column[rows] for name, column in visits.coordinates.items()},
        data={name: column[rows] for name, column in visits.data.items()},
    )


def recording_within(recording: Recording | Grid, low: float, high: float) -> Recording | Grid:
    """A recorded file within a stretch of what was swept, in the unit of its column.

    Raises:
        FitError: nothing lies within, or the places of a grid differ in their sweeps.
    """
    if isinstance(recording, Grid):
        sweep = recording.sweep
        if sweep.values.ndim > 1:
            raise FitError(f"{recording.path}: its places differ in {sweep.name}: no range can be chosen for all")
        kept = _kept(sweep.values, low, high, sweep.name, sweep.unit, str(recording.path))
        channels = tuple(replace(channel, values=channel.values[..., kept]) for channel in recording.channels)
        return replace(recording, sweep=replace(sweep, values=sweep.values[kept]), channels=channels)
    first = recording.columns[0]
    kept = _kept(first.values, low, high, first.name, first.unit, str(recording.path))
    return replace(recording, columns=tuple(Column(c.name, c.unit, c.values[kept]) for c in recording.columns))


def _kept(values: FloatArray, low: float, high: float, name: str, unit: str, path: str) -> BoolArray:
    kept: BoolArray = (values >= low) & (values <= high)
    if not kept.any():
        ends = " to ".join(format_quantity(end, unit) for end in (low, high))
        raise FitError(f"{path}: no {name} lies within {ends}")
    return kept
