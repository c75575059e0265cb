"""Runs, their outcome and their fits, as text for a terminal and as plain values for a script."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from stmlab.display.terminal import listed, points_as_text, quantity_as_text
from stmlab.units import format_value

if TYPE_CHECKING:
    from stmlab.acquisition.runner import Estimate, Outcome
    from stmlab.results import FitResult
    from stmlab.storage import Run

_MINUTES = 120.0  # s, from which a duration is told in hours, minutes and seconds
_TOLD = 1.0  # s; shorter ramps of the bias are not told apart


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
        *listed("parameters", {name: quantity_as_text(p.value, p.unit) for name, p in run.parameters.items()}),
        *listed("factors", {name: quantity_as_text(p.value, p.unit) for name, p in run.factors.items()}),
    ]
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


def outcome_as_text(outcome: Outcome) -> str:
    """For people: how it ended, the fits, the file."""
    message = f" ({outcome.message})" if outcome.message else ""
    lines = [f"{outcome.state}: {points_as_text(outcome.points)}{message}"]
    lines += [fit_as_text(fit) for fit in outcome.fits]
    if outcome.station:
        lines.append(f"station: {outcome.station}")
    if outcome.path is not None:
        lines.append(f"file: {outcome.path}")
    return "\n".join(lines)


def outcome_as_dict(outcome: Outcome) -> dict[str, Any]:
    """For scripts: the first fitted parameter by its name, its error, and everything else."""
    result: dict[str, Any] = {}
    if outcome.fits:
        first = outcome.fits[0].parameters[0]
        result = {first.name: first.value, "error": first.error, "unit": first.unit}
    return result | {
        "points": outcome.points,
        "file": str(outcome.path) if outcome.path else None,
        "state": outcome.state,
        "reason": outcome.reason,
        "message": outcome.message,
        "station": outcome.station,
        "run_id": outcome.run_id,
        "fits": [fit.as_dict() for fit in outcome.fits],
    }


def estimate_as_text(estimate: Estimate) -> str:
    """What a run would take, for people."""
    return f"checked: {points_as_text(estimate.points)} ({_expected(estimate)})"


def estimate_as_dict(estimate: Estimate) -> dict[str, Any]:
    """What a run would take, for scripts: points, duration in s, size of the file in bytes."""
    return {
        "points": estimate.points,
        "seconds": estimate.seconds,
        "ramp_seconds": estimate.ramps,
        "size": estimate.size,
        "file": None,
        "state": "checked",
        "reason": "checked",
        "message": _expected(estimate),
        "run_id": "",
        "fits": [],
    }


def _expected(estimate: Estimate) -> str:
    from rich.filesize import decimal

    ramps = f" ({duration_as_text(estimate.ramps)} of it ramps of the bias)" if estimate.ramps >= _TOLD else ""
    return f"would take {duration_as_text(estimate.seconds)}{ramps} and about {decimal(estimate.size)}; nothing moved"


def duration_as_text(seconds: float) -> str:
    """Seconds, or hours, minutes and seconds: "23.5 s", "0:09:40"."""
    return f"{seconds:.3g} s" if seconds < _MINUTES else str(timedelta(seconds=round(seconds)))
