"""The entries as a list: one line each, reordered by dragging what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QModelIndex, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QColor
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
)

from stmlab.acquisition.queue.entries import EntryState
from stmlab.gui.queue.words import colour_of, plan_of, state_of

if TYPE_CHECKING:
    from PyQt6.QtGui import QDropEvent

    from stmlab.acquisition.queue.entries import Queue, QueueEntry
    from stmlab.gui.themes import Theme

_HIGHEST = 10_000  # px of one line
_STATE, _PLAN, _SAID = range(3)
_ID = Qt.ItemDataRole.UserRole


class _Wrapped(QStyledItemDelegate):
    """Lines as high as their text needs in the width of its column: a tree's own are cut off."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        size, view = super().sizeHint(option, index), self.parent()
        assert isinstance(view, QTreeWidget)
        metrics = view.fontMetrics()
        room = QRect(0, 0, max(view.columnWidth(index.column()) - 2 * metrics.averageCharWidth(), 1), _HIGHEST)
        text = metrics.boundingRect(room, Qt.TextFlag.TextWordWrap, str(index.data()))
        return QSize(size.width(), max(size.height(), text.height() + 4))


class EntryList(QTreeWidget):
    """A line an entry: state, what is measured, what there is to say of it.

    Signals:
        moved: an entry was dragged: its id, and its new place among the others.
    """

    moved = pyqtSignal(str, int)

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels(["State", "Measurement", "Message"])
        self.setRootIsDecorated(False)
        self.setWordWrap(True)
        self.setItemDelegate(_Wrapped(self))
        self.setAlternatingRowColors(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.setAccessibleName("Entries of the queue")
        header = self.header()
        assert header is not None
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_STATE, QHeaderView.ResizeMode.ResizeToContents)
        header.sectionResized.connect(lambda *_: self.scheduleDelayedItemsLayout())  # lines as high as they need
        self._items: dict[str, QTreeWidgetItem] = {}

    def show_queue(self, queue: Queue, theme: Theme, *, performed: bool) -> None:
        """The entries as they stand; what is selected stays selected."""
        wanted = [entry.id for entry in queue.entries]
        if wanted != [self._id(row) for row in range(self.topLevelItemCount())]:
            self._arrange(wanted)
        for entry in queue.entries:
            self._fill(self._items[entry.id], entry, theme, performed=performed)

    def selected(self) -> list[str]:
        """Ids of the lines that are selected, from above."""
        rows = sorted(index.row() for index in self.selectedIndexes() if index.column() == _STATE)
        return [self._id(row) for row in rows]

    def select(self, name: str) -> None:
        """This line alone."""
        self.clearSelection()
        if (item := self._items.get(name)) is not None:
            self.setCurrentItem(item)

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Nothing moves by itself: it is asked for, and shown when it has happened."""
        if event is None:
            return
        chosen = self.selected()
        onto = self.itemAt(event.position().toPoint())
        place = self.topLevelItemCount() if onto is None else self.indexOfTopLevelItem(onto)
        if self.dropIndicatorPosition() is QAbstractItemView.DropIndicatorPosition.BelowItem:
            place += 1
        event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()
        for offset, name in enumerate(chosen):
            before = sum(self.indexOfTopLevelItem(self._items[other]) < place for other in chosen)
            self.moved.emit(name, place - before + offset)

    def _id(self, row: int) -> str:
        item = self.topLevelItem(row)
        assert item is not None
        return str(item.data(_STATE, _ID))

    def _arrange(self, wanted: list[str]) -> None:
        chosen, current = set(self.selected()), self.currentItem()
        at = None if current is None else str(current.data(_STATE, _ID))
        while self.topLevelItemCount():
            self.takeTopLevelItem(0)
        for name in [name for name in self._items if name not in wanted]:
            del self._items[name]
        for name in wanted:
            item = self._items.setdefault(name, QTreeWidgetItem())
            item.setData(_STATE, _ID, name)
            item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsDropEnabled)
            self.addTopLevelItem(item)
        if at in self._items:
            self.setCurrentItem(self._items[at])
        for name in chosen & self._items.keys():
            self._items[name].setSelected(True)

    def _fill(self, item: QTreeWidgetItem, entry: QueueEntry, theme: Theme, *, performed: bool) -> None:
        died = entry.state is EntryState.RUNNING and not performed
        said = entry.message or ("its process has ended; it is not repeated by itself" if died else entry.note)
        for column, text in enumerate((state_of(entry, performed=performed), plan_of(entry), said)):
            if item.text(column) != text:
                item.setText(column, text)
        item.setToolTip(_PLAN, plan_of(entry))
        item.setToolTip(_SAID, said or (entry.file or ""))
        colour = colour_of(EntryState.INTERRUPTED if died else entry.state, theme)
        brush = QBrush(QColor(colour))
        item.setForeground(_STATE, brush)
        bad = entry.state in (EntryState.FAILED, EntryState.INTERRUPTED) or died
        item.setForeground(_SAID, brush if bad else QBrush(QColor(theme.faint)))
        font = self.font()
        font.setBold(entry.state is EntryState.RUNNING)
        item.setFont(_STATE, font)
