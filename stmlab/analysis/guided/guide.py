"""What a person says about a fit: where it begins, and what it leaves as it is."""

from __future__ import annotations

import math
from collections.abc import Mapping  # noqa: TC003 - of a dataclass
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stmlab.errors import FitError
from stmlab.units import format_quantity, in_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Quantity:
    """A parameter of a fit.

    Attributes:
        name, unit: as in the result.
        low, high: what it may be.
        positive: it is fitted by its logarithm.
        linear: the model is linear in it: it is fitted alone first, so that the others begin with heights that suit.
    """

    name: str
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    positive: bool = False
    linear: bool = False


@dataclass(frozen=True)
class Guide:
    """What a person gives.

    Attributes:
        start: parameter -> value at which the fit begins; the others begin where the fit without a guide ends.
        fixed: parameters that stay where they begin.
        exchange: kind of exchange of the transport model; "": the one that fits best without a guide.
    """

    start: Mapping[str, float] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    exchange: str = ""

    @classmethod
    def read(cls, start: Mapping[str, float | str], fixed: Iterable[str] = (), exchange: str = "") -> Guide | None:
        """With start values as people write them ("1.7e9", "2 K"); None if nothing is given.

        Raises:
            SequenceError: a text is no number in the parameter's unit.
        """
        if not start and not tuple(fixed) and not exchange:
            return None
        units = {one.name: one.unit for quantities in QUANTITIES.values() for one in quantities}
        read = {n: in_unit(v, units.get(n, "")) if isinstance(v, str) else float(v) for n, v in start.items()}
        return cls(read, tuple(fixed), exchange)

    def holding(self, name: str, value: float | None) -> Guide:
        """The same with a parameter fixed at a known value, unless it has a start of its own; None: as it is."""
        if value is None:
            return self
        fixed = self.fixed if name in self.fixed else (*self.fixed, name)
        return replace(self, start={name: value, **self.start}, fixed=fixed)

    def begun(self, quantities: tuple[Quantity, ...], search: Callable[[], Mapping[str, float]]) -> dict[str, float]:
        """Where every parameter begins.

        Args:
            quantities: of the fit.
            search: values of a fit without a guide; called only if some were not given.

        Raises:
            FitError: a parameter is not known, out of bounds, or not given and not found.
        """
        names = tuple(quantity.name for quantity in quantities)
        for name in (*self.start, *self.fixed):
            if name not in names:
                raise FitError(f"{name}: this fit has the parameters {', '.join(names)}")
        missing = [name for name in names if name not in self.start]
        found = dict(search()) if missing else {}
        begun = {name: self.start[name] if name in self.start else found.get(name, math.nan) for name in names}
        for quantity in quantities:
            value = begun[quantity.name]
            if quantity.positive and value <= 0:
                raise FitError(f"{quantity.name} = {format_quantity(value, quantity.unit)}: a start above 0 is needed")
            if math.isnan(value):
                raise FitError(f"{quantity.name}: a start value is needed: no fit without a guide gives one")
            if not quantity.low <= value <= quantity.high:
                low, high = (format_quantity(bound, quantity.unit) for bound in (quantity.low, quantity.high))
                shown = format_quantity(value, quantity.unit)
                raise FitError(f"{quantity.name} = {shown}: a start from {low} to {high} is allowed")
        return begun

    def said(self, quantities: tuple[Quantity, ...], begun: Mapping[str, float]) -> dict[str, str]:
        """For the result's ``choices``: what was given and what was fixed."""
        units = {quantity.name: quantity.unit for quantity in quantities}
        words = {name: f"{name} = {format_quantity(begun[name], units[name])}" for name in begun}
        said = {}
        if begins := [words[name] for name in self.start if name not in self.fixed]:
            said["begun at"] = ", ".join(begins)
        if self.fixed:
            said["fixed"] = ", ".join(words[name] for name in self.fixed)
        return said


def _of_srs(*heights: str) -> tuple[Quantity, ...]:
    return (Quantity("rate", "1/s", positive=True), *(Quantity(name, "A", linear=True) for name in heights))


def _of_steps(*pairs: str) -> tuple[Quantity, ...]:
    energies = tuple(Quantity(f"{pair}_energy", "meV", 0.0) for pair in pairs)
    heights = tuple(
        Quantity(f"{pair}_height_{side}", linear=True) for pair in pairs for side in ("negative", "positive")
    )
    others = (
        Quantity("background", linear=True),
        Quantity("background_slope", linear=True),
        Quantity("bias_offset", "V"),
    )
    return (*energies, *heights, *others, Quantity("temperature", "K", positive=True))


QUANTITIES: Mapping[str, tuple[Quantity, ...]] = {
    "srs": _of_srs("step", "offset"),
    "srs_two_widths": _of_srs("step", "half_width_step", "offset"),
    "decay": (
        Quantity("T1", "s", positive=True),
        Quantity("offset", "A", linear=True),
        Quantity("height_positive", "A", linear=True),
        Quantity("height_negative", "A", linear=True),
    ),
    "steps": _of_steps("inner", "outer"),
    "steps_one_pair": _of_steps("inner"),
    "transport": (
        Quantity("axial_anisotropy_meV", "meV"),
        Quantity("transverse_anisotropy_meV", "meV"),
        Quantity("exchange_slope_meV_per_uS", "meV/uS"),
        Quantity("correlation", "", -1.0, 1.0),
        Quantity("kondo_coupling"),
        Quantity("potential_scattering"),
        Quantity("bias_offset", "V"),
        Quantity("temperature_K", "K", positive=True),
    ),
}
"""Models that can be guided -> their parameters; those that a fit of the data at hand does not have are left out."""
