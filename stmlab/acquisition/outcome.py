"""What a run is expected to take, how far it has come, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stmlab.errors import StmlabError
from stmlab.events import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.results import FitResult


class Aborted(StmlabError):
    """An end at once was asked for; ``attended``: by a person who is there."""

    def __init__(self, message: str, *, attended: bool = True) -> None:
        self.attended = attended
        super().__init__(message)


@dataclass(frozen=True)
class Estimate:
    """What preflight expects.

    Attributes:
        points: their number.
        seconds: duration in all, s.
        size: of the file, bytes.
        ramps: what of the duration the ramps of the bias take, s.
    """

    points: int
    seconds: float
    size: int
    ramps: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        state: one of the final states.
        reason: "completed", "stopped", "aborted" or the class name of the error.
        message: one line for a person, "" when all went well.
        points: number of points in the file.
        path: the file, or None.
        fits: results of the analysis.
        station: how the station was left, in words.
        fit_ended: why the fit ended early: "stopped", "time limit", or "" if it did not.
    """

    run_id: str
    state: RunState
    reason: str
    message: str
    points: int
    path: Path | None
    fits: tuple[FitResult, ...] = ()
    station: str = ""
    fit_ended: str = ""


@dataclass
class Course:
    """What a run has come to so far."""

    state: RunState = RunState.FINISHED
    reason: str = "completed"
    message: str = ""
    points: int = 0
    error: BaseException | None = None
    attended: bool = True
    fits: list[FitResult] = field(default_factory=list)
    station: str = ""
    fit_ended: str = ""

    def end(self, state: RunState, reason: str, message: str = "", error: BaseException | None = None) -> None:
        """Note how it ended."""
        self.state, self.reason, self.message, self.error = state, reason, message, error
