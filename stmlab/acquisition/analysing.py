"""A sequence's analysis, in a thread of its own, so that giving it up need not wait for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from stmlab.acquisition.outcome import Aborted

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.acquisition.sequence import Sequence
    from stmlab.results import FitResult
    from stmlab.storage import Run

_PATIENCE = 0.05  # s between looks at whether it shall be given up


def analysed(sequence: Sequence, run: Run, given_up: Callable[[], bool]) -> FitResult | None:
    """What ``sequence`` makes of its run.

    Args:
        sequence: whose analysis.
        run: its data.
        given_up: asked over and over while the analysis works.

    Raises:
        Aborted: it was given up; the thread ends by itself, and nobody hears of its result.
        Exception: what the analysis raised.
    """
    found: list[FitResult | None] = []
    raised: list[Exception] = []
    done = threading.Event()

    def work() -> None:
        try:
            found.append(sequence.analyse(run))
        except Exception as error:  # raised again where it is waited for
            raised.append(error)
        finally:
            done.set()

    threading.Thread(target=work, name="analysis", daemon=True).start()
    while not done.wait(_PATIENCE):
        if given_up():
            raise Aborted("stopped by the user; the data are complete, `stmlab fit` fits them again")
    if raised:
        raise raised[0]
    return found[0]
