"""The window at the microscope: the only place that imports Qt."""

from __future__ import annotations


def launch() -> int:
    """Open the window and run until it is closed; returns the exit status.

    Raises:
        StmlabError: there is no such screen.
    """
    from stmlab.gui.screen import check_screen

    check_screen()
    from stmlab.gui.application import run

    return run()
