"""A plan for tonight: how long each way of placing the points of a run needs for the error asked for."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from stmlab.acquisition.experiments import sequence_class
from stmlab.acquisition.measurement import measure, measurement
from stmlab.errors import FitError, SequenceError
from stmlab.storage import open_run
from stmlab.units import exact_quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.acquisition.sequence import Sequence
    from stmlab.analysis.adaptive.forecast import Expected
    from stmlab.arrays import FloatArray
    from stmlab.axes import Channel
    from stmlab.events import ParameterValue
    from stmlab.results import FitResult
    from stmlab.storage import Run

_MOST = 20_000  # visits of a trial
_VISITING = frozenset({"averages", "sweeps", "order", "hardware", "backward"})  # how the points of a run are visited
_PLACING = (
    "start_",
    "stop_",
    "points",
    "target_error",
    "time_limit",
    "stabilise_",
)  # beginnings of names: which, and when


@runtime_checkable
class Plannable(Protocol):
    """A sequence that can choose its points, and says what is expected of them.

    Attributes:
        sought: channel of the value that is sought.
    """

    sought: Channel

    @property
    def is_adaptive(self) -> bool:
        """Whether the points are chosen one by one."""

    def ways(self, value: float) -> Mapping[str, Mapping[str, Any]]:
        """Each way of placing the points -> its parameters, where what is sought has the value ``value``."""

    def expected(self, fit: FitResult, noise: float) -> Expected:
        """What is expected to be read, from the fit of a run whose readings had this standard deviation."""

    def fitted_places(self, values: FloatArray) -> FloatArray:
        """Those of an axis's values that are fitted, on the scale of `expected`."""

    def readings_averaged(self) -> int:
        """Number of readings behind each value that is fitted, in a run with these parameters."""

    def crossing(self) -> float:
        """Time that the axis takes for its whole range over that of a reading; 0 where jumping costs nothing."""


@dataclass(frozen=True)
class Way:
    """One way of placing the points.

    Attributes:
        name: of it.
        readings: their number; inf where it cannot come so far.
        seconds: s; nan of a bound, which says nothing of time.
    """

    name: str
    readings: float
    seconds: float


@dataclass(frozen=True)
class Forecast:
    """What is expected, and from what.

    Attributes:
        name: of what is sought.
        value: of it, in ``unit``.
        signal: step over the standard deviation of one reading.
        target: relative error.
        source: where value and signal come from.
        ways: each with readings and time.
        warnings: of the fit that value and signal come from.
    """

    name: str
    value: float
    unit: str
    signal: float
    target: float
    source: str
    ways: tuple[Way, ...]
    warnings: tuple[str, ...] = ()


