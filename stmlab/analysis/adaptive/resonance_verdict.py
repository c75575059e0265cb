"""Whether a rate from frequencies that were chosen while they were read can be believed.

Beside what `stmlab.analysis.adaptive.verdict` asks of every such run, two questions of the SRS line. Is it distorted as
by strong modulation? `fit_srs` says so from three standard deviations; readings that were chosen hide it better than a
grid's, so that two and a half are enough here. And are readings at neighbouring frequencies more alike than the line
allows (ripple)? Of runs with a true line one in fifty is doubted for nothing by either question.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stmlab.analysis.adaptive.neighbours import likeness
from stmlab.analysis.adaptive.verdict import judged
from stmlab.analysis.lorentzian import distortion
from stmlab.analysis.residuals import STRUCTURED_TEXT
from stmlab.physics.stochastic_resonance import line_shape

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

_DISTORTED = 2.5**2  # drop of chi square by a second width
_ALIKE = 2.6  # standard deviations: so much by chance once in two hundred


def judged_rate(
    fit: FitResult, frequency: FloatArray, current: FloatArray, time: FloatArray, target: float
) -> FitResult:
    """The fit with what a run that chose its frequencies must say of it.

    Args:
        fit: by eq. 1, of all readings.
        frequency: Hz, shape (n,).
        current: A, shape (n,).
        time: when they were read, s, shape (n,).
        target: relative error of the rate that was asked for.

    Raises:
        FitError: outliers, a jump, or a rate outside the band: there is no value then.
    """
    line = line_shape(frequency, fit["rate"].value, 1.0, 0.0)
    warnings = fit.warnings
    if fit.model == "srs" and not warnings:
        ripple = STRUCTURED_TEXT if likeness(frequency, line, current) > _ALIKE else ""
        found = (distortion(frequency, current, _DISTORTED), ripple)
        warnings = tuple(warning for warning in found if warning)
    return judged(replace(fit, warnings=warnings), line, current, time, target, "rate")
