"""A sequence's analysis, in a thread of its own, so that giving it up need not wait for it."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from stmlab.acquisition.outcome import Aborted

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.acquisition.requests import Requests
    from stmlab.acquisition.sequence import Sequence
    from stmlab.events import FitProgress
    from stmlab.results import FitResult
    from stmlab.storage import Run

_PATIENCE = 0.05  # s between looks at whether it shall be given up


def analysed(sequence: Sequence, run: Run, requests: Requests, tell: Callable[[FitProgress], None]) -> FitResult | None:
    """What ``sequence`` makes of its run.

    Args:
        sequence: whose analysis.
        run: its data.
        requests: looked at over and over while the analysis works: whether to end it as it is, or to give it up.
        tell: hears how far a fit has come, in the thread of the caller.

    Raises:
        Aborted: it was given up; the thread ends by itself, and nobody hears of its result.
        Exception: what the analysis raised.
    """
    found: list[FitResult | None] = []
    raised: list[Exception] = []
    told: deque[FitProgress] = deque(maxlen=1)
    given_up, done = threading.Event(), threading.Event()

    def work() -> None:
        from stmlab.analysis.iterations import following  # with every fit: no start of a run waits for them

        try:
            with following(told.append, stop=lambda: requests.fit_ending or given_up.is_set()):
                found.append(sequence.analyse(run))
        except Exception as error:  # raised again where it is waited for
            raised.append(error)
        finally:
            done.set()

    threading.Thread(target=work, name="analysis", daemon=True).start()
    while not done.wait(_PATIENCE):
        if told:
            tell(told.pop())
        if requests.aborting:
            given_up.set()
            raise Aborted("stopped by the user; the data are complete, `stmlab fit` fits them again")
    if raised:
        raise raised[0]
    return found[0]
