"""Files that another program recorded, as text for a terminal and as plain values for a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.display.terminal import listed, quantity_as_text
from stmlab.storage.recorded import Grid
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.storage.recorded import Column, Recording

_HEADER_LINES = 40


def recording_as_text(recording: Recording | Grid) -> str:
    """A recorded file: format, rows or places, header, columns with their ranges."""
    lines = [f"{recording.path}", f"  format     {recording.format}"]
    if isinstance(recording, Grid):
        shape, places = " x ".join(map(str, recording.shape)), int(np.prod(recording.shape))
        lines.append(
            f"  grid       {shape} ({', '.join(recording.axes)}), {recording.measured.sum()} of {places} places"
        )
        lines.append(f"  sweep      {recording.sweep.values.shape[-1]} points of {recording.sweep.name}")
    else:
        interval = recording.sample_interval
        every = f", every {format_quantity(interval, 's')}" if interval else ""
        lines.append(f"  rows       {len(recording.columns[0].values)}{every}")
    header = dict(list(recording.header.items())[:_HEADER_LINES])
    lines += listed("header", header)
    if more := len(recording.header) - len(header):
        lines.append(f"    and {more} more: --json has all")
    lines += [f"  note: {note}" for note in recording.notes]
    for title, columns in _columns(recording).items():
        lines += listed(title, {column.name: _span(column) for column in columns})
    return "\n".join(lines)


def _columns(recording: Recording | Grid) -> dict[str, tuple[Column, ...]]:
    if isinstance(recording, Grid):
        return {"columns": (recording.sweep, *recording.channels), "of each place": recording.parameters}
    return {"columns": recording.columns}


def _span(column: Column) -> str:
    finite = column.values[np.isfinite(column.values)]
    if not finite.size:
        return "no numbers"
    return " to ".join(quantity_as_text(float(end) + 0.0, column.unit) for end in (finite.min(), finite.max()))


def recording_as_dict(recording: Recording | Grid) -> dict[str, Any]:
    """A recorded file's header and columns, ready for JSON; without the data."""
    if isinstance(recording, Grid):
        size: dict[str, Any] = {
            "shape": list(recording.shape),
            "axes": list(recording.axes),
            "measured": int(recording.measured.sum()),
            "points": int(recording.sweep.values.shape[-1]),
            "parameters": [{"name": column.name, "unit": column.unit} for column in recording.parameters],
        }
        columns: tuple[Column, ...] = (recording.sweep, *recording.channels)
    else:
        size = {"rows": len(recording.columns[0].values), "sample_interval": recording.sample_interval}
        columns = recording.columns
    return {
        "file": str(recording.path),
        "format": recording.format,
        **size,
        "columns": [{"name": column.name, "unit": column.unit} for column in columns],
        "notes": list(recording.notes),
        "header": dict(recording.header),
    }
