"""``stmlab demo --all`` beside the base build: points of the simulated microscope, fits and figures of every paper."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks.base_build import NAME, NoBase, run_here, run_job
from tests.benchmarks.side_by_side import Row, compared, report

SEED, FASTER = 11, 3.0


def quantities(rows: list[dict[str, object]]) -> dict[tuple[object, ...], object]:
    """Which run and quantity -> what it truly is."""
    return {(row["sequence"], row["sample"], row["quantity"]): row["true"] for row in rows}


def main() -> int:
    """One row: ours before and after the base build, which takes minutes, so that both meet the same machine."""
    work = "demo --all"
    ours = [run_here("demo", SEED)]
    here, found = quantities(ours[0]["rows"]), [row for row in ours[0]["rows"] if not row["agrees"]]
    wrong = f"{found[0]['quantity']} of {found[0]['sample']} differs from the truth" if found else ""
    try:
        theirs = run_job("demo", SEED)
    except NoBase as why:
        return report([Row(work, ours[0]["seconds"], None, NAME, wrong=wrong, note=str(why))])
    ours.append(run_here("demo", SEED))
    if left_out := quantities(theirs["rows"]).keys() - here.keys():
        wrong = f"{min(map(str, left_out))} is not measured any more"
    seconds, other, spread = compared([run["seconds"] for run in ours], [theirs["seconds"]] * 2)
    note = f"{len(here)} quantities, all as they truly are"
    return report([Row(work, seconds, other, NAME, FASTER, spread=spread, wrong=wrong, note=note)])


if __name__ == "__main__":
    sys.exit(main())
