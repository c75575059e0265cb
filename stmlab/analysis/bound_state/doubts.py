"""What the fit of a bound state leaves in doubt."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.residuals import is_structured
from stmlab.physics.constants import ELEMENTARY_CHARGE_C
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.bound_state.peaks import Peaks
    from stmlab.analysis.bound_state.power_laws import PowerLaws
    from stmlab.analysis.bound_state.rate_law import RateLaw

_LINEAR = 0.1  # by which the exponent of a linear regime may differ from 1
_FACTOR = 2.0  # between the rate of the kink and that of the law
_SIGNS = {1: "positive", -1: "negative"}
_OPEN = 0.5  # relative error
_BENDS = "no kink is seen: the currents bend over decades, and the relaxation is that of the rate law alone"


def doubts(law: RateLaw, laws: Mapping[int, PowerLaws], positive: Peaks, negative: Peaks) -> tuple[str, ...]:
    """Warnings, one sentence each."""
    kinks = {side: one for side, one in laws.items() if one.kink is not None}
    relative = math.inf if law.covariance is None else math.sqrt(float(law.covariance[0, 0]))
    warnings = [_apart(law, one) for one in kinks.values()] if relative < _OPEN else []
    if relative > _OPEN:
        warnings.append("the relaxation is not determined: the currents do not saturate where they were measured")
    if not kinks:
        warnings.append(_no_kink(positive, negative) if relative > _OPEN else _BENDS)
    for side, one in laws.items():
        linear, error = one.exponents[0], one.errors[0]
        if abs(linear - 1.0) > max(_LINEAR, 3.0 * error):
            warnings.append(
                f"at {_SIGNS[side]} bias the current begins with the power {linear:.2f} of the conductance, and not in "
                "proportion: smaller conductances are missing, or the setpoint's bias lies within the gaps"
            )
    if _structured(law, positive.current.size):
        warnings.append("the residual has a structure: the currents are not those of one state with one relaxation")
    return tuple(warning for warning in warnings if warning)


def _no_kink(positive: Peaks, negative: Peaks) -> str:
    largest = max(float(positive.current.max()), float(negative.current.max())) / ELEMENTARY_CHARGE_C
    return (
        "no kink is seen: one power law describes the currents of each polarity, and the state relaxes faster than "
        f"{format_quantity(float(f'{largest:.2g}'), '1/s')}, at which electrons came"
    )


def _apart(law: RateLaw, one: PowerLaws) -> str:
    assert one.kink is not None
    kink, rate = math.exp(one.kink[1]) / ELEMENTARY_CHARGE_C, float(law.values[0])
    if 1.0 / _FACTOR < kink / rate < _FACTOR:
        return ""
    said = format_quantity(float(f"{kink:.2g}"), "1/s")
    return (
        f"the kink's rate {said} is {kink / rate:.2g} times that of the rate law: the current bends over decades, and "
        "a kink in it is an estimate"
    )


def _structured(law: RateLaw, positive: int) -> bool:
    sides = np.split(law.left, [positive])
    return any(is_structured(left, 2.0) for left in sides if left.size)
