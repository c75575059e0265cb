"""Run every benchmark to its end and print one table; exit status 1 if a row is missed or a script fails.

    make bench                                       all of them
    python tests/benchmarks/run_all.py overhead watch   some

A script that fails, or takes longer than it may, is a row that says so, and the next one follows. The rows are kept in
``build/bench.json``, after each script anew.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks.side_by_side import JSON_FILE

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULT = ROOT / "build" / "bench.json"
TITLE = "ours beside today's build (499557e) or a peer, CPU time"
NO_BENCHMARKS = ("run_all", "adaptive_all", "side_by_side", "base_build", "peers", "peer_ours", "__init__")
LONGEST = 900.0
"""s that a script may take on a busy machine; the longest takes three minutes on a quiet one."""


def scripts(wanted: list[str]) -> list[Path]:
    """Those that were named, or all.

    Raises:
        SystemExit: one is not there.
    """
    there = {path.stem: path for path in sorted(HERE.glob("*.py")) if path.stem not in NO_BENCHMARKS}
    if unknown := [name for name in wanted if name not in there]:
        raise SystemExit(f"{unknown[0]}: no such benchmark; there are {', '.join(there)}")
    return [there[name] for name in wanted or there]


def rows_of(script: Path, longest: float = LONGEST) -> list[dict[str, Any]]:
    """Run a script; a failure is a row too."""
    print(f"== {script.stem}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "rows.json")
        surroundings = {**os.environ, JSON_FILE: str(told), "OPENBLAS_NUM_THREADS": "1"}
        how = _ended(script, surroundings, longest)
        print(f"   {time.monotonic() - began:.0f} s", flush=True)
        if told.exists():
            return [{"script": script.stem, **row} for row in json.loads(told.read_text(encoding="utf-8"))]
    return [{"script": script.stem, "work": script.stem, "met": False, "wrong": how}]


def _ended(script: Path, surroundings: dict[str, str], longest: float) -> str:
    """How a script ended that left no rows; what it has started ends with it."""
    process = subprocess.Popen([sys.executable, str(script)], env=surroundings, start_new_session=True)
    try:
        return f"ended with status {process.wait(longest)}"
    except subprocess.TimeoutExpired:
        return f"did not end within {longest:.0f} s"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def table(rows: list[dict[str, Any]], title: str = TITLE) -> Table:
    """All rows for people."""
    shown = Table(title=title)
    for heading in ("work", "ours", "today's or the peer", "ratio", "target", "", "spread"):
        shown.add_column(heading, justify="right" if heading in ("ours", "ratio", "target", "spread") else "left")
    for row in rows:
        shown.add_row(*cells(row))
    return shown


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Work, ours, the other, ratio, target, met or not, spread."""
    ratio, target, unit, other = row.get("ratio"), row.get("target"), row.get("unit", ""), row.get("other")
    ours = row.get("ours", math.nan)
    return (
        row["work"],
        "" if math.isnan(ours) else f"{ours:.3g} {unit}",
        row.get("note", "") if other is None else f"{row['name']} {other:.3g} {unit}",
        "" if ratio is None else f"{ratio:.2f}",
        "" if target is None else f">= {target:.2g}",
        verdict(row),
        f"{100 * row['spread']:.0f} %" if row.get("spread") else "",
    )


def verdict(row: dict[str, Any]) -> str:
    """Whether a row is met; "" where it only tells, what is wrong where its answer is."""
    if row.get("wrong"):
        return str(row["wrong"])
    if not row["met"]:
        return "MISSED"
    if row.get("target") is None:
        return ""
    return "not compared" if row.get("ratio") is None else "met"


def finished(rows: list[dict[str, Any]], result: Path, title: str = TITLE) -> int:
    """Keep the rows, print their table; returns the exit status: 1 if one is missed."""
    keep(rows, result)
    Console(width=None if sys.stdout.isatty() else 170).print(table(rows, title))
    print(f"kept in {result.relative_to(ROOT)}")
    return int(not all(row["met"] for row in rows))


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """The same table for the documentation."""
    head = "| work | ours | today's or the peer | ratio | target | | spread |\n|---|--:|---|--:|--:|---|--:|"
    return "\n".join([head, *(f"| {' | '.join(cells(row))} |" for row in rows)]) + "\n"


def keep(rows: list[dict[str, Any]], result: Path) -> None:
    """As JSON, numbers that are none as null; beside it the table as Markdown."""
    result.parent.mkdir(exist_ok=True)
    result.with_suffix(".md").write_text(as_markdown(rows), encoding="utf-8")
    plain = [{k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()} for row in rows]
    result.write_text(json.dumps(plain, indent=1, allow_nan=False), encoding="utf-8")


def main() -> int:
    """Run, print, keep."""
    rows: list[dict[str, Any]] = []
    for script in scripts(sys.argv[1:]):
        rows += rows_of(script)
        keep(rows, RESULT)
    return finished(rows, RESULT)


if __name__ == "__main__":
    sys.exit(main())
