"""Single keys of a terminal, without waiting for a whole line."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    ReadKey = Callable[[float], str]
    """Waits at most so many seconds for a key; "" if none came."""

_ARROWS = {b"\x1b[C": "right", b"\x1b[D": "left", b"\x1bOC": "right", b"\x1bOD": "left"}


@contextmanager
def keys() -> Iterator[ReadKey | None]:
    """A function that reads keys while the context lasts; None where no terminal is there to press one."""
    if sys.platform == "win32" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield None
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield lambda seconds: _key(terminal, seconds)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def no_key(seconds: float) -> str:
    """Waits for a key that nobody can press."""
    time.sleep(seconds)
    return ""


def _key(terminal: int, seconds: float) -> str:
    import select

    if not select.select([terminal], [], [], seconds)[0]:
        return ""
    pressed = os.read(terminal, 8)
    return _ARROWS.get(pressed, pressed[:1].decode("ascii", "replace"))
