"""Makes an ordinary file of one that a killed writer never closed; with h5py alone, without HDF5's own tools."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from stmlab.errors import FileError
from stmlab.storage.checksum import bits
from stmlab.storage.layout import LIBVER
from stmlab.storage.making import claim, make_folder, nothing_left_behind
from stmlab.storage.opening import opened
from stmlab.storage.reader import open_run
from stmlab.storage.refusals import HDF5_ERRORS, check_new, reason

if TYPE_CHECKING:
    from stmlab.storage.run import Run


def recover(path: str | Path, copy: str | Path) -> Run:
    """Copy a run whose writer was killed; the copy opens everywhere, and fits can be added to it.

    Nothing is invented: the copy has no end either, and holds what was acknowledged. ``path`` is left as it is. The
    copy gets its name once it has been read back and compared; if anything fails, there is none.

    Returns:
        The run, read from the copy.

    Raises:
        FileError: ``path`` is no run, damaged or still being written; ``copy`` is ``path``, is there already, cannot
            be made, or is not the same when it is read back.
    """
    path, copy = Path(path), Path(copy)
    with opened(path) as (source, live):
        if live:
            raise FileError(f"{path}: still being written; there is nothing to recover yet")
        if copy.exists() and copy.samefile(path):
            raise FileError(f"{copy}: source and copy are the same file: give another name for the copy")
        open_run(path)
        check_new(copy)
        part = copy.with_name(f"recover_{secrets.token_hex(8)}.part")
        try:
            with nothing_left_behind() as made:
                make_folder(copy.parent, made)
                claim(part, made)
                run = _copied(source, part)
                _name(part, copy)
        except HDF5_ERRORS as error:
            raise FileError(f"{copy}: cannot be made ({reason(error)})") from error
    return replace(run, path=copy)


def _copied(source: h5py.File, part: Path) -> Run:
    """Copy into the empty file ``part``, and read it back."""
    with h5py.File(part, "w", libver=LIBVER) as target:
        target.attrs.update(source.attrs)
        for name in source:
            source.copy(name, target)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    with h5py.File(part, "r") as target:
        _compare(source, target)
    return open_run(part)


def _compare(source: h5py.Group, copy: h5py.Group) -> None:
    """Both hold the same, to the last bit."""
    if list(source) != list(copy) or dict(source.attrs).keys() != dict(copy.attrs).keys():
        raise OSError(f"{source.name} did not come out the same")
    for name in source:
        item = source[name]
        if isinstance(item, h5py.Group):
            _compare(item, copy[name])
        elif item.shape != copy[name].shape or bits(item) != bits(copy[name]):
            raise OSError(f"{item.name} did not come out the same")


def _name(part: Path, copy: Path) -> None:
    """Give the finished copy its name, which nobody else has taken meanwhile."""
    try:
        os.link(part, copy)
    except FileExistsError:
        raise FileError(f"{copy} exists already: raw data are never overwritten; give another file") from None
    except OSError:  # a drive without links
        check_new(copy)
        part.rename(copy)
    else:
        part.unlink()
