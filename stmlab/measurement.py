"""One measurement from names to outcome: what ``stmlab run`` does, as a function."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stmlab.events import RunState
from stmlab.experiments import sequence_class
from stmlab.guardian import guarded
from stmlab.progress import interruptible, progress_bar
from stmlab.runner import Estimate, Outcome, Runner
from stmlab.station import Station

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.events import Event

_MINUTES = 120.0  # s, from which a duration is told in hours, minutes and seconds


def measure(
    sequence: str,
    station: str = "simulated",
    *,
    sample: str | None = None,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    path: str | Path | None = None,
    dry: bool = False,
    listeners: tuple[Callable[[Event], None], ...] = (),
) -> Outcome:
    """Run ``sequence`` on ``station`` with a progress bar on standard error; Ctrl-C stops, a second one aborts.

    Args:
        sequence: name of the experiment.
        station: name or file of the station.
        sample: name or file of the sample, None for the station's own.
        seed: of the simulation.
        settings: parameters of the sequence: numbers in SI, or text with a unit.
        path: file to write; None makes a name from date, sequence and sample in the current folder.
        dry: check everything, move and write nothing.
        listeners: called with every event.

    Raises:
        StmlabError: refused (nothing moved), or whatever ended the run (the station is safe).
    """
    from rich.console import Console

    experiment = sequence_class(sequence)(**dict(settings or {}))
    console = Console(stderr=True)
    with Station.load(station, sample=sample, seed=seed) as found:
        runner = Runner(experiment, found, Path(path) if path else _free_name(sequence, found))
        estimate = runner.preflight()
        if dry:
            return _checked(estimate)
        with (
            guarded(found),
            progress_bar(console, estimate.points) as bar,
            interruptible(runner, console),
        ):
            runner.listen(bar, *listeners)
            return runner.run()


def outcome_as_dict(outcome: Outcome) -> dict[str, Any]:
    """For scripts: the first fitted parameter by its name, its error, and everything else."""
    result: dict[str, Any] = {}
    if outcome.fits:
        first = outcome.fits[0].parameters[0]
        result = {first.name: first.value, "error": first.error, "unit": first.unit}
    return result | {
        "points": outcome.points,
        "file": str(outcome.path) if outcome.path else None,
        "state": _state(outcome),
        "reason": outcome.reason,
        "message": outcome.message,
        "run_id": outcome.run_id,
        "fits": [fit.as_dict() for fit in outcome.fits],
    }


def outcome_as_text(outcome: Outcome) -> str:
    """For people: how it ended, the fits, the file."""
    from stmlab.display import fit_as_text, points_as_text

    message = f" ({outcome.message})" if outcome.message else ""
    lines = [f"{_state(outcome)}: {points_as_text(outcome.points)}{message}"]
    lines += [fit_as_text(fit) for fit in outcome.fits]
    if outcome.path is not None:
        lines.append(f"file: {outcome.path}")
    return "\n".join(lines)


def _checked(estimate: Estimate) -> Outcome:
    from rich.filesize import decimal

    seconds = estimate.seconds
    lasts = f"{seconds:.3g} s" if seconds < _MINUTES else str(timedelta(seconds=round(seconds)))
    message = f"would take {lasts} and about {decimal(estimate.size)}; nothing moved"
    return Outcome("", RunState.FINISHED, "checked", message, estimate.points, None)


def _state(outcome: Outcome) -> str:
    return outcome.reason if outcome.reason == "checked" else str(outcome.state)


def _free_name(sequence: str, station: Station) -> Path:
    stem = f"{station.clock.date():%Y-%m-%d_%H%M%S}_{sequence}" + (
        f"_{Path(station.sample).stem}" if station.sample else ""
    )
    path, number = Path(f"{stem}.h5"), 2
    while path.exists():
        path, number = Path(f"{stem}_{number}.h5"), number + 1
    return path
