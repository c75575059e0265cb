"""Work outside the event loop: fits, curves, thumbnails, exports, large files, in processes that are kept warm.

    task = workers.submit(function, *args)
    task.done.connect(...)

A task ends with exactly one of its signals ``done``, ``failed``, ``stopped``. The first process takes long tasks
and gives way to a run; the others take short ones: so a fit of a minute keeps no curve waiting.
"""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import os
import pickle
import threading
import time
from collections import deque
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, pyqtSignal

from stmlab.gui.work_process import MODULES, Answer, Work, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext, SpawnContext
    from multiprocessing.process import BaseProcess

_LOG = logging.getLogger(__name__)
_LOOK = 0.1  # s between looks at whether a task under way is to stop
_GRACE = 5.0  # s for a task that reports progress to stop by itself
_UNPICKLED = (pickle.PicklingError, TypeError, AttributeError, ValueError)


class Task(QObject):
    """One piece of work.

    Signals:
        progress: what the function reported; not more often than the eye can follow.
        done: what the function returned.
        failed: why there is no result: a sentence.
        stopped: `stop` was heard before there was one.
    """

    progress = pyqtSignal(object)
    done = pyqtSignal(object)
    failed = pyqtSignal(str)
    stopped = pyqtSignal()

    def __init__(self, work: Work, change: threading.Condition, *, long: bool) -> None:
        super().__init__()
        self.work, self.long = work, long
        self.stopping = False
        self._change = change

    def stop(self) -> None:
        """Stop as soon as possible; a function that reports no progress is stopped with its process."""
        with self._change:
            self.stopping = True
            self._change.notify_all()


