"""Models with sliders, over the data in view: fit from here, or measure this on the simulated microscope."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QScrollArea, QSplitter, QVBoxLayout, QWidget

from stmlab import models
from stmlab.errors import PhysicsError
from stmlab.gui.actions import Action
from stmlab.gui.data.curve_plot import CurvePlot, Drawn
from stmlab.gui.data.dropping import accept_files
from stmlab.gui.data.exporting import Exporting
from stmlab.gui.data.opened import Curve, open_file
from stmlab.gui.models.sample import measurement_entry
from stmlab.gui.models.slider import Row
from stmlab.gui.models.tasks import curves_of, start_of
from stmlab.gui.panel import Area, Panel
from stmlab.gui.still import StillComboBox
from stmlab.gui.work import Newest
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from PyQt6.QtGui import QShowEvent

    from stmlab.gui.context import Context
    from stmlab.gui.data.opened import Opened
    from stmlab.models.model import Curves, Model, Value
    from stmlab.models.start import Start

_KEPT_AFTER = 500  # ms after the last change
_FORM_LETTERS, _PLOT_LETTERS = 50, 85


class ModelsPanel(Panel):
    """One model, drawn as its sliders move.

    Attributes:
        model: the one that is shown.
        rows: its parameters, by name.
        curves: as computed last.
    """

    name = "models"
    title = "Models"
    area = Area.MAIN

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.opened: Opened | None = None
        self.curves: Curves | None = None
        self.rows: dict[str, Row] = {}
        self.choice, self.about = StillComboBox(), QLabel()
        self.plot = CurvePlot(context.theme)
        self.derived, self.pointed, self.status = QLabel(), QLabel(), QLabel()
        self.exporting = Exporting(context, self)
        self._newest = Newest(
            context.workers, curves_of, lambda found: self._show(cast("Curves", found)), self._refused
        )
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._keep)
        self._register()
        self._build()
        known = str(context.settings.panel(self.name).get("model", ""))
        self.choice.setCurrentText(known if known in models.MODELS else models.MODELS[0])
        self.choose(self.choice.currentText())
        self.choice.currentTextChanged.connect(self.choose)
        accept_files(self, lambda paths: self.open(paths[0]))
        context.data_shown.connect(self.show_data)
        context.run_shown.connect(self._show_run)
        context.theme_changed.connect(self._use_theme)

    def _register(self) -> None:
        for name, text, tip, do in (
            ("fit", "&Fit from here", "These values as start values of a fit of the data in view", self.fit_from_here),
            ("measure", "&Measure this", "A sample of these parameters on the simulated microscope", self.measure),
            ("reset", "&Start values", "Every parameter of the model back to its start", self.reset),
            ("whole", "&Whole axis", "Over all of the model's own axis, or over that of the data", self.draw),
            ("forget", "Without &data", "Draw the model alone", self.forget),
            ("export", "&Export figure...", "Write what is drawn: PNG, SVG or PDF", self.export),
        ):
            checkable = name == "whole"
            self.context.actions.add(Action(f"models.{name}", text, tip, menu="M&odels", checkable=checkable), do)

    def _build(self) -> None:
        self.choice.addItems(list(models.MODELS))
        self.choice.setToolTip("The model that is drawn")
        for label in (self.about, self.derived, self.status, self.pointed):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.plot.pointed.connect(self.pointed.setText)
        self.area_of_rows = QScrollArea()
        self.area_of_rows.setWidgetResizable(True)
        self.area_of_rows.setFrameShape(QScrollArea.Shape.NoFrame)
        self.area_of_rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        left, right, side = QWidget(), QWidget(), QSplitter()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        head = QHBoxLayout()
        label = QLabel("M&odel")
        label.setBuddy(self.choice)
        head.addWidget(label)
        head.addWidget(self.choice, stretch=1)
        column.addLayout(head)
        column.addWidget(self.about)
        column.addWidget(self.area_of_rows, stretch=1)
        for names in (("fit", "measure", "reset"), ("whole", "forget", "export")):
            row = QHBoxLayout()
            for name in names:
                row.addWidget(self.context.actions.button(f"models.{name}"))
            row.addStretch(1)
            column.addLayout(row)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.plot, stretch=1)
        for label in (self.pointed, self.derived, self.status):
            column.addWidget(label)
        side.addWidget(left)
        side.addWidget(right)
        side.setStretchFactor(1, 1)
        letter = self.fontMetrics().averageCharWidth()
        side.setSizes([_FORM_LETTERS * letter, _PLOT_LETTERS * letter])
        QVBoxLayout(self).addWidget(side)

    # -- the model ---------------------------------------------------------------------------------------------------

    @property
    def model(self) -> Model:
        """The model that is shown."""
        return models.known(self.choice.currentText())

    def choose(self, name: str) -> None:
        """Show the sliders of a model, where they were last."""
        model = models.known(name)
        self.about.setText(f"{model.title} ({model.source})")
        inner = QWidget()
        grid = QGridLayout(inner)
        grid.setColumnStretch(1, 1)
        self.rows = {parameter.name: Row(parameter, grid, self.context.theme) for parameter in model.parameters}
        grid.setRowStretch(grid.rowCount(), 1)
        kept = self.context.settings.panel(self.name).get("values", {})
        self._fill(kept.get(name, {}) if isinstance(kept, dict) else {})
        for row in self.rows.values():
            row.changed.connect(self._changed)
        self.area_of_rows.setWidget(inner)
        self.context.actions["models.fit"].setEnabled(model.starts is not None)
        self.context.actions["models.measure"].setEnabled(model.measurement is not None)
        self._changed()

    def _fill(self, values: dict[str, Value]) -> None:
        for name, value in values.items():
            if name in self.rows:
                try:
                    self.rows[name].set(value)
                except PhysicsError:  # kept by another version: it starts where it starts
                    continue

    def values(self) -> dict[str, Value]:
        """Of every parameter."""
        return {name: row.value for name, row in self.rows.items()}

    def reset(self) -> None:
        """Every parameter back to its start."""
        for row in self.rows.values():
            row.set(row.parameter.start)
        self._changed()

    def _changed(self) -> None:
        values = self.values()
        for row in self.rows.values():
            row.use(self.model.applies(row.parameter, values))
        refusal = next((row.refusal for row in self.rows.values() if row.refusal), "")
        self._say(refusal)
        if not refusal:
            self.draw()
            self._later.start(_KEPT_AFTER)

    def _keep(self) -> None:
        kept = self.context.settings.panel(self.name).get("values", {})
        name = self.choice.currentText()
        self.context.settings.remember_panel(self.name, model=name, values={**kept, name: self.values()})

    # -- the drawing -------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Have the curves computed for the values as they are now, if the panel is seen; the newest change wins."""
        if not self.isVisible():
            return
        data, ends = self._data(), None
        if data is not None and not self.context.actions["models.whole"].isChecked():
            known = data.x[np.isfinite(data.x) & ((data.x > 0) | (not data.logarithmic))]
            ends = (float(known.min()), float(known.max())) if known.size > 1 else None
        self._newest.ask(self.choice.currentText(), self.values(), ends)

    def showEvent(self, event: QShowEvent | None) -> None:
        """What has changed meanwhile is drawn when the panel is seen."""
        super().showEvent(event)
        self.draw()

    def _data(self) -> Curve | None:
        """The curve of the data that the model is of, if it has the model's axis."""
        model, opened = self.model, self.opened
        sweep = model.sweep(self.values())
        measured = model.sweep(model.values())  # what else it is drawn over, no run has for an axis
        if opened is None or opened.swept.unit != sweep.unit or sweep.name != measured.name or not model.channel:
            return None
        curve = opened.curve(model.channel if model.channel in opened.channels else "")
        return replace(curve, logarithmic=sweep.logarithmic)

    def _show(self, curves: Curves) -> None:
        self.curves = curves
        theme, sweep = self.context.theme, curves.sweep
        about = Curve("", curves.x, curves.x, sweep.label, sweep.unit, curves.y_label, curves.y_unit, sweep.logarithmic)
        lines = [replace(about, name=curve.label, y=curve.values) for curve in curves.y.values()]
        colours = (theme.fit, *theme.curves[1:]) if len(lines) == 1 else theme.curves
        drawn = [
            Drawn(line, colours[k % len(colours)], marks=False, width=2.0, named=True) for k, line in enumerate(lines)
        ]
        data = self._data()
        if data is not None and data.y_unit == curves.y_unit:
            drawn.insert(
                0, Drawn(replace(data, x_label=sweep.label, y_label=curves.y_label), theme.curves[0], named=True)
            )
        self.plot.draw(drawn)
        said = (
            f"{found.symbol} = {format_quantity(float(f'{found.value:.5g}'), found.unit)}"
            for found in curves.derived.values()
            if math.isfinite(found.value)
        )
        self.derived.setText(", ".join(said))
        wrong = data is not None and data.y_unit != curves.y_unit
        why = f"{data.name} is in {data.y_unit or 'no unit'} and not drawn" if data is not None and wrong else ""
        self._say(next((row.refusal for row in self.rows.values() if row.refusal), why or "; ".join(curves.doubts)))

    def _refused(self, why: str) -> None:
        self._say(why, bad=True)

    def _say(self, text: str, *, bad: bool = True) -> None:
        self.status.setText(text)
        self.status.setStyleSheet(f"color: {self.context.theme.bad if bad else self.context.theme.text}")

    # -- data --------------------------------------------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Read a file in a work process, and draw the model over it."""
        task = self.context.workers.submit(open_file, path)
        task.done.connect(self.show_data)
        task.failed.connect(self.context.notices.error)

    def show_data(self, opened: Opened) -> None:
        """Draw the model over these data."""
        self.opened = opened
        self.draw()

    def forget(self) -> None:
        """Without data."""
        self.opened = None
        self.draw()

    def _show_run(self, run: object) -> None:
        path = getattr(run, "path", run)
        if isinstance(path, str | Path) and Path(path).is_file():
            task = self.context.workers.submit(open_file, Path(path))
            task.done.connect(self.show_data)  # one that cannot be read is said by the live plots

    # -- what is done with it ----------------------------------------------------------------------------------------

    def fit_from_here(self) -> None:
        """Start values into the fit panel, of the data in view."""
        if self.opened is not None:
            self.context.fit_wanted.emit(self.opened.path)
        task = self.context.workers.submit(start_of, self.choice.currentText(), self.values())
        task.done.connect(self._begin)
        task.failed.connect(self._refused)

    def _begin(self, start: Start) -> None:
        self.context.start_wanted.emit(start)
        self.context.panel_wanted.emit("fit")

    def measure(self) -> None:
        """Write a sample of these parameters and ask for a run with it."""
        stamp = f"{datetime.now():%Y-%m-%d_%H%M%S}"
        try:
            path, entry = measurement_entry(self.model, self.values(), stamp)
        except (PhysicsError, OSError) as error:
            self.context.notices.failure(error)
            return
        self.context.notices.info(f"sample written: {path}")
        self.context.run_asked.emit(entry)

    def export(self) -> None:
        """Write a figure of what is drawn."""
        self.exporting.curves([one.curve for one in self.plot.drawn], self.choice.currentText())

    def _use_theme(self) -> None:
        self.plot.use_theme(self.context.theme)
        for row in self.rows.values():
            row.paint(self.context.theme)
        if self.curves is not None:
            self._show(self.curves)

    def close_down(self) -> None:
        """What was chosen is kept."""
        if self._later.isActive():
            self._later.stop()
            self._keep()
