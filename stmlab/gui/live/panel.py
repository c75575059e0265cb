"""The panel of the run that is shown: controls, plot, fit; renewed twenty times a second when something is new."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QLabel, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from stmlab.acquisition.choosing import sought
from stmlab.events import RunStarted
from stmlab.gui.live.controls import Controls
from stmlab.gui.live.fit_table import FitTable
from stmlab.gui.live.history import HistoryPlot
from stmlab.gui.live.map_plot import MapPlot
from stmlab.gui.live.menu import PlotMenu
from stmlab.gui.live.posterior import PosteriorView
from stmlab.gui.live.run_data import RunData
from stmlab.gui.live.shown import Shown, View
from stmlab.gui.live.source import Source
from stmlab.gui.live.sweep_plot import SweepPlot
from stmlab.gui.live.waterfall import WaterfallPlot
from stmlab.gui.panel import Area, Panel

if TYPE_CHECKING:
    from stmlab.events import Event
    from stmlab.gui.context import Context
    from stmlab.gui.live.area import PlotArea
    from stmlab.gui.themes import Theme
    from stmlab.results import FitResult
    from stmlab.storage import Run

_INTERVAL = 50  # ms between redraws: 20 Hz, whatever the rate of the points
_KINDS: dict[View, type[PlotArea]] = {
    View.CURVES: SweepPlot,
    View.WATERFALL: WaterfallPlot,
    View.MAP: MapPlot,
    View.HISTORY: HistoryPlot,
}


class LivePanel(Panel):
    """Shows one run: the one that `Context.run_shown` names.

    Attributes:
        source: of its readings.
        shown: what is chosen.
        plots: kind -> plot.
        posterior: beside the plot, of a run that chooses its points.
    """

    name, title, area = "live", "Live", Area.MAIN

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.source = Source(context.workers)
        self.shown = Shown()
        self.controls = Controls(context.actions)
        self.plots = {view: kind(context.theme) for view, kind in _KINDS.items()}
        self.words, self.pointed, self.table = QLabel("no run yet"), QLabel(), FitTable(context.theme)
        self.posterior = PosteriorView(context.theme)
        self._arranged: tuple[object, ...] = ()
        self._long = False  # whether the last turn has taken in so much that this one only draws
        self._build()
        self._connect(context)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(_INTERVAL)

    # -- from outside ------------------------------------------------------------------------------------------------

    def show_run(self, run: Run | RunData | str | Path) -> None:
        """Show a run in memory, one that somebody fills, or a file as it grows."""
        if isinstance(run, RunData):
            self.source.follow(run)
        elif isinstance(run, str | Path):
            self.source.watch(Path(run))
        else:
            self.source.show_run(run)

    def take_events(self, events: list[Event]) -> None:
        """Events of a run that is played again; with a `RunStarted` it begins anew."""
        for event in events:
            if isinstance(event, RunStarted):
                self.source.follow(RunData())
            self.source.data(event)

    def show_fit(self, fit: FitResult) -> None:
        """Draw another fit over the data."""
        self.source.data.fits = (*self.source.data.fits, fit)
        self.source.data.version += 1

    def take_partial(self, index: int, values: dict[str, Any]) -> None:
        """A sweep under way, as the process that runs it tells it; nothing to a run that is over or played again."""
        if self.source.growing:
            self.source.data.partial(index, values)

    def take_next(self, file: Path, index: int) -> None:
        """Which point the run in that file takes now, as its process tells it; -1: it does not choose its points."""
        path, data = self.source.path, self.source.data
        if self.source.growing and data.state == "running" and path is not None and path.resolve() == file.resolve():
            data.next_place = index

    def refresh(self) -> None:
        """Take in what is new, and draw it."""
        self._long = not self._long and self.source.tick()
        if self._long:
            return
        data = self.source.data
        if data.started is None:
            return
        if self._arranged != (id(data), data.started.run_id):
            self._arranged = id(data), data.started.run_id
            self._arrange(data)
        if not self.isVisible():
            return
        plot = self.plot
        plot.draw(data, self.shown)
        self.posterior.draw(data, self.shown)
        self._say(data, plot)
        self.table.show_fit(data.fits[-1] if data.fits else None)

    @property
    def plot(self) -> PlotArea:
        """The kind of plot that is shown."""
        return self.plots[self.shown.view]

    def close_down(self) -> None:
        """The window closes."""
        self._timer.stop()

    # -- details -----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.stack = QStackedWidget()
        self.stack.setMinimumHeight(12 * self.fontMetrics().lineSpacing())  # room for the label of an axis
        self.stack.addWidget(self._nothing())
        for plot in self.plots.values():
            self.stack.addWidget(plot)
        for label in (self.words, self.pointed):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.RichText)
        above = QWidget()
        column = QVBoxLayout(above)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.controls)
        column.addWidget(self.words)
        beside = QSplitter(Qt.Orientation.Horizontal)
        for widget, share in ((self.stack, 5), (self.posterior, 2)):
            beside.addWidget(widget)
            beside.setStretchFactor(beside.indexOf(widget), share)
        beside.setChildrenCollapsible(False)
        self.posterior.hide()
        column.addWidget(beside, stretch=1)
        column.addWidget(self.pointed)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(above)
        splitter.addWidget(self.table)
        splitter.setStretchFactor(0, 4)
        splitter.setStretchFactor(1, 1)
        splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 2)
        layout.addWidget(splitter)

    def _nothing(self) -> QLabel:
        """In place of a plot while there is no run: axes without a label say nothing."""
        words = QLabel("A run is shown here as soon as one begins; one of the catalogue when it is chosen there.")
        words.setWordWrap(True)
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        return words

    def _connect(self, context: Context) -> None:
        context.run_shown.connect(self.show_run)
        context.partial_seen.connect(self.take_partial)
        context.next_seen.connect(self.take_next)
        context.fit_shown.connect(self.show_fit)
        context.events_replayed.connect(self.take_events)
        context.theme_changed.connect(self._use_theme)
        self.source.failed.connect(lambda why: context.notices.error(why, "the plot shows what was read before"))
        self.controls.changed.connect(self._choose)
        self.controls.all_wanted.connect(lambda: self.plot.show_all())
        self.controls.step_wanted.connect(self._step)
        self.menu = PlotMenu(context, self)
        for plot in (*self.plots.values(), self.posterior.plot):
            plot.pointed.connect(self.pointed.setText)
            plot.menu_wanted.connect(self.menu.open_at)

    def _arrange(self, data: RunData) -> None:
        """Another run: what was chosen for its sequence, as far as it fits."""
        assert data.started is not None
        chosen = self.context.settings.panel(self.name).get(data.started.sequence)
        try:
            shown = Shown.model_validate(chosen) if chosen is not None else None
        except ValidationError:  # of another version
            shown = None
        shown = shown or Shown.of(data.started, data.layout)
        self.shown = shown.fitting(data.started, data.layout)
        self.controls.show_run(data.started, data.layout, self.shown)
        self.stack.setCurrentWidget(self.plot)
        self.pointed.clear()

    def _choose(self, shown: Shown) -> None:
        """By the user: remembered for the sequence."""
        data = self.source.data
        self.shown = shown
        if data.started is None:
            return
        self.stack.setCurrentWidget(self.plot)
        try:
            self.context.settings.remember_panel(self.name, **{data.started.sequence: shown.model_dump(mode="json")})
        except OSError as error:
            self.context.notices.failure(error, "the choice holds until the window is closed")
        self.refresh()

    def _step(self, step: int) -> None:
        """Another sweep in front, among the curves."""
        curves = self.plots[View.CURVES]
        assert isinstance(curves, SweepPlot)
        if self.shown.view is not View.CURVES:
            self._choose(self.shown.model_copy(update={"view": View.CURVES}))
            self.controls.show_choice(self.shown)
        curves.step_sweep(step)

    def _say(self, data: RunData, plot: PlotArea) -> None:
        """Name and state of the run, and what is drawn."""
        assert data.started is not None
        theme = self.context.theme
        sample = f" on {data.started.sample}" if data.started.sample else ""
        state = f"{data.state}: {data.message}" if data.message else data.state
        beyond = f"{data.beyond} readings lie beyond the plan" if data.beyond else ""
        points = _points_in_words(data)
        kept = "" if data.keeping.whole else f"only the last {data.layout.outer[0]} sweeps are kept in view"
        silent = data.state == "running" and data.layout.width > 1 and data.points < data.total and data.under_way < 0
        sweeping = "the instrument is sweeping: what it reads comes at the end of the sweep" if silent else ""
        faint = " · ".join(filter(None, (points, state, beyond, kept, sweeping)))
        head = f"<b>{data.started.sequence}</b>{sample} <span style='color: {theme.faint}'>{faint}</span>"
        text = "<br>".join(filter(None, (head, plot.words)))
        if text != self.words.text():
            self.words.setText(text)

    def _use_theme(self, theme: Theme) -> None:
        for plot in self.plots.values():
            plot.use_theme(theme)
        self.posterior.use_theme(theme)
        self.table.use_theme(theme)


def _points_in_words(data: RunData) -> str:
    """How many points there are; where they are chosen one by one, the error so far, since nobody knows how many."""
    assert data.started is not None
    found = sought(data.started)
    if found is None:
        return f"{data.points} of {data.total} points"
    words = f"{data.points} points, chosen one by one"
    if data.last >= 0:
        error = float(data.cells(data.channels[found.error])[data.last])
        words += f", error {100 * error:.2g} % of {100 * found.target:.2g} %"
    return words
