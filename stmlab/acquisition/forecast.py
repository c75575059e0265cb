"""A plan for tonight: how long each way of taking a stochastic resonance spectrum needs for the error asked for."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stmlab.acquisition.measurement import measure, measurement
from stmlab.errors import FitError, SequenceError
from stmlab.storage import open_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.results import FitResult

SEQUENCE = "srs"
"""The sequence of which plans are made."""

_MOST = 20_000  # readings of a trial


@dataclass(frozen=True)
class Way:
    """One way of taking the spectrum.

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
        rate: Gamma, 1/s.
        signal: step over the standard deviation of one reading.
        target: relative error.
        source: where rate and signal come from.
        ways: each with readings and time.
    """

    rate: float
    signal: float
    target: float
    source: str
    ways: tuple[Way, ...]


def forecast(
    target: float,
    *,
    station: str = "simulated",
    sample: str | None = None,
    like: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> Forecast:
    """Compare a logarithmic grid, an optimal one and chosen points, for the noise of an old run or of a short one.

    Args:
        target: relative error of the rate.
        station: name or file of the station.
        sample: under the tip of a simulated station, where a short spectrum is taken for its noise.
        like: an old run of the same sequence, which tells rate, step and noise instead.
        settings: parameters of the sequence.
        seed: of the simulation.

    Raises:
        StmlabError: the run has no rate, or the sequence is refused; nothing has moved at a microscope.
    """
    given = dict(settings or {})
    fit, source = _known(station, sample, like, given, seed)
    noise = fit.residual * math.sqrt(fit.points / max(fit.points - len(fit.free), 1))
    if not noise > 0:
        raise FitError(f"{source}: it has no noise from which a time could be told")
    rate, signal = fit["rate"].value, abs(fit["step"].value) / noise
    ways = _ways(rate, signal, target, station, sample, given)
    return Forecast(rate, signal, target, source, ways)


def _known(
    station: str, sample: str | None, like: str | Path | None, given: Mapping[str, Any], seed: int | None
) -> tuple[FitResult, str]:
    """A fit that tells rate, step and noise of one reading."""
    from stmlab.analysis import analyse

    if like is not None:
        run = open_run(like)
        if run.sequence != SEQUENCE:
            raise SequenceError(f"{like}: a run of {run.sequence}; {SEQUENCE} is planned from a run of its own")
        return analyse(run), str(like)
    with tempfile.TemporaryDirectory(prefix="stmlab-plan-") as folder:
        with measurement(SEQUENCE, station, sample=sample, seed=seed, settings=given) as (runner, _):
            if not runner.station.is_simulated:
                raise SequenceError(f"{station}: name an old run (--like FILE): nothing is measured for a plan")
        plain = {name: value for name, value in given.items() if name not in ("grid", "averages", "sweeps")}
        outcome = measure(SEQUENCE, station, sample=sample, seed=seed, settings=plain, path=Path(folder) / "run.h5")
    if not outcome.fits:
        raise FitError(f"a short spectrum of {sample or 'the sample'} gives no rate: {outcome.message}")
    return outcome.fits[0], f"a short spectrum on {station}"


def _ways(
    rate: float, signal: float, target: float, station: str, sample: str | None, given: Mapping[str, Any]
) -> tuple[Way, ...]:
    from stmlab.analysis.adaptive.forecast import chosen_readings, fewest_readings, grid_readings, suiting_averages

    found = []
    for grid in ("logarithmic", "optimal", "adaptive"):
        settings = {**given, "grid": grid, "expected_rate": rate, "target_error": target, "averages": 1, "sweeps": 1}
        with measurement(SEQUENCE, station, sample=sample, settings=settings) as (runner, _):
            sequence = runner.sequence
            frequency = sequence.axes()[-1].values
            if grid == "adaptive":
                ends = float(frequency[0]), float(frequency[-1])
                averages = suiting_averages(chosen_readings(*ends, rate, signal, target, _MOST))
                sequence.set("averages", averages)
                visits = chosen_readings(*ends, rate, signal * math.sqrt(averages), target, _MOST)
                readings, seconds = visits * averages, visits * sequence.point_seconds()
                grid += f", averages={averages}"
            else:
                readings = grid_readings(frequency, rate, signal, target)
                each = sequence.point_seconds()
                sequence.set("averages", 2)
                further = sequence.point_seconds() - each
                seconds = len(frequency) * each + (readings - len(frequency)) * further
        found.append(Way(grid if grid.startswith("adaptive") else f"{grid} grid", readings, seconds))
    least = fewest_readings(frequency[0], frequency[-1], rate, signal, target)
    return (*found, Way("bound (Cramer-Rao)", least, math.nan))
