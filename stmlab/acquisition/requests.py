"""What a person, or a watcher, asks of a run from outside, from any thread."""

from __future__ import annotations

import threading
from typing import Any

from stmlab.acquisition.outcome import Aborted


class Requests:
    """Pause, resume, stop, abort; the end of a fit. ``pending`` is cheap to look at between points."""

    def __init__(self) -> None:
        self._stop, self._abort, self._resume = threading.Event(), threading.Event(), threading.Event()
        self._fit_end = threading.Event()
        self._resume.set()
        self._abortion = Aborted("aborted by the user")
        self.pending = False
        self.why_paused = ""
        self.anyway = False

    def ask(self, what: str, **how: Any) -> None:
        """From outside, at any time: pause, resume, stop or abort; ``how`` as there."""
        getattr(self, what)(**how)

    def pause(self, why: str = "") -> None:
        """Hold after the point that is being taken."""
        self.why_paused, self.anyway = why, False
        self._resume.clear()
        self.pending = True

    def resume(self, *, anyway: bool = False) -> None:
        """Go on after a pause; ``anyway``: although the tip may not be at the same place."""
        self.anyway = anyway
        self._resume.set()

    def stop(self) -> None:
        """End after the point that is being taken."""
        self._stop.set()
        self.pending = True
        self._resume.set()

    def abort(self, why: str = "aborted by the user", *, attended: bool = True) -> None:
        """End at once; ``attended``: by a person who is there, so that the tip need not be withdrawn."""
        self._abortion = Aborted(why, attended=attended)
        self._abort.set()
        self.pending = True
        self._resume.set()

    def end_fit(self) -> None:
        """End the fit that is under way with the best so far. No part of what a recorded wire replays."""
        self._fit_end.set()

    @property
    def fit_ending(self) -> bool:
        """Whether the fit shall end."""
        return self._fit_end.is_set()

    @property
    def pausing(self) -> bool:
        """Whether a pause was asked for and not yet ended."""
        return not self._resume.is_set()

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_set()

    @property
    def aborting(self) -> bool:
        """Whether an end at once was asked for."""
        return self._abort.is_set()

    def wait_for_resume(self, seconds: float) -> bool:
        """Wait at most ``seconds``; whether the pause is over."""
        return self._resume.wait(seconds)

    def checkpoint(self) -> None:
        """Raise Aborted if an end at once was asked for."""
        if self._abort.is_set():
            raise self._abortion

    def attended_to(self) -> None:
        """What was asked has been done; a stop stays asked for."""
        self.pending = self.stopping or self.aborting
