"""All colours of the window, light and dark: Qt's palette, the plots', those of states. The only place of colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QGuiApplication, QPalette
from PyQt6.QtWidgets import QApplication, QStyleFactory, QToolTip

if TYPE_CHECKING:
    from collections.abc import Iterable


_STYLE = "fusion"
_APPLIED = "theme"  # property of the application: the name of the theme that it has


@dataclass(frozen=True)
class Theme:
    """Colours as "#rrggbb".

    Attributes:
        name: "light" or "dark".
        window, base, text, faint, line: of widgets, of fields, of writing, of writing that matters less, of borders.
        accent: what is selected.
        good, warn, bad, idle: of states, readable on ``window``; never the only sign of a state.
        bad_base: behind a field that is refused.
        curves: of plots, told apart by the colour-blind too (Okabe and Ito); the first is data.
        fit, earlier, cursor: of a fit, of earlier sweeps, of a crosshair.
        colour_map: of maps, a name that pyqtgraph knows.
    """

    name: str
    window: str
    base: str
    text: str
    faint: str
    line: str
    accent: str
    good: str
    warn: str
    bad: str
    idle: str
    bad_base: str
    curves: tuple[str, ...]
    fit: str
    earlier: str
    cursor: str
    colour_map: str = "viridis"

    @property
    def is_dark(self) -> bool:
        """Whether writing is lighter than what it stands on."""
        return self.name == "dark"


LIGHT = Theme(
    name="light",
    window="#f4f5f7",
    base="#ffffff",
    text="#1c2128",
    faint="#5b6572",
    line="#c3cad3",
    accent="#1f5fa8",
    good="#1b7f3b",
    warn="#8a5a00",
    bad="#b3261e",
    idle="#5b6572",
    bad_base="#fdecea",
    curves=("#0a5a9c", "#b84a00", "#00785a", "#9b3f78", "#7a6a00", "#2b7fa8", "#6b4fa0"),
    fit="#d9541e",
    earlier="#9aa7b8",
    cursor="#444c56",
)
DARK = Theme(
    name="dark",
    window="#22262c",
    base="#181b20",
    text="#e6e9ee",
    faint="#a3adb9",
    line="#454d58",
    accent="#3f87d6",
    good="#56c271",
    warn="#e8b04a",
    bad="#ff7b72",
    idle="#a3adb9",
    bad_base="#4a2326",
    curves=("#6fb7f0", "#f0a35e", "#4fd0a5", "#e29ac6", "#e0cf4e", "#8ecdf0", "#b9a3ea"),
    fit="#ff8f5a",
    earlier="#67717e",
    cursor="#c3cad3",
)


def theme_called(name: str) -> Theme:
    """The theme "light", "dark", or "system": as the desktop has it."""
    if name == "system":
        hints = QGuiApplication.styleHints()
        name = "dark" if hints is not None and hints.colorScheme() == Qt.ColorScheme.Dark else "light"
    return DARK if name == "dark" else LIGHT


def apply(theme: Theme, application: QApplication) -> None:
    """Give every widget these colours, and every plot that is made from now on."""
    import pyqtgraph as pg

    if application.property(_APPLIED) == theme.name:
        return
    style = application.style()
    if style is None or style.name() != _STYLE:  # once: every widget is polished anew, and the old style is gone
        application.setStyle(QStyleFactory.create(_STYLE))
    colours = palette(theme)
    application.setPalette(colours)
    QToolTip.setPalette(colours)
    application.setProperty(_APPLIED, theme.name)
    pg.setConfigOptions(background=theme.base, foreground=theme.text)


def palette(theme: Theme) -> QPalette:
    """Qt's palette."""
    made, role, group = QPalette(), QPalette.ColorRole, QPalette.ColorGroup
    for roles, colour in (
        ((role.Window, role.Button), theme.window),
        ((role.Base, role.ToolTipBase), theme.base),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), theme.text),
        ((role.PlaceholderText,), theme.faint),
        ((role.Highlight, role.Link, role.Accent), theme.accent),
        ((role.Mid, role.Midlight), theme.line),
    ):
        for one in roles:
            made.setColor(one, QColor(colour))
    made.setColor(role.AlternateBase, mixed(theme.base, theme.window))
    made.setColor(role.HighlightedText, QColor("#ffffff"))
    made.setColor(role.BrightText, QColor(theme.bad))
    for one in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(group.Disabled, one, mixed(theme.text, theme.window))
    return made


def mixed(first: str, second: str) -> QColor:
    """Halfway between two colours."""
    a, b = QColor(first), QColor(second)
    return QColor((a.red() + b.red()) // 2, (a.green() + b.green()) // 2, (a.blue() + b.blue()) // 2)


def paint_plot(plot: Any, theme: Theme, sides: Iterable[str] = ("left", "bottom", "right", "top")) -> None:
    """Recolour background and axes of a pyqtgraph PlotWidget, or of a PlotItem, which has no background."""
    if hasattr(plot, "setBackground"):
        plot.setBackground(theme.base)
    item = plot.getPlotItem() if hasattr(plot, "getPlotItem") else plot
    for side in sides:
        axis = item.getAxis(side)
        axis.setPen(theme.faint)
        axis.setTextPen(theme.text)
