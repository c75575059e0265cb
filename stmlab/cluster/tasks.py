"""What an executor is, and the one that needs no workers."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Lost:
    """In place of a result: every worker that was given the task died."""

    reason: str


@dataclass(frozen=True)
class Done(Generic[Result]):
    """A task that has ended.

    Attributes:
        number: of the task, in the order in which they were given.
        result: what the function returned.
        cpu_s: processor time that it took in another process, s; 0 in this one.
    """

    number: int
    result: Result | Lost
    cpu_s: float = 0.0


class Executor(Protocol):
    """Who does tasks."""

    @property
    def workers(self) -> int:
        """How many there are now."""

    def completed(
        self, function: Callable[[Task], Result], tasks: Iterable[Task], count: int, stop: Callable[[], bool]
    ) -> Iterator[Done[Result]]:
        """Each task as it ends, once, in any order.

        Args:
            function: of one task; it and its results travel to other processes.
            tasks: taken as there are workers for them.
            count: how many they are, for those who show how far they have come; of files, where one that cannot be
                read is found only when its turn comes, how many at most.
            stop: asked over and over; once it says True no task begins, and those under way are given up.

        Raises:
            Exception: what ``function`` raised; the tasks under way are given up.
        """


@dataclass(frozen=True)
class InProcess:
    """This process, one task after the other; it looks whether to stop between two of them."""

    workers: int = 1

    def completed(
        self, function: Callable[[Task], Result], tasks: Iterable[Task], count: int, stop: Callable[[], bool]
    ) -> Iterator[Done[Result]]:
        """See `Executor`."""
        for number, task in enumerate(tasks):
            if number and stop():
                return
            yield Done(number, function(task))


_HERE = InProcess()
_EXECUTOR: ContextVar[Executor] = ContextVar("executor", default=_HERE)


@contextmanager
def done_by(crew: Executor) -> Iterator[None]:
    """Tasks of this thread are done by ``crew`` while the context lasts."""
    token = _EXECUTOR.set(crew)
    try:
        yield
    finally:
        _EXECUTOR.reset(token)


def executor() -> Executor:
    """Who does the tasks of this thread; this process, if nobody said otherwise."""
    return _EXECUTOR.get()
