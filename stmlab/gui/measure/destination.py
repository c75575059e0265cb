"""Where the file goes: folder, name, and a note for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QRegularExpression, pyqtSignal
from PyQt6.QtGui import QRegularExpressionValidator
from PyQt6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QLineEdit, QToolButton, QVBoxLayout, QWidget

from stmlab.gui.measure.groups import Group

if TYPE_CHECKING:
    from stmlab.acquisition.queue.entries import QueueEntry

_NO_FOLDER = QRegularExpression(r"[^/\\]*")


class Destination(QWidget):
    """Three fields.

    Signals:
        changed: one of them.
    """

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.folder, self.file_name, self.remark = QLineEdit(), QLineEdit(), QLineEdit()
        self.folder.setToolTip("Folder of the files; it is made if it is not there")
        self.file_name.setToolTip("Name of the file without .h5; empty: date, sequence and sample")
        self.file_name.setValidator(QRegularExpressionValidator(_NO_FOLDER, self.file_name))
        self.file_name.setPlaceholderText("date, sequence, sample")
        self.remark.setToolTip("A note that stays with the entry in the queue")
        browse = QToolButton()
        browse.setText("...")
        browse.setToolTip("Choose the folder")
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.folder)
        row.addWidget(browse)
        group = Group("File and note", is_open=False)
        labels = QLabel("F&older"), QLabel("File &name"), QLabel("N&ote")
        for place, (label, field) in enumerate(zip(labels, (self.folder, self.file_name, self.remark), strict=True)):
            label.setBuddy(field)
            group.rows.addWidget(label, place, 0)
        group.rows.addLayout(row, 0, 1)
        group.rows.addWidget(self.file_name, 1, 1)
        group.rows.addWidget(self.remark, 2, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(group)
        for line in (self.folder, self.file_name, self.remark):
            line.editingFinished.connect(self.changed)

    def name(self) -> str:
        """Of the file, "" for the usual one."""
        return self.file_name.text().strip().removesuffix(".h5")

    def note(self) -> str:
        """For people."""
        return self.remark.text().strip()

    def file(self, sequence: str, sample: str) -> str:
        """Where the file would lie, for people to read."""
        stem = self.name() or f"DATE_TIME_{sequence}" + (f"_{Path(sample).stem}" if sample else "")
        return f"{Path(self.folder.text().strip() or '.') / stem}.h5"

    def show_entry(self, entry: QueueEntry) -> None:
        """What an entry says."""
        if entry.folder:
            self.folder.setText(entry.folder)
        self.file_name.setText(entry.name)
        self.remark.setText(entry.note)
        self.changed.emit()

    def _browse(self) -> None:
        if chosen := QFileDialog.getExistingDirectory(self, "Folder for the files", self.folder.text()):
            self.folder.setText(chosen)
            self.changed.emit()
