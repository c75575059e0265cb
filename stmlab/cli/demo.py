"""The demonstration: measure samples whose truth is known, fit, and print true and fitted side by side.

``config/demo.toml`` lists the measurements; the truth is asked of the sample's own model, under the bias and drive of
the measurement, and never of the file.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stmlab import config_files
from stmlab.acquisition.experiments import sequence_class
from stmlab.acquisition.runner import Outcome, Runner
from stmlab.cli.fit_progress import fits_on_terminal
from stmlab.cli.progress import run_on_terminal
from stmlab.config_files import config_directories, explain
from stmlab.errors import SequenceError, StationError
from stmlab.station import Station
from stmlab.units import format_quantity, format_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.results import FitResult


_ERRORS = 5.0  # standard errors within which the truth must lie; among thirty rows, four may be passed by chance


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Comparison(_Table):
    """What of a fit to hold against which true value of the sample, and how near they must come.

    Attributes:
        fitted: name of the fit's parameter, of what it chose ("exchange"), or "magnitude_dB": the curve of a measured
            transfer function, whose largest deviation counts.
        true: key of the sample's true values; "transfer" is the line's.
        relative, absolute: largest deviation; none for what is chosen.
    """

    fitted: str
    true: str
    relative: float | None = Field(default=None, gt=0)
    absolute: float | None = Field(default=None, gt=0)


class Measurement(_Table):
    """One run of the demonstration.

    Attributes:
        sequence, sample, station: by name.
        long: only made with ``--all``.
        model: of the fit; "" is the sequence's own.
        parameters: of the sequence.
        compare: what with what.
    """

    sequence: str
    sample: str
    station: str = "simulated"
    long: bool = False
    model: str = ""
    parameters: dict[str, Any] = {}
    compare: tuple[Comparison, ...] = Field(min_length=1)


class _Demonstration(_Table):
    measurement: tuple[Measurement, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Row:
    """One fitted quantity beside the truth, in ``unit``, or a choice in words.

    Attributes:
        allowed: largest deviation.
        error: standard error; nan for a choice, and for the worst of many values.
    """

    sequence: str
    sample: str
    title: str
    quantity: str
    true: float | str
    fitted: float | str
    error: float
    unit: str
    allowed: float
    points: int
    file: str
    figure: str

    @property
    def agrees(self) -> bool:
        """Within what is allowed and, where the error is known, within five standard errors."""
        if isinstance(self.true, str) or isinstance(self.fitted, str):
            return self.true == self.fitted
        deviation = abs(self.fitted - self.true)
        return deviation <= self.allowed and not deviation > _ERRORS * self.error

    @property
    def deviation(self) -> str:
        """In percent of the truth, or in the unit, and in standard errors."""
        if isinstance(self.true, str) or isinstance(self.fitted, str):
            return ""
        away = self.fitted - self.true
        relative = f"{100 * away / abs(self.true):+.2f} %" if self.true else f"{away:+.3g} {self.unit}".rstrip()
        return relative + (f" ({away / self.error:+.1f} s.e.)" if self.error > 0 else "")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"agrees": self.agrees}


def run_demo(directory: str | Path, *, seed: int | None = None, everything: bool = False) -> list[Row]:
    """Make the measurements of ``config/demo.toml`` on the simulated microscope, into ``directory``.

    Args:
        directory: for files and figures; those of an earlier demonstration are replaced.
        seed: of the simulation; None takes the configured one.
        everything: the long ones too.

    Raises:
        StmlabError: a measurement was refused, failed or stopped, or could not be fitted.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    chosen = [entry for entry in _measurements() if everything or not entry.long]
    return [row for entry in chosen for row in _measure(entry, directory, seed)]


