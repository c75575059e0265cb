"""Closed loop for spin systems of files: parameters, errors, and how often the truth has the lowest AIC.

It prints a line for each system, and fails where one is not good enough: python tests/campaigns/spin_systems.py.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.analysis.transport import fit_systems
from tests.analysis.systems.known import KNOWN, Known
from tests.analysis.systems.runs import data, written

if TYPE_CHECKING:
    from stmlab.results import FitResult

SEEDS, LEAST_BEST, FAR, PART, ERRORS = 20, 0.8, 2.0, 0.02, 3.0
ERROR_SEEDS = 100  # the first SEEDS beside the alternatives; of 20 a single spectrum of bad luck would decide
_LEAST_WITHIN = 0.98  # of parameters, within 3 errors: 0.997 of a normal distribution are


def behind(fit: FitResult, label: str) -> float:
    """AIC of the system above the best."""
    rows = (one.rsplit(" +", 1) for one in fit.choices["AIC"].split(", "))
    return {name: float(above) for name, above in rows}[label]


def judged(name: str, known: Known, folder: Path) -> bool:
    """All seeds of one system, on a line."""
    path, began = written(folder / f"{name}.toml", known.text), time.process_time()
    best, farthest, off, pulls = 0, 0.0, 0.0, list[float]()
    for seed in range(ERROR_SEEDS):
        system, spectra = data(path, known.truth, known.places, known.bias, seed)
        alternatives = system.alternatives if seed < SEEDS else ()
        fit = fit_systems(spectra, [system, *alternatives])
        if alternatives:
            best += fit.choices["system"] == system.label
            farthest = max(farthest, behind(fit, system.label))
        for parameter in sorted({"D", "E", "J"} & set(known.truth) & set(fit.free)):
            apart = abs(fit[parameter].value - known.truth[parameter])
            off, pulls = max(off, apart / abs(known.truth[parameter])), [*pulls, apart / fit[parameter].error]
    within = sum(pull < ERRORS for pull in pulls) / len(pulls)
    each = (time.process_time() - began) / ERROR_SEEDS
    print(
        f"{name:28} best in {best} of {SEEDS}, at most {farthest:.1f} of AIC behind; off by {100 * off:.2f} % at most; "
        f"{100 * within:.1f} % of {len(pulls)} within {ERRORS:g} errors, largest {max(pulls):.1f}; {each:.1f} s a fit",
        flush=True,
    )
    return best >= LEAST_BEST * SEEDS and farthest <= FAR and off < PART and within >= _LEAST_WITHIN


def main() -> int:
    """A line for each system; those named on the command line, or all."""
    with tempfile.TemporaryDirectory() as folder:
        good = [judged(name, KNOWN[name], Path(folder)) for name in sys.argv[1:] or KNOWN]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
