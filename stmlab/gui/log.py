"""The log: every record of stmlab, the notices among them, with levels to choose from."""

from __future__ import annotations

import logging
from html import escape
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QFontDatabase
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout

from stmlab.gui.actions import Action
from stmlab.gui.panel import Area, Panel

if TYPE_CHECKING:
    from stmlab.gui.context import Context

_KEPT = 5000  # records
_LEVELS = {"Debug": logging.DEBUG, "Info": logging.INFO, "Warning": logging.WARNING, "Error": logging.ERROR}


class _Passed(QObject):
    record = pyqtSignal(object)


class LogHandler(logging.Handler):
    """Passes records of any thread on to the thread of the window."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.passed = _Passed()

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging`."""
        self.passed.record.emit(record)


class LogPanel(Panel):
    """The last records, from the chosen level on."""

    name = "log"
    title = "Log"
    area = Area.BOTTOM

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.records: list[logging.LogRecord] = []
        self.level = QComboBox()
        self.level.addItems(list(_LEVELS))
        self.level.setCurrentText(str(context.settings.panel(self.name).get("level", "Info")))
        self.level.setToolTip("Show records from this level on")
        self.level.currentTextChanged.connect(self._choose)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(_KEPT)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setPlaceholderText("nothing yet")
        context.actions.add(
            Action("log.clear", "&Clear log", "Empty the log panel; the log of the program stays", menu="&View"),
            self.clear,
        )
        self._lay_out()
        self.handler = LogHandler()
        self.handler.passed.record.connect(self.take)
        self.logger = logging.getLogger("stmlab")
        if self.logger.getEffectiveLevel() > logging.INFO:
            self.logger.setLevel(logging.INFO)
        self.logger.addHandler(self.handler)
        context.theme_changed.connect(lambda _theme: self._write_all())

    def take(self, record: logging.LogRecord) -> None:
        """Keep a record, and show it if it is of the level."""
        self.records = [*self.records[-_KEPT + 1 :], record]
        if record.levelno >= self._shown_from():
            self._write(record)

    def clear(self) -> None:
        """Forget the records."""
        self.records = []
        self.text.clear()

    def close_down(self) -> None:
        """Listen no longer."""
        self.logger.removeHandler(self.handler)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        label = QLabel("&From level")
        label.setBuddy(self.level)
        row.addWidget(label)
        row.addWidget(self.level)
        row.addStretch(1)
        row.addWidget(self.context.actions.button("log.clear"))
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.text, stretch=1)

    def _shown_from(self) -> int:
        return _LEVELS[self.level.currentText()]

    def _choose(self, level: str) -> None:
        self.context.settings.remember_panel(self.name, level=level)
        self._write_all()

    def _write_all(self) -> None:
        self.text.clear()
        for record in self.records:
            if record.levelno >= self._shown_from():
                self._write(record)

    def _write(self, record: logging.LogRecord) -> None:
        theme = self.context.theme
        colour = theme.text if record.levelno < logging.WARNING else theme.warn
        if record.levelno >= logging.ERROR:
            colour = theme.bad
        time = logging.Formatter("%(asctime)s", "%H:%M:%S").format(logging.makeLogRecord({"created": record.created}))
        line = escape(f"{time} {record.levelname:7} {record.name.removeprefix('stmlab.'):20} {record.getMessage()}")
        line = line.replace(" ", "&nbsp;").replace("\n", "<br>")
        self.text.appendHtml(f'<span style="color:{colour}">{line}</span>')
