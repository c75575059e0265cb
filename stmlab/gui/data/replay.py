"""A run is played again into the live plots: play, pause, speed, and a slider for its time."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout

from stmlab.gui.actions import Action
from stmlab.gui.data.dropping import accept_files
from stmlab.gui.panel import Area, Panel
from stmlab.gui.still import StillComboBox
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.acquisition.player import Player
    from stmlab.events import Event
    from stmlab.gui.context import Context
    from stmlab.storage import Run

_INTERVAL = 50  # ms
_AT_ONCE = 500  # events between two turns of the event loop
_STEPS = 1000  # of the slider
_SPEEDS = {"1 ×": 1.0, "3 ×": 3.0, "10 ×": 10.0, "30 ×": 30.0, "100 ×": 100.0, "1000 ×": 1000.0}


def load(path: Path) -> tuple[Run, float]:
    """A run and how long it took; for a work process."""
    from stmlab.acquisition.player import Player
    from stmlab.storage import open_run

    run = open_run(path)
    return run, Player(run).duration


class ReplayPanel(Panel):
    """Plays one run.

    Attributes:
        player: of the run; None before there is one.
        playing: whether its time goes on.
    """

    name = "replay"
    title = "Replay"
    area = Area.BOTTOM

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.player: Player | None = None
        self.playing = False
        self._run: Run | None = None
        self._duration, self._target, self._last = 0.0, 0.0, 0.0
        self._events: list[Event] = []
        self.head, self.words = QLabel("Choose a run in the catalogue and replay it"), QLabel()
        self.slider, self.speed = QSlider(Qt.Orientation.Horizontal), StillComboBox()
        self._register()
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(_INTERVAL)
        self._timer.timeout.connect(self.tick)
        accept_files(self, lambda paths: self.open(paths[0]))
        context.replay_wanted.connect(self.open)
        self._enable()

    def _register(self) -> None:
        for name, text, tip, keys, do in (
            ("play", "&Play or pause", "Let the time of the replay go on, or stand still", "Ctrl+Space", self.toggle),
            ("step", "Next &event", "Play the next event of the run, whenever it is due", "", self.step),
            ("start", "To the &start of the replay", "Play the run from its start", "", lambda: self.jump(0.0)),
            ("end", "To the en&d of the replay", "All of the run at once", "", lambda: self.jump(math.inf)),
        ):
            self.context.actions.add(Action(f"replay.{name}", text, tip, keys, "&Data", section="replay"), do)

    def _build(self) -> None:
        self.head.setWordWrap(True)
        self.slider.setRange(0, _STEPS)
        self.slider.setToolTip("Time of the run")
        self.slider.valueChanged.connect(self._slid)
        self.speed.addItems(list(_SPEEDS))
        self.speed.setCurrentText(str(self.context.settings.panel(self.name).get("speed", "10 ×")))
        self.speed.setToolTip("Seconds of the run in a second")
        self.speed.currentTextChanged.connect(self._choose_speed)
        row = QHBoxLayout()
        for name in ("play", "step", "start", "end"):
            row.addWidget(self.context.actions.button(f"replay.{name}"))
        label = QLabel("Sp&eed")
        label.setBuddy(self.speed)
        row.addWidget(label)
        row.addWidget(self.speed)
        row.addStretch(1)
        along = QHBoxLayout()
        along.addWidget(self.slider, stretch=1)
        along.addWidget(self.words)
        column = QVBoxLayout(self)
        column.addWidget(self.head)
        column.addLayout(along)
        column.addLayout(row)
        column.addStretch(1)

    # -- from outside ------------------------------------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Read a run in a work process and play it from its start."""
        task = self.context.workers.submit(load, path)
        task.done.connect(lambda found: self._take(*found))
        task.failed.connect(self.context.notices.error)

    def toggle(self) -> None:
        """Play or pause; at the end from the start again."""
        if self.player is None:
            return
        if not self.playing and self.player.ended:
            self.jump(0.0)
        self._set_playing(not self.playing)

    def step(self) -> None:
        """The next event."""
        if self.player is not None:
            self._set_playing(False)
            self.player.step()
            self._target = self.player.time
            self._pass_on()

    def jump(self, to: float) -> None:
        """Go to a time of the run, in s; what lies between is played without waiting."""
        if self.player is None:
            return
        self._target = min(max(to, 0.0), self._duration)
        if self._target < self.player.time:
            self._begin()
        self._timer.start()
        self.tick()

    def close_down(self) -> None:
        """The window closes."""
        self._timer.stop()

    # -- how time goes on --------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Play what is due, a bounded number of events at once."""
        player = self.player
        if player is None:
            return
        now = time.monotonic()
        if self.playing:
            self._target += (now - self._last) * player.speed
        self._last = now
        self._target = min(self._target, self._duration)
        player.advance(max(self._target - player.time, 0.0) / player.speed, most=_AT_ONCE)
        self._pass_on()
        behind = not player.ended and player.wait <= 0.0
        if player.ended:
            self._set_playing(False)
        if not self.playing and not behind and player.time >= self._target:
            self._timer.stop()

    def _take(self, run: Run, duration: float) -> None:
        self._run, self._duration, self._target = run, duration, 0.0
        self.head.setText(f"{run.path.name} · {run.sequence} · {run.sample} · {run.points} points")
        self._begin()
        self.context.panel_wanted.emit("live")
        self._set_playing(True)

    def _begin(self) -> None:
        from stmlab.acquisition.player import Player

        assert self._run is not None
        self._events = []
        self.player = Player(self._run, self._events.append, speed=_SPEEDS[self.speed.currentText()])

    def _set_playing(self, playing: bool) -> None:
        self.playing, self._last = playing, time.monotonic()
        if playing:
            self._timer.start()
        self._enable()

    def _pass_on(self) -> None:
        """Events to the plots, time to the slider."""
        assert self.player is not None
        if self._events:
            self.context.events_replayed.emit(self._events.copy())
            self._events.clear()
        self.slider.blockSignals(True)
        self.slider.setValue(round(_STEPS * self.player.time / self._duration) if self._duration else _STEPS)
        self.slider.blockSignals(False)
        times = (format_quantity(float(f"{t:.4g}"), "s") for t in (self.player.time, self._duration))
        self.words.setText(" of ".join(times))

    def _slid(self, value: int) -> None:
        self.jump(self._duration * value / _STEPS)

    def _choose_speed(self, text: str) -> None:
        self.context.settings.remember_panel(self.name, speed=text)
        if self.player is not None:
            self.player.speed = _SPEEDS[text]

    def _enable(self) -> None:
        there = self.player is not None
        self.slider.setEnabled(there)
        for name in ("play", "step", "start", "end"):
            self.context.actions[f"replay.{name}"].setEnabled(there)
        self.context.actions["replay.play"].setText("&Pause" if self.playing else "&Play")
