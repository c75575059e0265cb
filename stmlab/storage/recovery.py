"""Makes an ordinary file of one that a killed writer never closed; with h5py alone, without HDF5's own tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from stmlab.errors import FileError
from stmlab.storage.layout import LIBVER
from stmlab.storage.opening import opened
from stmlab.storage.reader import open_run
from stmlab.storage.refusals import check_new, reason

if TYPE_CHECKING:
    from stmlab.storage.run import Run


def recover(path: str | Path, copy: str | Path) -> Run:
    """Copy a run whose writer was killed; the copy opens everywhere, and fits can be added to it.

    Nothing is invented: the copy has no end either, and holds what was acknowledged. ``path`` is left as it is.

    Returns:
        The run, read from the copy.

    Raises:
        FileError: ``path`` is no run or is still being written; ``copy`` is ``path``, is there already or cannot be
            made.
    """
    path, copy = Path(path), Path(copy)
    with opened(path) as (source, live):
        if live:
            raise FileError(f"{path}: still being written; there is nothing to recover yet")
        if copy.exists() and copy.samefile(path):
            raise FileError(f"{copy}: source and copy are the same file: give another name for the copy")
        check_new(copy)
        _copy(source, copy)
    return open_run(copy)


def _copy(source: h5py.File, copy: Path) -> None:
    """Whole, or not at all."""
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        target = h5py.File(copy, "x", libver=LIBVER)
    except OSError as error:
        raise FileError(f"{copy}: cannot be made ({reason(error)})") from error
    try:
        with target:
            target.attrs.update(source.attrs)
            for name in source:
                source.copy(name, target)
    except BaseException:
        copy.unlink()
        raise
