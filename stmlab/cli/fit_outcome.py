"""Where fits go: into their runs, into figures, onto standard output.

One file is told as text or one JSON object, many as a table or one JSON object a line.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from stmlab.cli.common import print_json, wrote
from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stmlab.analysis.files import Fits
    from stmlab.analysis.grid_fit import GridFit
    from stmlab.results import FitResult


def pictures_of(files: list[Path], png: Path | None) -> dict[Path, Path]:
    """Where each file's picture goes.

    Raises:
        SequenceError: many files and no folder, or two files whose pictures would have one name.
    """
    if png is None:
        return {}
    if len(files) == 1:
        return {files[0]: png}
    if not png.is_dir():
        raise SequenceError(f"--png {png}: {len(files)} files need a folder that exists for their pictures")
    pictures = {file: png / f"{file.stem}.png" for file in files}
    if len(set(pictures.values())) < len(files):
        raise SequenceError(f"--png {png}: two of the files would be drawn into one picture: give them one by one")
    return pictures


def check_keepable(file: Path, model: str | None) -> None:
    """Refuse to keep what a file does not take, before it is fitted."""
    from stmlab.analysis.grids import takes_every_curve
    from stmlab.storage import open_run
    from stmlab.storage.recorded import is_recorded

    if is_recorded(file):
        raise SequenceError(f"{file}: --keep: a file of another program is never written to")
    if takes_every_curve(open_run(file), model):
        raise SequenceError(f"{file}: --keep: maps of many fits are not kept in a run")


def save(file: Path, fits: Fits, *, keep: bool, png: Path | None) -> None:
    """Add the fits to the file, and draw them, where that was asked for."""
    from stmlab.analysis.fitting import RUN

    if keep:
        keep_in_run(file, cast("FitResult", fits[RUN]))
    if png is not None:
        from stmlab.display.figures.fitted_files import save_fits

        save_fits(file, fits, png)
        wrote(png)


def keep_in_run(file: Path, result: FitResult) -> None:
    """Add a fit to its run; the file says what was found, not what was on the way."""
    from stmlab.analysis.iterations import ended_early
    from stmlab.storage import append_fit

    if why := ended_early(result):
        print(f"stmlab: {file}: the fit ended early ({why}) and is not kept", file=sys.stderr)
    else:
        append_fit(file, result)


def tell_in_turn(file: Path, fits: Fits | str, *, as_json: bool) -> None:
    """One of many files, as a line of JSON; as text they stand in one table, when all have ended."""
    if as_json:
        print_json(_as_dict(file, *((None, fits) if isinstance(fits, str) else (fits, None))))


def show_one(file: Path, fits: Mapping[str, FitResult | GridFit], as_json: bool) -> None:
    """All fits of the only file."""
    from stmlab.analysis.fitting import RUN

    result = fits.get(RUN)
    if result is not None:
        if as_json:
            print_json(result.as_dict())
        else:
            print(_as_text(result))
    elif as_json:
        print_json(_as_dict(file, fits, None))
    else:
        print("\n".join(f"{label}: {_as_text(result)}" for label, result in fits.items()))


def _as_text(fit: FitResult | GridFit) -> str:
    from stmlab.analysis.grid_fit import GridFit
    from stmlab.display import fit_as_text
    from stmlab.display.grids import grid_fit_as_text

    return grid_fit_as_text(fit) if isinstance(fit, GridFit) else fit_as_text(fit)


def _as_dict(file: Path, fits: Mapping[str, FitResult | GridFit] | None, refused: str | None) -> dict[str, Any]:
    if fits is None:
        return {"file": str(file), "state": "failed", "message": refused}
    return {"file": str(file), "fits": {label: result.as_dict() for label, result in fits.items()}}
