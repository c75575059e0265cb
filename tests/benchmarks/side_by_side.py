"""What every benchmark says: rows of work, ours beside another's, as ratios of CPU time.

A script ends with ``sys.exit(report(rows))``. ``make bench`` runs all of them and puts their rows into one table.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

JSON_FILE = "STMLAB_BENCH_JSON"
"""Variable of the environment that names the file for the rows."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        work: what is done.
        ours: seconds, or the unit that is given.
        other: the same for what stands beside it; None: there is nothing to compare with, and ``note`` says why.
        name: of the other.
        target: least ratio other / ours, or None where the row only tells.
        unit: of both.
        spread: of the ratio, relative, from the repetitions.
        wrong: what is wrong with our answer, "" if nothing is: it misses the row at any speed.
        note: in words.
    """

    work: str
    ours: float
    other: float | None
    name: str
    target: float | None = None
    unit: str = "s"
    spread: float = 0.0
    wrong: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times faster ours is."""
        return None if self.other is None else self.other / self.ours

    @property
    def met(self) -> bool:
        """Whether the answer is right and the target is reached; a row without the other is not missed."""
        if self.wrong:
            return False
        return self.ratio is None or self.target is None or self.ratio >= self.target

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON, as the table of ``make bench`` takes it."""
        return asdict(self) | {"ratio": self.ratio, "met": self.met}

    def __str__(self) -> str:
        other = "" if self.other is None else f", {self.name} {self.other:.3g} {self.unit}, {self.ratio:.2f} times"
        target = "" if self.target is None else f" (at least {self.target:g} wanted{'' if self.met else ': MISSED'})"
        spread = f" +- {100 * self.spread:.0f} %" if self.spread else ""
        said = "; ".join(filter(None, (self.wrong, self.note)))
        return f"{self.work}: ours {self.ours:.3g} {self.unit}{other}{spread}{target}{said and '; ' + said}"


def report(rows: Sequence[Row]) -> int:
    """Print rows, hand them to ``make bench``; returns the exit status: 1 if one is missed."""
    for row in rows:
        print(row, flush=True)
    if name := os.environ.get(JSON_FILE):
        Path(name).write_text(json.dumps([row.as_dict() for row in rows], indent=1), encoding="utf-8")
    return int(not all(row.met for row in rows))


def cpu_now() -> float:
    """CPU seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def cpu_seconds(work: Callable[[], object], repeats: int = 3) -> list[float]:
    """CPU seconds of each of some repetitions."""
    times = []
    for _ in range(repeats):
        start = cpu_now()
        work()
        times.append(cpu_now() - start)
    return times


def compared(ours: Sequence[float], other: Sequence[float]) -> tuple[float, float, float]:
    """Medians of both, taken in turn, and the relative spread of their ratio (half the range of the middle half)."""
    ratios = sorted(b / a for a, b in zip(ours, other, strict=True))
    quarter = len(ratios) // 4
    middle = ratios[quarter : len(ratios) - quarter]
    spread = (middle[-1] - middle[0]) / (2 * statistics.median(ratios))
    return statistics.median(ours), statistics.median(other), spread
