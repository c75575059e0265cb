"""The likeliest rates, levels and noise of a trace, and how the likelihood falls around them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.iterations import iterations
from stmlab.analysis.telegraph.likelihood import log_likelihood, with_slopes

if TYPE_CHECKING:
    from stmlab.analysis.telegraph.samples import Samples
    from stmlab.analysis.telegraph.switching import Switching
    from stmlab.arrays import FloatArray

_NEAR = 0.02  # expected errors from the maximum, within which a search may end
_HILLS, _MOST_FROM_FLAT = 10.0, 30.0
"""Times the rise that the slope says, and so much more: no search rises by more."""
_STEP = 0.03  # of the rates' logarithms, for the curvature; the others by their own errors


class _Ended(Exception):
    """The search ends where it is."""


def most_likely(samples: Samples, start: Switching, *, than: float = -math.inf) -> tuple[Switching, float]:
    """The parameters of largest likelihood near ``start``, and its logarithm; of a fit that ends early the best so far.

    Sought in units of the expected errors, in which the likelihood is nearly an isotropic paraboloid: its slope says
    how high it may rise. A search that cannot come near ``than`` is given up.
    """
    from scipy.optimize import minimize

    origin, unit, steps = start.vector(), start.expected_errors(samples.size), iterations()
    lowest, place = math.inf, np.zeros(origin.size)

    def negative(moves: FloatArray) -> tuple[float, FloatArray]:
        nonlocal lowest, place
        if steps.over:
            raise _Ended
        vector = origin + unit * moves
        tried = start.moved(vector)
        rise, slopes = with_slopes(samples, tried)
        slopes *= unit * np.isclose(tried.vector(), vector)  # beyond the limits of a search nothing changes
        if -rise < lowest:
            lowest, place = -rise, moves.copy()
        steps.done(-2 * rise, "-2 ln L")
        if rise + _HILLS * float(slopes @ slopes) / 2 + _MOST_FROM_FLAT < than:
            raise _Ended
        return -rise, -slopes

    try:
        found = minimize(negative, place, jac=True, method="BFGS", options={"gtol": _NEAR})
    except _Ended:
        return start.moved(origin + unit * place), -lowest
    return start.moved(origin + unit * found.x), -float(found.fun)


def curvature(samples: Samples, switching: Switching) -> FloatArray:
    """Second derivatives of -ln likelihood by ``switching.vector()``, shape (5, 5).

    Raises:
        FitEnded: the fit is to end early.
    """
    steps_made = iterations()
    centre = switching.vector()
    levels = switching.scale / math.sqrt(samples.size)
    small = 0.3 / math.sqrt(samples.size)
    steps = np.array([_STEP, _STEP, 0.3 * levels, 0.3 * levels / switching.step, small])

    def at(*moves: tuple[int, float]) -> float:
        steps_made.refuse_if_over()
        vector = centre.copy()
        for k, sign in moves:
            vector[k] += sign * steps[k]
        return -log_likelihood(samples, switching.moved(vector))

    here, ahead, back = at(), [at((k, 1)) for k in range(5)], [at((k, -1)) for k in range(5)]
    second = np.empty((5, 5))
    for i in range(5):
        second[i, i] = (ahead[i] - 2 * here + back[i]) / steps[i] ** 2
        for j in range(i):  # along the diagonal, less the change along either axis
            both = at((i, 1), (j, 1)) + at((i, -1), (j, -1)) - 2 * here
            mixed = both - (ahead[i] + back[i] - 2 * here) - (ahead[j] + back[j] - 2 * here)
            second[i, j] = second[j, i] = mixed / (2 * steps[i] * steps[j])
    if second[4, 4] < _STEP * samples.size:  # the noise is below the least that counts, see QUIETEST
        second[4], second[:, 4] = 0.0, 0.0
        second[4, 4] = 2.0 * samples.size
    return second
