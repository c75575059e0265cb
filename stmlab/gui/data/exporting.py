"""Figures and data of files, written where the user says; drawn and written in a work process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFileDialog, QWidget

from stmlab.gui.data.tasks import export_curves, export_data, export_figure, export_maps
from stmlab.storage.exporters import EXPORTERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stmlab.analysis.grid_fit import GridFit
    from stmlab.gui.context import Context
    from stmlab.gui.data.opened import Curve

_FIGURES = {"PNG picture": ".png", "SVG drawing": ".svg", "PDF page": ".pdf"}
_WORDS = {"csv": "Table, CSV", "dat": "Nanonis table", "netcdf": "netCDF, axes kept", "numpy": "NumPy"}


class Exporting:
    """Asks for a name and has the file written.

    Args:
        context: what panels share.
        parent: of the dialogs.
    """

    def __init__(self, context: Context, parent: QWidget) -> None:
        self._context, self._parent = context, parent

    def figure(self, paths: list[Path]) -> None:
        """Ask for the name of a figure of the one file, and draw it."""
        if not paths or (target := self._asked("Figure of", paths[0], _FIGURES)) is None:
            return
        task = self._context.workers.submit(export_figure, paths[0], target, long=True)
        task.done.connect(lambda _none: self._context.notices.info(f"written: {target}"))
        task.failed.connect(self._context.notices.error)

    def maps(self, path: Path, fits: Mapping[str, GridFit]) -> None:
        """Ask for the name of a figure of a grid's fits, and draw it; without fits one of the file."""
        if not fits:
            self.figure([path])
            return
        if (target := self._asked("Figure of", path, _FIGURES)) is None:
            return
        task = self._context.workers.submit(export_maps, path.name, dict(fits), target, long=True)
        task.done.connect(lambda _none: self._context.notices.info(f"written: {target}"))
        task.failed.connect(self._context.notices.error)

    def curves(self, curves: Sequence[Curve], name: str) -> None:
        """Ask for the name of a figure of curves, and draw it."""
        if not curves or (target := self._asked("Figure of the", Path(name), _FIGURES)) is None:
            return
        task = self._context.workers.submit(export_curves, list(curves), target, long=True)
        task.done.connect(lambda _none: self._context.notices.info(f"written: {target}"))
        task.failed.connect(self._context.notices.error)

    def data(self, paths: list[Path]) -> None:
        """Ask for the name of the one file's data in another format, and write them."""
        endings = {_WORDS.get(name, name): exporter.ENDING for name, exporter in EXPORTERS.items()}
        if not paths or (target := self._asked("Data of", paths[0], endings)) is None:
            return
        to = next(name for name, exporter in EXPORTERS.items() if exporter.ENDING == target.suffix)
        if target.exists() and target.samefile(paths[0]):
            self._context.notices.error(f"{target} is the file itself", "give another name")
            return
        self.write(paths[0], to, target)

    def write(self, path: Path, to: str, target: Path) -> None:
        """Write the data of a file; the dialog has asked whether an older file is to be replaced."""
        task = self._context.workers.submit(_export, path, to, target, long=True)
        task.done.connect(lambda said: self._context.notices.info("; ".join([f"written: {target}", *said])))
        task.failed.connect(self._context.notices.error)

    def _asked(self, about: str, path: Path, endings: dict[str, str]) -> Path | None:
        """The name that the user gives, with one of the endings; None: none."""
        filters = {f"{words} (*{ending})": ending for words, ending in endings.items()}
        first = next(iter(endings.values()))
        suggested = str(path.with_suffix(first))
        name, chosen = QFileDialog.getSaveFileName(self._parent, f"{about} {path.name}", suggested, ";;".join(filters))
        if not name:
            return None
        target = Path(name)
        if target.suffix in endings.values():
            return target
        target = Path(f"{name}{filters.get(chosen, first)}")
        if target.exists():  # the dialog has not asked about this name
            self._context.notices.error(f"{target} is there already", "choose it by its full name to replace it")
            return None
        return target


def _export(path: Path, to: str, target: Path) -> list[str]:
    return export_data(path, to, target, replace=True)
