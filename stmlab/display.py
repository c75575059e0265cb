"""Runs, fits and stations as text for a terminal and as plain values for a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.results import format_value

if TYPE_CHECKING:
    from stmlab.papers import Row
    from stmlab.results import FitResult
    from stmlab.station import Station
    from stmlab.storage import Run
    from stmlab.storage.recorded import Recording


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
        "  parameters",
    ]
    lines += [f"    {name:18} {p.value} {p.unit}".rstrip() for name, p in run.parameters.items()]
    if run.factors:
        lines.append("  factors")
        lines += [f"    {name:18} {p.value:.6g} {p.unit}".rstrip() for name, p in run.factors.items()]
    lines += [fit_as_text(fit) for fit in run.fits]
    return "\n".join(lines)


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
    """A recorded file on one screen: format, rows, columns with their ranges."""
    rows = len(recording.columns[0].values)
    interval = f", every {recording.sample_interval:g} s" if recording.sample_interval else ""
    lines = [f"{recording.path}", f"  format     {recording.format}", f"  rows       {rows}{interval}", "  columns"]
    for column in recording.columns:
        finite = column.values[np.isfinite(column.values)]
        span = f"{finite.min():.6g} to {finite.max():.6g} {column.unit}".rstrip() if finite.size else "no numbers"
        lines.append(f"    {column.name:28} {span}")
    return "\n".join(lines)


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
    from rich.console import Console
    from rich.table import Table

    console = Console(width=150)
    with console.capture() as capture:
        for paper in dict.fromkeys(row.paper for row in rows):
            table = Table("item", "printed", "computed", "unit", "verdict", "note", title=paper, title_justify="left")
            for row in rows:
                if row.paper == paper:
                    table.add_row(
                        row.item, _number(row.printed), _number(row.computed), row.unit, row.verdict.value, row.note
                    )
            console.print(table)
    return capture.get().rstrip()


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
