"""Runs, fits and stations as text for a terminal and as plain values for a script."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.results import format_quantity, format_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from stmlab.events import ParameterValue
    from stmlab.papers import Row
    from stmlab.parameters import Parameter
    from stmlab.results import FitResult
    from stmlab.sequence import Sequence
    from stmlab.station import Station
    from stmlab.storage import Run
    from stmlab.storage.recorded import Column, Recording

_WIDTH = 150  # columns of a table that goes into a file or a pipe
_HEADER_LINES = 40


def points_as_text(points: int) -> str:
    """A number of points, with its noun."""
    return "1 point" if points == 1 else f"{points} points"


def fit_as_text(fit: FitResult) -> str:
    """Model, each parameter with its error, number of points, residual, warnings."""
    unit = fit.labels.get("y_unit", "")
    lines = [f"fit {fit.model}: {fit.points} points, rms residual {fit.residual:.3g} {unit}".rstrip()]
    width = max(12, *(len(p.name) for p in fit.parameters))
    lines += [f"  {what:{width}} {chosen}" for what, chosen in fit.choices.items()]
    for p in fit.parameters:
        lines.append(f"  {p.name:{width}} {format_value(p.value, p.error, p.unit)}" + (f"   at {p.at}" if p.at else ""))
    lines += [f"  warning: {warning}" for warning in fit.warnings]
    return "\n".join(lines)


def run_as_text(run: Run) -> str:
    """A run on one screen."""
    shape = " x ".join(f"{axis.name} ({len(axis)})" for axis in run.axes)
    lines = [
        f"{run.sequence} on {run.station}" + (f", sample {run.sample}" if run.sample else ""),
        f"  run        {run.run_id}   {run.date}" + (f"   seed {run.seed}" if run.seed is not None else ""),
        f"  state      {run.state}" + (f": {run.message}" if run.message else ""),
        f"  points     {run.points} of {shape}",
        f"  channels   {', '.join(f'{c.name} ({c.unit})' for c in run.channels)}",
        *_listed("parameters", {name: quantity_as_text(p.value, p.unit) for name, p in run.parameters.items()}),
        *_listed("factors", {name: quantity_as_text(p.value, p.unit) for name, p in run.factors.items()}),
    ]
    lines += [fit_as_text(fit) for fit in run.fits]
    return "\n".join(lines)


def _listed(title: str, entries: Mapping[str, str]) -> list[str]:
    """A title with what belongs to it, aligned below; nothing if there is nothing."""
    width = max(map(len, entries), default=0)
    lines = [f"    {name:{width}}  {value}".rstrip() for name, value in entries.items()]
    return [f"  {title}", *lines] if lines else []


def quantity_as_text(value: Any, unit: str = "") -> str:
    """A parameter's value as ``--set`` takes it: "20 GHz", "0.001", "60", "true", "logarithmic"."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and unit:
        return format_quantity(value, unit)
    return f"{value:.6g}" if isinstance(value, float) else f"{value} {unit}".rstrip()


def sequence_as_text(sequence: Sequence) -> str:
    """Every parameter of an experiment: default, what is allowed, meaning."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(*("parameter", "default", "allowed", "meaning"), padding=(0, 2, 0, 0))
    for column in table.columns[:2]:
        column.no_wrap = True
    parameters = sequence.parameter_objects()
    for name, p in sequence.parameter_record().items():
        row = f"  {name}", quantity_as_text(p.value, p.unit), _allowed(parameters[name], p), p.meaning
        table.add_row(*map(Text, row))
    return f"{sequence.name:16} {sequence.title}\n{on_terminal(table)}"


def _allowed(parameter: Parameter, known: ParameterValue) -> str:
    """The choices, or the bounds in their unit."""
    if (choices := getattr(parameter, "choices", None)) is not None:
        return ", ".join(str(choice) for choice in choices)
    if isinstance(known.value, bool):
        return "true, false"
    low, high = getattr(parameter, "minimum", None), getattr(parameter, "maximum", None)
    if low is None or high is None:
        return ""
    number = type(known.value)
    return f"{quantity_as_text(number(low), known.unit)} to {quantity_as_text(number(high), known.unit)}"


def on_terminal(*shown: RenderableType) -> str:
    """Tables as text: as wide as the terminal where there is one, of fixed width otherwise; long cells fold."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
    with console.capture() as capture:
        for each in shown:
            console.print(each)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()).rstrip()


def run_as_dict(run: Run) -> dict[str, Any]:
    """A run's metadata and fits, ready for JSON; without the data."""
    return {
        "run_id": run.run_id,
        "sequence": run.sequence,
        "station": run.station,
        "sample": run.sample,
        "date": run.date,
        "seed": run.seed,
        "state": str(run.state),
        "message": run.message,
        "points": run.points,
        "axes": [{"name": a.name, "unit": a.unit, "length": len(a)} for a in run.axes],
        "channels": [{"name": c.name, "unit": c.unit, "meaning": c.meaning} for c in run.channels],
        "parameters": {k: {"value": p.value, "unit": p.unit, "meaning": p.meaning} for k, p in run.parameters.items()},
        "factors": {k: {"value": p.value, "unit": p.unit, "meaning": p.meaning} for k, p in run.factors.items()},
        "versions": dict(run.versions),
        "git": run.git,
        "fits": [fit.as_dict() for fit in run.fits],
    }


def recording_as_text(recording: Recording) -> str:
    """A recorded file: format, rows, header, columns with their ranges."""
    rows = len(recording.columns[0].values)
    interval = f", every {format_quantity(recording.sample_interval, 's')}" if recording.sample_interval else ""
    header = dict(list(recording.header.items())[:_HEADER_LINES])
    lines = [f"{recording.path}", f"  format     {recording.format}", f"  rows       {rows}{interval}"]
    lines += _listed("header", header)
    if more := len(recording.header) - len(header):
        lines.append(f"    and {more} more: --json has all")
    lines += _listed("columns", {column.name: _span(column) for column in recording.columns})
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
        "header": dict(recording.header),
    }


def station_as_text(station: Station) -> str:
    """The instruments of a station with their settings."""
    lines = [f"station {station.config.name} ({station.path}): every instrument answers, none reports an error"]
    for name, settings in station.snapshot().items():
        lines.append(f"  {name}")
        lines += [f"    {key:26} {value}" for key, value in settings.items()]
    return "\n".join(lines)


def papers_as_text(rows: list[Row]) -> str:
    """The comparisons as a table, a paper after the other."""
    from rich.table import Table

    tables = []
    for paper in dict.fromkeys(row.paper for row in rows):
        table = Table("item", "printed", "computed", "unit", "verdict", "note", title=paper, title_justify="left")
        for row in rows:
            if row.paper == paper:
                table.add_row(
                    row.item, _number(row.printed), _number(row.computed), row.unit, row.verdict.value, row.note
                )
        for column in table.columns:
            column.overflow = "fold"
        tables.append(table)
    return on_terminal(*tables)


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
