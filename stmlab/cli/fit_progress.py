"""Fits on a terminal: how far they are, where they take their time; Ctrl-C ends them with the best so far."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from stmlab.analysis.iterations import following
from stmlab.cli.common import STOPPED
from stmlab.display.events import progress_as_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from rich.console import Console
    from rich.status import Status

    from stmlab.events import FitProgress

_SELDOM = 5.0  # s between two lines where no terminal shows them in one place
_STOPPING = "ending the fit with the best so far; Ctrl-C again does not wait for it"


class FitsOnTerminal:
    """Listener that shows how far a fit has come: in one line that changes, or a line now and then in a log.

    Args:
        console: where it is shown.
        quiet: it is not, because a bar shows how far all of them are.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self.stopped = False
        """Whether Ctrl-C was pressed: no further fit shall begin."""
        self._console, self._quiet = console, quiet
        self._status: Status | None = None
        self._shown: FitProgress | None = None

    def __call__(self, progress: FitProgress) -> None:
        """Show it."""
        if self._quiet:
            return
        text = progress_as_text(progress)
        if self._console.is_terminal:
            if self._status is None:
                self._status = self._console.status(text)
                self._status.start()
            self._status.update(text)
        elif self._shown is None or not 0 <= progress.seconds - self._shown.seconds < _SELDOM:
            self._shown = progress
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Of Ctrl-C: end the fit; when it is pressed again, at once."""
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True
        self._console.print(_STOPPING, highlight=False)

    def close(self) -> None:
        """Take the line away."""
        if self._status is not None:
            self._status.stop()


@contextmanager
def fits_on_terminal(console: Console | None = None, *, quiet: bool = False) -> Iterator[FitsOnTerminal]:
    """While the context lasts, fits show how far they are, and Ctrl-C ends them.

    Args:
        console: None: standard error.
        quiet: see `FitsOnTerminal`.

    Raises:
        typer.Exit: Ctrl-C was pressed twice; exit status 130.
    """
    from rich.console import Console

    shown = FitsOnTerminal(console or Console(stderr=True), quiet=quiet)
    before = signal.signal(signal.SIGINT, shown.interrupt)
    try:
        with following(shown, stop=lambda: shown.stopped):
            yield shown
    except KeyboardInterrupt:
        raise typer.Exit(STOPPED) from None
    finally:
        shown.close()
        signal.signal(signal.SIGINT, before)
