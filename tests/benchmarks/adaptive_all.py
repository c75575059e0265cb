"""Everything that measuring less promises, in one table: 200 samples a cell, 20 runs through the wire.

    make bench-adaptive                                                    all of it, in two processes
    python tests/benchmarks/adaptive_all.py --samples 20 --runs 4          sooner

Exit status 1 if a row is missed. The rows are kept in ``build/bench-adaptive.json``, beside them the table as Markdown.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks import adaptive, adaptive_faults, adaptive_steps, adaptive_time, adaptive_wire
from tests.benchmarks.run_all import ROOT, finished

if TYPE_CHECKING:
    from tests.benchmarks.adaptive import Found

RESULT = ROOT / "build" / "bench-adaptive.json"
SCRIPTS = (adaptive_wire, adaptive_steps, adaptive, adaptive_time, adaptive_faults)  # the longest cells first
TITLE = "points chosen one by one beside a fixed grid, or what is found beside what is asked for"


def main() -> int:
    """Perform, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200, help="of the emulator, a cell")
    parser.add_argument("--runs", type=int, default=20, help="through the wire")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    began = time.monotonic()
    listed = [(script, task) for script in SCRIPTS for task in script.tasks(asked.samples, asked.runs)]
    # Forked workers inherit threads of the libraries; spawned ones begin clean.
    with ProcessPoolExecutor(asked.workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(task) for _, task in listed]
        for future in as_completed(futures):
            _tell(future, time.monotonic() - began)
    rows: list[dict[str, Any]] = []
    for (script, _), future in zip(listed, futures, strict=True):
        rows += [{"script": Path(str(script.__file__)).stem, **row} for row in _rows(future)]
    found = [future.result() for future in futures if future.exception() is None]
    rows += [{"script": "adaptive", **row.as_dict()} for row in adaptive.pooled(found)]
    print(f"{time.monotonic() - began:.0f} s")
    return finished(rows, RESULT, TITLE)


def _tell(done: Future[Found], seconds: float) -> None:
    if (error := done.exception()) is not None:
        print(f"{seconds:5.0f} s  a cell failed: {error!r}", flush=True)
        return
    for row in done.result().rows:
        print(f"{seconds:5.0f} s  {row}", flush=True)


def _rows(done: Future[Found]) -> list[dict[str, Any]]:
    """Of one cell; a failure is a row too."""
    if (error := done.exception()) is not None:
        return [{"work": "a cell", "met": False, "wrong": repr(error)}]
    return [row.as_dict() for row in done.result().rows]


if __name__ == "__main__":
    sys.exit(main())
