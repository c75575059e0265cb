"""Makes the file of a run: whole, or nothing is left behind."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import h5py

from stmlab.errors import FileError
from stmlab.storage.hdf5 import LIBVER
from stmlab.storage.layout import create, least_bytes
from stmlab.storage.liveness import has_writer
from stmlab.storage.refusals import HDF5_ERRORS, reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stmlab.events import RunStarted


def make(path: Path, started: RunStarted, *, overwrite: bool) -> h5py.File:
    """Make the file of a run with its whole tree, SWMR switched on; missing folders are made.

    Raises:
        FileError: the file is there already, or cannot be made, or the disk has no room for the run.
    """
    try:
        with nothing_left_behind() as made:
            make_folder(path.parent, made)
            _check_room(path, started)
            if overwrite and path.exists():
                if has_writer(path):  # HDF5 empties a file before it asks for its lock
                    raise FileError(f"{path}: still being written by another run; give another file")
                path.unlink()
            claim(path, made)
            return _filled(path, started)
    except HDF5_ERRORS as error:
        raise FileError(f"{path}: cannot be made ({reason(error)})") from error


@contextmanager
def nothing_left_behind() -> Iterator[list[Path]]:
    """Files and folders that are noted in the list are removed again if an exception comes."""
    made: list[Path] = []
    try:
        yield made
    except BaseException:
        for item in reversed(made):
            with suppress(OSError):
                item.rmdir() if item.is_dir() else item.unlink()
        raise


def make_folder(folder: Path, made: list[Path]) -> None:
    """Make ``folder`` and those above it where they are missing; ``made`` notes which."""
    missing = [part for part in (folder, *folder.parents) if not part.is_dir()]
    for part in reversed(missing):
        try:
            part.mkdir()
        except FileExistsError:
            if not part.is_dir():
                raise NotADirectoryError(f"{part} is no folder") from None
        else:
            made.append(part)


def claim(path: Path, made: list[Path]) -> None:
    """Make an empty file that nobody else has; ``made`` notes it.

    Raises:
        FileError: it is there already.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except FileExistsError:
        raise FileError(f"{path} exists already: raw data are never overwritten; give another file") from None
    made.append(path)


def _check_room(path: Path, started: RunStarted) -> None:
    needed, free = least_bytes(started), shutil.disk_usage(path.parent).free
    if needed > free:
        text = f"the run takes {needed / 1e6:.3g} MB, {free / 1e6:.3g} MB are free on this disk"
        raise FileError(f"{path}: cannot be made: {text}")


def _filled(path: Path, started: RunStarted) -> h5py.File:
    """Write the tree, made in memory, and open it: HDF5 itself may crash where a disk fills up while it makes one."""
    with h5py.File(path, "w", libver=LIBVER, driver="core", backing_store=False, block_size=_BLOCK) as tree:
        create(tree, started)
        tree.flush()
        image = tree.id.get_file_image()
    with path.open("r+b") as file:
        file.write(image)
    return open_for_writing(path)


def open_for_writing(path: Path) -> h5py.File:
    """A run's file in SWMR mode from the first moment: a process killed while it writes leaves a file that opens."""
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(*(_BOUNDS[name] for name in LIBVER))
    access.set_cache(0, 521, 0, 0.75)  # no cache of chunks: what is written is written
    return h5py.File(h5py.h5f.open(os.fsencode(path), h5py.h5f.ACC_RDWR | h5py.h5f.ACC_SWMR_WRITE, access))


_BOUNDS = {"v110": h5py.h5f.LIBVER_V110, "latest": h5py.h5f.LIBVER_LATEST}
_BLOCK = 1 << 20  # bytes by which a file in memory grows
