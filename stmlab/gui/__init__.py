"""The live window: the only place that imports Qt."""

from __future__ import annotations


def launch() -> int:
    """Open the window and run until it is closed; returns the exit status."""
    from stmlab.gui.window import launch as open_window

    return open_window()
