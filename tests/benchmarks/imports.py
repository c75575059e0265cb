"""Import of what a headless run needs before its first point, in fresh processes, beside pymeasure's own."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

PROGRAMS = {
    "stmlab headless run": "import stmlab.acquisition.measurement, sequences.srs, drivers.sr860, drivers.m8195a, "
    "drivers.nanonis, drivers.bias_tee",
    "pymeasure.experiment": "import pymeasure.experiment, pymeasure.instruments",
    "numpy + h5py": "import numpy, h5py",
}


def seconds(program: str) -> float:
    """Wall time of a fresh interpreter that runs ``program``."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - start


def main() -> None:
    """Print medians of runs taken in turn."""
    rows = [{name: seconds(program) for name, program in PROGRAMS.items()} for _ in range(8)][1:]
    medians = {name: statistics.median(row[name] for row in rows) for name in PROGRAMS}
    for name, value in medians.items():
        print(f"{name:22} {value:.3f} s   ({value / medians['pymeasure.experiment']:.2f} of pymeasure's)")


if __name__ == "__main__":
    main()
