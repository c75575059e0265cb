"""Changes of the current in other programs' files, against frequency or delay, as a recorded junction."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.analysis.recorded.columns import signal
from stmlab.errors import FileError
from stmlab.simulation.replay.change import UNKNOWN_HOME
from stmlab.simulation.replay.points import averaged
from stmlab.simulation.replay.pulses import PulseShape, RecordedPulses
from stmlab.simulation.replay.recorded import Source, checksum
from stmlab.simulation.replay.response import RecordedResponse

if TYPE_CHECKING:
    from stmlab.analysis.recorded.swept import Rows
    from stmlab.arrays import FloatArray
    from stmlab.simulation.replay.table import ReplayTable
    from stmlab.storage.recorded import Recording

_FEWEST = 2
_PULSES = {
    "pump": '--recorded "pump=-10 mV"',
    "probe": '--recorded "probe=-2 mV"',
    "width": '--recorded "width=500 ps"',
    "rise_time": '--recorded "rise_time=150 ps"',
}
"""What a file of another program cannot say of its pulses, and how it is said."""


def response_of(recording: Recording, rows: Rows, table: ReplayTable) -> RecordedResponse:
    """A change of the current against frequency.

    Raises:
        FileError: no current, or a single point.
        FitError: no column that is one.
    """
    frequency, current, notes = _against(recording, rows, table, "bias", "amplitude")
    settings = {"start_frequency": float(frequency[0]), "stop_frequency": float(frequency[-1])}
    known: dict[str, Any] = {"dc_bias": table.bias, "amplitude": table.amplitude}
    settings |= {name: value for name, value in known.items() if value is not None}
    source = Source(recording.path, checksum(recording.path), "a spectrum over frequency", notes, settings)
    amplitude = None if table.amplitude is None else np.full((1, 1, frequency.size), table.amplitude)
    return RecordedResponse(
        source,
        frequency,
        None if table.bias is None else np.array([table.bias]),
        None if table.amplitude is None else np.array([table.amplitude]),
        current[None, None, :],
        amplitude,
        UNKNOWN_HOME,
        stabilised=False,
    )


def pulses_of(recording: Recording, rows: Rows, table: ReplayTable) -> RecordedPulses:
    """A change of the current against the delay of two pulses.

    Raises:
        FileError: no current, a single point, or pulses that nobody has described.
        FitError: no column that is one.
    """
    delay, current, notes = _against(recording, rows, table, "bias")
    if missing := [name for name in _PULSES if getattr(table, name) is None]:
        raise FileError(
            f"{recording.path}: the file does not say {', '.join(missing)} of its pulses: give each, as in "
            f"{_PULSES[missing[0]]}"
        )
    pair = PulseShape(*(getattr(table, name) for name in _PULSES))
    settings = {"start_delay": float(delay[0]), "stop_delay": float(delay[-1]), "points": delay.size}
    settings |= asdict(pair)
    settings |= {} if table.bias is None else {"dc_bias": table.bias}
    source = Source(recording.path, checksum(recording.path), "a scan over the delay of two pulses", notes, settings)
    return RecordedPulses(source, delay, current, table.bias, pair, None, UNKNOWN_HOME, stabilised=False)


def _against(
    recording: Recording, rows: Rows, table: ReplayTable, *asked: str
) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    """What was swept and the current, in increasing order, and what is to be said of them."""
    column = signal(recording, table.channel)
    if column.unit != "A":
        others = [c.name for c in recording.columns if c.unit == "A"]
        raise FileError(
            f"{recording.path}: {column.name} is in {column.unit or 'no unit'}: a replay needs the change of the "
            f"current in A: name its channel, as in --recorded channel={others[0] if others else 'NAME'}"
        )
    place, (current,) = averaged(rows.column.values, column.values[None, :])
    if place.size < _FEWEST:
        raise FileError(f"{recording.path}: {place.size} different values of {rows.column.name}: nothing to replay")
    unknown = [name for name in asked if getattr(table, name) is None]
    notes = [*recording.notes, *rows.warnings]
    volts, amperes = UNKNOWN_HOME
    notes.append(
        f"the file does not say {', '.join([*unknown, 'setpoint'])}: any is taken for the recorded one; a resistor of "
        f"{amperes / volts:.3g} S stands for the current without the drive"
    )
    return place, current, tuple(notes)
