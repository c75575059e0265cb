"""The application around the window: screen, colours, Ctrl-C, exceptions."""

from __future__ import annotations

import signal
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PyQt6.QtCore import QSocketNotifier
from PyQt6.QtWidgets import QApplication
from PyQt6.sip import voidptr

from stmlab.gui import themes
from stmlab.gui.context import Context
from stmlab.gui.rooms import panels
from stmlab.gui.settings import Settings
from stmlab.gui.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def run() -> int:
    """Open the window and run until it is closed, or until Ctrl-C; returns the exit status."""
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setApplicationName("stmlab")
    with ctrl_c(_leave):
        window = open_window(application)
        with exceptions_noticed(window.context):
            return int(application.exec())


def open_window(application: QApplication, settings: Settings | None = None) -> Window:
    """The window with all its panels, shown."""
    settings = settings or Settings()
    theme = themes.theme_called(settings.known.theme)
    themes.apply(theme, application)
    window = Window(Context(settings, theme), panels())
    window.show()
    return window


def _leave() -> None:
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, Window):
            widget.leave()


@contextmanager
def ctrl_c(close: Callable[[], object]) -> Iterator[None]:
    """While the context lasts, Ctrl-C in the terminal, and SIGTERM, close the window.

    Qt's event loop runs no Python, so that Python would not see the signal: the system writes it into a socket.
    """
    ours, signals = socket.socketpair()
    ours.setblocking(False)
    signals.setblocking(False)
    notifier = QSocketNotifier(voidptr(ours.fileno()), QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda: (ours.recv(64), close()))
    wakeup = signal.set_wakeup_fd(signals.fileno())
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        notifier.setEnabled(False)
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        ours.close()
        signals.close()


@contextmanager
def exceptions_noticed(context: Context) -> Iterator[None]:
    """While the context lasts, an exception in a slot is a notice; PyQt would end the process."""
    before = sys.excepthook
    sys.excepthook = context.notices.hook
    try:
        yield
    finally:
        sys.excepthook = before
