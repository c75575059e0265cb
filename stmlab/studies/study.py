"""A study carried out: what is missing is measured, each run's result written as it ends."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from stmlab.acquisition.experiments import sequence_class
from stmlab.acquisition.planning import planned
from stmlab.cluster import Lost, executor
from stmlab.errors import SequenceError, StationError
from stmlab.simulation.samples import read_sample
from stmlab.station.planned import PlannedStation
from stmlab.studies.run import Measured, Task, drive, write_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.studies.form import Cell, Study
    from stmlab.studies.results import Results


def check(study: Study) -> None:
    """Refuse a study of which a run would be refused, before any is made.

    Raises:
        StationError: the station is not a simulated one inside this process: no study ever moves a tip.
        SequenceError: a cell cannot be measured, or its sample does not know the truth that is asked for.
    """
    config = PlannedStation.load(study.station).config
    addresses = [instrument.address for instrument in config.instruments.values()]
    if config.simulation is None or not all(address.startswith("simulation:") for address in addresses):
        raise StationError(f"{study.path}: station = {study.station}: a study is made on a simulated station only")
    with TemporaryDirectory(prefix="stmlab-study-") as folder:
        for cell in study.cells:
            _check_cell(study, cell, Path(folder))


def _check_cell(study: Study, cell: Cell, folder: Path) -> None:
    path = write_sample(cell, folder)
    try:
        sample = read_sample(path)
        experiment = sequence_class(study.sequence)(**cell.settings)
    except (StationError, SequenceError) as error:
        raise SequenceError(f"{study.path}: {cell}: {str(error).removeprefix(f'{path}: ')}") from error
    truth = sample.true_values(*drive(experiment))
    if not isinstance(truth.get(study.fit.true), float | int):
        known = ", ".join(name for name, value in truth.items() if isinstance(value, float | int)) or "nothing"
        raise SequenceError(f"{study.path}: fit.true = {study.fit.true!r}: this sample knows {known}")
    plan = planned(study.sequence, study.station, str(path), cell.settings)
    if plan.refusal:
        raise SequenceError(f"{study.path}: {cell}: {plan.refusal}")


def carry_out(study: Study, results: Results, stop: Callable[[], bool]) -> tuple[str, ...]:
    """Make the runs of a study that are not in its results yet, by whoever does the tasks of this thread.

    Args:
        study: as it was read, and checked.
        results: added to as each run ends.
        stop: asked over and over; once it says True no run begins.

    Returns:
        Why runs were lost, one line each; they are made when the study is carried out again.
    """
    tasks = [
        Task(cell, seed)
        for seed in study.seeds  # of every cell first: what there is of a study that is stopped is even
        for cell in study.cells
        if (cell.key, seed) not in results.records
    ]
    lost = []
    measure = Measured(study.station, study.sequence, study.fit)
    for done in executor().completed(measure, tasks, len(tasks), stop):
        if isinstance(done.result, Lost):
            task = tasks[done.number]
            lost.append(f"{task.cell}, seed {task.seed}: {done.result.reason}")
        else:
            results.append(done.result)
    return tuple(lost)
