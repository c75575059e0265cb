"""The result of a fit, as it is shown, sent round as an event and written to the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from stmlab.units import format_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    import lmfit

    from stmlab.arrays import FloatArray


class FitParameter(NamedTuple):
    """One fitted quantity: value and one standard error in ``unit``.

    ``at`` says, for a quantity of one of many curves, of which: "4 mV, 2 mV". A map of spectra has thousands of them:
    a tuple is made in a fifth of the time of a frozen dataclass.
    """

    name: str
    value: float
    error: float
    unit: str = ""
    at: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class FitResult:
    """A fit with everything that makes it a result.

    Attributes:
        model: name of the model, as ``stmlab fit --model`` takes it.
        parameters: fitted and derived quantities, each with its error.
        covariance: shape (k, k) for the first k = ``len(free)`` parameters, in the product of their units.
        free: names of the parameters that the covariance runs over.
        points: number of data points used.
        residual: root mean square of data minus model, in the unit of the data.
        reduced_chi_square: None where the noise of the data was not known beforehand.
        warnings: where the model does not hold or the data are thin; one sentence each.
        curves: name -> array for drawing: at least ``x``, ``data`` and ``fit``.
        labels: axis labels of the curves: ``x`` and ``y``.
        choices: words: which of several models (``exchange`` -> ``heisenberg``), which file was written (``table``).
    """

    model: str
    parameters: tuple[FitParameter, ...]
    free: tuple[str, ...]
    covariance: FloatArray
    points: int
    residual: float
    reduced_chi_square: float | None = None
    warnings: tuple[str, ...] = ()
    curves: Mapping[str, FloatArray] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        values = ", ".join(f"{p.name} {format_value(p.value, p.error, p.unit)}" for p in self.parameters)
        return f"<FitResult {self.model}: {values}; {len(self.warnings)} warnings>"

    def __getitem__(self, name: str) -> FitParameter:
        """The parameter called ``name``; raises KeyError naming those that exist."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(f"{name}: this fit has {', '.join(p.name for p in self.parameters)}")

    def to_lmfit(self) -> lmfit.Parameters:
        """The free parameters with errors and correlations as lmfit has them: to begin a model of one's own with."""
        import lmfit
        import numpy as np

        found = lmfit.Parameters()
        errors = np.sqrt(np.diag(self.covariance))
        for k, name in enumerate(self.free):
            found.add(name, value=self[name].value)
            found[name].stderr = float(errors[k])
            shared = self.covariance[k] / (errors[k] * errors)
            found[name].correl = {other: float(shared[j]) for j, other in enumerate(self.free) if j != k}
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, ready for JSON; without the curves."""
        return {
            "model": self.model,
            "parameters": [p._asdict() for p in self.parameters],
            "free": list(self.free),
            "covariance": self.covariance.tolist(),
            "points": self.points,
            "residual": self.residual,
            "reduced_chi_square": self.reduced_chi_square,
            "warnings": list(self.warnings),
            "choices": dict(self.choices),
        }
