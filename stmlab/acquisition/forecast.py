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

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.acquisition.sequence import Sequence
    from stmlab.analysis.adaptive.forecast import Expected
    from stmlab.arrays import FloatArray
    from stmlab.axes import Channel
    from stmlab.results import FitResult

_MOST = 20_000  # visits of a trial


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
        """Name of each way of placing the points -> its parameters, for what is sought being ``value``."""

    def expected(self, fit: FitResult, noise: float) -> Expected:
        """What will be read, as a run was fitted whose readings had this standard deviation."""

    def fitted_places(self, values: FloatArray) -> FloatArray:
        """Those of an axis's values that are fitted, on the scale of `expected`."""

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
    """

    name: str
    value: float
    unit: str
    signal: float
    target: float
    source: str
    ways: tuple[Way, ...]


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
        like: an old run of the same sequence, which tells value, step and noise instead.
        settings: parameters of the sequence.
        seed: of the simulation.

    Raises:
        StmlabError: the run has no value, or the sequence is refused; nothing has moved at a microscope.
    """
    plan = _Plan(sequence, station, sample, dict(settings or {}), seed)
    fit, source = plan.known(like)
    noise = fit.residual * math.sqrt(fit.points / max(fit.points - len(fit.free), 1))
    if not noise > 0:
        raise FitError(f"{source}: it has no noise from which a time could be told")
    return plan.compared(fit, noise, target, source)


@dataclass(frozen=True)
class _Plan:
    """What is planned: see `forecast`."""

    sequence: str
    station: str
    sample: str | None
    given: Mapping[str, Any]
    seed: int | None

    def __post_init__(self) -> None:
        if not isinstance(sequence_class(self.sequence)(), Plannable):
            raise SequenceError(f"{self.sequence} cannot be planned: it cannot choose its points")

    def known(self, like: str | Path | None) -> tuple[FitResult, str]:
        """A fit that tells value, step and noise of one reading, and where it is from."""
        from stmlab.analysis import analyse

        if like is not None:
            run = open_run(like)
            if run.sequence != self.sequence:
                raise SequenceError(f"{like}: a run of {run.sequence}; {self.sequence} is planned from one of its own")
            return analyse(run), str(like)
        with measurement(self.sequence, self.station, sample=self.sample, settings=self.given) as (runner, _):
            if not runner.station.is_simulated:
                raise SequenceError(f"{self.station}: name an old run (--like FILE): nothing is measured for a plan")
            ways = _plannable(runner.sequence).ways(1.0)
        of_ways = {name for settings in ways.values() for name in settings}
        plain = {name: value for name, value in self.given.items() if name not in {*of_ways, "averages", "sweeps"}}
        with tempfile.TemporaryDirectory(prefix="stmlab-plan-") as folder:
            outcome = measure(
                self.sequence,
                self.station,
                sample=self.sample,
                seed=self.seed,
                settings=plain,
                path=Path(folder) / "run.h5",
            )
        if not outcome.fits:
            raise FitError(f"a short run on {self.sample or 'the sample'} gives no value: {outcome.message}")
        return outcome.fits[0], f"a short run on {self.station}"

    def compared(self, fit: FitResult, noise: float, target: float, source: str) -> Forecast:
        """Every way with its readings and time, and the bound."""
        with measurement(self.sequence, self.station, sample=self.sample, settings=self.given) as (runner, _):
            planned = _plannable(runner.sequence)
            expected, sought = planned.expected(fit, noise), planned.sought
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
        return Forecast(name, expected.value, sought.unit, expected.signal, target, source, tuple(found))


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
    return Way(f"{name}, averages={averages}", visits * averages, visits * sequence.point_seconds())


def _grid(name: str, sequence: Sequence, expected: Expected, target: float) -> Way:
    """A fixed grid: the first reading of each point costs its settling, further ones do not."""
    values = sequence.axes()[-1].values
    readings = expected.grid_readings(_plannable(sequence).fitted_places(values), target, len(values))
    each = sequence.point_seconds()
    sequence.set("averages", 2)
    further = sequence.point_seconds() - each
    return Way(name, readings, len(values) * each + (readings - len(values)) * further)
