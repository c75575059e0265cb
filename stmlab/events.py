"""What a run says of itself: one stream of frozen events, written to the file, shown live, and read back in replay."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray
    from stmlab.axes import Axis, Channel
    from stmlab.results import FitResult


class RunState(StrEnum):
    """Where a run stands. The way through them is drawn in ``stmlab.acquisition.runner``."""

    PREPARING = "preparing"
    RUNNING = "running"
    MENDING = "mending"  # after a transient fault: connections anew, set-up again
    PAUSED = "paused"
    ANALYSING = "analysing"
    FINISHED = "finished"
    STOPPED = "stopped"
    ABORTED = "aborted"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether the run is over."""
        return self in (RunState.FINISHED, RunState.STOPPED, RunState.ABORTED, RunState.FAILED)


@dataclass(frozen=True)
class ParameterValue:
    """A sequence's parameter as it was used."""

    value: float | int | bool | str
    unit: str
    meaning: str


@dataclass(frozen=True, eq=False)
class RunStarted:
    """All that is known before the first output moves.

    Attributes:
        run_id: unique; in simulation made from seed and parameters, so that the same seed gives the same file.
        sequence: its name, as in ``stmlab run NAME``.
        date: ISO 8601, UTC.
        point_seconds: estimated duration of one point, s.
        factors: every factor between the raw reading and the physical quantity.
        station: name of the station; ``configuration`` is the text of its file.
        sample: name of the sample, if the station knows it.
        snapshot: the instruments before the run.
        versions: package -> version; ``git`` is the revision of the checkout, or "".
        seed: of the simulation, or None at the microscope.
        user: who measures, as the station's file says, or "".
    """

    run_id: str
    sequence: str
    date: str
    parameters: Mapping[str, ParameterValue]
    axes: tuple[Axis, ...]
    channels: tuple[Channel, ...]
    point_seconds: float
    station: str
    configuration: str
    factors: Mapping[str, ParameterValue] = field(default_factory=dict)
    sample: str = ""
    snapshot: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    git: str = ""
    seed: int | None = None
    user: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes, outer to inner, hardware-swept axes last."""
        return tuple(len(axis) for axis in self.axes)


class PointTaken(NamedTuple):
    """One reading of a point. A point may be read again: the last reading counts, the earlier ones stay in the log.

    A named tuple: it is made at every point, in a tenth of the time of a frozen dataclass.

    Attributes:
        index: place of the point in C order over the axes that software moves, in whatever order they are visited.
        time: seconds since the start of the run.
        coordinates: where the point really was, one number per software axis (the frequency really played, not the
            one asked for).
        values: one per channel, a number, or an array along the hardware-swept axes.
        visit: running number of the reading in the file, from 0.
        attempt: number of readings at this index before this one.
        session: 0 in the first run of the file, one more each time it was resumed.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index
    time: float
    coordinates: tuple[float, ...]
    values: tuple[float | FloatArray, ...]
    visit: int = 0
    attempt: int = 0
    session: int = 0


@dataclass(frozen=True)
class PointsDisturbed:
    """The readings of these points so far are not to be trusted; those that follow replace them.

    Attributes:
        indices: as ``PointTaken.index``.
        time: seconds since the start of the run.
        reason: what disturbed them, one line for a person.
    """

    indices: tuple[int, ...]
    time: float
    reason: str


@dataclass(frozen=True)
class StateChanged:
    """The run went to ``state``; ``reason`` is one line for a person (may be empty)."""

    state: RunState
    time: float
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Analysed:
    """A fit of the data of this run."""

    fit: FitResult


@dataclass(frozen=True)
class FitProgress:
    """How far a fit has come that takes its time; for viewers only, a file never holds it.

    Attributes:
        model: what is fitted.
        iterations: so far, over all places that it began from.
        figure: what the last one has come to, nan where that says nothing; ``merit`` names it: "chi square".
        seconds: since it began.
        curves, total: of a map, how many have been fitted, and of how many; 0 of a single fit.
    """

    model: str
    iterations: int
    figure: float
    merit: str
    seconds: float
    curves: int = 0
    total: int = 0


@dataclass(frozen=True, eq=False)
class RunFinished:
    """The last event: instruments are in the safe state, unless ``reason`` says otherwise.

    Attributes:
        state: one of the final states.
        reason: machine-readable cause: "completed", "stopped", "aborted", or the name of the error's class.
        message: one line for a person.
        points: number of points taken.
        snapshot: the instruments after the run, in the safe state.
    """

    state: RunState
    reason: str
    message: str
    points: int
    time: float
    snapshot: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


Event = RunStarted | PointTaken | PointsDisturbed | StateChanged | FitProgress | Analysed | RunFinished
Listener = "Callable[[Event], None]"
