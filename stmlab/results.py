"""The result of a fit, as it is shown, sent round as an event and written to the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from stmlab.units import format_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import lmfit

    from stmlab.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class FitParameter:
    """One fitted quantity: value and one standard error in ``unit``.

    ``at`` says, for a quantity of one of many curves, of which: "4 mV, 2 mV".
    """

    name: str
    value: float
    error: float
    unit: str = ""
    at: str = ""


@dataclass(frozen=True, eq=False)
class ParametersOfCurves(Sequence[FitParameter]):
    """The same q quantities of each of m curves: thousands, kept as arrays, and made one by one as they are asked for.

    Attributes:
        names, units: of the quantities; the curve's number follows the name: "rate_17".
        curves: numbers of the curves, shape (m,).
        at: which curve each is.
        values, errors: shape (m, q).
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    curves: IntArray
    at: tuple[str, ...]
    values: FloatArray
    errors: FloatArray

    def __len__(self) -> int:
        return self.values.size

    @overload
    def __getitem__(self, index: int) -> FitParameter: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[FitParameter, ...]: ...

    def __getitem__(self, index: int | slice) -> FitParameter | tuple[FitParameter, ...]:
        numbers = range(len(self))[index]
        return self._one(numbers) if isinstance(numbers, int) else tuple(map(self._one, numbers))

    def _one(self, number: int) -> FitParameter:
        curve, k = divmod(number, len(self.names))
        value, error = float(self.values[curve, k]), float(self.errors[curve, k])
        return FitParameter(f"{self.names[k]}_{self.curves[curve]}", value, error, self.units[k], self.at[curve])

    def __iter__(self) -> Iterator[FitParameter]:
        rows = zip(self.curves.tolist(), self.at, self.values.tolist(), self.errors.tolist(), strict=True)
        for curve, at, values, errors in rows:
            for name, unit, value, error in zip(self.names, self.units, values, errors, strict=True):
                yield FitParameter(f"{name}_{curve}", value, error, unit, at)


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
    parameters: Sequence[FitParameter]
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
        if name not in self._named:
            raise KeyError(f"{name}: this fit has {', '.join(self._named)}")
        return self._named[name]

    @cached_property
    def _named(self) -> dict[str, FitParameter]:
        return {parameter.name: parameter for parameter in self.parameters}

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
            "parameters": [asdict(p) for p in self.parameters],
            "free": list(self.free),
            "covariance": self.covariance.tolist(),
            "points": self.points,
            "residual": self.residual,
            "reduced_chi_square": self.reduced_chi_square,
            "warnings": list(self.warnings),
            "choices": dict(self.choices),
        }
