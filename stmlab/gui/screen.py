"""Is there a screen? Asked before Qt is: Qt itself would end the process without a word to the user."""

from __future__ import annotations

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from stmlab.errors import StmlabError

_ELSEWHERE = "`stmlab run` needs no screen"
_PACKAGES = "on Debian and Ubuntu install libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-image0 libxkbcommon-x11-0"
_WHY = {2: "an extension is missing", 3: "it has no memory left", 4: "it cut the connection", 5: "its name is wrong"}


def check_screen() -> None:
    """Refuse, in words, a screen that Qt would not get on an X server: none, a dead one, one that does not let us in.

    Raises:
        StmlabError: what is missing.
    """
    if not sys.platform.startswith("linux"):
        return
    platform, display = os.environ.get("QT_QPA_PLATFORM", ""), os.environ.get("DISPLAY", "")
    wayland = os.environ.get("WAYLAND_DISPLAY", "")
    if platform and not platform.startswith("xcb"):
        return
    if wayland and not platform:
        return
    if not display:
        raise StmlabError(f"no screen: neither DISPLAY nor WAYLAND_DISPLAY is set; {_ELSEWHERE}")
    _check_server(display)
    _check_plugin()


def _check_server(display: str) -> None:
    """Connect as Qt's plugin does, and go again."""
    xcb = _loaded("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(display.encode(), None))
    problem = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if problem:
        why = _WHY.get(problem, "nobody serves it, or it does not let this user in")
        raise StmlabError(f"no screen: DISPLAY={display}: {why}; {_ELSEWHERE}")


def _check_plugin() -> None:
    """Load Qt's plugin for X: what it misses is said here, by name."""
    qt = find_spec("PyQt6")
    for place in (qt.submodule_search_locations or []) if qt is not None else []:
        plugin = Path(place) / "Qt6" / "plugins" / "platforms" / "libqxcb.so"
        if plugin.is_file():
            _loaded(str(plugin))


def _loaded(library: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(library)
    except OSError as error:
        missing = str(error).partition(":")[0]
        raise StmlabError(f"no screen: Qt needs {missing}: {_PACKAGES}") from error