class Workers(QObject):
    """Processes that work for the window.

    Args:
        count: number of processes.
        modules: what each of them imports before its first task.
        parent: Qt's.
    """

    answered = pyqtSignal(object, object)
    """A task and its `Answer`: by way of the event loop, so that whoever submits can connect before anything comes."""

    def __init__(self, count: int = 2, modules: Sequence[str] = MODULES, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.answered.connect(self._deliver)  # it is emitted by the threads, and queued
        self._numbers = itertools.count()
        self._waiting: deque[Task] = deque()
        self._change = threading.Condition()
        self._closed = False
        self._workers = [_Worker(self, tuple(modules), k == 0, count == 1 or k > 0) for k in range(count)]

    def submit(self, function: Callable[..., object], *args: Any, long: bool = False, reports: bool = False) -> Task:
        """Have ``function(*args)`` called in a process.

        Args:
            function: of a module, importable there.
            args: sent there.
            long: it may take seconds.
            reports: the function takes ``progress=``, a `Progress`, calls it with what the task's signal shall carry,
                and lets the `Stopped` that it may raise pass; or it looks at ``progress.stopping``.
        """
        task = Task(Work(next(self._numbers), function, args, reports), self._change, long=long)
        with self._change:
            self._waiting.append(task)
            self._change.notify_all()
        return task

    def close(self) -> None:
        """End all processes, and what they are doing; may be called again."""
        with self._change:
            self._closed = True
            self._waiting.clear()
            self._change.notify_all()
        for worker in self._workers:
            worker.join()

    @property
    def closed(self) -> bool:
        """Whether nothing is worked at any more."""
        return self._closed

    def take(self, *, long: bool, short: bool) -> Task | None:
        """For a worker's thread: the next task, waited for; None: it is to end."""
        with self._change:
            while not self._closed:
                for task in self._waiting:
                    if (long if task.long else short) or task.stopping:
                        self._waiting.remove(task)
                        return task
                self._change.wait()
        return None

    def _deliver(self, task: Task, answer: Answer) -> None:
        if self._closed:
            return
        if answer.trace:
            _LOG.error("%s", answer.trace)
        if answer.word == "stopped":
            task.stopped.emit()
        else:
            {"progress": task.progress, "done": task.done, "failed": task.failed}[answer.word].emit(answer.content)


class _Worker:
    """A process, and the thread that waits for it so that the event loop need not."""

    def __init__(self, workers: Workers, modules: tuple[str, ...], long: bool, short: bool) -> None:
        self._workers, self._modules, self._long, self._short = workers, modules, long, short
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="work", daemon=True)
        self._thread.start()

    def warm(self) -> None:
        """Start the process, if there is none."""
        with self._lock:
            if self._process is not None and self._process.is_alive():
                return
            context = _context(self._modules)
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(
                target=serve,
                args=(theirs, self._modules, self._long, dict(os.environ)),
                name="stmlab work",
                daemon=True,
            )
            self._process.start()
            theirs.close()

    def join(self) -> None:
        """Wait for the thread to end."""
        self._thread.join()

    def _run(self) -> None:
        while (task := self._workers.take(long=self._long, short=self._short)) is not None:
            answer = Answer("stopped") if task.stopping else self._performed(task)
            self._workers.answered.emit(task, answer)
        self._end()

    def _performed(self, task: Task) -> Answer:
        try:
            self.warm()
        except (OSError, RuntimeError) as error:  # no memory, too many files; a main module that cannot be imported
            return Answer("failed", f"no work process can be started ({error})")
        assert self._pipe is not None
        try:
            self._pipe.send(task.work)
        except _UNPICKLED as error:
            return Answer("failed", f"the task cannot be sent to its process ({error})")
        except OSError:
            pass  # the process has died: noticed below
        return self._answer(task, self._pipe)

    def _answer(self, task: Task, pipe: Connection) -> Answer:
        """Wait for the end of a task; its progress is passed on."""
        told_at: float | None = None
        while not self._workers.closed:
            if wait([pipe], _LOOK):
                try:
                    answer: Answer = pipe.recv()
                except (EOFError, OSError):
                    return self._died()
                if answer.word != "progress":
                    return answer
                self._workers.answered.emit(task, answer)
            if task.stopping and told_at is None and task.work.reports:
                told_at = time.monotonic()
                pipe.send(task.work.number)
            elif task.stopping and (told_at is None or time.monotonic() - told_at > _GRACE):
                self._end()
                self.warm()
                return Answer("stopped")
        return Answer("stopped")

    def _died(self) -> Answer:
        assert self._process is not None
        self._process.join()
        code = self._process.exitcode or 0
        how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        self._end()
        self.warm()
        return Answer("failed", f"the process that worked at this {how}; another one was started: try again")

    def _end(self) -> None:
        with self._lock:
            if self._process is not None and self._pipe is not None:
                self._process.kill()
                self._process.join()
                self._process.close()
                self._pipe.close()
            self._process = self._pipe = None


def _context(modules: tuple[str, ...]) -> ForkServerContext | SpawnContext:
    """How processes are started: by a server that has imported the modules once, where the system can fork.

    What forks is never the window with its threads; and a process that was stopped with its task is replaced at once.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(modules))  # of no effect once the server runs
    return context


class Newest:
    """Asks for one result after the other, and lets go of all requests but the newest: for what follows a slider.

    Args:
        workers: who computes.
        function: called with what `ask` is given.
        done: called with each result.
        failed: called with the sentence where there is none.
    """

    def __init__(
        self,
        workers: Workers,
        function: Callable[..., object],
        done: Callable[[object], None],
        failed: Callable[[str], None],
    ) -> None:
        self._workers, self._function, self._done, self._failed = workers, function, done, failed
        self._next: tuple[Any, ...] | None = None
        self._task: Task | None = None

    @property
    def busy(self) -> bool:
        """Whether a result is still to come."""
        return self._task is not None

    def ask(self, *args: Any) -> None:
        """Have it computed; what was asked before and has not begun is not."""
        if self._task is not None:
            self._next = args
            return
        self._task = self._workers.submit(self._function, *args)
        self._task.done.connect(self._on_done)
        self._task.failed.connect(self._on_failed)

    def _on_done(self, result: object) -> None:
        self._go_on()
        self._done(result)

    def _on_failed(self, reason: str) -> None:
        self._go_on()
        self._failed(reason)

    def _go_on(self) -> None:
        self._task, args = None, self._next
        self._next = None
        if args is not None:
            self.ask(*args)
