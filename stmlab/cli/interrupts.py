"""Ctrl-C on a terminal: once, what is under way comes to a good end; again, the command ends at once."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from stmlab.cli.common import STOPPED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from rich.console import Console


@dataclass
class Interrupt:
    """Ctrl-C: whether it was pressed."""

    stopped: bool = False


@contextmanager
def interrupts(console: Console, said: str) -> Iterator[Interrupt]:
    """While the context lasts, Ctrl-C is noted, and answered with ``said``; pressed again, it ends the command.

    Raises:
        typer.Exit: it was pressed again; exit status 130.
    """
    interrupt = Interrupt()

    def press(number: int, frame: FrameType | None) -> None:
        if interrupt.stopped:
            raise KeyboardInterrupt
        interrupt.stopped = True
        console.print(said, highlight=False)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield interrupt
    except KeyboardInterrupt:
        raise typer.Exit(STOPPED) from None
    finally:
        signal.signal(signal.SIGINT, before)
