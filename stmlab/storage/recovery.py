"""Makes an ordinary file of one that a killed writer never closed; with h5py alone, without HDF5's own tools."""

from __future__ import annotations

from pathlib import Path

import h5py

from stmlab.errors import FileError
from stmlab.storage.layout import LIBVER
from stmlab.storage.opening import opened
from stmlab.storage.refusals import reason


def recover(path: str | Path, copy: str | Path) -> None:
    """Copy a run whose writer was killed; the copy opens everywhere, and fits can be added to it.

    Nothing is invented: the copy has no end either, and holds what was acknowledged. ``path`` is left as it is.

    Raises:
        FileError: ``path`` is no run or is still being written; ``copy`` is there already or cannot be made.
    """
    path, copy = Path(path), Path(copy)
    with opened(path) as (source, live):
        if live:
            raise FileError(f"{path}: still being written; there is nothing to recover yet")
        _copy(source, copy)


def _copy(source: h5py.File, copy: Path) -> None:
    """Whole, or not at all."""
    try:
        target = h5py.File(copy, "x", libver=LIBVER)
    except FileExistsError:
        raise FileError(f"{copy} exists already: give another file") from None
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
