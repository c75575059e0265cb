"""The relaxation of a bound state (Yu-Shiba-Rusinov) from the current through it at many conductances.

Betz et al., figure S7: at one polarity the largest current grows in proportion to the conductance while the state
relaxes faster than electrons come, and more slowly beyond; at the kink between both power laws one electron comes per
relaxation, Gamma = I / e. At the other polarity there may be none. The kink is an estimate: a current that saturates
bends over decades, and where the kink lies depends on what was measured. The rate law behind it (`rate_law`), fitted to
both polarities together, has no such freedom: its Gamma is the result, the kink's stands beside it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.bound_state.doubts import doubts
from stmlab.analysis.bound_state.power_laws import PowerLaws, power_laws
from stmlab.analysis.bound_state.rate_law import both, rate_law
from stmlab.analysis.transport.doubts import shown_error
from stmlab.errors import FitError
from stmlab.physics.constants import ELEMENTARY_CHARGE_C
from stmlab.results import FitParameter, FitResult
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.analysis.bound_state.peaks import Peaks
    from stmlab.analysis.bound_state.rate_law import RateLaw

_FEWEST = 6  # conductances
_LEFT_OUT = 0.03
"""Of the relaxation: what the law leaves out, the tip's density of states about its peak and heat. It follows from
no theory: simulated states come within so much or a little more, where kT is below a third of their energy.
"""
_NAMES = ("relaxation_rate", "positive_rate", "negative_rate", "tip_ratio")
_UNITS = ("1/s", "1/s/uS", "1/s/uS", "")


def fit_bound_state(positive: Peaks, negative: Peaks) -> FitResult:
    """Fit peak currents over conductance.

    Args:
        positive: of positive bias.
        negative: of negative bias.

    Returns:
        Parameters "relaxation_rate" (1/s; its error has 3 % of it for what the law leaves out, the covariance has not),
        "positive_rate" and "negative_rate" (tunnelling into the state at either bias, 1/s for each uS), "tip_ratio" (of
        the tip's density of states far from its peak to that at it); derived "lifetime" (s), and of each polarity
        "positive_exponent" or, with a kink, "positive_exponent_below", "positive_exponent_above",
        "positive_kink_conductance" (S), "positive_kink_current" (A) and "positive_kink_rate" (1/s). Curves "x" (S),
        "data", "fit" (A), "residual", "side" (1 or -1) run over all points.

    Raises:
        FitError: fewer than six conductances.
    """
    for name, one in (("positive", positive), ("negative", negative)):
        if len(one.current) < _FEWEST:
            raise FitError(f"{len(one.current)} peak currents at {name} bias: at least {_FEWEST} are needed")
    law, laws = rate_law(positive, negative), {1: power_laws(positive), -1: power_laws(negative)}
    model = np.concatenate(both(law.values, positive.conductance, negative.conductance))
    data = np.concatenate([positive.current, negative.current])
    return FitResult(
        model="bound_state",
        parameters=(
            *_of_law(law),
            *_of_powers("positive", laws[1], positive),
            *_of_powers("negative", laws[-1], negative),
        ),
        free=_NAMES if law.covariance is not None else (),
        covariance=np.empty((0, 0)) if law.covariance is None else law.covariance * np.outer(law.values, law.values),
        points=data.size,
        residual=float(np.sqrt(np.mean((data - model) ** 2))),
        warnings=doubts(law, laws, positive, negative),
        curves={
            "x": np.concatenate([positive.conductance, negative.conductance]),
            "data": data,
            "error": np.concatenate([positive.error, negative.error]),
            "fit": model,
            "residual": data - model,
            "side": np.repeat([1.0, -1.0], [positive.current.size, negative.current.size]),
        },
        labels={
            "x": "conductance",
            "x_unit": "S",
            "x_scale": "log",
            "y": "peak current",
            "y_unit": "A",
        },
        choices={
            "kink": ", ".join(n for s, n in ((1, "positive bias"), (-1, "negative bias")) if laws[s].kink) or "none",
            "error": f"of the relaxation with {_LEFT_OUT:.0%} of it for what the rate law leaves out",
        },
    )


def _of_law(law: RateLaw) -> list[FitParameter]:
    relative = np.full(4, math.inf) if law.covariance is None else np.sqrt(np.diag(law.covariance))
    found = []
    for name, unit, value, error in zip(_NAMES, _UNITS, law.values.tolist(), relative.tolist(), strict=True):
        shown = math.inf if error > 1.0 else shown_error(0.0, value, error * value)
        found.append(FitParameter(name, value, shown, unit))
    value, unit = found[0].value, found[0].unit
    rate = found[0] = FitParameter(_NAMES[0], value, math.hypot(found[0].error, _LEFT_OUT * value), unit)
    lifetime = FitParameter("lifetime", 1.0 / rate.value, rate.error / rate.value**2, "s")
    return [*found, lifetime]


def _of_powers(side: str, laws: PowerLaws, peaks: Peaks) -> Iterator[FitParameter]:
    """What is shown of one polarity."""
    place = f"peak at {format_quantity(float(f'{peaks.bias:.3g}'), 'V')}"
    if laws.kink is None or laws.covariance is None:
        yield FitParameter(f"{side}_exponent", laws.exponents[0], laws.errors[0], "", place)
        return
    for name, value, error in zip(("below", "above"), laws.exponents, laws.errors, strict=True):
        yield FitParameter(f"{side}_exponent_{name}", value, error, "", place)
    conductance, current = (math.exp(value) for value in laws.kink)
    first, second = np.sqrt(np.diag(laws.covariance)).tolist()
    yield FitParameter(f"{side}_kink_conductance", conductance, first * conductance, "S", place)
    yield FitParameter(f"{side}_kink_current", current, second * current, "A", place)
    rate = current / ELEMENTARY_CHARGE_C
    yield FitParameter(f"{side}_kink_rate", rate, second * rate, "1/s", place)
