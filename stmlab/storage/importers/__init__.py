"""Importers: one module a format, each with its endings, what it recognises in a file's beginning, and ``read``.

What is in a file decides; its ending only where nothing in it does, so that a damaged file is refused in the words of
the format that it claims.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import h5py

from stmlab.errors import FileError
from stmlab.storage import superblock
from stmlab.storage.heaps import are_sound_in
from stmlab.storage.importers import (
    createc_vert,
    delimited,
    nanonis_3ds,
    nanonis_dat,
    netcdf,
    nexus,
    numpy_files,
    pymeasure_csv,
)
from stmlab.storage.layout import FORMAT
from stmlab.storage.refusals import HDF5_ERRORS

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.storage.recorded import Grid, Recording

_HEAD, _FIRST = 1 << 16, 1 << 20  # bytes


class Importer(Protocol):
    """A module that reads one format."""

    ENDINGS: tuple[str, ...]

    def recognises(self, head: bytes) -> bool:
        """Whether the file's beginning is one of this format."""

    def read(self, path: Path) -> Recording | Grid:
        """Read a file; raises FileError."""


IMPORTERS: tuple[Importer, ...] = (
    nanonis_3ds,
    createc_vert,
    nexus,
    netcdf,
    numpy_files,
    nanonis_dat,
    pymeasure_csv,
    delimited,
)
"""In the order in which they are asked."""
ENDINGS = tuple(ending for importer in IMPORTERS for ending in importer.ENDINGS)


def importer_of(path: Path) -> Importer | None:
    """Who reads the file: by what is in it, else by its ending; None for a run of stmlab and for what nobody knows."""
    head = _head(path)
    if nexus.recognises(head):
        return None if _is_run(path) else nexus
    found = [importer for importer in IMPORTERS if importer.recognises(head)]
    found += [importer for importer in IMPORTERS if path.suffix.lower() in map(str.lower, importer.ENDINGS)]
    return found[0] if found else None


def read(path: Path) -> Recording | Grid:
    """Read a file of another program.

    Raises:
        FileError: no such file, of no known format, a run of stmlab, or damaged.
    """
    importer = importer_of(path)
    if importer is None:
        if nexus.recognises(_head(path)):
            raise FileError(f"{path}: a run of stmlab: open_run reads it")
        raise FileError(f"{path}: {path.suffix or 'no ending'} is not known; {', '.join(ENDINGS)} are")
    return importer.read(path)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""


def _is_run(path: Path) -> bool:
    """Whether an HDF5 file is a run of ours; what cannot be opened may be one that is being written, or was killed."""
    if not are_sound_in(path, within=_FIRST):
        return False
    try:
        with h5py.File(path, "r") as file:
            return str(file.attrs.get("format", "")) == FORMAT
    except HDF5_ERRORS:
        return path.suffix.lower() not in nexus.ENDINGS or superblock.is_unclosed(_head(path)[: superblock.SIZE])
