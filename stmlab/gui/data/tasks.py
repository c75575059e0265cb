"""What work processes do for the catalogue: look through folders, draw, tag, export, read parameters; no Qt."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from stmlab.storage.recorded import is_recorded, open_recording

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stmlab.analysis.grid_fit import GridFit
    from stmlab.gui.data.opened import Curve
    from stmlab.storage.catalogue import Catalogue, Entry, Notes


def look_through(folder: Path, progress: Callable[[object], None]) -> Catalogue:
    """Everything in a folder, what other programs recorded too; progress is (files looked at, files to look at)."""
    from stmlab.storage.catalogue import catalogue

    return catalogue(folder, recorded=True, progress=lambda done, total: progress((done, total)))


def picture_of(entry: Entry) -> Path:
    """The thumbnail of a file."""
    from stmlab.display.thumbnails import thumbnail

    return thumbnail(entry)


def set_tags(path: Path, tags: list[str]) -> Notes:
    """Give a file these tags and no others."""
    from stmlab.storage.catalogue import add_tags, read_notes, remove_tags

    before = read_notes(path).tags
    if gone := [tag for tag in before if tag not in tags]:
        remove_tags(path, gone)
    new = [tag for tag in tags if tag not in before]
    return add_tags(path, new) if new else read_notes(path)


def write_note(path: Path, text: str) -> Notes:
    """Add a note to a file."""
    from stmlab.storage.catalogue import add_note

    return add_note(path, text)


def export_data(path: Path, to: str, target: Path, *, replace: bool = False) -> list[str]:
    """Write a file in another format.

    Args:
        path: of a run or a recorded file.
        to: one of the exporters.
        target: of the new file.
        replace: an older file is replaced, once the new one is written.

    Returns:
        What could not be kept as it was, one sentence each.
    """
    from stmlab.storage.exporters import export

    if not replace or not target.exists():
        return export(path, to, target)[1]
    part = target.with_name(f".{os.getpid()}-{target.name}")
    with ExitStack() as failed:
        failed.callback(part.unlink, missing_ok=True)
        said = export(path, to, part)[1]
        part.replace(target)
    return said


def export_figure(path: Path, target: Path) -> None:
    """Draw a file, with its fit, into a PNG, SVG or PDF file."""
    from stmlab.display.figures import save_run
    from stmlab.display.figures.recording import draw_recording
    from stmlab.storage import open_run

    if is_recorded(path):
        draw_recording(open_recording(path), target)
    else:
        save_run(open_run(path), target)


def export_curves(curves: list[Curve], target: Path) -> None:
    """Draw curves that share their axes into a PNG, SVG or PDF file."""
    from stmlab.display.figures import save_figure
    from stmlab.display.figures.curves import draw_curves

    first = curves[0]
    figure = draw_curves(
        [(curve.name, curve.x, curve.y) for curve in curves],
        (first.x_label, first.x_unit),
        (first.y_label, first.y_unit),
        logarithmic=first.logarithmic,
    )
    save_figure(figure, target)


def export_maps(title: str, fits: dict[str, GridFit], target: Path) -> None:
    """Draw the maps of a grid's fits into a PNG, SVG or PDF file."""
    from stmlab.display.figures.grid import save_grid_fits

    save_grid_fits(title, fits, target)


def parameters_of(path: Path) -> dict[str, Any]:
    """How a run was taken, as a queue entry says it: sequence, station, sample, settings as people write them."""
    from stmlab.gui.measure.written import written
    from stmlab.storage import open_run

    run = open_run(path)
    settings = {name: written(quantity.value, quantity.unit) for name, quantity in run.parameters.items()}
    return {"sequence": run.sequence, "station": run.station, "sample": run.sample or None, "settings": settings}
