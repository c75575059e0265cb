"""Grids as maps: click a place and see its curve; fit every curve and see what was found as maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QSlider, QSplitter, QVBoxLayout, QWidget

from stmlab.analysis.grid_fit import GridFit
from stmlab.gui.actions import Action
from stmlab.gui.data.curve_plot import CurvePlot, Drawn
from stmlab.gui.data.dropping import accept_files
from stmlab.gui.data.exporting import Exporting
from stmlab.gui.data.fit_task import FitAsked, fit_in_work
from stmlab.gui.data.map_image import MapImage
from stmlab.gui.data.mapping import layer, layer_names, place_in, sides, told, where
from stmlab.gui.data.opened import Opened, open_file
from stmlab.gui.panel import Area, Panel
from stmlab.gui.still import StillComboBox
from stmlab.storage.recorded import Grid
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.events import FitProgress
    from stmlab.gui.context import Context
    from stmlab.gui.work import Task

_DEFAULT = {"frequency": "srs", "delay": "decay"}  # axis -> model of each curve; else of a bias


class MapPanel(Panel):
    """One grid of curves, of a run over several axes or of a recorded file.

    Attributes:
        opened: the grid; None before there is one.
        fits: of its curves, by the sweep.
        place: that is looked at.
    """

    name = "map"
    title = "Map"
    area = Area.MAIN

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.opened: Opened | None = None
        self.fits: dict[str, GridFit] = {}
        self.place: tuple[int, ...] = ()
        self._task: Task | None = None
        self.head, self.status = QLabel("Choose a grid in the catalogue, or drop one here"), QLabel()
        self.layers, self.model = StillComboBox(), StillComboBox()
        self.at, self.at_words = QSlider(Qt.Orientation.Horizontal), QLabel()
        self.image, self.plot = MapImage(context.theme), CurvePlot(context.theme)
        self.exporting = Exporting(context, self)
        self._register()
        self._build()
        accept_files(self, lambda paths: self.open(paths[0]))
        context.map_wanted.connect(self.open)
        context.theme_changed.connect(self._use_theme)
        self._enable()

    def _register(self) -> None:
        for name, text, tip, do in (
            ("fit", "Fit e&very curve", "Fit the curve of each place, and show maps of what was found", self.fit),
            ("stop", "Stop fitting the &map", "End the fits; the curves that were fitted stay", self.stop),
            ("overlay", "Curve to the o&verlay", "Draw the curve of this place over others", self.overlay),
            ("export", "Export figure of the ma&ps...", "Write the maps: PNG, SVG or PDF", self.export),
        ):
            self.context.actions.add(Action(f"map.{name}", text, tip, menu="&Data", section="map"), do)

    def _build(self) -> None:
        from stmlab.analysis.grids import GRID_MODELS

        self.head.setWordWrap(True)
        self.status.setWordWrap(True)
        self.layers.setToolTip("What the map shows")
        self.layers.setSizeAdjustPolicy(StillComboBox.SizeAdjustPolicy.AdjustToContents)
        self.layers.currentTextChanged.connect(lambda _text: self._draw_map())
        self.model.addItems(list(GRID_MODELS))
        self.model.setToolTip("What every curve is fitted with")
        self.at.setToolTip("Where along the sweep the map is taken; at the left end: the mean")
        self.at.valueChanged.connect(lambda _value: self._draw_map())
        self.image.chosen.connect(self._choose)
        self.plot.pointed.connect(self._point)
        top, bottom = QHBoxLayout(), QHBoxLayout()
        for text, field in (("S&how", self.layers), ("a&t", self.at)):
            label = QLabel(text)
            label.setBuddy(field)
            top.addWidget(label)
            top.addWidget(field, stretch=2 if field is self.at else 0)
        top.addWidget(self.at_words)
        label = QLabel("&Model")
        label.setBuddy(self.model)
        bottom.addWidget(label)
        bottom.addWidget(self.model)
        for name in ("fit", "stop", "overlay", "export"):
            bottom.addWidget(self.context.actions.button(f"map.{name}"))
        bottom.addStretch(1)
        self.pointed = QLabel()
        side, right = QSplitter(), QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.plot, stretch=1)
        column.addWidget(self.pointed)
        side.addWidget(self.image)
        side.addWidget(right)
        side.setStretchFactor(0, 1)
        side.setStretchFactor(1, 1)
        whole = QVBoxLayout(self)
        whole.addWidget(self.head)
        whole.addLayout(top)
        whole.addWidget(side, stretch=1)
        whole.addLayout(bottom)
        whole.addWidget(self.status)

    # -- the grid ----------------------------------------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Read a file in a work process and show it, if it holds many curves."""
        task = self.context.workers.submit(open_file, path)
        task.done.connect(self._take)
        task.failed.connect(self.context.notices.error)

    def _take(self, opened: Opened) -> None:
        if not opened.shape:
            self.context.notices.error(f"{opened.path.name} holds one curve", "overlay or fit it")
            return
        self.stop()
        self.opened, self.fits = opened, {}
        self.head.setText(f"{opened.path.name} · {opened.title} · {' x '.join(map(str, opened.shape))} curves")
        self.model.setCurrentText(_DEFAULT.get(opened.swept.name, "steps"))
        self.at.blockSignals(True)
        sweep = opened.swept.values
        self.at.setRange(-1, sweep.shape[-1] - 1 if sweep.ndim == 1 else -1)
        self.at.setValue(-1)
        self.at.blockSignals(False)
        self._list_layers(f"channel {opened.signal}")
        self.image.choose(0, 0)
        self.context.data_shown.emit(opened)
        self._enable()

    def _list_layers(self, chosen: str) -> None:
        assert self.opened is not None
        self.layers.blockSignals(True)
        self.layers.clear()
        self.layers.addItems(layer_names(self.opened, self.fits))
        self.layers.setCurrentText(chosen)
        self.layers.blockSignals(False)
        self._draw_map()

    # -- the drawing -------------------------------------------------------------------------------------------------

    def _draw_map(self) -> None:
        opened = self.opened
        if opened is None or not isinstance(opened.table, Grid) or not self.layers.currentText():
            return
        name, at = self.layers.currentText(), self.at.value()
        along = name.startswith("channel ")
        self.at.setEnabled(along)
        swept = opened.swept
        value = f"{opened.label} {format_quantity(float(f'{swept.values[at]:.4g}'), swept.unit)}" if at >= 0 else "mean"
        self.at_words.setText(value if along else "")
        self.image.draw(layer(opened, self.fits, name, at if at >= 0 else None), sides(opened.table))

    def _choose(self, row: int, column: int) -> None:
        """Show the curve of a cell."""
        if self.opened is not None:
            self.place = place_in(self.opened.shape, row, column)
            self._draw_curve()

    def _draw_curve(self) -> None:
        opened = self.opened
        if opened is None or not isinstance(opened.table, Grid):
            return
        shown = self.layers.currentText()
        channel = shown.removeprefix("channel ") if shown.startswith("channel ") else opened.signal
        self.plot.draw([Drawn(opened.curve(channel, self.place), self.context.theme.curves[0])])
        found = told(self.fits, self.place)
        self.status.setStyleSheet("")
        self.status.setText("\n".join(filter(None, (where(opened.table, self.place), found))))

    def _point(self, text: str) -> None:
        self.pointed.setText(text)

    # -- fits --------------------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """Fit every curve in a work process."""
        if self.opened is None or self._task is not None:
            return
        asked = FitAsked(self.model.currentText())
        self._task = self.context.workers.submit(fit_in_work, self.opened.path, asked, long=True, reports=True)
        self._task.progress.connect(self._follow)
        self._task.done.connect(lambda fits, path=self.opened.path: self._fitted(path, fits))
        self._task.failed.connect(self._refused)
        self._task.stopped.connect(lambda: self._refused("stopped: nothing was found yet"))
        self.status.setText("fitting ...")
        self._enable()

    def stop(self) -> None:
        """End the fits that are under way."""
        if self._task is not None:
            self._task.stop()

    def _follow(self, progress: FitProgress) -> None:
        self.status.setText(f"{progress.model}: {progress.curves} of {progress.total} curves, {progress.seconds:.0f} s")

    def _fitted(self, path: Path, fits: dict[str, object]) -> None:
        self._task = None
        if self.opened is not None and path == self.opened.path:
            self.fits = {label: fit for label, fit in fits.items() if isinstance(fit, GridFit)}
            first = next(iter(self.fits.items()), None)
            if first is not None:
                self._list_layers(f"{first[0]}: {first[1].batch.names[0]}")
            self._draw_curve()
        self._enable()

    def _refused(self, why: str) -> None:
        self._task = None
        self.status.setText(why)
        self.status.setStyleSheet(f"color: {self.context.theme.bad}")
        self._enable()

    # -- what is done with it ----------------------------------------------------------------------------------------

    def overlay(self) -> None:
        """Draw the curve of this place over others."""
        if self.opened is not None:
            self.context.overlay_wanted.emit([(self.opened.path, self.place)])
            self.context.panel_wanted.emit("overlay")

    def export(self) -> None:
        """Write the maps of what was fitted, or else what a figure of the file shows."""
        if self.opened is not None:
            self.exporting.maps(self.opened.path, self.fits)

    def _enable(self) -> None:
        busy, there = self._task is not None, self.opened is not None
        for name, possible in (("fit", there and not busy), ("stop", busy), ("overlay", there), ("export", there)):
            self.context.actions[f"map.{name}"].setEnabled(possible)

    def _use_theme(self) -> None:
        self.image.use_theme(self.context.theme)
        self.plot.use_theme(self.context.theme)
        self._draw_curve()

    def close_down(self) -> None:
        """Fits under way are of no use to anybody."""
        self.stop()
