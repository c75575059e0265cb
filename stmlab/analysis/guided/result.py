"""The result of a guided fit, as any other fit's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.residuals import structure_warning
from stmlab.results import FitParameter, FitResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stmlab.analysis.guided.guide import Guide, Quantity
    from stmlab.analysis.guided.solve import Solved
    from stmlab.arrays import FloatArray

_AT_BOUND = 1e-6  # of the value


def result(
    model: str,
    quantities: tuple[Quantity, ...],
    solved: Solved,
    guide: Guide,
    begun: Mapping[str, float],
    data: FloatArray,
    curves: Mapping[str, FloatArray],
    labels: Mapping[str, str],
    derived: Sequence[FitParameter] = (),
) -> FitResult:
    """Put together.

    Args:
        model: its name.
        quantities: of the fit.
        solved: where it ended.
        guide: what a person gave.
        begun: where it began.
        data: shape (n,), in the order of the points.
        curves: for drawing.
        labels: of the axes.
        derived: what follows from the parameters.
    """
    units = {quantity.name: quantity.unit for quantity in quantities}
    errors = dict(zip(solved.free, solved.errors.tolist(), strict=True))
    parameters = tuple(FitParameter(name, solved.values[name], errors[name], units[name]) for name in solved.free)
    left = data - solved.curve
    return FitResult(
        model=model,
        parameters=(*parameters, *derived),
        free=solved.free,
        covariance=solved.covariance,
        points=len(data),
        residual=float(np.sqrt(np.mean(left**2))),
        warnings=_warnings(quantities, solved, left, span=float(np.ptp(data))),
        curves={**curves, "data": data, "fit": solved.curve, "residual": left},
        labels=labels,
        choices=guide.said(quantities, begun),
    )


def derived(solved: Solved, name: str, value: float, gradient: Mapping[str, float], unit: str = "") -> FitParameter:
    """A function of the parameters with the error that follows from its derivatives by them."""
    slope = np.array([gradient.get(free, 0.0) for free in solved.free])
    return FitParameter(name, value, math.sqrt(float(slope @ solved.covariance @ slope)), unit)


def _warnings(quantities: tuple[Quantity, ...], solved: Solved, left: FloatArray, span: float) -> tuple[str, ...]:
    found = []
    if not solved.converged:
        found.append("the fit has not converged: start nearer to the data")
    if not np.isfinite(solved.covariance).all():
        found.append("the data do not determine every parameter: fix some of them")
    for quantity in quantities:
        value = solved.values[quantity.name]
        if quantity.name in solved.free and any(
            math.isfinite(bound) and abs(value - bound) <= _AT_BOUND * max(abs(bound), abs(value), 1e-300)
            for bound in (quantity.low, quantity.high)
        ):
            found.append(f"{quantity.name} ran to the end of what is allowed")
    if float(np.abs(left).max()) > 1e-9 * span:
        found.append(structure_warning(left, len(solved.free), noise_known=False))
    return tuple(warning for warning in found if warning)