def forecast(
    sequence: str,
    target: float,
    *,
    station: str = "simulated",
    sample: str | None = None,
    like: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> Forecast:
    """Compare fixed grids and chosen points, for the noise of an old run or of a short one.

    Args:
        sequence: name of one that can choose its points.
        target: relative error of what is sought.
        station: name or file of the station.
        sample: under the tip of a simulated station, where a short run is taken for its noise.
        like: an old run of the same sequence, which tells value, step and noise instead, and every parameter that
            ``settings`` does not.
        settings: parameters of the sequence.
        seed: of the simulation.

    Raises:
        StmlabError: the run has no value, or the sequence is refused; nothing has moved at a microscope.
    """
    if not isinstance(sequence_class(sequence)(), Plannable):
        raise SequenceError(f"{sequence} cannot be planned: it cannot choose its points")
    given = dict(settings or {})
    if like is not None:
        run = open_run(like)
        if run.sequence != sequence:
            raise SequenceError(f"{like}: a run of {run.sequence}; {sequence} is planned from one of its own")
        given, known = _as_in(run, given), _of_old_run(run)
    else:
        known = _of_short_run(sequence, station, sample, given, seed)
    return _Plan(sequence, station, sample, given, known).compared(target)


@dataclass(frozen=True)
class _Known:
    """What a run tells.

    Attributes:
        fit: with value and step.
        noise: standard deviation of one reading.
        source: the run.
    """

    fit: FitResult
    noise: float
    source: str

    @classmethod
    def of(cls, fit: FitResult, averaged: int, source: str) -> _Known:
        """From a fit of values that are each the mean of so many readings."""
        noise = fit.residual * math.sqrt(averaged * fit.points / max(fit.points - len(fit.free), 1))
        if not noise > 0:
            raise FitError(f"{source}: it has no noise from which a time could be estimated")
        return cls(fit, noise, source)


def _as_in(run: Run, given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a run like the old one; how its points were visited is planned anew.

    Raises:
        SequenceError: a parameter that changes a reading or its fit is given otherwise.
    """
    asked = sequence_class(run.sequence)(**given)
    free = {*_VISITING, *_names_of_ways(_plannable(asked))}
    now = asked.parameter_record()
    fixed = [name for name in given if name in run.parameters and name not in free and not name.startswith(_PLACING)]
    for name in fixed:
        before, wanted = run.parameters[name], now[name]
        if not _alike(before.value, wanted.value):
            raise SequenceError(
                f"{name} = {_said(wanted)}: in {run.path} it was {_said(before)}, and its noise and fit are for that"
            )
    return {name: p.value for name, p in run.parameters.items() if name not in _VISITING} | dict(given)


def _alike(one: float | str, other: float | str) -> bool:
    """Whether two values of a parameter are the same, in whatever unit they were given."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other)
    return one == other


def _said(parameter: ParameterValue) -> str:
    value = parameter.value
    return exact_quantity(value, parameter.unit) if isinstance(value, float) else str(value)


def _names_of_ways(planned: Plannable) -> set[str]:
    """Parameters that one way of placing the points has otherwise than another."""
    return {name for settings in planned.ways(1.0).values() for name in settings}


def _of_old_run(run: Run) -> _Known:
    from stmlab.analysis import analyse

    experiment = sequence_class(run.sequence)(**{name: p.value for name, p in run.parameters.items()})
    return _Known.of(analyse(run), _plannable(experiment).readings_averaged(), str(run.path))


def _of_short_run(
    sequence: str, station: str, sample: str | None, given: Mapping[str, Any], seed: int | None
) -> _Known:
    """From a run on a simulated station; at a microscope nothing is measured."""
    with measurement(sequence, station, sample=sample, settings=given) as (runner, _):
        if not runner.station.is_simulated:
            raise SequenceError(f"{station}: name an old run (--like FILE): nothing is measured for a plan")
        left_out = {"averages", "sweeps", *_names_of_ways(_plannable(runner.sequence))}
    plain = {name: value for name, value in given.items() if name not in left_out}
    with tempfile.TemporaryDirectory(prefix="stmlab-plan-") as folder:
        path = Path(folder) / "run.h5"
        outcome = measure(sequence, station, sample=sample, seed=seed, settings=plain, path=path)
    if not outcome.fits:
        raise FitError(f"a short run on {sample or 'the sample'} gives no value: {outcome.message}")
    return _Known.of(outcome.fits[0], 1, f"a short run on {station}")


@dataclass(frozen=True)
class _Plan:
    """What is planned: see `forecast`."""

    sequence: str
    station: str
    sample: str | None
    given: Mapping[str, Any]
    known: _Known

    def compared(self, target: float) -> Forecast:
        """Every way with its readings and time, and the bound."""
        known = self.known
        with measurement(self.sequence, self.station, sample=self.sample, settings=self.given) as (runner, _):
            planned = _plannable(runner.sequence)
            expected, sought = planned.expected(known.fit, known.noise), planned.sought
        found, least = [], math.nan
        for name, settings in planned.ways(expected.value).items():
            one = {**self.given, **settings, "target_error": target, "averages": 1, "sweeps": 1}
            with measurement(self.sequence, self.station, sample=self.sample, settings=one) as (runner, _):
                if _plannable(runner.sequence).is_adaptive:
                    least = expected.fewest_readings(*_ends(runner.sequence), target)
                    found.append(_chosen(name, runner.sequence, expected, target))
                else:
                    found.append(_grid(name, runner.sequence, expected, target))
        found.append(Way("bound (Cramer-Rao)", least, math.nan))
        name = sought.name.removesuffix("_so_far").replace("_", " ")
        what = name, expected.value, sought.unit, expected.signal
        return Forecast(*what, target, known.source, tuple(found), known.fit.warnings)


def _plannable(sequence: Sequence) -> Plannable:
    return cast("Plannable", sequence)


def _ends(sequence: Sequence) -> tuple[float, float]:
    """Of the places that may be chosen."""
    ends = sorted(_plannable(sequence).fitted_places(sequence.axes()[-1].values)[[0, -1]].tolist())
    return ends[0], ends[1]


def _chosen(name: str, sequence: Sequence, expected: Expected, target: float) -> Way:
    """Points chosen one by one, with as many readings a visit as suit."""
    from stmlab.analysis.adaptive.forecast import suiting_averages

    ends, planned = _ends(sequence), _plannable(sequence)
    averages = suiting_averages(expected.chosen_readings(*ends, target, _MOST, crossing=planned.crossing()))
    sequence.set("averages", averages)
    visits = expected.chosen_readings(*ends, target, _MOST, averages=averages, crossing=planned.crossing())
    seconds = visits * sequence.point_seconds() + _stabilising(sequence, visits)
    return Way(f"{name}, averages={averages}", visits * averages, seconds)


def _stabilising(sequence: Sequence, points: float) -> float:
    """Time of it on the way through so many points, s."""
    return sequence.stabilising_seconds(math.ceil(points)) if math.isfinite(points) else math.inf


def _grid(name: str, sequence: Sequence, expected: Expected, target: float) -> Way:
    """A fixed grid: the first reading of each point costs its settling, further ones do not."""
    values = sequence.axes()[-1].values
    readings = expected.grid_readings(_plannable(sequence).fitted_places(values), target, len(values))
    each = sequence.point_seconds()
    sequence.set("averages", 2)
    further = sequence.point_seconds() - each
    seconds = len(values) * each + (readings - len(values)) * further + _stabilising(sequence, len(values))
    return Way(name, readings, seconds)
