"""What a station is made safe after, and the report of it: where the loop was left, what could not be done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """What a station is made safe after."""

    NORMAL = "normal"  # the last point, a stop, an abort by a person who is there
    FAULT = "fault"  # an error, or nobody there


class Loop(StrEnum):
    """Where the feedback loop was left."""

    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    TRIPPED = "tripped"
    UNTOUCHED = "untouched"  # nothing of the controller was ever moved
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Problem:
    """An instrument that could not be brought to its safe state, and why."""

    instrument: str
    why: str

    def __str__(self) -> str:
        return f"{self.instrument}: {self.why}"


@dataclass(frozen=True)
class SafeReport:
    """How the safe state was reached, or what is missing; ``why``: what forbade to close the loop."""

    loop: Loop
    problems: tuple[Problem, ...] = ()
    why: str = ""

    @property
    def safe(self) -> bool:
        """Every instrument that had been moved was seen in its safe state."""
        return not self.problems

    def __str__(self) -> str:
        if self.problems:
            return "NOT SAFE: " + "; ".join(map(str, self.problems))
        because = f" because the loop was not closed: {self.why}" if self.why else ""
        return {
            Loop.CLOSED: "safe: RF and modulation off, loop closed",
            Loop.WITHDRAWN: f"safe: RF and modulation off, tip withdrawn{because}; `stmlab approach` frees the loop",
            Loop.TRIPPED: "safe: RF and modulation off, SafeTip has tripped; `stmlab approach` frees the loop",
        }.get(self.loop, "safe: RF and modulation off, controller as it was")
