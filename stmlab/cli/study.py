"""The command study: runs on the simulated microscope over parameters and seeds, and what their fits are worth."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from stmlab.cli.common import STOPPED, JsonOption, app, print_json, refusing, wrote
from stmlab.cli.crew import SchedulerOption, WorkersOption, crew, on_terminal
from stmlab.cli.interrupts import interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from stmlab.cluster import Executor
    from stmlab.studies import Report, Study

_STOPPING = "stopping; what is done is kept, and the same command goes on. Ctrl-C again ends at once"


@app.command()
@refusing
def study(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="The study: docs/study.md explains its form.")],
    results: Annotated[
        Path | None,
        typer.Option("--results", help="Where each run's result is written as it ends [default: FILE.results.jsonl]."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the report: .csv, .json or .nc.")
    ] = None,
    report_only: Annotated[
        bool, typer.Option("--report", help="Report what has been measured; measure nothing.")
    ] = False,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a sequence on the simulated microscope over parameters and seeds: are its fits and errors true?

    Given again, it goes on where it was, also after it was killed. Ctrl-C keeps what is done; exit status 130.
    """
    from stmlab.display.studies import report_as_text, write_report
    from stmlab.models.files import check_output
    from stmlab.studies import read_study

    if out is not None:
        check_output(out)
    found = read_study(file)
    where = results or file.with_suffix(".results.jsonl")
    report, lost, stopped = _made(found, where, workers, scheduler, report_only=report_only)
    if out is not None:
        write_report(report, out)
        wrote(out)
    if as_json:
        print_json({**report.as_dict(), "lost": lost, "results": str(where)})
    else:
        print("\n".join([report_as_text(report), *lost]))
    if lost:
        print(f"stmlab: {len(lost)} runs were lost with their workers; the same command makes them", file=sys.stderr)
    if stopped or lost:
        raise typer.Exit(STOPPED if stopped else 1)


def _made(
    study: Study, where: Path, workers: int | None, scheduler: str | None, *, report_only: bool
) -> tuple[Report, tuple[str, ...], bool]:
    """The report, why runs were lost, and whether it was stopped."""
    from rich.console import Console

    from stmlab.cluster import done_by
    from stmlab.studies import Report, Results, carry_out, check

    console = Console(stderr=True)
    if report_only:
        with Results(where, study, only_reading=True) as results:
            return Report.of(study, results.records), (), False
    check(study)
    with (
        Results(where, study) as results,
        crew(workers, scheduler, console, "runs") as (executor, shown),
        _seen(executor, console, shown=shown) as seen,
        done_by(seen),
        interrupts(console, _STOPPING) as interrupt,
    ):
        lost = carry_out(study, results, lambda: interrupt.stopped)
        return Report.of(study, results.records), lost, interrupt.stopped


@contextmanager
def _seen(executor: Executor, console: Console, *, shown: bool) -> Iterator[Executor]:
    if shown:
        yield executor
    else:
        with on_terminal(executor, console, "runs") as seen:
            yield seen
