"""CPU seconds of a process before its first fit iterates: all that is imported and prepared, beside what is allowed."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks.base_build import NAME, NoBase, run_here, run_job
from tests.benchmarks.side_by_side import Row, report

ALLOWED_S, RUNS = 0.5, 3


def fastest(kind: str) -> float:
    """Of some processes."""
    return float(min(run_here("first_fit", kind)["seconds"] for _ in range(RUNS)))


def main() -> int:
    """A row for each kind of curve."""
    rows = []
    for kind in ("srs", "decay", "steps"):
        try:
            note = f"{NAME} took {run_job('first_fit', kind)['seconds']:.2g} s"
        except NoBase as why:
            note = str(why)
        rows.append(
            Row(f"before the first fit of a process, {kind}", fastest(kind), ALLOWED_S, "allowed", 1.0, note=note)
        )
    return report(rows)


if __name__ == "__main__":
    sys.exit(main())
