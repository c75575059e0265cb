"""Figures of runs and fits, for a paper or a lab book. Needs no screen; matplotlib is imported only when drawing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.errors import FileError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from stmlab.results import FitResult
    from stmlab.storage import Run

__all__ = ["FORMATS", "check_picture", "draw_run", "save_figure", "save_run"]

FORMATS = {".png": b"\x89PNG\r\n\x1a\n", ".svg": b"<svg", ".pdf": b"%PDF-"}
"""Endings of the names of pictures, and what stands near the beginning of such a file."""
_DPI = 200
_LOOKED_AT = 1024  # bytes


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


def save_run(run: Run, path: str | Path, fit: FitResult | None = None) -> None:
    """Draw a run into a PNG, SVG or PDF file; an older one is replaced.

    Raises:
        FileError: see `save_figure`.
    """
    save_figure(draw_run(run, fit), path)


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a PNG, SVG or PDF file, as its name says; an older picture is replaced, and nothing else ever is.

    Raises:
        FileError: see `check_picture`; or the file cannot be written.
    """
    from stmlab.display.figures.drawing import lay_out

    check_picture(path)
    lay_out(figure, _DPI)
    try:
        figure.savefig(Path(path), dpi=_DPI, format=Path(path).suffix.lower()[1:])
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from error


def check_picture(path: str | Path) -> None:
    """Refuse a name for a picture that would lose something.

    Raises:
        FileError: the name ends in none of the `FORMATS`, or the file is there and is no such picture.
    """
    path = Path(path)
    mark = FORMATS.get(path.suffix.lower())
    if mark is None:
        raise FileError(f"{path}: a name of a figure ends in {', '.join(FORMATS)}")
    try:
        with path.open("rb") as file:
            found = file.read(_LOOKED_AT)
    except FileNotFoundError:
        if not path.parent.exists():
            raise FileError(f"{path}: there is no folder {path.parent}: nothing is made") from None
        return
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from error
    if found and not (mark in found if mark == FORMATS[".svg"] else found.startswith(mark)):
        raise FileError(f"{path}: is there already and no such picture: give another name")
