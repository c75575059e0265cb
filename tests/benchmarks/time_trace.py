"""A sample of a time trace on the simulated microscope, beside the base build: the same data, bit by bit."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks.base_build import NAME, NoBase, run_here, run_job
from tests.benchmarks.side_by_side import Row, compared, report

SAMPLES, RUNS, FASTER = 2000, 5, 2.0


def main() -> int:
    """One row."""
    work = "a sample of a simulated time trace"
    ours = run_here("time_trace", SAMPLES, RUNS)
    try:
        theirs = run_job("time_trace", SAMPLES, RUNS)
    except NoBase as why:
        return report([Row(work, 1e3 * min(ours["seconds"]) / SAMPLES, None, NAME, unit="ms", note=str(why))])
    here, there, spread = compared(ours["seconds"], theirs["seconds"])
    wrong = "" if ours["data"] == theirs["data"] else "other data for the same seed"
    note = "the same data for the same seed, current and lock-in"
    milliseconds = (1e3 * seconds / SAMPLES for seconds in (here, there))
    return report([Row(work, *milliseconds, NAME, FASTER, "ms", spread, wrong, note)])


if __name__ == "__main__":
    sys.exit(main())
