"""The command that performs a queue of runs: ``stmlab queue FILE.toml``."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stmlab.cli.common import NOT_SAFE, ForceOption, JsonOption, app, print_json, refusing
from stmlab.errors import SequenceError, StmlabError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from stmlab.acquisition.queue.entries import Queue
    from stmlab.acquisition.queue.performing import Performer
    from stmlab.acquisition.runner import Estimate, Runner
    from stmlab.events import RunState


@app.command()
@refusing
def queue(
    file: Annotated[Path, typer.Argument(help="The queue (TOML): [[entry]] with sequence, sample, settings, ...")],
    check_only: Annotated[
        bool, typer.Option("--check", help="Check every run that is left; move nothing, measure nothing.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="How far it is; performed or not.")] = False,
    ask: Annotated[
        str | None,
        typer.Option("--ask", metavar="WHAT", help="Of who performs it: pause, resume, stop, abort, hold."),
    ] = None,
    only: Annotated[str | None, typer.Option("--only", metavar="ID", help="Perform this entry alone.")] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Perform a queue of runs, one after the other, without a window; a window may look on.

    The program keeps in the file what became of each entry. What an entry fails on is said; `after_failure` in the
    entry says whether the queue then stops, skips it or retries. A tip that tripped or was withdrawn, or a station that
    is not safe, always stops it. Ctrl-C stops after the point, a second one aborts. Exit status 0 only if every entry
    was done.
    """
    if sum(map(bool, (check_only, status, ask))) > 1:
        raise SequenceError("--check, --status and --ask: one of them is allowed")
    if status:
        _tell_status(file, as_json=as_json)
    elif ask is not None:
        _ask(file, ask)
    elif check_only:
        _check(file, as_json=as_json)
    else:
        _perform(file, only, force=force, as_json=as_json)


def _perform(file: Path, only: str | None, *, force: bool, as_json: bool) -> None:
    from rich.console import Console

    from stmlab.acquisition.queue.process import performer_of
    from stmlab.cli.progress import interruptible

    console = Console(stderr=True)

    @contextmanager
    def watching(runner: Runner, estimate: Estimate) -> Iterator[None]:
        with _bar(console, runner, estimate):
            yield

    with performer_of(file, only=only, force=force, watching=watching) as performer:
        for note in performer.notes:
            print(f"stmlab: {note}", file=sys.stderr)
        endable = _Endable(performer)
        with interruptible(endable, console):
            done = performer.perform()
    _say(performer.queue, as_json=as_json)
    if done:
        return
    if performer.reason:
        print(f"stmlab: {performer.reason}", file=sys.stderr)
    raise typer.Exit(NOT_SAFE if performer.left_unsafe else 130 if endable.aborted else 1)


@contextmanager
def _bar(console: Console, runner: Runner, estimate: Estimate) -> Iterator[None]:
    from stmlab.cli.progress import progress_bar

    with progress_bar(console, estimate.points, runner) as bar:
        runner.listen(bar)
        yield


class _Endable:
    """What Ctrl-C ends: the run that is under way, and with it the queue."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer
        self.aborted = False

    @property
    def state(self) -> RunState | None:
        """Of the run."""
        return self._performer.run_state

    def stop(self) -> None:
        """After the point."""
        self._performer.stop()

    def abort(self, why: str = "aborted by the user", *, attended: bool = True) -> None:
        """At once."""
        self.aborted = attended
        self._performer.abort(why, attended=attended)


def _check(file: Path, *, as_json: bool) -> None:
    """Preflight of every run that is left; each entry on its own."""
    from stmlab import display
    from stmlab.acquisition.queue.entry_run import entry_run
    from stmlab.acquisition.queue.file import read_queue

    found, refused = read_queue(file), False
    said: list[dict[str, Any]] = []
    for entry, number in found.runs():
        told: dict[str, Any] = {"id": entry.id, "sequence": entry.sequence, "run": number + 1, "runs": entry.runs}
        try:
            with entry_run(entry, number, found, file.parent) as (_, estimate):
                told |= display.estimate_as_dict(estimate)
                text = display.estimate_as_text(estimate)
        except StmlabError as error:
            refused = True
            told |= {"refused": str(error)}
            text = f"REFUSED: {error}"
        said.append(told)
        if not as_json:
            run = f", run {number + 1} of {entry.runs}" if entry.runs > 1 else ""
            print(f"{entry.sequence} ({entry.id}{run}): {text}")
    if as_json:
        print_json({"entries": said})
    if refused:
        raise typer.Exit(1)


def _tell_status(file: Path, *, as_json: bool) -> None:
    from stmlab.acquisition.queue.client import QueueClient
    from stmlab.acquisition.queue.file import read_queue
    from stmlab.acquisition.queue.places import performing_of
    from stmlab.display.queues import progress_as_text

    if performing_of(file) is None:
        _say(read_queue(file), as_json=as_json)
        return
    with QueueClient(file) as client:
        status = client.ask("status")
    if as_json:
        print_json(status)
        return
    _say(read_queue(file), as_json=False)
    progress = status["progress"]
    where = "between two runs" if progress is None else progress_as_text(progress)
    print(f"performed by process {status['pid']}: {status['state']['queue']}, {where}")


def _ask(file: Path, what: str) -> None:
    from stmlab.acquisition.queue.client import QueueClient

    if what not in ("pause", "resume", "stop", "abort", "hold"):
        raise SequenceError(f"--ask {what}: pause, resume, stop, abort or hold is allowed")
    with QueueClient(file) as client:
        client.ask(what)


def _say(found: Queue, *, as_json: bool) -> None:
    from stmlab.display.queues import queue_as_dict, queue_as_text

    if as_json:
        print_json(queue_as_dict(found))
    else:
        print(queue_as_text(found))
