"""The demonstration: measure samples whose truth is known, fit, and print true and fitted side by side.

``config/demo.toml`` lists the measurements; the truth is asked of the sample's own model, under the bias and drive of
the measurement, and never of the file.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stmlab.configuration import config_directories, explain
from stmlab.errors import SequenceError, StationError
from stmlab.experiments import sequence_class
from stmlab.progress import interruptible, progress_bar
from stmlab.results import format_quantity, format_value
from stmlab.runner import Outcome, Runner
from stmlab.station import Station

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.results import FitResult


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Comparison(_Table):
    """Which fitted parameter to hold against which true value of the sample, and how near they must come.

    Attributes:
        fitted: name of the fit's parameter.
        true: key of the sample's true values.
        relative, absolute: largest deviation; the fitted value must also lie within three standard errors.
    """

    fitted: str
    true: str
    relative: float | None = Field(default=None, gt=0)
    absolute: float | None = Field(default=None, gt=0)


class Measurement(_Table):
    """One run of the demonstration; ``long`` ones are only made with ``--all``."""

    sequence: str
    sample: str
    long: bool = False
    parameters: dict[str, Any] = {}
    compare: tuple[Comparison, ...] = Field(min_length=1)


class _Demonstration(_Table):
    measurement: tuple[Measurement, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Row:
    """One fitted quantity beside the truth, in ``unit``; ``allowed`` is the largest deviation."""

    sample: str
    title: str
    quantity: str
    true: float
    fitted: float
    error: float
    unit: str
    allowed: float
    points: int
    file: str
    figure: str

    @property
    def agrees(self) -> bool:
        """Within three standard errors and within what is allowed."""
        deviation = abs(self.fitted - self.true)
        return deviation <= 3 * self.error and deviation <= self.allowed

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"agrees": self.agrees}


def run_demo(directory: Path, *, seed: int | None = None, everything: bool = False) -> list[Row]:
    """Make the measurements of ``config/demo.toml`` on the simulated microscope, into ``directory``.

    Args:
        directory: for files and figures; those of an earlier demonstration are replaced.
        seed: of the simulation; None takes the configured one.
        everything: the long ones too.

    Raises:
        StmlabError: a measurement was refused, failed or stopped, or could not be fitted.
    """
    directory.mkdir(parents=True, exist_ok=True)
    chosen = [entry for entry in _measurements() if everything or not entry.long]
    return [row for entry in chosen for row in _measure(entry, directory, seed)]


def rows_as_text(rows: list[Row]) -> str:
    """A table for a terminal, and where the files are."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="true and fitted, simulated microscope")
    for column in ("sample", "quantity", "true", "fitted", "deviation", "points"):
        table.add_column(column)
    for row in rows:
        percent = f"{100 * (row.fitted / row.true - 1):+.2f} %" if row.true else f"{row.fitted:+.3g}"
        sigmas = f"{(row.fitted - row.true) / row.error:+.1f} s.e."
        fitted = format_value(row.fitted, row.error, row.unit)
        true = format_quantity(float(f"{row.true:.4g}"), row.unit)
        mark = "" if row.agrees else " DIFFERS"
        table.add_row(row.title, row.quantity, true, fitted, f"{percent} ({sigmas}){mark}", str(row.points))
    console = Console(width=118)
    with console.capture() as capture:
        console.print(table)
        for file, figure in dict.fromkeys((row.file, row.figure) for row in rows):
            console.print(f"{file}  {figure}", highlight=False)
    return capture.get().rstrip()


def _measurements() -> tuple[Measurement, ...]:
    path = next(d / "demo.toml" for d in reversed(config_directories()) if (d / "demo.toml").is_file())
    try:
        return _Demonstration.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).measurement
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise StationError(f"{path}: {error}") from error
    except ValidationError as error:
        raise StationError(explain(error, path)) from error


def _measure(entry: Measurement, directory: Path, seed: int | None) -> list[Row]:
    from rich.console import Console

    from stmlab.figures import save_png
    from stmlab.storage import open_run

    experiment = sequence_class(entry.sequence)(**entry.parameters)
    path = directory / f"{entry.sequence}_{entry.sample}.h5"
    path.unlink(missing_ok=True)  # the demonstration's own file of an earlier time
    console = Console(stderr=True)
    with Station.load("simulated", sample=entry.sample, seed=seed) as station:
        runner = Runner(experiment, station, path)
        with progress_bar(console, runner.preflight().points) as bar, interruptible(runner, console):
            runner.listen(bar)
            outcome = runner.run()
        drive = (float(getattr(experiment, "dc_bias", 0.0)), float(getattr(experiment, "amplitude", 0.0)))
        truth, title = station.simulation.true_values(*drive), station.simulation.sample.title
    fit = _fit_of(outcome)
    figure = path.with_suffix(".png")
    save_png(open_run(path), figure)
    rows = []
    for wanted in entry.compare:
        parameter, true = fit[wanted.fitted], float(truth[wanted.true])
        allowed = wanted.absolute if wanted.absolute is not None else (wanted.relative or 0.0) * abs(true)
        value, error, unit = parameter.value, parameter.error, parameter.unit
        where = (allowed, outcome.points, str(path), str(figure))
        rows.append(Row(entry.sample, title, parameter.name, true, value, error, unit, *where))
    return rows


def _fit_of(outcome: Outcome) -> FitResult:
    if outcome.reason != "completed":
        raise SequenceError(f"{outcome.path}: {outcome.message or outcome.reason}; the demonstration ends here")
    if not outcome.fits:
        raise SequenceError(f"{outcome.path}: {outcome.message or 'no fit'}")
    return outcome.fits[0]
