"""The live window: the only place that imports Qt."""

from __future__ import annotations

import os
import re
import socket
import sys

from stmlab.errors import StmlabError

_LOCAL_SCREEN = re.compile(r"(?:unix)?:(\d+)(?:\.\d+)?")


def launch() -> int:
    """Open the window and run until it is closed; returns the exit status.

    Raises:
        StmlabError: there is no such screen.
    """
    check_screen()
    from stmlab.gui.window import launch as open_window

    return open_window()


def check_screen() -> None:
    """Refuse a local X screen that nobody serves: Qt itself would end the process without a word to the user.

    Raises:
        StmlabError: ``DISPLAY`` names such a screen, and the window would open there.
    """
    display, platform = os.environ.get("DISPLAY", ""), os.environ.get("QT_QPA_PLATFORM", "")
    elsewhere = bool(os.environ.get("WAYLAND_DISPLAY")) if not platform else not platform.startswith("xcb")
    local = _LOCAL_SCREEN.fullmatch(display)
    if sys.platform.startswith("linux") and local is not None and not elsewhere and not _is_served(int(local[1])):
        raise StmlabError(f"no screen: nobody serves DISPLAY={display}; `stmlab run` needs none")


def _is_served(screen: int) -> bool:
    """Whether an X server listens on its socket, in the file system or among Linux's abstract names."""
    path = f"/tmp/.X11-unix/X{screen}"
    return any(_answers(name) for name in (path, f"\0{path}"))


def _answers(name: str) -> bool:
    with socket.socket(socket.AF_UNIX) as wire:
        try:
            wire.connect(name)
        except OSError:
            return False
    return True
