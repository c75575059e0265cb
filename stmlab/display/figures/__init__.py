"""Figures of runs and fits, for a paper or a lab book. Needs no screen; matplotlib is imported only when drawing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.errors import FileError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from stmlab.results import FitResult
    from stmlab.storage import Run

__all__ = ["check_png", "draw_run", "save_figure", "save_png"]

_DPI = 200
_PNG = b"\x89PNG\r\n\x1a\n"


def draw_run(run: Run, fit: FitResult | None = None) -> Figure:
    """Draw a run: with its fit where there is one, else every channel over the axes.

    Args:
        run: as ``open_run`` gives it; may be unfinished.
        fit: drawn with the data; by default the last one in the run's file.
    """
    from stmlab.display.figures.channels import draw_channels
    from stmlab.display.figures.fits import draw_fits
    from stmlab.display.figures.page import foot, head, settings_of
    from stmlab.display.figures.spectrum import draw_spectrum, is_spectrum

    if fit is None and run.fits:
        fit = run.fits[-1]
    if is_spectrum(run):
        return draw_spectrum(run, fit)
    if fit is None:
        return draw_channels(run)
    figure = draw_fits("", [("", fit)])
    head(figure, run, settings_of(run))
    foot(figure, run)
    return figure


def save_png(run: Run, path: str | Path, fit: FitResult | None = None) -> None:
    """Draw a run into a PNG file; an older one is replaced.

    Raises:
        FileError: the name does not end in .png, or is that of something else than a picture; not writable.
    """
    save_figure(draw_run(run, fit), path)


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a PNG file; an older picture is replaced, and nothing else ever is.

    Raises:
        FileError: see `check_png`; or the file cannot be written.
    """
    check_png(path)
    try:
        figure.savefig(Path(path), dpi=_DPI, format="png")
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from error


def check_png(path: str | Path) -> None:
    """Refuse a name for a picture that would lose something.

    Raises:
        FileError: the name does not end in .png, or the file is there and is no picture.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise FileError(f"{path}: figures are PNG files: a name that ends in .png is allowed")
    try:
        with path.open("rb") as file:
            found = file.read(len(_PNG))
    except FileNotFoundError:
        if not path.parent.exists():
            raise FileError(f"{path}: there is no folder {path.parent}: nothing is made") from None
        return
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from error
    if found and found != _PNG:
        raise FileError(f"{path}: is there already and no picture: give another name")
