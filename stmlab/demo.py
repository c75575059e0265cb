"""The demonstration: measure samples whose truth is known, fit, and print true and fitted side by side."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console

from stmlab.configuration import config_directories
from stmlab.errors import StationError
from stmlab.experiments import sequence_class
from stmlab.progress import interruptible, progress_bar
from stmlab.results import format_quantity, format_value
from stmlab.runner import Runner
from stmlab.station import Station

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_DEVIATION = 0.03
"""Relative; the fitted value must also lie within three standard errors."""


@dataclass(frozen=True)
class Row:
    """One measured quantity beside the truth, in ``unit``."""

    sample: str
    title: str
    quantity: str
    true: float
    fitted: float
    error: float
    unit: str
    points: int
    file: str
    figure: str

    @property
    def agrees(self) -> bool:
        """Within three standard errors and 3 %."""
        deviation = abs(self.fitted - self.true)
        return deviation <= 3 * self.error and deviation <= LARGEST_DEVIATION * abs(self.true)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"agrees": self.agrees}


def run_demo(directory: Path, *, seed: int | None = None) -> list[Row]:
    """Run every measurement of ``config/demo.toml`` on the simulated microscope, into ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    return [_measure(entry, directory, seed) for entry in _entries()]


def rows_as_text(rows: list[Row]) -> str:
    """A table for a terminal, and where the files are."""
    from rich.table import Table

    table = Table(title="true and fitted, simulated microscope")
    for column in ("sample", "quantity", "true", "fitted", "deviation", "points"):
        table.add_column(column)
    for row in rows:
        percent = f"{100 * (row.fitted / row.true - 1):+.2f} %"
        sigmas = f"{(row.fitted - row.true) / row.error:+.1f} s.e."
        fitted = format_value(row.fitted, row.error, row.unit)
        true = format_quantity(float(f"{row.true:.4g}"), row.unit)
        table.add_row(row.title, row.quantity, true, fitted, f"{percent} ({sigmas})", str(row.points))
    console = Console(width=118)
    with console.capture() as capture:
        console.print(table)
        for row in rows:
            console.print(f"{row.file}  {row.figure}", highlight=False)
    return capture.get().rstrip()


def _entries() -> list[dict[str, Any]]:
    path = next(d / "demo.toml" for d in reversed(config_directories()) if (d / "demo.toml").is_file())
    try:
        entries: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["measurement"]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise StationError(f"{path}: {error}") from error
    return entries


def _measure(entry: dict[str, Any], directory: Path, seed: int | None) -> Row:
    from stmlab.figures import save_png
    from stmlab.storage import open_run

    experiment = sequence_class(entry["sequence"])(**entry.get("parameters", {}))
    path = directory / f"{entry['sequence']}_{entry['sample']}.h5"
    path.unlink(missing_ok=True)  # the demonstration's own file of an earlier time, made again from the same seed
    console = Console(stderr=True)
    with Station.load("simulated", sample=entry["sample"], seed=seed) as station:
        runner = Runner(experiment, station, path)
        with progress_bar(console, runner.preflight().points) as bar, interruptible(runner, console):
            runner.listen(bar)
            outcome = runner.run()
        truth = station.simulation.sample
        true = truth.true_rate(experiment.dc_bias, experiment.amplitude)
    run = open_run(path)
    figure = path.with_suffix(".png")
    save_png(run, figure)
    if not outcome.fits:
        raise StationError(f"{path}: {outcome.message or 'the run was ' + str(outcome.state)}")
    fitted = outcome.fits[0].parameters[0]
    return Row(
        entry["sample"],
        truth.title,
        fitted.name,
        true,
        fitted.value,
        fitted.error,
        fitted.unit,
        outcome.points,
        str(path),
        str(figure),
    )
