"""The catalogue: runs and recorded files of a folder, searched as one types, with thumbnails, tags and what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QFileSystemWatcher, QPoint, QSize, Qt, QTimer
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QTableView,
    QToolBar,
    QVBoxLayout,
)

from stmlab.errors import SequenceError
from stmlab.gui.actions import Action
from stmlab.gui.data.catalogue_table import HEADINGS, CatalogueTable, Found
from stmlab.gui.data.chosen_files import ChosenFiles
from stmlab.gui.data.dropping import accept_files
from stmlab.gui.data.pictures import Pictures
from stmlab.gui.data.searching import found
from stmlab.gui.data.tasks import look_through, set_tags, write_note
from stmlab.gui.panel import Area, Panel

if TYPE_CHECKING:
    from collections.abc import Callable

    from PyQt6.QtCore import QModelIndex

    from stmlab.gui.context import Context
    from stmlab.storage.catalogue import Catalogue, Entry

_MEASURED = 50  # rows that say how wide a column is
_SETTLED = 800  # ms after a change of the folder, until it is looked through again
_TYPED = 150  # ms after the last key
_PICTURE_LINES = 2.6  # height of a thumbnail, in lines of text
_IN_MENU = ("show", "overlay", "fit", "map", "replay", "reuse", "tag", "note", "export_figure", "export_data")


class CataloguePanel(Panel):
    """A folder's files; what is chosen there is shown, overlaid, fitted, played again, exported, or measured again."""

    name = "catalogue"
    title = "Catalogue"
    area = Area.MAIN

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        known = context.settings.panel(self.name)
        self.folder = QLineEdit(str(known.get("folder", context.settings.known.folder)))
        self.search = QLineEdit()
        self.status = QLabel()
        self.table = CatalogueTable()
        self.found = Found(self.table)
        self.view = QTableView()
        self.pictures = Pictures(context.workers, self.table, self._in_view)
        self.files = ChosenFiles(context, self, self.chosen)
        self._register()
        self._build()
        accept_files(self, self.files.draw)
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(lambda _path: self._later.start(_SETTLED))
        self._later, self._soon = self._timer(self.refresh), self._timer(self._search)
        self._busy = self._again = False
        self._stale = True  # not looked through since something has changed
        context.run_changed.connect(lambda _state, _message: self._later.start(_SETTLED))
        self.files.enable()

    def _timer(self, do: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(do)
        return timer

    # -- building ----------------------------------------------------------------------------------------------------

    def _register(self) -> None:
        data = "&Data"
        for action, do in (
            (Action("data.open", "&Open file...", "Show a run or a recorded file", "Ctrl+O", data), self.open_dialog),
            (Action("data.folder", "Choose &folder...", "Look through another folder", "", data), self.choose_folder),
            (Action("data.refresh", "&Look again", "Look through the folder again", "F5", data), self.refresh),
        ):
            self.context.actions.add(action, do)
        self.files.register(self.edit_tags, self.note_chosen)

    def _build(self) -> None:
        self.folder.setToolTip("Folder that is looked through, with those below it")
        self.folder.returnPressed.connect(self._take_folder)
        self.search.setPlaceholderText("Search: words, or conditions such as  rate > 1 GHz and tag = good")
        self.search.setToolTip("Files that hold every word; or for which the conditions are true")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda text: self._soon.start(0 if not text else _TYPED))
        self.status.setWordWrap(True)
        self._build_view()
        top = QHBoxLayout()
        for text, field, stretch in (("Fol&der", self.folder, 3), ("S&earch", self.search, 4)):
            label = QLabel(text)
            label.setBuddy(field)
            top.addWidget(label)
            top.addWidget(field, stretch=stretch)
            if field is self.folder:
                top.addWidget(self.context.actions.button("data.folder"))
        bar = QToolBar()
        for name in ("show", "overlay", "fit", "map", "replay", "reuse", "export_figure", "export_data"):
            bar.addAction(self.context.actions[f"data.{name}"])
        column = QVBoxLayout(self)
        column.addLayout(top)
        column.addWidget(bar)
        column.addWidget(self.view, stretch=1)
        column.addWidget(self.status)

    def _build_view(self) -> None:
        view, line = self.view, self.fontMetrics().height()
        view.setModel(self.found)
        view.setSortingEnabled(True)
        view.sortByColumn(HEADINGS.index("Date"), Qt.SortOrder.DescendingOrder)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        view.setAlternatingRowColors(True)
        view.setTabKeyNavigation(False)
        view.setWordWrap(False)
        height = round(_PICTURE_LINES * line)
        view.setIconSize(QSize(height * 4 // 3, height))
        rows, columns = view.verticalHeader(), view.horizontalHeader()
        assert rows is not None and columns is not None
        rows.hide()
        rows.setDefaultSectionSize(height + line // 3)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        columns.setStretchLastSection(True)
        columns.setResizeContentsPrecision(_MEASURED)
        view.doubleClicked.connect(self._double_clicked)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._menu)
        chosen = view.selectionModel()
        assert chosen is not None
        chosen.selectionChanged.connect(lambda *_: self.files.enable())
        self.table.tags_edited.connect(self._set_tags)
        self.found.layoutChanged.connect(self.pictures.draw)
        bar = view.verticalScrollBar()
        assert bar is not None
        bar.valueChanged.connect(lambda _value: self.pictures.draw())

    # -- the folder --------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look through the folder, in a work process; a panel that nobody sees does it when it is shown."""
        self._stale = not self.isVisible()
        if self._stale:
            return
        if self._busy:
            self._again = True
            return
        self._busy, self._again = True, False
        task = self.context.workers.submit(look_through, Path(self.folder.text()).expanduser(), long=True, reports=True)
        task.progress.connect(lambda at: self._say(f"looking at file {at[0]} of {at[1]}"))
        task.done.connect(self._looked)
        task.failed.connect(self._refused)

    def choose_folder(self) -> None:
        """Ask for another folder."""
        if path := QFileDialog.getExistingDirectory(self, "Folder of the catalogue", self.folder.text()):
            self.folder.setText(path)
            self._take_folder()

    def _take_folder(self) -> None:
        self.context.settings.remember_panel(self.name, folder=self.folder.text())
        self.refresh()

    def _looked(self, catalogue: Catalogue) -> None:
        self._watch()
        chosen = {entry.path for entry in self.chosen()}
        self.troubles = catalogue.troubles
        self.table.show(catalogue.entries)
        self._search()
        self._choose(chosen)
        self._fit_columns()
        self._ended()

    def _refused(self, why: str) -> None:
        self.table.show(())
        self._say(why, bad=True)
        self._ended()

    def _ended(self) -> None:
        self._busy = False
        if self._again:
            self.refresh()

    def _watch(self) -> None:
        if watched := self._watcher.directories():
            self._watcher.removePaths(watched)
        folder = Path(self.folder.text()).expanduser()
        if folder.is_dir():
            self._watcher.addPath(str(folder))

    troubles: tuple[str, ...] = ()

    def _search(self) -> None:
        entries, text = self.table.entries, self.search.text()
        try:
            wanted = found(entries, text)
        except SequenceError as error:
            self._say(str(error), bad=True)
            return
        self.found.accept(wanted)
        files = "1 file" if len(entries) == 1 else f"{len(entries)} files"
        self._say(f"{len(wanted)} of {files}" if len(wanted) < len(entries) else files)
        if self.troubles:
            self._say(f"{self.status.text()}; {self.troubles[0]}", bad=True)
        self.pictures.draw()
        self.files.enable()

    def _say(self, text: str, *, bad: bool = False) -> None:
        self.status.setText(text)
        self.status.setStyleSheet(f"color: {self.context.theme.bad}" if bad else "")

    def _fit_columns(self) -> None:
        letter = self.fontMetrics().averageCharWidth()
        for column in range(len(HEADINGS) - 1):
            self.view.resizeColumnToContents(column)
            self.view.setColumnWidth(column, min(self.view.columnWidth(column), 45 * letter))
        date = self.fontMetrics().horizontalAdvance("2000-00-00 00:00")
        self.view.setColumnWidth(0, self.view.iconSize().width() + date + 3 * letter)

    def _in_view(self) -> list[Entry]:
        """The rows that can be seen, from the first."""
        viewport = self.view.viewport()
        if viewport is None or not self.isVisible():
            return []
        first = max(self.view.rowAt(0), 0)
        last = self.view.rowAt(viewport.height())
        rows = range(first, self.found.rowCount() if last < 0 else last + 1)
        return [self.found.entry(row) for row in rows]

    def showEvent(self, event: Any) -> None:
        """Files are looked for, and thumbnails drawn, when the panel is seen."""
        super().showEvent(event)
        if self._stale:
            self.refresh()
        self.pictures.draw()

    # -- what is chosen ----------------------------------------------------------------------------------------------

    def chosen(self) -> list[Entry]:
        """The chosen files, as they stand in the table."""
        model = self.view.selectionModel()
        rows = sorted(index.row() for index in model.selectedRows()) if model is not None else []
        return [self.found.entry(row) for row in rows]

    def _choose(self, paths: set[Path]) -> None:
        mode = self.view.selectionMode()
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        for row in range(self.found.rowCount()):
            if self.found.entry(row).path in paths:
                self.view.selectRow(row)
        self.view.setSelectionMode(mode)

    def _menu(self, at: QPoint) -> None:
        menu, viewport = QMenu(self), self.view.viewport()
        assert viewport is not None
        for name in _IN_MENU:
            menu.addAction(self.context.actions[f"data.{name}"])
        menu.popup(viewport.mapToGlobal(at))

    # -- what is done with it ----------------------------------------------------------------------------------------

    def open_dialog(self) -> None:
        """Ask for files and show them."""
        names, _ = QFileDialog.getOpenFileNames(self, "Open", self.folder.text())
        self.files.draw([Path(name) for name in names])

    def _double_clicked(self, index: QModelIndex) -> None:
        if index.column() == HEADINGS.index("Tags"):
            self.view.edit(index)
        else:
            self.files.show()

    def edit_tags(self) -> None:
        """Edit the tags in the table."""
        model = self.view.selectionModel()
        if model is not None and (rows := model.selectedRows(HEADINGS.index("Tags"))):
            self.view.edit(rows[0])

    def note_chosen(self) -> None:
        """Ask for a note."""
        path = self.files.path()
        text, agreed = QInputDialog.getMultiLineText(self, "Note", f"About {path.name if path else ''}:")
        if path is not None and agreed and text.strip():
            self._change(path, write_note, text)

    def _set_tags(self, path: Path, tags: list[str]) -> None:
        self._change(path, set_tags, tags)

    def _change(self, path: Path, change: Any, value: object) -> None:
        task = self.context.workers.submit(change, path, value)
        task.done.connect(lambda added: self._changed(path, added))
        task.failed.connect(self.context.notices.error)

    def _changed(self, path: Path, added: Any) -> None:
        for entry in self.table.entries:
            if entry.path == path:
                self.table.replace(path, replace(entry, added=added))
                return
