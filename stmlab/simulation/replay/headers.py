"""Numbers of a recorded file's header that a replay asks for."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from stmlab.errors import SequenceError
from stmlab.units import in_unit

if TYPE_CHECKING:
    from stmlab.simulation.replay.table import ReplayTable
    from stmlab.storage.recorded import Recording

_PARAMETERS = {
    "modulation": ("modulation", "V"),
    "bias": ("dc_bias", "V"),
    "amplitude": ("amplitude", "V"),
    "pump": ("pump", "V"),
    "probe": ("probe", "V"),
    "width": ("width", "s"),
    "rise_time": ("rise_time", "s"),
}
"""What a table may say -> the parameter of a run that says it, and its unit."""


def completed(table: ReplayTable, recording: Recording) -> ReplayTable:
    """The table with what nobody has said as the header of a run says it that stmlab exported."""
    if not {"run_id", "sequence"} <= set(recording.header):
        return table
    said: dict[str, float] = {}
    for name, (parameter, unit) in _PARAMETERS.items():
        with suppress(KeyError, SequenceError):
            if getattr(table, name) is None:
                said[name] = in_unit(recording.header[parameter].strip(), unit)
    return table.model_copy(update=said)


def header_number(recording: Recording, *keys: str) -> float | None:
    """The first of ``keys`` that the header has as a number, or None."""
    for key in keys:
        with suppress(KeyError, ValueError):
            return float(recording.header[key].strip().replace(",", "."))
    return None
