"""The events of a run as lines for people and as plain values for a script, one each."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.display.runs import fit_as_text
from stmlab.display.terminal import points_as_text, quantity_as_text
from stmlab.events import Analysed, FitProgress, PointsDisturbed, PointTaken, RunFinished, RunStarted, StateChanged

if TYPE_CHECKING:
    from stmlab.events import Event


class EventLines:
    """Tells the events of one run, in their order: ``lines(event)`` is the text of one."""

    def __init__(self) -> None:
        self._started: RunStarted | None = None

    def __call__(self, event: Event) -> str:
        """One line; of a fit several."""
        if isinstance(event, PointTaken):
            return f"{_time(event.time)}  {self._point(event)}"
        if isinstance(event, StateChanged):
            return f"{_time(event.time)}  {event.state}" + (f": {event.reason}" if event.reason else "")
        if isinstance(event, PointsDisturbed):
            numbers = ", ".join(str(index + 1) for index in event.indices)
            return f"{_time(event.time)}  disturbed: point {numbers}: {event.reason}"
        if isinstance(event, Analysed):
            return fit_as_text(event.fit)
        if isinstance(event, FitProgress):
            return progress_as_text(event)
        if isinstance(event, RunFinished):
            message = f": {event.message}" if event.message else ""
            return f"{_time(event.time)}  {event.state}, {points_as_text(event.points)}{message}"
        self._started = event
        shape = " x ".join(f"{axis.name} ({len(axis)})" for axis in event.axes)
        return (
            f"{event.sequence} on {event.station}" + (f", sample {event.sample}" if event.sample else "") + f": {shape}"
        )

    def _point(self, point: PointTaken) -> str:
        if self._started is None:
            return f"point {point.index + 1}"
        moved = [axis for axis in self._started.axes if not axis.hardware]
        total = int(np.prod([len(axis) for axis in moved], dtype=np.int64))
        again = " again" if point.attempt else ""
        coordinates = zip(moved, point.coordinates, strict=True)
        at = [f"{axis.name} {quantity_as_text(value, axis.unit)}" for axis, value in coordinates]
        values = zip(self._started.channels, point.values, strict=True)
        read = [f"{channel.name} {_value(value, channel.unit)}" for channel, value in values]
        return "  ".join(filter(None, (f"point {point.index + 1} of {total}{again}", ", ".join(at), ", ".join(read))))


def progress_as_text(progress: FitProgress) -> str:
    """How far a fit has come: "transport: 42 iterations, chi square 812.4, 3.2 s"; of a map the curves as well."""
    curves = [f"{progress.curves} of {progress.total} curves"] if progress.total else []
    figure = [] if math.isnan(progress.figure) else [f"{progress.merit} {progress.figure:.4g}"]
    told = [*curves, f"{progress.iterations} iterations", *figure, f"{progress.seconds:.1f} s"]
    return f"{progress.model}: {', '.join(told)}"


def event_as_dict(event: Event) -> dict[str, Any]:
    """One event, ready for JSON: its kind, and all that it says."""
    kind = type(event).__name__
    if isinstance(event, Analysed):
        return {"event": kind, "fit": event.fit.as_dict()}
    if isinstance(event, PointTaken):
        values = [value.tolist() if isinstance(value, np.ndarray) else value for value in event.values]
        return {"event": kind, **event._asdict(), "values": values}
    if isinstance(event, RunStarted):
        said = {name: getattr(event, name) for name in ("run_id", "sequence", "date", "station", "sample", "seed")}
        axes = [{"name": axis.name, "unit": axis.unit, "values": axis.values.tolist()} for axis in event.axes]
        channels = [asdict(channel) for channel in event.channels]
        parameters = {name: asdict(value) for name, value in event.parameters.items()}
        return {"event": kind, **said, "axes": axes, "channels": channels, "parameters": parameters}
    return {"event": kind, **asdict(event)}


def _time(seconds: float) -> str:
    return f"{seconds:10.2f} s"


def _value(value: Any, unit: str) -> str:
    """A number, or the range of an array."""
    if not isinstance(value, np.ndarray):
        return quantity_as_text(value, unit)
    finite = value[np.isfinite(value)]
    if not finite.size:
        return f"{value.size} values, none a number"
    ends = " to ".join(quantity_as_text(float(end), unit) for end in (finite.min(), finite.max()))
    return f"{value.size} values, {ends}"
