"""Workers on a terminal: the options that ask for them, and a bar with tasks, workers and the time left."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from stmlab.cluster import InProcess, workers
from stmlab.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console
    from rich.progress import Progress

    from stmlab.cluster import Done, Executor
    from stmlab.cluster.tasks import Result, Task

WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Processes of this machine that share the work [default: this one alone]."),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="A Dask cluster that shares the work: tcp://host:8786."),
]


@contextmanager
def crew(count: int | None, scheduler: str | None, console: Console, what: str) -> Iterator[tuple[Executor, bool]]:
    """Who does the tasks, and whether they are others than this process: then a bar shows how far they have come.

    Args:
        count: of workers, as the option.
        scheduler: as the option.
        console: where the bar is drawn.
        what: the tasks are, in one word.

    Raises:
        ClusterError: both options are given, or there are no workers to be had.
    """
    if count is not None and scheduler is not None:
        raise ClusterError(f"--workers {count} and --scheduler {scheduler}: one of them is allowed")
    with workers(count or 1, scheduler or "") as found:
        if isinstance(found, InProcess):
            yield found, False
        else:
            with on_terminal(found, console, what) as shown:
                yield shown, True


@contextmanager
def on_terminal(executor: Executor, console: Console, what: str) -> Iterator[Executor]:
    """The same executor, with a bar on ``console`` while the context lasts."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[crew]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=console) as progress:
        yield _Shown(executor, progress, what)


@dataclass(frozen=True)
class _Shown:
    executor: Executor
    progress: Progress
    what: str

    @property
    def workers(self) -> int:
        """See `Executor`."""
        return self.executor.workers

    def completed(
        self, function: Callable[[Task], Result], tasks: Iterable[Task], count: int, stop: Callable[[], bool]
    ) -> Iterator[Done[Result]]:
        """See `Executor`."""
        bar = self.progress.add_task(self.what, total=count, crew=self._crew())

        def counted() -> Iterator[Task]:
            given = 0
            for task in tasks:
                given += 1
                yield task
            self.progress.update(bar, total=given)

        for done in self.executor.completed(function, counted(), count, stop):
            self.progress.update(bar, advance=1, crew=self._crew())
            yield done

    def _crew(self) -> str:
        count = self.workers
        return f"{count} worker{'s' * (count != 1)}"
