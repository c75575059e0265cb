"""What was seen of files, kept in SQLite so that an unchanged file need not be opened again.

A row holds for the file whose stamp it has: device, inode, size, and the times of its last change. It is a cache and
nothing more: an index that is broken is made anew, and one that cannot be kept lives in memory.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_VERSION = 1
_TABLE = "CREATE TABLE files (path BLOB PRIMARY KEY, stamp TEXT NOT NULL, run TEXT, recording TEXT) WITHOUT ROWID"
_BY_STAMP = "CREATE INDEX by_stamp ON files (stamp)"
_WAIT = 5.0  # s for another program that uses the index
_SYSTEM = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
)
"""Errors of the system or of the moment, for which a new index would be no better."""


def cache_folder() -> Path:
    """Where indexes and thumbnails are kept; made by whoever writes there."""
    from platformdirs import user_cache_path

    return user_cache_path("stmlab") / "catalogue"


class Row(NamedTuple):
    """What was seen of one file: summaries as text; None: nobody looked."""

    stamp: str
    run: str | None
    recording: str | None


class Index:
    """Rows by path.

    Args:
        path: of the index; None: in memory.

    Attributes:
        trouble: why the index cannot be kept, "" if it can.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.trouble = ""
        self._path = path
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._rows = self._opened()
        except (sqlite3.Error, OSError) as error:
            self._do_without(error)

    def known(self, folder: Path) -> dict[str, Row]:
        """Every row of a file in ``folder``, or in a folder below, by its path."""
        prefix = os.fsencode(folder).rstrip(b"/") + b"/"
        query = "SELECT path, stamp, run, recording FROM files WHERE path >= ? AND path < ?"
        found = self._ask(query, (prefix, prefix[:-1] + b"0"))  # "0" follows "/"
        return {os.fsdecode(path): Row(stamp, run, recording) for path, stamp, run, recording in found}

    def moved(self, stamp: str) -> Row | None:
        """The row of the file with this stamp, wherever it was."""
        found = self._ask("SELECT stamp, run, recording FROM files WHERE stamp = ? LIMIT 1", (stamp,))
        return Row(*found[0]) if found else None

    def keep(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Write or replace rows."""
        values = [(os.fsencode(path), *row) for path, row in rows]
        self._change("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", values)

    def forget(self, paths: Iterable[str]) -> None:
        """Files that are not there any more."""
        self._change("DELETE FROM files WHERE path = ?", [(os.fsencode(path),) for path in paths])

    def close(self) -> None:
        """Close the index; may be called again."""
        self._rows.close()

    def _ask(self, query: str, values: tuple[object, ...]) -> list[Any]:
        try:
            return self._rows.execute(query, values).fetchall()
        except sqlite3.Error as error:
            self._mend(error)
            return []

    def _change(self, command: str, values: Sequence[tuple[object, ...]]) -> None:
        try:
            with self._rows:
                self._rows.executemany(command, values)
        except sqlite3.Error as error:
            self._mend(error)

    def _opened(self) -> sqlite3.Connection:
        """The index, of today's version, made anew if it is broken."""
        try:
            return self._connected()
        except sqlite3.Error as error:
            if self._path is None or _is_of_the_system(error):
                raise
            self._path.unlink(missing_ok=True)
            return self._connected()

    def _connected(self) -> sqlite3.Connection:
        rows = sqlite3.connect(self._path or ":memory:", timeout=_WAIT)
        try:
            with rows, closing(rows.execute("PRAGMA user_version")) as version:
                if version.fetchone()[0] != _VERSION:
                    rows.execute("DROP TABLE IF EXISTS files")
                    rows.execute(_TABLE)
                    rows.execute(_BY_STAMP)
                    rows.execute(f"PRAGMA user_version = {_VERSION}")
        except sqlite3.Error:
            rows.close()
            raise
        return rows

    def _mend(self, error: sqlite3.Error) -> None:
        """After an error: an index that is empty, and works."""
        self._rows.close()
        if self._path is None or _is_of_the_system(error):
            self._do_without(error)
            return
        try:
            self._path.unlink(missing_ok=True)
            self._rows = self._connected()
        except (sqlite3.Error, OSError) as other:
            self._do_without(other)

    def _do_without(self, error: Exception) -> None:
        self.trouble = f"{self._path}: the index of files cannot be kept ({error}): every file is read again each time"
        self._path = None
        self._rows = self._connected()


def _is_of_the_system(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", -1) & 0xFF in _SYSTEM
