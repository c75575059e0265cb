"""The window at the microscope: choose, check, start, watch, pause, stop, abort; the fit beside the curve."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from stmlab.acquisition.experiments import known as known_sequences
from stmlab.acquisition.experiments import sequence_class
from stmlab.acquisition.runner import Runner
from stmlab.config_files import known
from stmlab.display import fit_as_text
from stmlab.errors import StmlabError
from stmlab.gui.form import ParameterForm
from stmlab.gui.panel import Panel
from stmlab.gui.plot import LivePlot
from stmlab.gui.prototype_live import LiveRun
from stmlab.station import Station
from stmlab.station.guardian import guarded

if TYPE_CHECKING:
    from PyQt6.QtGui import QCloseEvent

    from stmlab.gui.context import Context

_FIT_HEIGHT = 200  # px
_INTERVAL = 50  # ms between redraws: 20 Hz, whatever the rate of the points


class Window(QMainWindow):
    """Main window; one run at a time, in a thread of its own."""

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__()
        self.setWindowTitle("stmlab")
        self.resize(1180, 720)
        self.live = LiveRun()
        self.runner: Runner | None = None
        self.thread_of_run: threading.Thread | None = None
        self._failure = ""
        self._build(folder or Path("runs"))
        self._choose(self.sequence_box.currentText())
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(_INTERVAL)

    # -- building ------------------------------------------------------------------------------------------------

    def _build(self, folder: Path) -> None:
        self.sequence_box, self.station_box, self.sample_box = QComboBox(), QComboBox(), QComboBox()
        self.sequence_box.addItems(sorted(known_sequences().places))
        self.station_box.addItems(known())
        self.station_box.setCurrentText("simulated")
        self.sample_box.addItems(["", *known("samples")])
        self.folder = QLineEdit(str(folder))
        browse = QPushButton("...")
        browse.setMaximumWidth(30)
        browse.clicked.connect(self._browse)
        self.sequence_box.currentTextChanged.connect(self._choose)
        where = QHBoxLayout()
        where.addWidget(self.folder)
        where.addWidget(browse)
        head = QFormLayout()
        head.addRow("Station", self.station_box)
        head.addRow("Sample", self.sample_box)
        head.addRow("Folder", where)
        head.addRow("Sequence", self.sequence_box)
        self.parameters_area = QScrollArea()
        self.parameters_area.setWidgetResizable(True)
        self.parameters_area.setFrameShape(QScrollArea.Shape.NoFrame)
        left = QVBoxLayout()
        left.addLayout(head)
        left.addWidget(self.parameters_area, stretch=1)
        left.addLayout(self._buttons())
        self._assemble(left)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.start_button, self.pause_button = QPushButton("Start"), QPushButton("Pause")
        self.stop_button, self.abort_button = QPushButton("Stop"), QPushButton("Abort")
        self.stop_button.setToolTip("end after the point that is being taken, and fit")
        self.abort_button.setToolTip("end at once; the station goes to its safe state")
        for button, action in (
            (self.start_button, self.start),
            (self.pause_button, self.pause_or_resume),
            (self.stop_button, self.stop),
            (self.abort_button, self.abort),
        ):
            button.clicked.connect(action)
            row.addWidget(button)
        return row

    def _assemble(self, left: QVBoxLayout) -> None:
        panel, right_panel = QWidget(), QWidget()
        panel.setLayout(left)
        self.plot, self.channel_box = LivePlot(), QComboBox()
        self.fit_text, self.bar = QPlainTextEdit(), QProgressBar()
        self.fit_text.setReadOnly(True)
        self.fit_text.setPlaceholderText("no fit yet")
        self.fit_text.setStyleSheet("font-family: monospace;")
        self.fit_text.setMaximumHeight(_FIT_HEIGHT)
        right = QVBoxLayout(right_panel)
        right.addWidget(self.channel_box)
        right.addWidget(self.plot, stretch=1)
        right.addWidget(self.fit_text)
        right.addWidget(self.bar)
        splitter = QSplitter()
        splitter.addWidget(panel)
        splitter.addWidget(right_panel)
        splitter.setSizes([380, 800])
        self.setCentralWidget(splitter)

    # -- what the user does ---------------------------------------------------------------------------------------

    def _choose(self, name: str) -> None:
        """Show the parameters of the sequence called ``name``."""
        self.form = ParameterForm(sequence_class(name)())
        self.form.refused.connect(self._show_refusal)
        self.parameters_area.setWidget(self.form)
        self.channel_box.clear()
        self.channel_box.addItems([f"{c.name} ({c.unit})" for c in self.form.sequence.channels])

    def start(self) -> None:
        """Check everything and start the run; a refusal is shown and nothing moves."""
        if self.running or self.form.reason:
            return
        self._failure = ""
        sequence = self.form.sequence
        settings = {name: value.value for name, value in sequence.parameter_record().items()}
        stamp = f"{datetime.now():%Y-%m-%d_%H%M%S}_{sequence.name}.h5"
        with ExitStack() as refused:
            try:
                fresh = sequence_class(sequence.name)(**settings)
                station = Station.load(self.station_box.currentText(), sample=self.sample_box.currentText() or None)
                refused.callback(station.close)  # and no longer this window's
                self.runner = Runner(fresh, station, Path(self.folder.text()) / stamp)
                self.bar.setMaximum(self.runner.preflight().points)
            except StmlabError as error:
                self._show_refusal(str(error))
                return
            refused.pop_all()
        self.live = LiveRun()
        self.runner.listen(self.live)
        self.thread_of_run = threading.Thread(target=self._run, args=(self.runner, station), name="run")
        self.thread_of_run.start()
        self.refresh()

    def pause_or_resume(self) -> None:
        """Pause after the point that is being taken, or go on."""
        if self.runner is None:
            return
        if self.live.view().state == "paused":
            self.runner.resume()
        else:
            self.runner.pause()

    def stop(self) -> None:
        """End after the point that is being taken."""
        if self.runner is not None:
            self.runner.stop()

    def abort(self) -> None:
        """End at once."""
        if self.runner is not None:
            self.runner.abort()

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Closing aborts a run and waits for the safe state."""
        if self.runner is not None and self.running:
            self.runner.abort()
        if self.thread_of_run is not None:
            self.thread_of_run.join()
        self._timer.stop()
        super().closeEvent(event)

    def _browse(self) -> None:
        if chosen := QFileDialog.getExistingDirectory(self, "Folder for the files", self.folder.text()):
            self.folder.setText(chosen)

    # -- what the window shows ------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self.thread_of_run is not None and self.thread_of_run.is_alive()

    def refresh(self) -> None:
        """Draw what the run has come to; called by the timer."""
        view, running = self.live.view(), self.running
        self.start_button.setEnabled(not running and not self.form.reason)
        for button in (self.pause_button, self.stop_button, self.abort_button):
            button.setEnabled(running)
        self.pause_button.setText("Resume" if view.state == "paused" else "Pause")
        if view.started is None:
            return
        self.plot.draw(view, max(self.channel_box.currentIndex(), 0))
        self.bar.setValue(len(view.values))
        text = "\n".join(fit_as_text(fit) for fit in view.fits)
        if text != self.fit_text.toPlainText():  # setting it anew would scroll it back
            self.fit_text.setPlainText(text)
        if self.form.reason:
            return
        message = self._failure or view.message
        self._status(f"{view.started.sequence} {view.state}" + (f": {message}" if message else ""), bool(self._failure))

    def _show_refusal(self, reason: str) -> None:
        self._status(reason or "ready", bool(reason))

    def _status(self, text: str, wrong: bool) -> None:
        bar = self.statusBar()
        assert bar is not None
        bar.setStyleSheet("color: #c62828;" if wrong else "")
        bar.showMessage(text)

    # -- the run's thread -----------------------------------------------------------------------------------------

    def _run(self, runner: Runner, station: Station) -> None:
        try:
            with station, guarded(station):
                runner.run()
        except Exception as error:  # the run has made the station safe; the window must say why it ended
            self._failure = str(error)


class PrototypePanel(Panel):
    """The window as it was, until its rooms have moved out."""

    name = "prototype"
    title = "Run"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.window_of_before = Window()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.window_of_before)

    def close_down(self) -> None:
        """As closing did."""
        self.window_of_before.close()
