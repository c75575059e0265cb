"""Figures of runs and fits, for a paper or a lab book. Needs no screen; matplotlib is imported only when drawing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.errors import FileError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from stmlab.results import FitResult
    from stmlab.storage import Run

__all__ = ["draw_run", "save_figure", "save_png"]

_DPI = 200


def draw_run(run: Run, fit: FitResult | None = None) -> Figure:
    """Draw a run: with its fit where there is one, else every channel over the axes.

    Args:
        run: as ``open_run`` gives it; may be unfinished.
        fit: drawn with the data; by default the last one in the run's file.
    """
    from stmlab.figures.channels import draw_channels
    from stmlab.figures.fits import draw_fits
    from stmlab.figures.page import foot, head
    from stmlab.figures.spectrum import draw_spectrum, is_spectrum

    if fit is None and run.fits:
        fit = run.fits[-1]
    if is_spectrum(run):
        return draw_spectrum(run, fit)
    if fit is None:
        return draw_channels(run)
    figure = draw_fits("", [("", fit)])
    head(figure, run, [])
    foot(figure, run)
    return figure


def save_png(run: Run, path: str | Path, fit: FitResult | None = None) -> None:
    """Draw a run into a PNG file; an older one is replaced.

    Raises:
        FileError: the file cannot be written.
    """
    save_figure(draw_run(run, fit), path)


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a PNG file; an older one is replaced.

    Raises:
        FileError: the file cannot be written.
    """
    try:
        figure.savefig(Path(path), dpi=_DPI, format="png")
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from error
