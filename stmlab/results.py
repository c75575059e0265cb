"""The result of a fit, as it is shown, sent round as an event and written to the file."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray

_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_PREFIXED = frozenset({"A", "F", "Hz", "J", "K", "S", "Sa/s", "T", "V", "Vrms", "W", "eV", "m", "s", "Ω"})
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


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

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, ready for JSON; without the curves."""
        return {
            "model": self.model,
            "parameters": [
                {"name": p.name, "value": p.value, "error": p.error, "unit": p.unit, "at": p.at}
                for p in self.parameters
            ],
            "free": list(self.free),
            "covariance": self.covariance.tolist(),
            "points": self.points,
            "residual": self.residual,
            "reduced_chi_square": self.reduced_chi_square,
            "warnings": list(self.warnings),
            "choices": dict(self.choices),
        }


def format_value(value: float, error: float, unit: str = "") -> str:
    """A value with its standard error as physicists write it: "(1.73 ± 0.04)·10⁹ /s", "(5.02 ± 0.05) pA".

    The error has one digit, or two if the first is a 1; the value ends where the error does. Without a finite error the
    value stands alone and says so.
    """
    if not math.isfinite(value):
        return f"{value:g} {unit}".rstrip()
    known = math.isfinite(error) and error > 0
    power, suffix = _power_and_suffix(max(abs(value), error if known else 0.0), unit)
    scaled = value * 10.0**-power
    if not known:
        return f"{scaled:.4g}{suffix} (error unknown)"
    width = error * 10.0**-power
    first, _, place = f"{width:.1e}".partition("e")
    digits = first.startswith("1") - int(place)
    numbers = [f"{round(number, digits) or 0.0:.{max(digits, 0)}f}" for number in (scaled, width)]  # no "-0"
    return f"({numbers[0]} ± {numbers[1]}){suffix}" if suffix else f"{numbers[0]} ± {numbers[1]}"


def prefixed_unit(size: float, unit: str) -> tuple[int, str]:
    """The power of ten to take out of numbers as large as ``size``, and the unit with the prefix that stands for it.

    (0, ``unit``) where the unit takes no prefix (a rate, meV), or there is none so large or so small.
    """
    return _prefixed(size, unit) or (0, unit)


def written_unit(size: float, unit: str) -> tuple[int, str]:
    """As `prefixed_unit`, but with a power of ten before a unit that takes no prefix: (9, "10⁹ /s")."""
    power, suffix = _power_and_suffix(size, unit)
    return power, suffix.lstrip(" ·")


def format_quantity(value: float, unit: str) -> str:
    """A number that is known exactly, such as a setting: "4 mV", "1.73·10⁹ /s"."""
    power, suffix = _power_and_suffix(abs(value), unit)
    return f"{value * 10.0**-power:.6g}{suffix}"


def _power_and_suffix(size: float, unit: str) -> tuple[int, str]:
    """The power of ten taken out of the number, and what stands for it behind: a prefix, or the power itself."""
    if (found := _prefixed(size, unit)) is not None:
        return found[0], f" {found[1]}"
    power = 0 if 0.01 <= size < 1000 else max(_thousands(size), -300)
    written = unit.removeprefix("1") if unit.startswith("1/") else unit
    raised = f"·10{str(power).translate(_RAISED)}" if power else ""
    return power, raised + (f" {written}" if written else "")


def _prefixed(size: float, unit: str) -> tuple[int, str] | None:
    power = _thousands(size)
    return (power, _PREFIXES[power] + unit) if unit in _PREFIXED and power in _PREFIXES else None


def _thousands(size: float) -> int:
    """The power of ten, a multiple of three, that leaves 1 to 1000."""
    return 3 * math.floor(math.log10(size) / 3) if math.isfinite(size) and size > 0 else 0
