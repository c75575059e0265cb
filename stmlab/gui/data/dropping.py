"""Files dropped onto a panel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QDropEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from PyQt6.QtCore import QMimeData
    from PyQt6.QtWidgets import QWidget


def accept_files(widget: QWidget, take: Callable[[list[Path]], None]) -> None:
    """Have files that are dropped onto a widget taken."""
    widget.setAcceptDrops(True)
    widget.installEventFilter(_Filter(widget, take))


class _Filter(QObject):
    def __init__(self, widget: QWidget, take: Callable[[list[Path]], None]) -> None:
        super().__init__(widget)
        self._take = take

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Qt's hook; a drag onto a child that takes none comes here too."""
        if isinstance(event, QDropEvent) and (files := _files(event.mimeData())):
            event.acceptProposedAction()
            if event.type() is QEvent.Type.Drop:
                self._take(files)
            return True
        return super().eventFilter(watched, event)


def _files(data: QMimeData | None) -> list[Path]:
    if data is None or not data.hasUrls():
        return []
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
