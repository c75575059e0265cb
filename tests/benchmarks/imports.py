"""Import of what a headless run needs before its first point, in fresh processes, beside pymeasure's own.

CPU seconds, which a busy machine hardly changes, and with compiled modules, as an installed package has them: where
PYTHONDONTWRITEBYTECODE is set, a checkout would be compiled anew by each process (another 0.08 s).
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks.side_by_side import Row, report

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADLESS = (
    "import stmlab.acquisition.measurement, sequences.srs, drivers.sr860, drivers.m8195a, drivers.nanonis, "
    "drivers.bias_tee"
)
LIMIT = 0.35
"""CPU seconds for ``HEADLESS``."""
PROGRAMS = {
    "stmlab headless run": HEADLESS,
    "and reads its station": f"{HEADLESS}, stmlab.station.configuration, drivers.bias_tee_config",
    "pymeasure.experiment": "import pymeasure.experiment, pymeasure.instruments",
    "numpy + h5py": "import numpy, h5py",
}


def seconds(program: str, environment: Mapping[str, str]) -> float:
    """CPU seconds of a fresh interpreter that runs ``program``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Print medians of runs taken in turn; status 1 where the limit is missed."""
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        rows = [{name: seconds(program, environment) for name, program in PROGRAMS.items()} for _ in range(8)][1:]
    medians = {name: statistics.median(row[name] for row in rows) for name in PROGRAMS}
    for name, value in medians.items():
        print(f"{name:22} {value:.3f} s   ({value / medians['pymeasure.experiment']:.2f} of pymeasure's)")
    ours = medians["stmlab headless run"]
    wrong = "" if ours <= LIMIT else f"at most {LIMIT} s is allowed"
    return report(
        [Row("import before the first point", ours, medians["pymeasure.experiment"], "pymeasure", wrong=wrong)]
    )


if __name__ == "__main__":
    sys.exit(main())
