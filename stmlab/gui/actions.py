"""One registry of actions: menus, tool bar, shortcuts and buttons all show what is registered here."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QToolButton

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PyQt6.QtGui import QIcon

log = logging.getLogger(__name__)

MENUS = ("&File", "&Measure", "&Queue", "&Run", "&Instruments", "&Data", "M&odels", "&View", "&Help")
"""The menu bar, left to right."""


@dataclass(frozen=True)
class Action:
    """What can be done, and where it is shown.

    Attributes:
        name: "room.what", as in "run.pause"; unique.
        text: in menus and on buttons; "&" marks the key of the menu.
        tip: what it does, one sentence.
        shortcut: as Qt writes it ("Ctrl+R"), "" for none.
        menu: one of `MENUS`; "" for none.
        tool_bar: whether the tool bar has it.
        checkable: whether it is on or off.
        section: actions of one menu with the same section stand together, in the order of registration.
    """

    name: str
    text: str
    tip: str
    shortcut: str = ""
    menu: str = ""
    tool_bar: bool = False
    checkable: bool = False
    section: str = ""


class Actions(QObject):
    """The registry.

    Signals:
        added: an Action, after its QAction can be had by name.
    """

    added = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._known: dict[str, tuple[Action, QAction]] = {}

    def add(self, action: Action, do: Callable[[], object], icon: QIcon | None = None) -> QAction:
        """Register what can be done.

        Args:
            action: what it is.
            do: is called without arguments; of a checkable action `QAction.isChecked` tells its state.
            icon: for the tool bar.

        Raises:
            ValueError: its name is taken, its menu is not one, or it has no tip. (A shortcut that is taken stays with
                whoever has it, and the log says so: no panel goes missing for it.)
        """
        self._check(action)
        made = QAction(action.text, self)
        made.setObjectName(action.name)
        made.setCheckable(action.checkable)
        keys = self._free(action)
        made.setShortcut(keys)
        shown = keys.toString(QKeySequence.SequenceFormat.NativeText)
        made.setToolTip(f"{action.tip} ({shown})" if shown else action.tip)
        made.setStatusTip(action.tip)
        if icon is not None:
            made.setIcon(icon)
        made.triggered.connect(lambda _checked=False: do())
        self._known[action.name] = action, made
        self.added.emit(action)
        return made

    def _check(self, action: Action) -> None:
        if action.name in self._known:
            raise ValueError(f"{action.name}: there is such an action already")
        if not action.tip:
            raise ValueError(f"{action.name}: an action needs a tip")
        if action.menu and action.menu not in MENUS:
            raise ValueError(f"{action.name}: {action.menu!r} is no menu: {', '.join(MENUS)}")

    def _free(self, action: Action) -> QKeySequence:
        keys = QKeySequence(action.shortcut)
        for name, (_, other) in self._known.items():
            if not keys.isEmpty() and other.shortcut() == keys:
                log.warning("%s: %s is the shortcut of %s", action.name, action.shortcut, name)
                return QKeySequence()
        return keys

    def __getitem__(self, name: str) -> QAction:
        return self._known[name][1]

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[Action]:
        return iter([action for action, _ in self._known.values()])

    def trigger(self, name: str) -> None:
        """Do it, if it is enabled."""
        self[name].trigger()

    def button(self, name: str) -> QToolButton:
        """A button of an action: its text, tip, state and shortcut."""
        from PyQt6.QtCore import Qt

        button = QToolButton()
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setDefaultAction(self[name])
        return button
