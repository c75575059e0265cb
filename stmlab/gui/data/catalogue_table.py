"""The files of a folder as a table: a row a file, tags can be edited, thumbnails come when they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt, pyqtSignal
from PyQt6.QtGui import QIcon, QPixmap

from stmlab.storage.catalogue import UNREADABLE
from stmlab.units import format_value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from stmlab.storage.catalogue import Entry

_MINUTE = 16  # letters of a date up to its minute
_Role = Qt.ItemDataRole


def _points(entry: Entry) -> str:
    summary = entry.summary
    if not summary.sequence:
        return ""
    return f"{summary.points} of {summary.planned}" if summary.points < summary.planned else str(summary.points)


def _result(entry: Entry) -> str:
    """The first value of the last fit: what its model is about."""
    if not entry.summary.fitted:
        return ""
    first = entry.summary.fitted[0]
    return f"{first.name} {format_value(first.value, first.error, first.unit)}"


def _remarks(entry: Entry) -> str:
    notes = [note.text for note in entry.added.notes]
    return "; ".join(text for text in (entry.summary.message, *notes) if text)


_COLUMNS: tuple[tuple[str, Callable[[Entry], str]], ...] = (
    ("Date", lambda entry: entry.summary.date[:_MINUTE].replace("T", " ")),
    ("Sequence", lambda entry: entry.summary.sequence),
    ("Sample", lambda entry: entry.summary.sample),
    ("Points", _points),
    ("State", lambda entry: entry.state),
    ("Result", _result),
    ("Tags", lambda entry: ", ".join(entry.added.tags)),
    ("Remarks", _remarks),
    ("File", lambda entry: entry.path.name),
)
HEADINGS = tuple(heading for heading, _ in _COLUMNS)
_TAGS, _POINTS, _FILE = HEADINGS.index("Tags"), HEADINGS.index("Points"), HEADINGS.index("File")


class CatalogueTable(QAbstractTableModel):
    """The model of the table.

    Signals:
        tags_edited: a file's path and the tags that it shall have.
    """

    tags_edited = pyqtSignal(object, list)

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self._sorted = 0, Qt.SortOrder.DescendingOrder
        self._pictures: dict[str, QIcon] = {}

    def show(self, entries: Sequence[Entry]) -> None:
        """Other files; the pictures of those that have not changed stay."""
        self.beginResetModel()
        self.entries = self._in_order(entries)
        stamps = {entry.stamp for entry in entries}
        self._pictures = {stamp: icon for stamp, icon in self._pictures.items() if stamp in stamps}
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By a column; what is chosen stays chosen."""
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        chosen = [(self.entries[index.row()].path, index.column()) for index in before]
        self._sorted = column, order
        self.entries = self._in_order(self.entries)
        rows = {entry.path: row for row, entry in enumerate(self.entries)}
        self.changePersistentIndexList(before, [self.index(rows[path], at) for path, at in chosen])
        self.layoutChanged.emit()

    def _in_order(self, entries: Sequence[Entry]) -> list[Entry]:
        """Sorted here and not by Qt, which would ask for every text many times."""
        column, order = self._sorted
        text = _COLUMNS[column][1]

        def key(entry: Entry) -> tuple[float, str]:
            return float(entry.summary.points) if column == _POINTS else 0.0, text(entry).casefold()

        return sorted(entries, key=key, reverse=order is Qt.SortOrder.DescendingOrder)

    def replace(self, path: Path, entry: Entry) -> None:
        """What is known of one file has changed."""
        for row, known in enumerate(self.entries):
            if known.path == path:
                self.entries[row] = entry
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(HEADINGS) - 1))

    def has_picture(self, entry: Entry) -> bool:
        """Whether its thumbnail was drawn, or cannot be."""
        return entry.stamp in self._pictures or entry.state == UNREADABLE

    def set_picture(self, entry: Entry, picture: Path | None) -> None:
        """The thumbnail of a file; None: there is none."""
        self._pictures[entry.stamp] = QIcon(QPixmap(str(picture))) if picture is not None else QIcon()
        for row, known in enumerate(self.entries):
            if known.stamp == entry.stamp:
                self.dataChanged.emit(self.index(row, 0), self.index(row, 0), [_Role.DecorationRole])

    # -- Qt's hooks --------------------------------------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Files."""
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """What is said of each."""
        return 0 if parent is not None and parent.isValid() else len(HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:
        """Names of the columns."""
        if orientation is Qt.Orientation.Horizontal and role == _Role.DisplayRole:
            return HEADINGS[section]
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Tags can be edited."""
        editable = Qt.ItemFlag.ItemIsEditable if index.column() == _TAGS else Qt.ItemFlag.NoItemFlags
        return super().flags(index) | editable

    def data(self, index: QModelIndex, role: int = _Role.DisplayRole) -> Any:
        """A cell."""
        entry = self.entries[index.row()]
        text = _COLUMNS[index.column()][1](entry)
        if role in (_Role.DisplayRole, _Role.EditRole):
            return text
        if role == _Role.ToolTipRole:
            return str(entry.path) if index.column() == _FILE else text
        if role == _Role.DecorationRole and index.column() == 0:
            return self._pictures.get(entry.stamp)
        if role == _Role.TextAlignmentRole and index.column() == _POINTS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = _Role.EditRole) -> bool:
        """Tags were typed: separated by commas."""
        if role != _Role.EditRole or index.column() != _TAGS:
            return False
        tags = sorted({tag.strip() for tag in str(value).split(",") if tag.strip()})
        self.tags_edited.emit(self.entries[index.row()].path, tags)
        return True


class Found(QSortFilterProxyModel):
    """The files that were searched for, in the order of the table."""

    def __init__(self, table: CatalogueTable) -> None:
        super().__init__()
        self._accepted: frozenset[Path] = frozenset()
        self._table = table
        self.setSourceModel(table)

    def accept(self, entries: Sequence[Entry]) -> None:
        """Show these, and no others."""
        self._accepted = frozenset(entry.path for entry in entries)
        self.invalidateFilter()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """The table's business."""
        self._table.sort(column, order)

    def filterAcceptsRow(self, source_row: int, source_parent: QModelIndex) -> bool:
        """Qt's hook."""
        return self._table.entries[source_row].path in self._accepted

    def entry(self, row: int) -> Entry:
        """The file in a row as it is seen."""
        return self._table.entries[self.mapToSource(self.index(row, 0)).row()]
