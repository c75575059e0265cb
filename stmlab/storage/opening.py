"""Opens a run for reading: one that was closed, one that is being written, and one whose writer was killed.

HDF5's mode for reading beside a writer (SWMR) reads torn pieces again, a hundred times, with waits that double each
time. A living writer mends a torn piece in microseconds; in a file that nobody writes it stays torn, and the reading
never ends. So that mode is for living writers only: what a killed writer or a full disk left is read as if it had been
closed there.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import h5py

from stmlab.errors import FileError
from stmlab.storage import heaps, superblock
from stmlab.storage.layout import FORMAT, FORMAT_VERSION
from stmlab.storage.liveness import has_writer
from stmlab.storage.refusals import HDF5_ERRORS, reason, why_not_opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def opened(path: Path) -> Iterator[tuple[h5py.File, bool | None]]:
    """The file of a run and whether somebody is writing it (None: cannot be known); closed again at the end.

    Raises:
        FileError: no such file, not HDF5, not a run of stmlab, written by a newer stmlab; or damaged: found now, or
            while it is read.
    """
    with ExitStack() as stack:
        try:
            file, live, cut = _open(path, stack)
        except FileNotFoundError:
            raise FileError(f"{path}: no such file") from None
        except HDF5_ERRORS as error:
            raise FileError(f"{path}: {why_not_opened(path, error)}") from None
        try:
            _check_format(path, file)
            yield file, live
        except HDF5_ERRORS as error:
            raise FileError(f"{path}: {_why_damaged(error, cut=cut)}") from error


def _open(path: Path, stack: ExitStack) -> tuple[h5py.File, bool | None, bool]:
    """The file, whether somebody is writing it, and whether its end is missing; ``stack`` closes it."""
    with path.open("rb") as file:
        start, size = file.read(heaps.SEARCHED), path.stat().st_size
    unclosed = superblock.is_unclosed(start)
    cut = superblock.is_cut(start, size)
    live = has_writer(path) if unclosed else False
    if not live and superblock.is_known(start) and not heaps.are_sound(start):
        raise ValueError("damaged: its texts are not what was written")
    if not unclosed and not cut:
        return stack.enter_context(h5py.File(path, "r")), False, False
    if live or (live is None and _changes(path)):
        return stack.enter_context(h5py.File(path, "r", swmr=True)), live, False
    image = stack.enter_context(superblock.AsIfClosed(path))
    return stack.enter_context(h5py.File(image, "r")), live, cut


def _changes(path: Path) -> bool:
    """Whether the file is another one when it is read a second time."""
    return path.read_bytes() != path.read_bytes()


def _why_damaged(error: Exception, *, cut: bool) -> str:
    words = reason(error)
    if cut or "EOA" in words or "eoa" in words:
        return "its end is missing, and with it what the run needs (was the file copied to its end?)"
    return f"damaged, or not written by stmlab ({words})"


def _check_format(path: Path, file: h5py.File) -> None:
    if "format" not in file.attrs or file.attrs["format"] != FORMAT:
        raise FileError(f"{path}: an HDF5 file, but not a run of stmlab")
    version = int(file.attrs["format_version"])
    if version > FORMAT_VERSION:
        raise FileError(f"{path}: format {version} of a newer stmlab; this one reads up to {FORMAT_VERSION}: update it")
