"""A station whose sample is a recording: no output goes where nothing was recorded.

The recording belongs to the simulated microscope; here its ranges narrow the limits that a sequence is checked
against, so that a preflight refuses in the usual words, with the recording as the source of the bound. Ways between
recorded points, and the safe state, are the guards' business: they keep the station's own limits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stmlab.errors import OutOfBounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.events import ParameterValue
    from stmlab.station.limits import Limit


_AT_THE_JUNCTION = 0.1  # V; more is no voltage across spins


def recording_of(simulation: Any) -> Any:
    """The recording under the tip of a simulated microscope, or None."""
    return getattr(simulation, "recorded", None)


def doubts_of(simulation: Any, parameters: Mapping[str, ParameterValue]) -> tuple[str, ...]:
    """Where the model of a simulated sample does not hold at the voltages of a run, one sentence each."""
    told = getattr(getattr(getattr(simulation, "sample", None), "junction", None), "doubts", None)
    if told is None:
        return ()
    sizes = (abs(float(one.value)) for one in parameters.values() if one.unit == "V")
    largest = max((size for size in sizes if size <= _AT_THE_JUNCTION), default=0.0)
    doubts: tuple[str, ...] = told(largest)
    return doubts


def narrowed(limit: Limit, recording: Any, output: str) -> Limit:
    """The limit of an output, no wider than what is recorded.

    Raises:
        SequenceError: nothing of this output is recorded.
        OutOfBounds: what is recorded lies outside the station's limit.
    """
    recording.check_output(output)
    recorded = recording.ranges[output]
    if recorded is None:
        return limit
    if recorded.high < limit.low or recorded.low > limit.high:
        said = f"{limit.name} ({recorded.source})"
        raise OutOfBounds(said, recorded.low, limit.low, limit.high, limit.unit, limit.source)
    low, high = max(limit.low, recorded.low), min(limit.high, recorded.high)
    source = recorded.source if (low, high) != (limit.low, limit.high) else limit.source
    return replace(limit, low=low, high=high, source=source)
