"""Whether a T1 from delays that were chosen while they were read can be believed.

Beside what `stmlab.analysis.adaptive.verdict` asks of every such run: are readings at neighbouring delays more alike
than an exponential decay allows, as an echo on the line makes them? Most readings lie at few delays, so that the checks
between them are looked at apart. Of 500 runs of a true decay two were doubted for nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.adaptive.neighbours import likeness, of_equal_number, of_equal_width
from stmlab.analysis.adaptive.verdict import judged
from stmlab.analysis.residuals import STRUCTURED_TEXT

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

_ALIKE = 2.4  # standard deviations


def judged_decay(fit: FitResult, delay: FloatArray, current: FloatArray, time: FloatArray, target: float) -> FitResult:
    """The fit with what a run that chose its delays must say of it.

    Args:
        fit: by an exponential decay, of all readings.
        delay: s, all on one side, shape (n,).
        current: A, shape (n,).
        time: when they were read, s, shape (n,).
        target: relative error of T1 that was asked for.

    Raises:
        FitError: outliers, a jump, or a decay outside the range: there is no value then.
    """
    distance = np.abs(delay)
    line = np.exp(-distance / fit["T1"].value)
    if not fit.warnings:
        alike = max(likeness(np.log(distance), line, current, groups) for groups in (of_equal_number, of_equal_width))
        fit = replace(fit, warnings=(STRUCTURED_TEXT,) if alike > _ALIKE else ())
    return judged(fit, line, current, time, target, "T1")
