"""The fit of a telegraph trace of a million samples, beside the base build: CPU seconds and memory, the same rates."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks.base_build import NAME, NoBase, run_here, run_job
from tests.benchmarks.side_by_side import Row, report

SAMPLES = 1_000_000
UP, DOWN = 0.01, 0.02  # probabilities of leaving the states, a sample
FASTER, SMALLER, SAME = 4.0, 2.0, 1e-3  # times, times, standard errors


def trace() -> np.ndarray:
    """Two levels 1 pA apart with noise of 0.2 pA, A."""
    random = np.random.default_rng(3)
    pairs = np.column_stack([random.geometric(UP, SAMPLES // 50), random.geometric(DOWN, SAMPLES // 50)])
    states = np.repeat(np.arange(pairs.size) % 2, pairs.ravel())[:SAMPLES]
    assert states.size == SAMPLES
    return 1e-12 * (5 + states + 0.2 * random.standard_normal(SAMPLES))


def main() -> int:
    """Two rows."""
    work = f"telegraph fit, {SAMPLES} samples"
    with tempfile.TemporaryDirectory() as folder:
        np.save(path := Path(folder, "trace.npy"), trace())
        ours = run_here("telegraph", path)
        try:
            theirs = run_job("telegraph", path)
        except NoBase as why:
            return report([Row(work, ours["seconds"], None, NAME, note=str(why))])
    apart = max(abs(v - theirs["rates"][name][0]) / error for name, (v, error) in ours["rates"].items())
    wrong = "" if apart < SAME else f"rates {apart:.1g} standard errors apart"
    note = f"rates within {apart:.0e} standard errors"
    return report(
        [
            Row(work, ours["seconds"], theirs["seconds"], NAME, FASTER, wrong=wrong, note=note),
            Row("memory of it", ours["megabytes"], theirs["megabytes"], NAME, SMALLER, "MB"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
