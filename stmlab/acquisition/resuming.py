"""What is left of a run that ended early, and whether it may go on: the same plan, the same factors, the same station.

A further session takes the points that have no undisturbed reading yet, as new visits of the same plan, into the same
file. What is different now is refused where it would mix two measurements in one file (plan, parameters, factors, the
station's file, another instrument, another RF path), and told where it may matter (any other setting).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import SequenceError
from stmlab.events import PointsDisturbed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stmlab.acquisition.sequence import Sequence
    from stmlab.events import ParameterValue
    from stmlab.station import Station
    from stmlab.storage import Run

_IDENTITY = ("identity", "id", "product", "version")
_PATH = "rf_path"
_NO_SETTINGS = frozenset({"audit", "prepared", "recording", "station"})


@dataclass(frozen=True)
class Rest:
    """What is left to do of a run.

    Attributes:
        run: as its file holds it.
        done: indices of the points that have an undisturbed reading.
        attempts: index -> number of readings so far, of points that have some and need another.
        session: of the readings to come.
        elapsed: s since the start of the run at which the session begins, at the least.
    """

    run: Run
    done: frozenset[int]
    attempts: Mapping[int, int] = field(default_factory=dict)
    session: int = 1
    elapsed: float = 0.0

    @classmethod
    def of(cls, run: Run) -> Rest:
        """Look through the readings of a run."""
        visits = run.visits
        undisturbed = np.ones(len(visits), dtype=bool)
        for readings, event in run.history:
            if isinstance(event, PointsDisturbed):
                undisturbed[:readings] &= ~np.isin(visits.index[:readings], event.indices)
        done = frozenset(visits.index[undisturbed].tolist())
        index, count = np.unique(visits.index, return_counts=True)
        attempts = {k: n for k, n in zip(index.tolist(), count.tolist(), strict=True) if k not in done}
        session = 1 + int(visits.session.max(initial=0))
        ended = run.finished.time if run.finished is not None else 0.0
        elapsed = max(ended, float(visits.time.max(initial=0.0)), *(event.time for _, event in run.history))
        return cls(run, done, attempts, session, elapsed)

    def since_start(self, station: Station) -> float:
        """s since the run began, by the date; not before its last reading (a simulated clock begins anew)."""
        apart = station.clock.date() - datetime.fromisoformat(self.run.date)
        return max(apart.total_seconds(), self.elapsed)


def check_same(rest: Rest, sequence: Sequence) -> None:
    """Refuse what would put two different measurements into one file; nothing has moved.

    Raises:
        SequenceError: plan, parameters, factors, station or an instrument are not what they were.
    """
    run, station = rest.run, sequence.station
    for what, before, now in _compared(run, sequence):
        if before != now:
            raise SequenceError(f"{run.path}: {what}: it was {_short(before)}, it is {_short(now)}: take a new run")
    if run.configuration != station.text:
        raise SequenceError(f"{run.path}: the station file {station.path} is not what it was: take a new run")
    after, before_ = station.snapshot(), run.snapshot_before
    for instrument, settings in before_.items():
        for name in settings if instrument == _PATH else _IDENTITY:
            was, now = settings.get(name), after.get(instrument, {}).get(name)
            if was is not None and _plain(was) != _plain(now):
                raise SequenceError(
                    f"{run.path}: {instrument}: {name} was {_short(was)}, it is {_short(now)}: take a new run"
                )


def changes(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Settings that were different before the first session, in words: what a set-up does not restore by itself."""
    return [
        f"{instrument}.{name} was {_short(was)}, is {_short(after[instrument][name])}"
        for instrument, settings in before.items()
        if instrument in after and instrument not in _NO_SETTINGS
        for name, was in settings.items()
        if name in after[instrument] and _plain(was) != _plain(after[instrument][name])
    ]


def _compared(run: Run, sequence: Sequence) -> Iterator[tuple[str, Any, Any]]:
    """What must be the same: name, then, now."""
    yield "sequence", run.sequence, sequence.name
    yield from _quantities("parameter", run.parameters, sequence.parameter_record())
    yield from _quantities("factor", run.factors, sequence.factors())
    for name, axis in _by_name(run.axes).items():
        other = _by_name(sequence.axes()).get(name)
        yield f"axis {name}", axis.values.tolist(), None if other is None else other.values.tolist()
    yield "axes", list(_by_name(run.axes)), list(_by_name(sequence.axes()))
    yield "channels", [c.name for c in run.channels], [c.name for c in sequence.channels]


def _quantities(
    kind: str, then: Mapping[str, ParameterValue], now: Mapping[str, ParameterValue]
) -> Iterator[tuple[str, Any, Any]]:
    for name in {**then, **now}:
        yield f"{kind} {name}", _value(then.get(name)), _value(now.get(name))


def _by_name(axes: Any) -> dict[str, Any]:
    return {axis.name: axis for axis in axes}


def _value(quantity: Any) -> Any:
    return None if quantity is None else (quantity.value, quantity.unit)


def _plain(value: Any) -> Any:
    """As a file keeps it."""
    return json.loads(json.dumps(value, default=str))


def _short(value: Any) -> str:
    text = f"{value[0]} {value[1]}".strip() if isinstance(value, tuple) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
