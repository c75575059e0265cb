"""Fits from the window: choose model, stretch and start values, watch it go down, stop it, keep it with the run."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QScrollArea, QSplitter, QVBoxLayout, QWidget

from stmlab.gui.actions import Action
from stmlab.gui.data.curve_plot import CurvePlot, Drawn
from stmlab.gui.data.dropping import accept_files
from stmlab.gui.data.fit_drawing import fit_curves
from stmlab.gui.data.fit_form import FitForm
from stmlab.gui.data.fit_task import fit_in_work, keep_fit, models_for
from stmlab.gui.data.opened import Opened, open_file
from stmlab.gui.live.fit_table import FitTable
from stmlab.gui.measure.written import written
from stmlab.gui.panel import Area, Panel
from stmlab.results import FitResult
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.analysis.grid_fit import GridFit
    from stmlab.events import FitProgress
    from stmlab.gui.context import Context
    from stmlab.gui.work import Task
    from stmlab.models.start import Start

_FORM_LETTERS, _PLOT_LETTERS = 45, 90
_PLOT_LINES, _TABLE_LINES = 22, 18


class FitPanel(Panel):
    """One file and its fits.

    Attributes:
        opened: the file; None before there is one.
        fits: what was found last, by the sweep.
    """

    name = "fit"
    title = "Fit"
    area = Area.MAIN

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.opened: Opened | None = None
        self.fits: dict[str, FitResult | GridFit] = {}
        self._task: Task | None = None
        self._shown_live: Path | None = None
        self.head, self.status, self.pointed = (
            QLabel("Choose a file in the catalogue, or drop one here"),
            QLabel(),
            QLabel(),
        )
        self.form, self.sweep = FitForm(), QComboBox()
        self.plot, self.table = CurvePlot(context.theme), FitTable(context.theme)
        self._register()
        self._build()
        accept_files(self, lambda paths: self.open(paths[0]))
        context.fit_wanted.connect(self.open)
        context.start_wanted.connect(self.begin_at)
        context.run_shown.connect(self._note_live)
        context.theme_changed.connect(self._use_theme)
        self._enable()

    def _register(self) -> None:
        for name, text, tip, keys, do in (
            ("run", "&Fit", "Fit the file with the chosen model", "Ctrl+Return", self.fit),
            ("stop", "&Stop fit", "End the fit with the best so far", "", self.stop),
            ("keep", "&Keep in file", "Add the fit to the run's file; its data are never touched", "", self.keep),
            ("begin", "Be&gin there", "The fitted values as start values", "", self.begin_at_result),
            ("range", "Set &range", "Draw the ends of the fitted stretch in the plot", "", self.choose_range),
            ("clear", "C&lear", "No range, settings or start values", "", self.clear),
        ):
            self.context.actions.add(Action(f"fit.{name}", text, tip, keys, "&Data", section="fit"), do)

    def _build(self) -> None:
        self.head.setWordWrap(True)
        self.status.setWordWrap(True)
        self.sweep.setToolTip("Which sweep of the file is shown")
        self.sweep.currentTextChanged.connect(lambda _text: self._show_fit())
        self.form.changed.connect(self._keep_form)
        self.form.model_chosen.connect(self._fill)
        self.plot.pointed.connect(self.pointed.setText)
        self.plot.chosen_range.connect(self._take_range)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(self.form)
        left, right, lower = QWidget(), QSplitter(Qt.Orientation.Vertical), QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area, stretch=1)
        for names in (("run", "stop", "keep"), ("begin", "range", "clear")):
            row = QHBoxLayout()
            for name in names:
                row.addWidget(self.context.actions.button(f"fit.{name}"))
            row.addStretch(1)
            column.addLayout(row)
        column.addWidget(self.status)
        column = QVBoxLayout(lower)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pointed)
        column.addWidget(self.sweep)
        column.addWidget(self.table, stretch=1)
        right.addWidget(self.plot)
        right.addWidget(lower)
        right.setStretchFactor(0, 1)
        right.setSizes([_PLOT_LINES * self.fontMetrics().height(), _TABLE_LINES * self.fontMetrics().height()])
        side = QSplitter()
        side.addWidget(left)
        side.addWidget(right)
        side.setStretchFactor(1, 1)
        letter = self.fontMetrics().averageCharWidth()
        side.setSizes([_FORM_LETTERS * letter, _PLOT_LETTERS * letter])
        whole = QVBoxLayout(self)
        whole.addWidget(self.head)
        whole.addWidget(side, stretch=1)

    # -- the file ----------------------------------------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Read a file in a work process and offer its models."""
        task = self.context.workers.submit(open_file, path)
        task.done.connect(self._take)
        task.failed.connect(self.context.notices.error)

    def _take(self, opened: Opened) -> None:
        self.stop()
        self.opened = opened
        models = models_for(is_run=opened.is_run, is_grid=bool(opened.shape))
        known = self.context.settings.panel(self.name).get("model", {})
        chosen = known.get(opened.sequence, opened.model) if isinstance(known, dict) else ""
        channels = () if opened.is_run else (opened.signal, *(n for n in opened.channels if n != opened.signal))
        self.form.offer(models, chosen if chosen in models else models[0], channels, opened.swept.unit)
        self._fill(self.form.model.currentText())
        self.head.setText(f"{opened.path.name} · {opened.title}")
        self.fits = {"kept with the run": opened.fits[-1]} if opened.fits else {}
        self._list_fits()
        self._say("")
        self.context.data_shown.emit(opened)

    # -- the form ----------------------------------------------------------------------------------------------------

    def _fill(self, model: str) -> None:
        """What was kept of this model."""
        kept = self.context.settings.panel(self.name).get("forms", {})
        self.form.blockSignals(True)
        self.form.fill(kept.get(model, {}) if isinstance(kept, dict) else {})
        self.form.blockSignals(False)
        self._show_range()

    def _keep_form(self) -> None:
        if self.opened is None:
            return
        model, panel = self.form.model.currentText(), self.context.settings.panel(self.name)
        forms, models = panel.get("forms", {}), panel.get("model", {})
        kept = {"forms": {**forms, model: self.form.kept()}, "model": {**models, self.opened.sequence: model}}
        if kept != panel:
            self.context.settings.remember_panel(self.name, **kept)
        self._enable()

    def clear(self) -> None:
        """Empty the fields of this model."""
        self.form.fill({})
        self._show_range()

    def begin_at(self, start: Start) -> None:
        """Start values from elsewhere: a model with its sliders."""
        if self.opened is None:
            self.context.notices.warning("there is no file in the fit panel", "choose one in the catalogue, then again")
            return
        if start.fit not in (self.form.model.itemText(k) for k in range(self.form.model.count())):
            self.context.notices.warning(f"{self.opened.path.name} cannot be fitted with {start.fit}")
            return
        self.form.model.setCurrentText(start.fit)
        self.form.set_start({name: written(value) for name, value in start.values.items()})
        self.form.exchange.setCurrentText(start.exchange or self.form.exchange.currentText())
        self._keep_form()

    def begin_at_result(self) -> None:
        """The fit begins where the one that is shown has ended."""
        if isinstance(fit := self.shown_fit, FitResult):
            self.form.set_start({p.name: written(p.value) for p in fit.parameters if math.isfinite(p.value)})

    def choose_range(self) -> None:
        """Ends to be drawn by the mouse; from the middle half if there are none yet."""
        if self.opened is None or not self.plot.drawn:
            return
        x = self.plot.drawn[0].curve.x
        ends = self._range() or (float(x[len(x) // 4]), float(x[3 * len(x) // 4]))
        self.plot.choose_range(ends)
        self._take_range(*sorted(ends))

    def _take_range(self, low: float, high: float) -> None:
        unit = self.opened.swept.unit if self.opened is not None else ""
        self.form.set_range(*(format_quantity(float(f"{end:.4g}"), unit) for end in (low, high)))

    def _range(self) -> tuple[float, float] | None:
        """Both ends, if they are there and can be read."""
        from stmlab.errors import SequenceError
        from stmlab.units import in_unit

        texts = self.form.asked().within
        if self.opened is None or not all(texts):
            return None
        try:
            low, high = (in_unit(text, self.opened.swept.unit) for text in texts)
        except SequenceError:
            return None
        return low, high

    def _show_range(self) -> None:
        self.plot.choose_range(self._range() if self.plot.drawn else None)

    # -- the fit -----------------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """Fit in a work process."""
        if self.opened is None or self._task is not None:
            return
        asked = self.form.asked()
        self._task = self.context.workers.submit(fit_in_work, self.opened.path, asked, long=True, reports=True)
        self._task.progress.connect(self._follow)
        self._task.done.connect(lambda fits, path=self.opened.path: self._fitted(path, fits))
        self._task.failed.connect(self._refused)
        self._task.stopped.connect(lambda: self._refused("stopped: nothing was found yet"))
        self._say("fitting ...")
        self._enable()

    def stop(self) -> None:
        """End a fit that is under way with the best so far."""
        if self._task is not None:
            self._task.stop()

    def _follow(self, progress: FitProgress) -> None:
        many = f", {progress.curves} of {progress.total} curves" if progress.total else ""
        merit = f", {progress.merit} {progress.figure:.6g}" if math.isfinite(progress.figure) else ""
        self._say(f"{progress.model}: {progress.iterations} iterations{many}{merit}, {progress.seconds:.0f} s")

    def _fitted(self, path: Path, fits: dict[str, FitResult | GridFit]) -> None:
        self._task = None
        if self.opened is None or path != self.opened.path:
            return
        self.fits = fits
        self._list_fits()
        first = next(iter(fits.values()))
        many = "every curve was fitted: the map panel draws such fits as maps"
        self._say("fitted" if isinstance(first, FitResult) else many)
        if isinstance(first, FitResult) and self._shown_live == path:
            self.context.fit_shown.emit(first)

    def _refused(self, why: str) -> None:
        self._task = None
        self._say(why, bad=True)

    def keep(self) -> None:
        """Add the fit that is shown to the file of its run."""
        fit = self.shown_fit
        if self.opened is None or not isinstance(fit, FitResult):
            return
        task = self.context.workers.submit(keep_fit, self.opened.path, fit)
        task.done.connect(lambda _none: self._kept())
        task.failed.connect(self._refused)

    def _kept(self) -> None:
        self._say("kept with the run")
        if "data.refresh" in self.context.actions:
            self.context.actions.trigger("data.refresh")

    # -- what is shown -----------------------------------------------------------------------------------------------

    @property
    def shown_fit(self) -> FitResult | GridFit | None:
        """The fit that is looked at."""
        return self.fits.get(self.sweep.currentText())

    def _list_fits(self) -> None:
        self.sweep.blockSignals(True)
        self.sweep.clear()
        self.sweep.addItems(list(self.fits))
        self.sweep.blockSignals(False)
        self.sweep.setVisible(len(self.fits) > 1)
        self._show_fit()

    def _show_fit(self) -> None:
        fit, theme = self.shown_fit, self.context.theme
        one = fit if isinstance(fit, FitResult) else None
        if self.opened is not None:
            data, curves, left = fit_curves(self.opened, one)
            whole, first = self.opened.curve(), data[0]
            drawn = [Drawn(curve, theme.curves[0]) for curve in data]
            if one is not None and len(whole.x) > len(first.x) and whole.y_unit == first.y_unit:
                whole = replace(first, name=whole.name, x=whole.x, y=whole.y)
                drawn.insert(0, Drawn(whole, theme.earlier))  # what was left out, too
            drawn += [Drawn(curve, theme.fit, marks=False, width=2.0) for curve in curves]
            self.plot.draw(drawn, [Drawn(curve, theme.curves[0]) for curve in left])
            self._show_range()
        self.table.show_fit(one)
        self._enable()

    def _say(self, text: str, *, bad: bool = False) -> None:
        self.status.setText(text)
        self.status.setStyleSheet(f"color: {self.context.theme.bad}" if bad else "")
        self._enable()

    def _enable(self) -> None:
        busy, there, one = self._task is not None, self.opened is not None, isinstance(self.shown_fit, FitResult)
        run = self.opened is not None and self.opened.is_run and "kept with the run" not in self.fits
        for name, possible in (
            ("run", there and not busy),
            ("stop", busy),
            ("keep", run and one and not busy),
            ("begin", one),
            ("range", there),
            ("clear", there),
        ):
            self.context.actions[f"fit.{name}"].setEnabled(possible)

    def _note_live(self, run: object) -> None:
        path = getattr(run, "path", run)
        self._shown_live = Path(path) if isinstance(path, str | Path) else None

    def _use_theme(self) -> None:
        self.plot.use_theme(self.context.theme)
        self.table.use_theme(self.context.theme)
        self._show_fit()

    def close_down(self) -> None:
        """A fit under way is of no use to anybody."""
        self.stop()
