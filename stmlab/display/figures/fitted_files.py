"""A file with its fits, as a figure: a run, a recorded file, or the maps of a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stmlab.storage.recorded import is_recorded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stmlab.analysis.grid_fit import GridFit
    from stmlab.results import FitResult


def save_fits(file: Path, fits: Mapping[str, FitResult | GridFit], path: str | Path) -> None:
    """Draw the fits of a file, as ``fit_file`` gives them, into a PNG, SVG or PDF file.

    Raises:
        FileError: the name is none of a picture, or the file cannot be written.
    """
    from stmlab.analysis.fitting import RUN
    from stmlab.analysis.grid_fit import GridFit
    from stmlab.display.figures import save_run
    from stmlab.display.figures.grid import save_grid_fits
    from stmlab.display.figures.recording import draw_recorded_fits
    from stmlab.storage import open_run

    if any(isinstance(fit, GridFit) for fit in fits.values()):
        save_grid_fits(file.name, cast("Mapping[str, GridFit]", fits), path)
    elif is_recorded(file):
        draw_recorded_fits(file.name, cast("Mapping[str, FitResult]", fits), path)
    else:
        save_run(open_run(file), path, cast("Mapping[str, FitResult]", fits)[RUN])
