"""The events of a run on their way: to the file first, then, once the file has them for good, to the viewers."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from stmlab.errors import SequenceError
from stmlab.events import PointTaken

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.events import Event, RunStarted
    from stmlab.storage import Writer

log = logging.getLogger(__name__)


class Stream:
    """Hands on the events of one run, in their order: ``stream(event)``.

    Args:
        writer: the file; None keeps nothing, and viewers hear at once. Its failure is raised, and it is not asked again
            (unless it refuses a point only).
        listeners: viewers. They hear of a point once a killed process can no longer lose it. What they raise is logged
            and never touches the run.
    """

    def __init__(self, writer: Writer | None, *listeners: Callable[[Event], None]) -> None:
        self._writer = writer
        self._listeners = listeners
        self._waiting: deque[Event] = deque()
        self._shown = 0

    def listen(self, *listeners: Callable[[Event], None]) -> None:
        """Add viewers of the events to come."""
        self._listeners += listeners

    def __call__(self, event: Event) -> None:
        """Write ``event``; show what is in the file.

        Raises:
            FileError, SequenceError: from the writer; what it has acknowledged is safe.
        """
        writer = self._writer
        if writer is None:
            self._show(event)
            return
        self._waiting.append(event)
        try:
            if writer(event):
                self._release(writer)
        except BaseException as error:
            self._give_up(writer, error)
            raise

    def tell(self, event: Event) -> None:
        """Show what no file keeps."""
        self._show(event)

    def go_on(self, writer: Writer, started: RunStarted) -> None:
        """Into the file of a run that is resumed; viewers hear of its start."""
        self._writer, self._shown = writer, writer.committed
        self._show(started)

    def flush(self) -> None:
        """Acknowledge every point so far, and show it; to be called before every wait.

        Raises:
            FileError, SequenceError: as the call.
        """
        writer = self._writer
        if writer is None:
            return
        try:
            writer.flush()
        except BaseException as error:
            self._give_up(writer, error)
            raise
        self._release(writer)

    def _give_up(self, writer: Writer, error: BaseException) -> None:
        """Show what is in the file; of what is not, nobody hears."""
        if not isinstance(error, SequenceError):
            self._writer = None
        while self._waiting and type(self._waiting[-1]) is not PointTaken:
            self._waiting.pop()
        self._release(writer)
        self._waiting.clear()

    def _release(self, writer: Writer) -> None:
        """Show the events up to the first point that the file does not have yet."""
        waiting, committed = self._waiting, writer.committed
        while waiting:
            if type(waiting[0]) is PointTaken:
                if self._shown == committed:
                    return
                self._shown += 1
            event = waiting.popleft()
            if self._listeners:
                self._show(event)

    def _show(self, event: Event) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:  # a viewer's failure never touches the run
                log.exception("a listener failed on %s and is not called again", type(event).__name__)
                self._listeners = tuple(other for other in self._listeners if other is not listener)
