"""What a work process does: one task after the other, as they come through its pipe. It imports no Qt."""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from dataclasses import dataclass
from importlib import import_module
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from stmlab.errors import StmlabError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from multiprocessing.connection import Connection

MODULES = (
    "matplotlib.backends.backend_agg",
    "scipy.optimize",
    "stmlab.acquisition.planning",
    "stmlab.analysis.models",
    "stmlab.display.figures.fitted_files",
    "stmlab.display.thumbnails",
)
"""What takes long to import, of what panels have done in a process."""
_NICE = 10  # a run that is under way comes first
_BETWEEN = 0.05  # s; progress that comes faster is not sent


class Stopped(Exception):
    """Raised by a `Progress` that is called in a task that is to stop; the task lets it pass."""


@dataclass(frozen=True)
class Work:
    """What is to be done: ``function(*args)``; with ``progress=`` a `Progress`, if ``reports``."""

    number: int
    function: Callable[..., object]
    args: tuple[Any, ...]
    reports: bool = False


@dataclass(frozen=True)
class Answer:
    """What comes back: ``word`` is "progress", "done", "failed" or "stopped"; of a failure also where it was."""

    word: str
    content: object = None
    trace: str = ""


def serve(pipe: Connection, modules: Sequence[str], long: bool, environment: Mapping[str, str]) -> None:
    """Perform the `Work` that comes, send an `Answer` for each; a number that comes is that of work to be stopped.

    Ends with the process at the other end of the pipe, in the middle of work too.

    Args:
        pipe: from and to the window.
        modules: to be imported first.
        long: its work may take long, and gives way to whatever else is running.
        environment: the window's as it is now; a process that is forked has that of its server's start.
    """
    os.environ.clear()
    os.environ.update(environment)
    if long and hasattr(os, "nice"):
        os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the window, which ends this process
    waiting: SimpleQueue[Work] = SimpleQueue()
    stopped: set[int] = set()
    threading.Thread(target=_listen, args=(pipe, waiting, stopped), daemon=True).start()
    for name in modules:
        import_module(name)
    while True:
        work = waiting.get()
        answer = _performed(work, pipe, stopped)
        try:
            pipe.send(answer)
        except (TypeError, AttributeError, ValueError, ImportError) as error:  # pickle's ways to refuse
            pipe.send(Answer("failed", f"the result cannot be sent back ({error})", traceback.format_exc()))


def _listen(pipe: Connection, waiting: SimpleQueue[Work], stopped: set[int]) -> None:
    while True:
        try:
            came = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        if isinstance(came, Work):
            waiting.put(came)
        else:
            stopped.add(came)


class Progress:
    """What a task tells while it goes on; called with what the signal shall carry.

    Attributes:
        stopping: whether the task is to stop: it may return what it has, or let `Stopped` pass.
    """

    def __init__(self, work: Work, pipe: Connection, stopped: set[int]) -> None:
        self._work, self._pipe, self._stopped = work, pipe, stopped
        self._last = 0.0

    @property
    def stopping(self) -> bool:
        """See the class."""
        return self._work.number in self._stopped

    def tell(self, content: object) -> None:
        """Tell how far it is; what comes too fast is left out."""
        now = time.monotonic()
        if now - self._last >= _BETWEEN:
            self._last = now
            self._pipe.send(Answer("progress", content))

    def __call__(self, content: object) -> None:
        """As `tell`; raises Stopped if the task is to stop."""
        if self.stopping:
            raise Stopped
        self.tell(content)


def _performed(work: Work, pipe: Connection, stopped: set[int]) -> Answer:
    try:
        told = {"progress": Progress(work, pipe, stopped)} if work.reports else {}
        return Answer("done", work.function(*work.args, **told))
    except Stopped:
        return Answer("stopped")
    except StmlabError as error:
        return Answer("failed", str(error))
    except Exception as error:
        return Answer("failed", f"{type(error).__name__}: {error}", traceback.format_exc())
