"""How far a fit has come, for who waits for it; and where it can be stopped, by them or by its time limit.

    with following(show, stop=button.isChecked):     # who waits: a terminal, a window, a run
        fit = analyse(run)

    with fitting("transport", limit) as steps:       # who knows which fit it is, once for each
        ...

    while not converged and not iterations().over:   # a fit, in its innermost loop that is worth a look
        ...
        iterations().done(chi_square)

A fit that is stopped hands out the best that it had; `Iterations.marked` says so first of all, and takes the errors
away: a place on the way to a minimum has none. The context is that of the thread (`contextvars`), so that fits in two
threads do not hear of each other.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from stmlab.errors import FitEnded, FitError
from stmlab.events import FitProgress
from stmlab.results import FitResult
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stmlab.analysis.grid_fit import GridFit

TIME_LIMIT_S = 600.0
"""CPU seconds that a fit may take if nobody says otherwise."""
STOPPED, OUT_OF_TIME = "stopped", "time limit"
"""Why a fit ended early, as its ``choices["ended"]`` says it."""
NOT_REACHED = "not fitted: the fit was ended before"
"""Reason of a curve that a fit of many did not come to."""
_PATIENCE = 2.0  # s that a fit may take before anybody hears of it
_EVERY = 0.25  # s between two things that are told

Fit = TypeVar("Fit", bound="FitResult | GridFit")


def _never() -> bool:
    return False


@dataclass(frozen=True)
class _Followers:
    listeners: tuple[Callable[[FitProgress], None], ...] = ()
    stop: Callable[[], bool] = _never


_NOBODY = _Followers()


class Iterations:
    """Of one fit: counted, told to who follows it, and ended early where that is asked for.

    Args:
        model: what is fitted.
        time_limit_s: CPU seconds of this thread after which it ends.
        listeners: are told how far it is, once it has taken two seconds.
        stop: asked at every look whether to end.
        clock, cpu: seconds, of the day and of this thread.
    """

    def __init__(
        self,
        model: str = "",
        time_limit_s: float = math.inf,
        listeners: tuple[Callable[[FitProgress], None], ...] = (),
        stop: Callable[[], bool] = _never,
        *,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self.ended = ""
        """Why it ended early: `STOPPED`, `OUT_OF_TIME`, or "" if it did not."""
        self._model, self._limit, self._listeners, self._stop = model, time_limit_s, listeners, stop
        self._clock, self._cpu = clock, cpu
        self._began, self._cpu_began = clock(), cpu()
        self._told = self._began + _PATIENCE - _EVERY
        self._count, self._figure, self._merit = 0, math.nan, ""
        self._curves, self._total, self._finishing = 0, 0, False

    @property
    def over(self) -> bool:
        """Whether the fit shall end now; once it is over it stays so."""
        if not self.ended and not self._finishing:
            if self._stop():
                self.ended = STOPPED
            elif self._cpu() - self._cpu_began > self._limit:
                self.ended = OUT_OF_TIME
        return bool(self.ended) and not self._finishing

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """What is done here takes no time, and is done to its end even where the fit is over."""
        before, self._finishing = self._finishing, True
        try:
            yield
        finally:
            self._finishing = before

    def done(self, figure: float, merit: str = "chi square") -> None:
        """One iteration; ``figure`` is what it has come to, ``merit`` what that figure is."""
        self._count, self._figure, self._merit = self._count + 1, figure, merit
        self._tell()

    def of_many(self, curves: int) -> None:
        """The fit is of a map of so many curves, each fitted by itself."""
        self._total = curves

    def fitted(self, curves: int, cpu_s: float = 0.0) -> None:
        """So many more curves of a map have been fitted, each to its end; ``cpu_s``: what that took elsewhere, s."""
        self._count, self._curves = self._count + 1, self._curves + curves
        self._cpu_began -= cpu_s
        self._tell()

    def refuse_if_over(self) -> None:
        """Raise FitEnded where the fit shall end, and there is nothing to show yet."""
        if self.over:
            raise self.nothing_yet()

    def nothing_yet(self) -> FitEnded:
        """That it ended early with nothing to show."""
        return FitEnded(f"{self.words()}, before there was a result", stopped=self.ended == STOPPED)

    def words(self) -> str:
        """Why it ended early, and after what."""
        limit = f"out of its time limit of {format_quantity(self._limit, 's')}"
        why = "stopped" if self.ended == STOPPED else limit
        took = f"{self._clock() - self._began:.1f} s"
        if self._total:
            return f"{why} after {self._curves} of {self._total} curves, {took}"
        return f"{why} after {self._count} iterations, {took}"

    def marked(self, fit: Fit) -> Fit:
        """As it is if it came to its end; else with a doubt before all others.

        Of a map the curves that were fitted keep their errors; a single fit has none.
        """
        if not self.ended:
            return fit
        choices = {**fit.choices, "ended": self.ended}
        if self._total:
            doubt = f"{self.words()}: the others are missing"
        else:
            doubt = f"{self.words()}: the best so far, not the minimum: values without errors, not to be relied on"
        without = _without_errors(fit) if isinstance(fit, FitResult) and not self._total else {}
        return replace(fit, warnings=(doubt, *fit.warnings), choices=choices, **without)

    def _tell(self) -> None:
        if not self._listeners or (now := self._clock()) - self._told < _EVERY:
            return
        self._told = now
        progress = FitProgress(
            self._model, self._count, self._figure, self._merit, now - self._began, self._curves, self._total
        )
        for listener in self._listeners:
            listener(progress)


_FOLLOWERS: ContextVar[_Followers] = ContextVar("followers", default=_NOBODY)
_ITERATIONS: ContextVar[Iterations | None] = ContextVar("iterations", default=None)


@contextmanager
def following(*listeners: Callable[[FitProgress], None], stop: Callable[[], bool] = _never) -> Iterator[None]:
    """Fits made in this thread while the context lasts tell the listeners how far they are.

    Args:
        listeners: called in this thread, once a fit has taken two seconds, about four times a second.
        stop: asked at every iteration; a fit ends with the best so far when it says True.
    """
    token = _FOLLOWERS.set(_Followers(listeners, stop))
    try:
        yield
    finally:
        _FOLLOWERS.reset(token)


def stopped() -> bool:
    """Whether who waits for the fits of this thread has asked them to stop."""
    return _FOLLOWERS.get().stop()


@contextmanager
def fitting(model: str, time_limit_s: float = TIME_LIMIT_S) -> Iterator[Iterations]:
    """The iterations of one fit, which `iterations` gives while the context lasts.

    Raises:
        FitEnded: the fit refused its data after it had been ended: it saw only half of what it would have done.
    """
    followers = _FOLLOWERS.get()
    steps = Iterations(model, time_limit_s, followers.listeners, followers.stop)
    token = _ITERATIONS.set(steps)
    try:
        yield steps
    except FitEnded:
        raise
    except FitError as error:
        if steps.ended:
            raise steps.nothing_yet() from error
        raise
    finally:
        _ITERATIONS.reset(token)


@contextmanager
def fitting_part(model: str, time_limit_s: float) -> Iterator[Iterations]:
    """The iterations of the fit that is under way; on a worker, which knows of none, those of the part it was given.

    Raises:
        FitEnded: as `fitting`.
    """
    under_way = _ITERATIONS.get()
    if under_way is not None:
        yield under_way
        return
    with fitting(model, time_limit_s) as steps:
        yield steps


def iterations() -> Iterations:
    """Of the fit that is under way in this thread; of a fit that was called by itself, some that nobody follows."""
    return _ITERATIONS.get() or Iterations()


def ended_early(fit: FitResult | GridFit) -> str:
    """Why a fit ended early: `STOPPED`, `OUT_OF_TIME`, or "" if it did not."""
    return fit.choices.get("ended", "")


def _without_errors(fit: FitResult) -> dict[str, Any]:
    """What is not known of a place on the way to a minimum."""
    return {
        "parameters": tuple(replace(parameter, error=math.nan) for parameter in fit.parameters),
        "covariance": np.full_like(fit.covariance, math.nan),
        "reduced_chi_square": None,
    }