def rows_as_text(rows: list[Row]) -> str:
    """A table for a terminal, and where the files are."""
    from rich.table import Table

    from stmlab.display import on_terminal

    table = Table(title="true and fitted, simulated microscope")
    for column in ("sequence", "sample", "quantity", "true", "fitted", "deviation", "points"):
        table.add_column(column, overflow="fold")
    previous = None
    for row in rows:
        mark = "" if row.agrees else " DIFFERS"
        first, previous = row.file != previous, row.file
        if first:
            table.add_section()
        what = (row.sequence, row.sample) if first else ("", "")
        fitted = row.fitted if isinstance(row.fitted, str) else format_value(row.fitted, row.error, row.unit)
        true = row.true if isinstance(row.true, str) else format_quantity(float(f"{row.true:.4g}"), row.unit)
        table.add_row(*what, row.quantity, true, fitted, row.deviation + mark, str(row.points) if first else "")
    files = dict.fromkeys(f"{row.file}  {row.figure}" for row in rows)
    return "\n".join([on_terminal(table), *files])


def _measurements() -> tuple[Measurement, ...]:
    path = next(d / "demo.toml" for d in reversed(config_directories()) if (d / "demo.toml").is_file())
    try:
        return _Demonstration.model_validate(config_files.tables(path)).measurement
    except ValidationError as error:
        raise StationError(explain(error, path)) from error


def _measure(entry: Measurement, directory: Path, seed: int | None) -> list[Row]:
    from stmlab.analysis import analyse
    from stmlab.display.figures import save_run
    from stmlab.storage import open_run

    experiment = sequence_class(entry.sequence)(**entry.parameters)
    path = directory / f"{entry.sequence}_{entry.sample}.h5"
    path.unlink(missing_ok=True)  # the demonstration's own file of an earlier time
    with Station.load(entry.station, sample=entry.sample, seed=seed) as station:
        runner = Runner(experiment, station, path)
        outcome = run_on_terminal(runner, runner.preflight())
        fit = _fit_of(outcome)
        if entry.model:
            with fits_on_terminal():
                fit = analyse(open_run(path), entry.model)
        drive = (float(getattr(experiment, "dc_bias", 0.0)), float(getattr(experiment, "amplitude", 0.0)))
        truth, title = station.simulation.true_values(*drive), station.simulation.sample.title
        figure = path.with_suffix(".png")
        save_run(open_run(path), figure, fit)
        where: dict[str, Any] = {"points": outcome.points, "file": str(path), "figure": str(figure)}
        return [
            Row(
                sequence=entry.sequence,
                sample=entry.sample,
                title=title,
                **_compared(wanted, fit, truth, station.simulation),
                **where,
            )
            for wanted in entry.compare
        ]


def _compared(wanted: Comparison, fit: FitResult, truth: Mapping[str, float | str], simulation: Any) -> dict[str, Any]:
    """Quantity, true and fitted value, error, unit and what is allowed."""
    if wanted.fitted in fit.choices:
        words = {"true": truth[wanted.true], "fitted": fit.choices[wanted.fitted]}
        return {"quantity": wanted.fitted, **words, "error": math.nan, "unit": "", "allowed": 0.0}
    if wanted.fitted in fit.curves:
        return _transfer_compared(wanted, fit, simulation)
    parameter, true = fit[wanted.fitted], float(truth[wanted.true])
    return {
        "quantity": parameter.name,
        "true": true,
        "fitted": parameter.value,
        "error": parameter.error,
        "unit": parameter.unit,
        "allowed": wanted.absolute if wanted.absolute is not None else (wanted.relative or 0.0) * abs(true),
    }


def _transfer_compared(wanted: Comparison, fit: FitResult, simulation: Any) -> dict[str, Any]:
    """A measured transfer function against the simulated line: the largest deviation, in dB."""
    true = 20 * np.log10(np.abs(simulation.true_transfer(fit.curves["x"])))
    away = fit.curves[wanted.fitted] - true
    return {
        "quantity": f"{wanted.fitted}, worst of {away.size}",
        "true": 0.0,
        "fitted": float(away[np.abs(away).argmax()]),
        "error": math.nan,
        "unit": "dB",
        "allowed": wanted.absolute or 0.0,
    }


def _fit_of(outcome: Outcome) -> FitResult:
    if outcome.reason != "completed":
        raise SequenceError(f"{outcome.path}: {outcome.message or outcome.reason}; the demonstration ends here")
    if not outcome.fits:
        raise SequenceError(f"{outcome.path}: {outcome.message or 'no fit'}")
    return outcome.fits[0]
