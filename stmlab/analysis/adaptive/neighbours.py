"""How much more alike readings at neighbouring places are than a line of one height and one offset allows.

Ripple of a microwave line does that to a resonance spectrum, an echo on the line to a decay. Where places were chosen
neighbours are many at each, so that their mean tells more than the product of two.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import FloatArray, IntArray

_GROUPS = 12  # of neighbouring readings
_LEAST = 3  # readings of a group
_FITTED = 3  # scale, height and offset


def of_equal_number(x: FloatArray) -> list[IntArray]:
    """Groups of neighbours, so many readings each."""
    return np.array_split(np.argsort(x, kind="stable"), max(min(_GROUPS, len(x) // _LEAST), 1))


def of_equal_width(x: FloatArray) -> list[IntArray]:
    """Groups of neighbours, so much of the range each, also where readings are few; hardly any are left out."""
    edges = np.linspace(x.min(), x.max(), _GROUPS + 1)[1:-1]
    group = np.searchsorted(edges, x, side="right")
    found = [np.flatnonzero(group == k) for k in range(_GROUPS)]
    return [one for one in found if len(one) >= _LEAST]


def likeness(
    x: FloatArray, line: FloatArray, y: FloatArray, groups: Callable[[FloatArray], list[IntArray]] = of_equal_number
) -> float:
    """The scatter of neighbours' means against the scatter of neighbours, in standard deviations of white noise.

    Args:
        x: where readings were taken, shape (n,).
        line: the fitted line there, of any height.
        y: the readings.
        groups: who is a neighbour.

    Returns:
        0 where readings are too few to say so.
    """
    height, offset = np.polyfit(line, y, 1)
    left = y - offset - height * line
    compared = [left[group] for group in groups(x)]
    above, below = len(compared) - _FITTED, sum(len(group) - 1 for group in compared)
    if above < 1:
        return 0.0
    between = sum(len(group) * float(group.mean()) ** 2 for group in compared)
    within = sum(float(np.sum((group - group.mean()) ** 2)) for group in compared)
    return _deviations(between / above / (within / below), above, below)


def _deviations(ratio: float, above: int, below: int) -> float:
    """A ratio of two variances in standard deviations (Paulson, Ann. Math. Stat. 13, 233 (1942))."""
    a, b, root = 2 / (9 * above), 2 / (9 * below), ratio ** (1 / 3)
    return float(((1 - b) * root - (1 - a)) / math.sqrt(b * root**2 + a))
