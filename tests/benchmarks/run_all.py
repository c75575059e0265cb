"""Run every benchmark to its end and print one table; exit status 1 if a row is missed or a script fails.

    make bench                                       all of them
    python tests/benchmarks/run_all.py overhead watch   some

The rows are kept in ``build/bench.json``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks.side_by_side import JSON_FILE

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULT = ROOT / "build" / "bench.json"
NO_BENCHMARKS = ("run_all", "side_by_side", "base_build", "__init__")


def scripts(wanted: list[str]) -> list[Path]:
    """Those that were named, or all.

    Raises:
        SystemExit: one is not there.
    """
    there = {path.stem: path for path in sorted(HERE.glob("*.py")) if path.stem not in NO_BENCHMARKS}
    if unknown := [name for name in wanted if name not in there]:
        raise SystemExit(f"{unknown[0]}: no such benchmark; there are {', '.join(there)}")
    return [there[name] for name in wanted or there]


def rows_of(script: Path) -> list[dict[str, Any]]:
    """Run a script; a failure is a row too."""
    print(f"== {script.stem}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "rows.json")
        surroundings = {**os.environ, JSON_FILE: str(told), "OPENBLAS_NUM_THREADS": "1"}
        status = subprocess.run([sys.executable, str(script)], env=surroundings, check=False).returncode
        if told.exists():
            return [{"script": script.stem, **row} for row in json.loads(told.read_text(encoding="utf-8"))]
    return [{"script": script.stem, "work": script.stem, "met": False, "wrong": f"ended with status {status}"}]


def table(rows: list[dict[str, Any]]) -> Table:
    """All rows for people."""
    shown = Table("work", "ours", "beside it", "ratio", "target", "", title="ours beside others', CPU time")
    for row in rows:
        ratio, target, unit = row.get("ratio"), row.get("target"), row.get("unit", "")
        other = row.get("other")
        spread = f" +- {100 * row['spread']:.0f} %" if row.get("spread") else ""
        shown.add_row(
            row["work"],
            f"{row['ours']:.3g} {unit}" if "ours" in row else "",
            row.get("note", "") if other is None else f"{row['name']} {other:.3g} {unit}",
            "" if ratio is None else f"{ratio:.2f}{spread}",
            "" if target is None else f">= {target:g}",
            row.get("wrong") or ("met" if row["met"] and target is not None else "" if row["met"] else "MISSED"),
        )
    return shown


def main() -> int:
    """Run, print, keep."""
    rows = [row for script in scripts(sys.argv[1:]) for row in rows_of(script)]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    Console(width=None if sys.stdout.isatty() else 150).print(table(rows))
    return int(not all(row["met"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
