"""The bar above the plot: which channels, which kind of plot, which sweeps, which axes are logarithmic."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup
from PyQt6.QtWidgets import QMenu, QToolBar, QToolButton

from stmlab.gui.actions import Action
from stmlab.gui.live.shown import Shown, Sweeps, View, Ways
from stmlab.gui.live.words import spelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.events import RunStarted
    from stmlab.gui.actions import Actions
    from stmlab.gui.live.lines import Layout

_VIEWS = {
    View.CURVES: ("&Curves", "Channels over the innermost axis", "Ctrl+1"),
    View.WATERFALL: ("&Waterfall", "Sweeps one above the other", "Ctrl+2"),
    View.MAP: ("Colour &map", "The channel in colours, with cuts; click to place them", "Ctrl+3"),
    View.HISTORY: ("&Fitted values", "What was fitted to each sweep, over what the sweeps differ in", "Ctrl+4"),
}
_SWITCHES = {
    "log_x": ("log &x", "Logarithmic horizontal axis", "Ctrl+Shift+X"),
    "log_y": ("log &y", "Logarithmic vertical axes", "Ctrl+Shift+Y"),
    "errors": ("&Error bars", "Standard errors of the readings, where they are known", ""),
    "fit": ("Fi&t", "The fit over its points", ""),
    "residual": ("&Residual", "Data minus fit, below", ""),
}
_SWEEPS = {
    Sweeps.ALL: ("All sweeps", "The sweep that is taken, earlier ones behind it"),
    Sweeps.LAST: ("Last sweep", "Only the sweep that is taken"),
    Sweeps.AVERAGE: ("Mean of sweeps", "The mean of the repetitions"),
}
_STEPS = {
    -1: ("sweep_before", "Sweep &before", "The sweep before this one comes to the front, with its fit", "Ctrl+PgUp"),
    1: ("sweep_after", "Sweep &after", "The sweep after this one comes to the front, with its fit", "Ctrl+PgDown"),
    0: ("sweep_newest", "&Newest sweep", "The sweep that is taken is in front", "Ctrl+End"),
}
_WAYS = {
    Ways.BOTH: ("Both ways", "Forward and backward"),
    Ways.FORWARD: ("Forward", "The way forward only"),
    Ways.BACKWARD: ("Backward", "The way back only"),
}


class Controls(QToolBar):
    """Shows and changes a `Shown`.

    Signals:
        changed: the new one, chosen by the user.
        step_wanted: to the sweep before (-1) or after (1), or to the one that is taken (0).
        all_wanted: all of the data are to be in view.
    """

    changed = pyqtSignal(object)
    step_wanted = pyqtSignal(int)
    all_wanted = pyqtSignal()

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._shown = Shown()
        self._units: dict[str, str] = {}
        self.views: dict[View, QAction] = {}
        self.switches: dict[str, QAction] = {}
        self.choices: dict[Sweeps | Ways, QAction] = {}
        self.steps: dict[int, QAction] = {}
        self._menus: dict[str, QMenu] = {}
        self._buttons: dict[str, QToolButton] = {}
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self._register(actions)
        self._build()

    # -- from outside ------------------------------------------------------------------------------------------------

    def show_run(self, started: RunStarted, layout: Layout, shown: Shown) -> None:
        """Offer what this run has."""
        self._units = {channel.name: channel.unit for channel in started.channels}
        for side in ("left", "right"):
            self._fill(side, {channel.name: channel.meaning for channel in started.channels})
        self.views[View.MAP].setEnabled(bool(layout.outer))
        self.views[View.WATERFALL].setEnabled(layout.count > 1)
        self.views[View.HISTORY].setEnabled(bool(layout.varied))
        self.choices[Sweeps.AVERAGE].setEnabled(bool(layout.repeated))
        for choice in (Sweeps.ALL, Sweeps.LAST):
            self.choices[choice].setEnabled(layout.count > 1)
        for step in self.steps.values():
            step.setEnabled(layout.count > len(layout.pieces))
        for way in _WAYS:
            self.choices[way].setEnabled(len(layout.pieces) > 1)
        self.switches["log_x"].setEnabled(bool(layout.values.min() > 0))
        self.show_choice(shown)

    def show_choice(self, shown: Shown) -> None:
        """Check and name what is chosen."""
        self._shown = shown
        self.views[shown.view].setChecked(True)
        self.choices[shown.sweeps].setChecked(True)
        self.choices[shown.ways].setChecked(True)
        for name, action in self.switches.items():
            action.setChecked(getattr(shown, name))
        for side, channels in (("left", shown.left), ("right", shown.right)):
            for action in self._menus[side].actions():
                action.setChecked(action.data() in channels)
            names = ", ".join(map(spelled, channels)) or "none"
            self._buttons[side].setText(f"{side.capitalize()}: {names}")
        self._buttons["view"].setText(self.views[shown.view].text().replace("&", ""))
        words = [self.choices[choice].text() for choice in (shown.sweeps, shown.ways)]
        self._buttons["sweeps"].setText(words[0] if shown.ways is Ways.BOTH else ", ".join(words))

    # -- details -----------------------------------------------------------------------------------------------------

    def _register(self, actions: Actions) -> None:
        """What can be chosen for every run, in the menu of the window too."""
        add = partial(self._add, actions)
        for view, (text, tip, keys) in _VIEWS.items():
            action = Action(f"live.{view}", text, tip, keys, "&View", checkable=True, section="plot")
            self.views[view] = add(action, {"view": view})
        for name, (text, tip, keys) in _SWITCHES.items():
            action = Action(f"live.{name}", text, tip, keys, "&View", checkable=True, section="plot axes")
            self.switches[name] = actions.add(action, partial(self._switch, name))
        rows: list[tuple[Sweeps | Ways, tuple[str, str]]] = [*_SWEEPS.items(), *_WAYS.items()]
        for choice, (text, tip) in rows:
            kind = "sweeps" if isinstance(choice, Sweeps) else "ways"
            action = Action(f"live.{kind}.{choice}", text, tip, "", "&View", checkable=True, section=f"plot {kind}")
            self.choices[choice] = add(action, {kind: choice})
        for step, (name, text, tip, keys) in _STEPS.items():
            action = Action(f"live.{name}", text, tip, keys, "&View", section="plot sweep")
            self.steps[step] = actions.add(action, partial(self.step_wanted.emit, step))
        whole = Action("live.show_all", "Show &all", "All of the data in view, and follow them", "Ctrl+0", "&View")
        self.whole = actions.add(whole, self.all_wanted.emit)
        for group in (
            self.views,
            {key: self.choices[key] for key in _SWEEPS},
            {key: self.choices[key] for key in _WAYS},
        ):
            made = QActionGroup(self)
            for one in group.values():
                made.addAction(one)

    def _add(self, actions: Actions, action: Action, update: dict[str, object]) -> QAction:
        return actions.add(action, lambda: self._choose(**update))

    def _build(self) -> None:
        self._button("view", "Kind of plot", [*self.views.values()])
        self._button("left", "Channels on the left axis; those of one axis have the same unit", [])
        self._button("right", "Channels on the right axis; those of one axis have the same unit", [])
        self._button("sweeps", "Which sweeps, in which direction", [])
        for choice in _SWEEPS:
            self._menus["sweeps"].addAction(self.choices[choice])
        self._menus["sweeps"].addSeparator()
        for way in _WAYS:
            self._menus["sweeps"].addAction(self.choices[way])
        self._menus["sweeps"].addSeparator()
        self._menus["sweeps"].addActions([*self.steps.values()])
        for action in (*self.switches.values(), self.whole):
            self.addAction(action)

    def _button(self, name: str, tip: str, actions: list[QAction]) -> None:
        button, menu = QToolButton(), QMenu(self)
        menu.setToolTipsVisible(True)
        menu.addActions(actions)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setToolTip(tip)
        button.setText(name.capitalize())
        self.addWidget(button)
        self._menus[name], self._buttons[name] = menu, button

    def _fill(self, side: str, channels: dict[str, str]) -> None:
        menu = self._menus[side]
        menu.clear()
        for name, meaning in channels.items():
            action = QAction(f"{spelled(name)} ({self._units[name]})" if self._units[name] else spelled(name), menu)
            action.setCheckable(True)
            action.setData(name)
            action.setToolTip(meaning or spelled(name))
            do: Callable[[], None] = partial(self._toggle, side, name)
            action.triggered.connect(do)
            menu.addAction(action)

    def _toggle(self, side: str, name: str, _checked: bool = False) -> None:
        """A channel more or less on one axis; the others on it stay if they have its unit."""
        now: tuple[str, ...] = getattr(self._shown, side)
        if name in now:
            kept = tuple(other for other in now if other != name)
        else:
            kept = (*(other for other in now if self._units[other] == self._units[name]), name)
        if side == "left" and not kept:
            kept = now  # a plot shows something
        other = "right" if side == "left" else "left"
        rest = tuple(one for one in getattr(self._shown, other) if one not in kept)
        if other == "left" and not rest:
            rest, kept = self._shown.left, tuple(one for one in kept if one not in self._shown.left)
        self._choose(**{side: kept, other: rest})

    def _switch(self, name: str) -> None:
        self._choose(**{name: self.switches[name].isChecked()})

    def _choose(self, **update: object) -> None:
        shown = self._shown.model_copy(update=update)
        self.show_choice(shown)
        self.changed.emit(shown)
