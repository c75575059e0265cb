"""The parts of a fit of many curves, shared out among the tasks' `executor`; cut the same for any number of workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from stmlab.analysis.iterations import NOT_REACHED, iterations
from stmlab.cluster import Lost, executor
from stmlab.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Task = TypeVar("Task")
Part = TypeVar("Part")


def parts_done(sizes: Sequence[int], fit: Callable[[Task], Part], tasks: Iterable[Task]) -> list[Part | Lost]:
    """The result of every part in its order, `Lost` where there is none.

    Args:
        sizes: how many curves each part holds.
        fit: of one part; it and its results may travel to another process.
        tasks: what is fitted of each part, one for each size.

    Raises:
        FitEnded: the fit was ended before a part was done.
        FitError: the workers died, and no part was done.
    """
    steps, done = iterations(), dict[int, Part | Lost]()
    for end in executor().completed(fit, tasks, len(sizes), lambda: steps.over):
        done[end.number] = end.result
        steps.fitted(sizes[end.number], end.cpu_s)
    if all(isinstance(part, Lost) for part in done.values()):
        steps.refuse_if_over()
        raise FitError("; ".join({part.reason for part in done.values() if isinstance(part, Lost)}))
    return [done.get(number, Lost(NOT_REACHED)) for number in range(len(sizes))]
