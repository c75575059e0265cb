"""The main window: panels in docks, menus and tool bar from the registry, notices above them."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QByteArray, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QApplication, QMainWindow, QMenu, QMessageBox, QToolBar, QVBoxLayout, QWidget

from stmlab.gui import themes
from stmlab.gui.about import AboutDialog
from stmlab.gui.actions import MENUS, Action
from stmlab.gui.data.dropping import accept_files
from stmlab.gui.docks import Docks
from stmlab.gui.notice_bar import NoticeBar
from stmlab.gui.panel import Area

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from PyQt6.QtGui import QCloseEvent

    from stmlab.gui.context import Context
    from stmlab.gui.panel import Panel

_THEMES = {"system": "Colours of the &system", "light": "&Light colours", "dark": "&Dark colours"}


class Window(QMainWindow):
    """Everything the user sees; each panel by itself, so that one that fails takes no other with it.

    Args:
        context: what the panels share.
        panels: classes of the panels.

    Attributes:
        panels: by name.
        docks: where they stand; those of the area "top" stand above it.
    """

    def __init__(self, context: Context, panels: Iterable[type[Panel]]) -> None:
        super().__init__()
        self.context = context
        self.panels: dict[str, Panel] = {}
        self._asks = True  # before it closes
        self._menus: dict[str, QMenu] = {}
        self.docks = Docks()
        self.setWindowTitle("stmlab")
        self._build_bars()
        context.actions.added.connect(self._show_action)
        self.notice_bar = NoticeBar(context)
        self._column = self._build_column()
        self._register()
        for panel in panels:
            self._add_panel(panel)
        self._add_panel_menu()
        for made in self.panels.values():
            made.begin()
        self.docks.arrange()
        self._restore()
        context.panel_wanted.connect(self.docks.bring)
        accept_files(self, self.take_files)
        self._follow_the_desktop()
        if context.settings.problem:
            context.notices.warning(context.settings.problem, "the defaults are used")

    def take_files(self, paths: list[Path]) -> None:
        """Files dropped where no panel takes them: runs and recorded files are drawn."""
        self.context.overlay_wanted.emit(paths)
        self.context.panel_wanted.emit("overlay")

    # -- building ----------------------------------------------------------------------------------------------------

    def _build_bars(self) -> None:
        bar = self.menuBar()
        assert bar is not None
        for title in MENUS:
            menu = bar.addMenu(title)
            assert menu is not None
            menu.setToolTipsVisible(True)
            _show(menu, False)  # until there is something in it
            self._menus[title] = menu
        self.tool_bar = QToolBar("Tool bar")
        self.tool_bar.setMovable(False)
        self.tool_bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.addToolBar(self.tool_bar)
        self.tool_bar.hide()
        self.statusBar()  # made by being asked for: it shows the tips of actions

    def _build_column(self) -> QVBoxLayout:
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notice_bar)
        column.addWidget(self.docks, stretch=1)
        self.setCentralWidget(middle)
        return column

    def _show_action(self, action: Action) -> None:
        made = self.context.actions[action.name]
        self.addAction(made)  # so that its shortcut works wherever the keyboard is
        if action.menu:
            menu = self._menus[action.menu]
            self._place(menu, action)
            _show(menu, True)
        if action.tool_bar:
            self.tool_bar.addAction(made)
            self.tool_bar.show()

    def _place(self, menu: QMenu, action: Action) -> None:
        """Behind the others of its section; a new section begins after a line."""
        made, before, there = self.context.actions[action.name], None, menu.actions()
        same = [
            other.name
            for other in self.context.actions
            if other.menu == action.menu and other.section == action.section and other.name != action.name
        ]
        if same:
            place = there.index(self.context.actions[same[-1]]) + 1
            before = there[place] if place < len(there) else None
        elif there:
            menu.addSeparator()
        menu.insertAction(before, made)

    def _register(self) -> None:
        add, view = self.context.actions.add, "&View"
        add(Action("file.close", "&Close window", "Close; a run goes on", "Ctrl+Q", "&File", section="end"), self.close)
        for name, text in _THEMES.items():
            tip = "Take the desktop's colours" if name == "system" else f"Take {name} colours"
            action = Action(f"view.{name}", text, tip, menu=view, section="colours", checkable=True)
            add(action, partial(self.use_theme, name))
        back = Action("view.default_layout", "Default la&yout", "Put every panel back", menu=view, section="docks")
        add(back, self.docks.arrange)
        add(Action("help.about", "&About stmlab", "Versions, station, files", "F1", "&Help"), self.about)
        self._check_theme()

    def _add_panel(self, panel: type[Panel]) -> None:
        try:
            made = panel(self.context)
        except Exception as error:  # the other panels, and the run, go on
            self.context.notices.failure(error, f"the panel {panel.title} is missing; the log has the details")
            return
        self.panels[panel.name] = made
        if panel.area is Area.TOP:
            self._column.insertWidget(self._column.count() - 1, made)
        else:
            self.docks.add(made)

    def _add_panel_menu(self) -> None:
        menu = self._menus["&View"]
        menu.addSeparator()
        for name, dock in self.docks.docks.items():
            toggle = dock.toggleViewAction()
            assert toggle is not None
            toggle.setToolTip(f"Show or hide the panel {self.panels[name].title}")
            menu.addAction(toggle)

    # -- layout and colours ------------------------------------------------------------------------------------------

    def use_theme(self, name: str) -> None:
        """Take and remember "system", "light" or "dark"."""
        self.context.remember(theme=name)
        theme, application = themes.theme_called(name), QApplication.instance()
        assert isinstance(application, QApplication)
        themes.apply(theme, application)
        self.context.use_theme(theme)
        self._check_theme()

    def _follow_the_desktop(self) -> None:
        hints = QGuiApplication.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self._use_system_theme)

    def _use_system_theme(self) -> None:
        if self.context.settings.known.theme == "system":
            self.use_theme("system")

    def _check_theme(self) -> None:
        for name in _THEMES:
            self.context.actions[f"view.{name}"].setChecked(name == self.context.settings.known.theme)

    def _restore(self) -> None:
        known = self.context.settings.known
        if known.geometry:
            self.restoreGeometry(QByteArray.fromBase64(known.geometry.encode("ascii", "replace")))
        else:
            self._take_most_of_the_screen()
        if known.layout:
            self.docks.restore(known.layout)

    def _take_most_of_the_screen(self) -> None:
        screen = self.screen()
        if screen is not None:
            self.resize(screen.availableSize() * 0.9)

    def _keep_layout(self) -> None:
        geometry = self.saveGeometry().toBase64().data().decode("ascii")
        self.context.remember(geometry=geometry, layout=self.docks.layout_as_text())

    # -- about, and the end ------------------------------------------------------------------------------------------

    def about(self) -> None:
        """Versions and station."""
        AboutDialog(self.context.settings, self).open()

    def leave(self) -> None:
        """Close without a question, as somebody at the terminal wants; what there is to say is said there."""
        self._asks = False
        for why in self._objections():
            print(f"stmlab: {why}", file=sys.stderr)
        self.close()

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Ask only where a panel objects; a run goes on, and the panels end what they have started."""
        objections = self._objections()
        if event is not None and self._asks and objections and not self._agrees(objections):
            event.ignore()
            return
        self._keep_layout()
        for panel in self.panels.values():
            panel.close_down()
        self.context.close()
        super().closeEvent(event)

    def _objections(self) -> list[str]:
        return [why for panel in self.panels.values() if (why := panel.objection())]

    def _agrees(self, objections: list[str]) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        asked = "\n".join([*objections, "Close the window?"])
        return QMessageBox.question(self, "Close stmlab", asked, yes | no, yes) == yes


def _show(menu: QMenu, shown: bool) -> None:
    title = menu.menuAction()
    if title is not None:
        title.setVisible(shown)
