"""One number of a system's file: given, fitted, tied to another, growing with the conductance, falling with height.

    axial_anisotropy_meV = -4.2                                     # given
    axial_anisotropy_meV = { start = -4.0, low = -8, high = 0 }     # fitted
    axial_anisotropy_meV = { tied_to = "left.axial_anisotropy_meV", factor = 1.0 }
    heisenberg_meV = { per_uS = { start = 3.0 } }                   # J = slope * G, the slope is fitted
    heisenberg_meV = { start = 1.0, decay_length_m = { start = 50e-12 } }   # J = J0 exp(-z / length)

All together a number is base exp(-z / decay_length_m) + per_uS G: z the height above that of the reference conductance,
G the junction's conductance in uS.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Finite = Annotated[float, Field(allow_inf_nan=False)]
_SAID = "a number, or a table with start (fitted), value (given), tied_to or per_uS, is needed"


class Quantity(BaseModel):
    """A number, as a file says it.

    Attributes:
        value: given.
        start: fitted from here; of several, from each that may lead somewhere; "steps": as the steps of the spectra
            have it (D and E of a spin 1, and the temperature).
        at_largest: instead of ``start``, of a ``per_uS``: what it makes at the largest conductance that is fitted.
        low, high: between which it is fitted; both also say where a start is looked for.
        name: of the fitted parameter; by default the key's path.
        symbol: for people.
        optional: it is 0 where the spectra are as well described without.
        tied_to, factor: this many times another fitted parameter, by its name.
        per_uS: what is added per uS of conductance.
        decay_length_m: over which the base falls to 1/e as the tip is withdrawn.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    value: Finite | None = None
    start: Finite | list[Finite] | Literal["steps"] | None = None
    at_largest: list[Finite] | None = None
    low: Finite | None = None
    high: Finite | None = None
    name: str | None = None
    symbol: str | None = None
    optional: bool = False
    tied_to: str | None = None
    factor: Finite = 1.0
    per_uS: Quantity | None = None
    decay_length_m: Quantity | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_a_number(cls, given: Any) -> Any:
        if isinstance(given, bool | str) or not isinstance(given, int | float | dict | Quantity):
            raise ValueError(_SAID)
        return {"value": given} if isinstance(given, int | float) else given

    @model_validator(mode="after")
    def _is_one_thing(self) -> Quantity:
        kinds = [one for one in ("value", "start", "at_largest", "tied_to") if getattr(self, one) is not None]
        if len(kinds) > 1:
            raise ValueError(f"{' and '.join(kinds)} exclude each other")
        if not kinds and self.per_uS is None:
            raise ValueError(_SAID)
        if kinds and self.fitted:
            self._check_bounds()
        elif said := [one for one in ("low", "high", "name", "symbol") if getattr(self, one) is not None]:
            raise ValueError(f"{said[0]} belongs to a fitted number: start is missing")
        if self.decay_length_m is not None and not kinds:
            raise ValueError("decay_length_m needs a base that falls: value, start or tied_to")
        return self

    def _check_bounds(self) -> None:
        low, high = self.low, self.high
        if low is not None and high is not None and not low < high:
            raise ValueError(f"low = {low:g} is not below high = {high:g}")
        for start in self.starts:
            if (low is not None and start < low) or (high is not None and start > high):
                raise ValueError(f"start = {start:g} lies outside low and high")
        if isinstance(self.start, list) and not self.start:
            raise ValueError("start: at least one number is needed")

    @property
    def fitted(self) -> bool:
        """Whether the base is a parameter."""
        return self.start is not None or self.at_largest is not None

    @property
    def starts(self) -> tuple[float, ...]:
        """Where it may begin, as far as the file says so."""
        if self.start is None or self.start == "steps":
            return ()
        return tuple(self.start) if isinstance(self.start, list) else (float(self.start),)
