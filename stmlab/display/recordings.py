"""Files that another program recorded, as text for a terminal and as plain values for a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.display.terminal import listed, quantity_as_text
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.storage.recorded import Column, Recording

_HEADER_LINES = 40


def recording_as_text(recording: Recording) -> str:
    """A recorded file: format, rows, header, columns with their ranges."""
    rows = len(recording.columns[0].values)
    interval = f", every {format_quantity(recording.sample_interval, 's')}" if recording.sample_interval else ""
    header = dict(list(recording.header.items())[:_HEADER_LINES])
    lines = [f"{recording.path}", f"  format     {recording.format}", f"  rows       {rows}{interval}"]
    lines += listed("header", header)
    if more := len(recording.header) - len(header):
        lines.append(f"    and {more} more: --json has all")
    lines += [f"  note: {note}" for note in recording.notes]
    lines += listed("columns", {column.name: _span(column) for column in recording.columns})
    return "\n".join(lines)


def _span(column: Column) -> str:
    finite = column.values[np.isfinite(column.values)]
    if not finite.size:
        return "no numbers"
    return " to ".join(quantity_as_text(float(end) + 0.0, column.unit) for end in (finite.min(), finite.max()))


def recording_as_dict(recording: Recording) -> dict[str, Any]:
    """A recorded file's header and columns, ready for JSON; without the data."""
    return {
        "file": str(recording.path),
        "format": recording.format,
        "rows": len(recording.columns[0].values),
        "sample_interval": recording.sample_interval,
        "columns": [{"name": column.name, "unit": column.unit} for column in recording.columns],
        "notes": list(recording.notes),
        "header": dict(recording.header),
    }
