"""Curves of several files made comparable: normalised, and one above the other; no Qt."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stmlab.arrays import FloatArray
    from stmlab.gui.data.opened import Curve


class Normalisation(StrEnum):
    """What a curve is divided by."""

    NONE = "as measured"
    LARGEST = "largest value = 1"
    SPAN = "from 0 to 1"
    MEAN = "mean = 1"


def comparable(curves: Sequence[Curve], normalisation: Normalisation, offset: float) -> tuple[list[Curve], list[str]]:
    """Curves for one pair of axes.

    Args:
        curves: in the order in which they are drawn; the first one says what the axes show.
        normalisation: of each.
        offset: added to each curve once more than to the one before, in the unit of y.

    Returns:
        Those that can be drawn together, and why others cannot, one sentence each.
    """
    scaled = [_normalised(curve, normalisation) for curve in curves]
    drawn: list[Curve] = []
    left_out: list[str] = []
    for curve in scaled:
        first = drawn[0] if drawn else curve
        if curve.x_unit != first.x_unit:
            left_out.append(f"{curve.name} is over {curve.x_label} ({curve.x_unit or 'no unit'})")
        elif curve.y_unit != first.y_unit:
            left_out.append(f"{curve.name} is in {curve.y_unit or 'no unit'}: normalise to compare it")
        else:
            drawn.append(replace(curve, y=curve.y + len(drawn) * offset, logarithmic=first.logarithmic))
    return drawn, left_out


def _normalised(curve: Curve, normalisation: Normalisation) -> Curve:
    known = curve.y[np.isfinite(curve.y)]
    if normalisation is Normalisation.NONE or not known.size:
        return curve
    y, divisor = _parts(curve.y, known, normalisation)
    if not divisor:
        return replace(curve, y=y, y_unit="")
    return replace(curve, y=y / divisor, y_label=f"{curve.y_label}, {normalisation}", y_unit="")


def _parts(y: FloatArray, known: FloatArray, normalisation: Normalisation) -> tuple[FloatArray, float]:
    """What is divided, and by what."""
    if normalisation is Normalisation.SPAN:
        return y - known.min(), float(np.ptp(known))
    if normalisation is Normalisation.MEAN:
        return y, float(known.mean())
    return y, float(np.abs(known).max())
