"""Notices: what went wrong or is worth knowing, and what to do about it. Whatever fails in the window ends as one."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from stmlab.errors import StmlabError

if TYPE_CHECKING:
    from types import TracebackType

log = logging.getLogger(__name__)


class Level(IntEnum):
    """How much a notice matters; as in `logging`."""

    INFO = logging.INFO
    WARNING = logging.WARNING
    ERROR = logging.ERROR


@dataclass(frozen=True)
class Notice:
    """One notice.

    Attributes:
        level: how much it matters.
        text: what has happened, one line.
        advice: what to do about it, "" if nothing is to be done.
        details: a traceback, say.
    """

    level: Level
    text: str
    advice: str = ""
    details: str = ""

    def __str__(self) -> str:
        return f"{self.text}: {self.advice}" if self.advice else self.text


class Notices(QObject):
    """Passes notices on, to whoever shows them, and to the log.

    Signals:
        said: a Notice.
    """

    said = pyqtSignal(object)

    def say(self, level: Level, text: str, advice: str = "", details: str = "") -> Notice:
        """A notice with its advice; may be called from any thread."""
        notice = Notice(level, text, advice, details)
        log.log(level, "%s%s", notice, f"\n{details}" if details else "")
        self.said.emit(notice)
        return notice

    def info(self, text: str) -> Notice:
        """Worth knowing; goes away by itself."""
        return self.say(Level.INFO, text)

    def warning(self, text: str, advice: str = "") -> Notice:
        """Something is not as it should be."""
        return self.say(Level.WARNING, text, advice)

    def error(self, text: str, advice: str = "") -> Notice:
        """Something was refused or has failed."""
        return self.say(Level.ERROR, text, advice)

    def failure(self, error: BaseException, advice: str = "") -> Notice:
        """An exception: stmlab's own says what to do; of any other the log keeps the traceback."""
        if isinstance(error, StmlabError | OSError):
            return self.say(Level.ERROR, str(error), advice)
        text = f"{type(error).__name__}: {error}"
        details = "".join(traceback.format_exception(error))
        return self.say(Level.ERROR, text, advice or "this is a fault of stmlab; the log has the details", details)

    def hook(self, _: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        """For ``sys.excepthook``: PyQt would end the process after an exception in a slot."""
        self.failure(error)
