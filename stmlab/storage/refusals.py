"""What the system says when it refuses a file, in one line; and files that would be refused, before they are made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from stmlab.errors import FileError

if TYPE_CHECKING:
    from pathlib import Path

HDF5_ERRORS = (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError)
"""What h5py raises on a file that is damaged, according to where HDF5 stumbles."""


def check_new(path: Path) -> None:
    """Refuse the name of a file that is there already or cannot be made; nothing is written.

    Raises:
        FileError: the file exists, or the folder it is to lie in cannot be written or made.
    """
    try:
        if _there(path):
            raise FileError(f"{path} exists already: raw data are never overwritten; give another file")
        folder = next(folder for folder in path.absolute().parents if os.path.lexists(folder))
        for part in path.absolute().relative_to(folder).parts:  # a name that the disk does not take
            _there(folder / part)
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be made ({reason(error)})") from error
    if not folder.is_dir():
        raise FileError(f"{path}: cannot be made: {folder} is no folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FileError(f"{path}: cannot be made: the folder {folder} may not be written to")


def _there(path: Path) -> bool:
    """Whether there is something; raises OSError or ValueError for a name that cannot be."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def reason(error: Exception) -> str:
    """The system's own words out of HDF5's report, which runs over several lines and names its internals."""
    report = getattr(error, "strerror", None) or str(error.args[0] if isinstance(error, KeyError) else error)
    words = report.partition("error message = '")[2].partition("'")[0]
    return words or report.partition("\n")[0]


def why_not_opened(path: Path, error: Exception) -> str:
    """Why HDF5 does not open ``path``, in a physicist's words where the reason is a usual one."""
    words = reason(error)
    if path.is_dir():
        return "a folder, not a run"
    if path.is_file() and not path.stat().st_size:
        return "an empty file"
    if "signature not found" in words:
        return "not an HDF5 file, and of no format that is known"
    if "truncated file" in words:
        return "its end is missing (was the file copied to its end?)"
    return f"cannot be opened ({words})"
