"""The numbers of a solution, as a result shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.analysis.transport.doubts import shown_error
from stmlab.results import FitParameter

if TYPE_CHECKING:
    from stmlab.analysis.transport.solution import Solution
    from stmlab.arrays import FloatArray


def fitted(best: Solution, errors: FloatArray, places: list[str]) -> tuple[FitParameter, ...]:
    """Those of the system, then "conductance_1" ...

    Args:
        best: the solution.
        errors: of its free parameters and its conductances.
        places: what each conductance is of, for people.
    """
    found, usual = [], best.usual
    for name, error in zip(best.free, errors.tolist(), strict=False):
        one, value = best.system.parameters[name], usual[name]
        found.append(FitParameter(name, value, shown_error(one.size, value, error), one.unit))
    conductances = zip(places, best.conductances.tolist(), errors[len(best.free) :].tolist(), strict=True)
    for k, (place, value, error) in enumerate(conductances, start=1):
        found.append(FitParameter(f"conductance_{k}", value, shown_error(0.0, value, error), "S", place))
    return tuple(found)
