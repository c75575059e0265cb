"""Fits on a terminal: how far they are, where they take their time; Ctrl-C ends them with the best so far."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from stmlab.analysis.iterations import following
from stmlab.cli.interrupts import interrupts
from stmlab.display.events import progress_as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.status import Status

    from stmlab.cli.interrupts import Interrupt
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

    def close(self) -> None:
        """Take the line away."""
        if self._status is not None:
            self._status.stop()


@contextmanager
def fits_on_terminal(console: Console | None = None, *, quiet: bool = False) -> Iterator[Interrupt]:
    """While the context lasts, fits show how far they are, and Ctrl-C ends them: no further one shall begin.

    Args:
        console: None: standard error.
        quiet: see `FitsOnTerminal`.

    Raises:
        typer.Exit: Ctrl-C was pressed twice; exit status 130.
    """
    from rich.console import Console

    console = console or Console(stderr=True)
    shown = FitsOnTerminal(console, quiet=quiet)
    with (
        interrupts(console, _STOPPING) as interrupt,
        closing(shown),
        following(shown, stop=lambda: interrupt.stopped),
    ):
        yield interrupt
