"""What a panel is: a widget that the window puts into a dock, keeps in layouts by its name, and asks when it closes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from PyQt6.QtWidgets import QWidget

if TYPE_CHECKING:
    from stmlab.gui.context import Context


class Area(StrEnum):
    """Where a panel stands in the default layout; panels of one area are tabs on top of each other."""

    TOP = "top"
    """Always in view: a strip without tabs above everything."""
    LEFT = "left"
    """What is set before a run."""
    MAIN = "main"
    """Plots, catalogue, models: the large area."""
    RIGHT = "right"
    """What is watched during a run."""
    BOTTOM = "bottom"
    """Logs."""


class Panel(QWidget):
    """Base of every panel.

    Attributes:
        name: stable, for layouts and settings.
        title: of the dock.
        area: in the default layout.
        context: what panels share.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    area: ClassVar[Area] = Area.MAIN

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.setObjectName(self.name)

    def begin(self) -> None:
        """All panels are there: say what the others wait for."""

    def objection(self) -> str:
        """What to say before the window closes, with a question whether it shall; "" if there is nothing."""
        return ""

    def close_down(self) -> None:
        """The window closes: end what the panel has started; must not wait for anything."""
