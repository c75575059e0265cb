"""Makes an ordinary file of one that a killed writer never closed, and of one in an older format.

The copy is what the writer would have written of the same events: there is one way to make the file of a run.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FileError
from stmlab.storage.fits import append_fit
from stmlab.storage.hdf5 import to_json
from stmlab.storage.making import make_folder, nothing_left_behind
from stmlab.storage.reader import open_run
from stmlab.storage.refusals import HDF5_ERRORS, check_new, reason
from stmlab.storage.writer import Writer

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray
    from stmlab.storage.fits import StoredFit
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
    run = open_run(path)
    if run.live:
        raise FileError(f"{path}: still being written; there is nothing to recover yet")
    if copy.exists() and copy.samefile(path):
        raise FileError(f"{copy}: source and copy are the same file: give another name for the copy")
    check_new(copy)
    part = copy.with_name(f"recover_{secrets.token_hex(8)}.part")
    try:
        with nothing_left_behind() as made:
            make_folder(copy.parent, made)
            made.append(part)
            found = _written(run, part)
            _name(part, copy)
    except FileError as error:
        raise FileError(str(error).replace(str(part), str(copy))) from error
    except HDF5_ERRORS as error:
        raise FileError(f"{copy}: cannot be made ({reason(error)})") from error
    return replace(found, path=copy)


def _written(run: Run, part: Path) -> Run:
    """Write ``run`` into the file ``part``, and read it back."""
    writer = Writer(part, batch=True)
    try:
        for event in run.replay():
            writer(event)
    finally:
        writer.close()
    for stored in run.stored_fits:
        if stored.place is None:
            append_fit(part, stored.fit)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    found = open_run(part)
    if (what := difference(run, found)) is not None:
        raise OSError(f"{what} did not come out the same")
    return found


def difference(run: Run, copy: Run) -> str | None:
    """What of the copy is not the same to the last bit; None if all is."""
    if to_json(_said(run)) != to_json(_said(copy)):
        return "what was said of the run"
    if [_fit(stored) for stored in run.stored_fits] != [_fit(stored) for stored in copy.stored_fits]:
        return "a fit"
    before, after = run.visits.columns(), copy.visits.columns()
    for name in before.keys() | after.keys():
        if name not in before or name not in after or _bits(before[name]) != _bits(after[name]):
            return name
    return None


def _said(run: Run) -> list[object]:
    """All but readings and fits."""
    started = {name: value for name, value in vars(run.started).items() if name not in ("axes", "channels")}
    axes = [vars(axis) for axis in run.axes]
    return [started, axes, run.channels, run.history, run.finished and vars(run.finished)]


def _fit(stored: StoredFit) -> list[object]:
    fit = stored.fit
    curves = {name: (np.shape(curve), _bits(curve)) for name, curve in fit.curves.items()}
    return [to_json(fit.as_dict()), dict(fit.labels), curves, stored.place]


def _bits(column: FloatArray | IntArray) -> bytes:
    return np.ascontiguousarray(column).tobytes()


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
