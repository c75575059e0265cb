"""Traces of other programs' files, as a recorded junction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.recorded.columns import in_base_unit, of_trace
from stmlab.errors import FileError
from stmlab.simulation.replay.headers import header_number
from stmlab.simulation.replay.recorded import Source, checksum
from stmlab.simulation.replay.trace import RecordedTrace

if TYPE_CHECKING:
    from stmlab.analysis.recorded.swept import Rows
    from stmlab.simulation.replay.table import ReplayTable
    from stmlab.storage.recorded import Recording

_MOST = 100_000  # samples of a sequence's trace


def trace_of(recording: Recording, rows: Rows, table: ReplayTable) -> RecordedTrace:
    """The trace of a recorded file, without the rows that lie at another bias.

    Raises:
        FileError: no sample interval, no bias, or a channel that is no current.
        FitError: no current.
    """
    if rows.interval is None:
        raise FileError(f"{recording.path}: the file does not say how far apart its samples are: it cannot be played")
    column = in_base_unit(recording[table.channel]) if table.channel else of_trace(recording, rows.column)
    if column.unit != "A":
        raise FileError(f"{recording.path}: {column.name} is in {column.unit or 'no unit'}: a trace of a current plays")
    known = rows.kept & np.isfinite(column.values)
    if not known.any():
        raise FileError(f"{recording.path}: {column.name} holds no numbers")
    current = column.values[known]
    bias = _bias(recording, rows, table)
    notes = [*recording.notes, *rows.warnings, f"{column.name} is played: {current.size} samples"]
    if missing := int(np.count_nonzero(rows.kept & ~known)):
        notes.append(f"{missing} samples are no numbers: left out, those behind them play earlier")
    mean = abs(float(current.mean()))
    settings = {
        "dc_bias": bias,
        "setpoint_bias": bias,
        "setpoint_current": mean,
        "samples": min(current.size, _MOST),
        "interval": rows.interval,
    }
    source = Source(recording.path, checksum(recording.path), "a time trace of the current", tuple(notes), settings)
    return RecordedTrace(source, bias, rows.interval, current[None, :], (bias, mean), stabilised=False)


def _bias(recording: Recording, rows: Rows, table: ReplayTable) -> float:
    """At which the trace was taken, V."""
    if table.bias is not None:
        return table.bias
    if rows.column.unit == "V":
        return float(f"{np.median(rows.column.values[rows.kept]):.9g}")
    told = header_number(recording, "Bias>Bias (V)", "Bias (V)")
    if told is None:
        raise FileError(f'{recording.path}: the file does not say its bias: give it, as in --recorded "bias=10 mV"')
    return told
