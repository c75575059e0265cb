"""The process of a queue: its file is owned, its clients are served, its log is told, its entries are performed."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stmlab.acquisition.queue.control import Control
from stmlab.acquisition.queue.file import owned
from stmlab.acquisition.queue.performing import Performer
from stmlab.acquisition.queue.places import Performing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def performer_of(path: Path, **how: Any) -> Iterator[Performer]:
    """A performer of the queue in ``path``, with clients served and the log told while the context lasts.

    Args:
        path: of the queue's file.
        how: as `Performer`.

    Raises:
        QueueBusy: another process performs it.
        FileError: it cannot be read.
    """
    with owned(path) as file:
        place = Performing.this_process(file.path)
        control = Control(place)
        with _logged(control.tell):
            performer = control.performer = Performer(file, control.tell, **how)
            with control:
                yield performer


@contextmanager
def _logged(tell: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """While the context lasts, clients are told what is logged."""
    handler, stmlab = _Teller(tell), logging.getLogger("stmlab")
    stmlab.addHandler(handler)
    try:
        yield
    finally:
        stmlab.removeHandler(handler)


class _Teller(logging.Handler):
    """A line of the log as a message."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        try:
            date = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
            text = self.format(record)
            self._tell({"event": "log", "level": record.levelname, "name": record.name, "date": date, "text": text})
        except Exception:
            self.handleError(record)
