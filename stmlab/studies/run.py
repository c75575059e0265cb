"""One run of a study: a cell with a seed on the simulated microscope, inside this process, and its fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import tomlkit

from stmlab.acquisition.experiments import sequence_class
from stmlab.acquisition.runner import Runner
from stmlab.errors import SequenceError, StmlabError
from stmlab.station import Station
from stmlab.storage import open_run
from stmlab.studies.results import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.acquisition.outcome import Outcome
    from stmlab.acquisition.sequence import Sequence
    from stmlab.results import FitParameter, FitResult
    from stmlab.studies.form import Cell, FitTable

_AT_ITS_HEIGHT = ("rate_equation", "bound_state")  # samples whose rates depend on the height of the tip


@dataclass(frozen=True)
class Task:
    """A cell and a seed."""

    cell: Cell
    seed: int


@dataclass(frozen=True)
class Measured:
    """What measures a task, here or on a worker.

    Attributes:
        station: name or file of a simulated station.
        sequence: name of the experiment.
        fit: what is fitted, and held against what.
    """

    station: str
    sequence: str
    fit: FitTable

    def __call__(self, task: Task) -> Record:
        """Measure and fit; what cannot be measured or fitted is a record that says so."""
        with TemporaryDirectory(prefix="stmlab-study-") as folder:
            sample = write_sample(task.cell, Path(folder))
            experiment = sequence_class(self.sequence)(**task.cell.settings)
            with Station.load(self.station, sample=str(sample), seed=task.seed) as station:
                true = float(station.simulation.true_values(*drive(experiment))[self.fit.true])
                path = Path(folder) / "run.h5"
                try:
                    outcome = Runner(experiment, station, path).run()
                    if outcome.reason == "aborted":
                        raise KeyboardInterrupt
                    found = self._fitted(outcome, path)
                except StmlabError as error:
                    return _without_fit(task, true, str(error))
                if isinstance(found, str):
                    return _without_fit(task, true, found)
                return _record(task, true, self._parameter(found), found, station, path)

    def _fitted(self, outcome: Outcome, path: Path) -> FitResult | str:
        from stmlab.analysis.fitting import fit
        from stmlab.analysis.iterations import ended_early

        if self.fit.model or self.fit.set:
            found = fit(path, self.fit.model or None, **self.fit.set)
        elif outcome.fits:
            found = outcome.fits[0]
        else:
            return outcome.message or "no fit"
        why = ended_early(found)
        return f"the fit ended early: {why}" if why else found

    def _parameter(self, fit: FitResult) -> FitParameter:
        try:
            return fit[self.fit.fitted]
        except KeyError as error:
            raise SequenceError(f"fit.fitted = {error.args[0]}") from None


def _record(task: Task, true: float, parameter: FitParameter, fit: FitResult, station: Station, path: Path) -> Record:
    if not math.isfinite(parameter.error):
        return _without_fit(task, true, f"the fit leaves {parameter.name} open")
    microscope, run = station.simulation, open_run(path)
    matters = microscope.sample.kind in _AT_ITS_HEIGHT
    return Record(
        task.cell.key,
        task.seed,
        true,
        parameter.value,
        parameter.error,
        parameter.unit,
        run.finished.time if run.finished is not None else math.nan,
        run.points,
        fit.warnings,
        scale=math.exp(-2 * microscope.sample.decay_constant * microscope.height()) if matters else 1.0,
    )


def _without_fit(task: Task, true: float, why: str) -> Record:
    return Record(task.cell.key, task.seed, true, math.nan, math.nan, "", math.nan, 0, refused=why)


def drive(experiment: Sequence) -> tuple[float, float]:
    """Bias and amplitude, V, under which the sample's truth is asked for."""
    return float(getattr(experiment, "dc_bias", 0.0)), float(getattr(experiment, "amplitude", 0.0))


def write_sample(cell: Cell, folder: Path) -> Path:
    """The cell's sample as a file."""
    path = folder / "sample.toml"
    tables: Mapping[str, Any] = cell.sample
    path.write_text(tomlkit.dumps(tables), encoding="utf-8")
    return path
