"""The run that is under way: what it does, point n of N, time left, file; run, pause, resume, stop, abort."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from stmlab.gui.actions import Action
from stmlab.gui.panel import Area, Panel
from stmlab.gui.queue.desk import desk_of
from stmlab.gui.queue.words import progress_in_numbers, progress_of, queue_state

if TYPE_CHECKING:
    from stmlab.gui.context import Context
    from stmlab.gui.themes import Theme

_OBEYS = 1000  # ms in which a simulated run must have ended after the safe state was asked for
_GOING = ("preparing", "running", "mending", "analysing", "starting", "checked")


class RunPanel(Panel):
    """The strip below the state bar.

    Attributes:
        desk: of the queue.
        state, point, file: labels.
        bar: of the points.
        trouble: the last failure or refusal, in words, until it is dismissed; hidden without one.
    """

    name, title, area = "run", "Run", Area.TOP

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.desk = desk_of(context)
        self._register()
        self.state, self.point, self.file = QLabel(), QLabel(), QLabel()
        self.bar = QProgressBar()
        self._painted = ("", "")  # theme and colour of the state
        self.trouble_row, self.trouble = QWidget(), QLabel()
        self._lay_out()
        self.desk.run_changed.connect(self.refresh)
        self.desk.trouble_changed.connect(self._show_trouble)
        context.run_asked.connect(self.desk.run_now)
        context.safe_asked.connect(self._make_way)
        context.theme_changed.connect(self._paint)
        self._show_trouble(self.desk.trouble)
        self.refresh()
        self._paint(context.theme)

    # -- building ----------------------------------------------------------------------------------------------------

    def _register(self) -> None:
        add, desk = self.context.actions.add, self.desk
        for name, text, tip, keys, do in (
            ("start", "Run &queue", "Perform every entry that waits, one after the other", "F6", desk.start),
            ("pause", "&Pause", "Hold after this point: RF and modulation off, feedback on", "F7", self.pause),
            ("resume", "&Resume", "Go on after a pause, or with a queue that waits for you", "F8", self.resume),
            ("stop", "&Stop", "End after this point; what was taken is kept and fitted", "F9", self.stop),
            ("next", "&Next", "End this run after its point, and take the next entry", "Shift+F9", self.take_next),
            ("abort", "&Abort", "End at once; the point is lost, the tip goes to its safe state", "F10", self.abort),
        ):
            bar = name not in ("next",)
            add(Action(f"run.{name}", text, tip, keys, "&Run", tool_bar=bar, section="run"), do)
        add(
            Action("run.dismiss", "&Dismiss failure", "You have read why it failed", "Shift+F8", "&Run"),
            desk.dismiss,
        )

    def _lay_out(self) -> None:
        for label in (self.state, self.point, self.file, self.trouble):
            label.setTextFormat(Qt.TextFormat.PlainText)
        for label in (self.file, self.trouble):
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        font = self.state.font()
        font.setBold(True)
        self.state.setFont(font)
        self.state.setAccessibleName("State of the run")
        self.bar.setTextVisible(True)
        self.bar.setFixedWidth(self.bar.fontMetrics().horizontalAdvance("0" * 18))
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.state)
        row.addWidget(self.bar)
        row.addWidget(self.point)
        row.addWidget(self.file, stretch=1)
        dismiss = QToolButton()
        dismiss.setDefaultAction(self.context.actions["run.dismiss"])
        trouble = QHBoxLayout(self.trouble_row)
        trouble.setContentsMargins(0, 0, 0, 0)
        trouble.addWidget(self.trouble, stretch=1)
        trouble.addWidget(dismiss, alignment=Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 2, 8, 2)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.trouble_row)

    # -- what is asked -----------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """After the point; between two runs the queue waits."""
        self.desk.ask("pause")

    def resume(self) -> None:
        """A second time it goes on although the tip may not be at the same place; the reason says so before."""
        self.desk.ask("resume", anyway=self.desk.run == "paused" and "not the same place" in self.desk.said)

    def stop(self) -> None:
        """After the point; the queue ends with it."""
        self.desk.ask("stop")

    def take_next(self) -> None:
        """Stop this run, go on with the next entry."""
        self.desk.ask("stop", then="go on")

    def abort(self) -> None:
        """At once."""
        self.desk.ask("abort")

    def _make_way(self) -> None:
        """The safe state of a simulated microscope is asked for: its run ends, or its process if that hangs."""
        if self.desk.link.is_connected:
            self.abort()
            QTimer.singleShot(_OBEYS, partial(self._end_what_hangs, self.desk.progress.get("file")))

    def _end_what_hangs(self, file: str | None) -> None:
        if self.desk.is_running and self.desk.progress.get("file") == file:
            self.desk.kill()

    # -- what is shown -----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Everything but the trouble, as the desk knows it."""
        desk = self.desk
        self.state.setText(queue_state(desk))
        self.point.setText(progress_of(desk))
        said = desk.progress
        self.bar.setVisible(bool(said))
        if said:
            done, total = progress_in_numbers(said)
            self.bar.setMaximum(total)
            self.bar.setValue(done)
        file = said.get("file") or ""
        self.file.setText(Path(file).name)
        self.file.setToolTip(file)
        self._enable()
        self._paint(self.context.theme)

    def _enable(self) -> None:
        actions, desk = self.context.actions, self.desk
        running, paused = desk.is_running, desk.run == "paused"
        performed = desk.link.is_connected
        actions["run.start"].setEnabled(not desk.is_performed or bool(desk.link.is_connected and desk.only))
        actions["run.pause"].setEnabled(performed and not paused and desk.state != "waiting")
        actions["run.resume"].setEnabled(performed and (paused or desk.state == "waiting"))
        for name in ("stop", "next", "abort"):
            actions[f"run.{name}"].setEnabled(running or performed)

    def _show_trouble(self, why: str) -> None:
        self.trouble.setText(why)
        self.trouble.setToolTip(why)
        self.trouble_row.setVisible(bool(why))
        self.context.actions["run.dismiss"].setEnabled(bool(why))

    def _paint(self, theme: Theme) -> None:
        run = self.desk.run
        colour = theme.good if run in _GOING else theme.warn if run == "paused" or self.desk.held else theme.text
        if self._painted == (theme.name, colour):
            return  # a style sheet costs milliseconds
        self._painted = theme.name, colour
        self.state.setStyleSheet(f"color: {colour};")
        self.point.setStyleSheet(f"color: {theme.text};")
        self.file.setStyleSheet(f"color: {theme.faint};")
        self.trouble.setStyleSheet(f"color: {theme.bad}; font-weight: bold;")

    def objection(self) -> str:
        """That the run goes on when the window closes."""
        if not self.desk.is_performed:
            return ""
        what = progress_of(self.desk) or "the queue is performed"
        return f"{what}: it goes on without the window; `stmlab gui` shows it again"

    def close_down(self) -> None:
        """The window closes; the run goes on."""
        self.desk.close()
