"""The audit log: every change of an output and every refusal, one JSON line each, one file per station.

A line is written in one piece to the end of the file, so that a run, its guardian and the command line may write at the
same time. A log that cannot be written never stops a run: it is said once, and the run's file says it too.
"""

from __future__ import annotations

import getpass
import json
import logging
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)


def audit_path(station: str) -> Path:
    """Where the log of the station called ``station`` is."""
    from platformdirs import user_state_path

    name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in station)
    return user_state_path("stmlab") / "audit" / f"{name}.jsonl"


class Audit:
    """The log of one station.

    Args:
        path: of the file; None keeps nothing (a simulated microscope inside the run's own process).

    Attributes:
        run: identity of the run that is on, "" between runs; the runner sets it.
        problem: why the log could not be written, "" as long as it could.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path, self.run, self.problem = path, "", ""
        self._file: int | None = None
        self._torn = False
        self._who = {"pid": os.getpid(), "user": _user()} if path is not None else {}

    def change(self, instrument: str, name: str, value: Any, unit: str = "", before: Any = None) -> None:
        """An output was changed, and the instrument has confirmed it."""
        known = {} if before is None else {"before": before}
        self._write("change", instrument=instrument, name=name, value=value, unit=unit, **known)

    def refusal(self, instrument: str, name: str, value: Any, why: BaseException | str) -> None:
        """A change was refused; nothing was sent."""
        self._write("refusal", instrument=instrument, name=name, value=value, why=str(why))

    def failure(self, instrument: str, name: str, value: Any, why: BaseException | str) -> None:
        """A change was sent and not confirmed: what the output is now is not known."""
        self._write("failure", instrument=instrument, name=name, value=value, why=_said(why))

    def note(self, what: str, **details: Any) -> None:
        """Anything else that belongs into the log: a person who frees the tip, the guardian, the safe state."""
        self._write(what, **details)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, what: str, **details: Any) -> None:
        if self.path is None:
            return
        run = {"run": self.run} if self.run else {}
        entry = {"time": datetime.now(UTC).isoformat(), "what": what, **details, **run, **self._who}
        line = json.dumps(entry, default=str).encode() + b"\n"
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            line = b"\n" + line if self._torn else line
            self._torn = os.write(self._file, line) != len(line)
            problem = "it was written in part: the disk is full" if self._torn else ""
        except OSError as error:
            problem = str(error)
        if problem and not self.problem:
            self.problem = f"{self.path}: {problem}"
            log.warning("the audit log is incomplete: %s", self.problem)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user in the system's list
        return str(os.getuid()) if hasattr(os, "getuid") else ""


def _said(why: BaseException | str) -> str:
    return why if isinstance(why, str) else f"{type(why).__name__}: {why}"
