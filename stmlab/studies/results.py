"""The results of a study: a file to which one line is added as each run ends; nothing that stands there is changed.

Its first line says of what study it is, and what ran. A run is in the file once its line is whole and on the disk; a
line that was cut short by the death of the process is taken away when the study goes on, and its run is made again.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from stmlab.errors import FileError
from stmlab.provenance import git_revision, versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

    from stmlab.studies.form import Key, Study

if sys.platform != "win32":
    import fcntl

_FORM = 1
_BINARY = getattr(os, "O_BINARY", 0)  # Windows


@dataclass(frozen=True)
class Record:
    """One run.

    Attributes:
        cell: what its cell varies, as JSON.
        seed: of the simulation.
        true, value, error: of the parameter in question, in the fit's unit; nan where there is no fit.
        unit: of the fit's parameter.
        time_s: simulated duration of the run, s.
        points: that were read.
        warnings: of the fit.
        refused: why there is no fit; "" if there is one.
        scale: conductance at the end over that for which the sample states its truth; 1 where that does not matter.
    """

    cell: str
    seed: int
    true: float
    value: float
    error: float
    unit: str
    time_s: float
    points: int
    warnings: tuple[str, ...] = ()
    refused: str = ""
    scale: float = 1.0

    @property
    def key(self) -> Key:
        """Of which there is one record."""
        return self.cell, self.seed


class Results:
    """The file of a study's results, open for this process alone; a context manager.

    Args:
        path: of the file; it is made where there is none.
        study: whose results they are.
        only_reading: while another process may be at it; nothing is made, taken away or added.

    Raises:
        FileError: the file is of another study or of other versions, is damaged, or another process is at it (which
            Windows does not tell).
    """

    def __init__(self, path: Path, study: Study, *, only_reading: bool = False) -> None:
        self.path, self._only_reading = path, only_reading
        self.records: dict[Key, Record] = {}
        head = {"form": _FORM, "study": study.identity, "versions": versions(), "commit": git_revision()}
        try:
            how = os.O_RDONLY if only_reading else os.O_RDWR | os.O_CREAT | os.O_APPEND
            self._file = os.open(path, how | _BINARY, 0o666)
        except OSError as error:
            raise FileError(f"{path}: {error.strerror}") from error
        try:
            if not only_reading and sys.platform != "win32":
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._read(json.loads(json.dumps(head)))
        except BlockingIOError:
            self.close()
            raise FileError(f"{path}: another process works on this study") from None
        except BaseException:
            self.close()
            raise

    def append(self, record: Record) -> None:
        """Add a run; when this returns it is on the disk.

        Raises:
            FileError: it is there already, or the disk does not take it.
        """
        if record.key in self.records:
            raise FileError(f"{self.path}: the run with seed {record.seed} of {record.cell} is there already")
        self._write(asdict(record))
        self.records[record.key] = record

    def close(self) -> None:
        """Let another process go on with the study."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, head: Mapping[str, Any]) -> None:
        with open(self._file, "rb", closefd=False) as file:
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        if len(whole) < len(text) and not self._only_reading:
            os.ftruncate(self._file, len(whole))
        if not whole and self._only_reading:
            return
        if not whole:
            self._write(head)
            return
        first, *lines = whole.splitlines()
        self._check(self._parsed(1, first), head)
        for number, line in enumerate(lines, start=2):
            told = self._parsed(number, line)
            try:
                record = Record(**{**told, "warnings": tuple(told["warnings"])})
            except (TypeError, KeyError) as error:
                raise FileError(f"{self.path}: line {number} is no result of a study: {error}") from error
            if record.key in self.records:
                raise FileError(f"{self.path}: line {number}: this run is there twice")
            self.records[record.key] = record

    def _parsed(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            told = json.loads(line)
        except ValueError as error:
            raise FileError(f"{self.path}: line {number} is damaged: {error}") from error
        if not isinstance(told, dict):
            raise FileError(f"{self.path}: line {number} is no result of a study")
        return told

    def _check(self, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
        for what in ("form", "versions", "commit"):
            if there.get(what) != here[what]:
                raise FileError(
                    f"{self.path}: begun with {what} {there.get(what)}, this is {here[what]}: results of two versions "
                    "are not mixed (--results names another file)"
                )
        begun = there.get("study", {})
        if changed := [key for key, value in here["study"].items() if begun.get(key) != value]:
            raise FileError(
                f"{self.path}: begun with other values of {changed[0]}: only seeds, target and the varied values may "
                "change (--results names another file)"
            )

    def _write(self, told: Mapping[str, Any]) -> None:
        line = json.dumps(told).encode() + b"\n"
        try:
            written = os.write(self._file, line)
            os.fsync(self._file)
        except OSError as error:
            raise FileError(f"{self.path}: {error.strerror}") from error
        if written < len(line):
            raise FileError(f"{self.path}: the disk has taken {written} of {len(line)} bytes of a result")
