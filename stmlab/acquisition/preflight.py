"""What is known of a run before its first output moves: whether it is allowed, and how long its ramps take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from stmlab.acquisition.sequence import Sequence

_ORDERS = 32  # repetitions whose ramps are calculated one by one


def preflight(sequence: Sequence) -> None:
    """Check everything that can be known before the first output moves: parameters, axes, every value of every output.

    Raises:
        SequenceError, OutOfBounds: nothing has been sent then.
    """
    sequence.refresh_parameters()
    for axis, _ in sequence.movers():
        if not np.all(np.isfinite(axis.values)):
            raise SequenceError(f"{sequence.name}: axis {axis.name} has values that are not finite")
    if sequence.movers():
        sequence.visit_order(0)
    sequence.station.check_recorded(sequence.axes(), sequence.parameter_record())
    sequence.station.check_demands(sequence.demands())
    sequence.verify()


def ramp_seconds(sequence: Sequence) -> float:
    """Least time that the ramps of the bias take in the whole run, s: from the setpoint's through all, and back.

    Each repetition has an order of its own; of very many, that of the first ones stands for the others.
    """
    demands, limit = sequence.demands(), sequence.station.limit("bias")
    values = np.atleast_1d(np.asarray(demands.get("bias", ()), dtype=float)).ravel()
    ways, repetitions = [values], 1
    for axis in sequence.axes():
        if axis.unit == "V" and axis.name in ("bias", "offset"):
            ways = [axis.values]
            if axis.name == _innermost(sequence):
                ways = [axis.values[sequence.visit_order(sweep)] for sweep in range(min(repetitions, _ORDERS))]
            break
        repetitions *= len(axis)
    else:
        repetitions = 1
    home = np.atleast_1d(np.asarray(demands.get("setpoint_bias", ways[0][:1]), dtype=float))
    return repetitions / len(ways) * sum(limit.seconds([*home, *way, *home]) for way in ways)


def _innermost(sequence: Sequence) -> str:
    """Name of the innermost axis that software moves."""
    movers = sequence.movers()
    return movers[-1][0].name if movers else ""
