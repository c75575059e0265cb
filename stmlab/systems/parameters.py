"""What is fitted of a spin system: its parameters, gathered from all numbers of the file, and how a number follows."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from stmlab.errors import StationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.systems.quantity import Quantity

_MICRO = 1e6  # uS in S


class Scale(StrEnum):
    """How a parameter is varied.

    LINEAR: as it is. LOGARITHMIC: by its logarithm, it is above 0. COUPLING: as its share of the largest J rho that
    third order allows at the temperature.
    """

    LINEAR = "linear"
    LOGARITHMIC = "logarithmic"
    COUPLING = "coupling"


@dataclass(frozen=True)
class Parameter:
    """A number that is fitted.

    Attributes:
        name, symbol, unit: as a result has them.
        starts: where it may begin; none where the spectra say it.
        at_largest: starts as what ``per_uS`` makes at the largest conductance.
        low, high: its bounds; ``boxed`` says that the file gave both.
        size: by how much it counts as changed.
        scale: how it is varied.
        optional: it is 0 where the spectra are as well described without.
    """

    name: str
    symbol: str
    unit: str
    starts: tuple[float, ...]
    at_largest: tuple[float, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    boxed: bool = False
    size: float = 1.0
    scale: Scale = Scale.LINEAR
    optional: bool = False


@dataclass(frozen=True)
class _Kind:
    unit: str
    size: float = 1.0
    low: float = -math.inf
    high: float = math.inf
    scale: Scale = Scale.LINEAR


_KINDS = {
    "axial_anisotropy_meV": _Kind("meV"),
    "transverse_anisotropy_meV": _Kind("meV"),
    "heisenberg_meV": _Kind("meV"),
    "ising_meV": _Kind("meV"),
    "dzyaloshinskii_moriya_meV": _Kind("meV"),
    "tensor_meV": _Kind("meV"),
    "axis": _Kind(""),
    "transverse_axis": _Kind(""),
    "g": _Kind(""),
    "field_T": _Kind("T"),
    "temperature_K": _Kind("K", low=0.05, high=300.0, scale=Scale.LOGARITHMIC),
    "potential_scattering": _Kind(""),
    "bias_offset_V": _Kind("V", size=1e-3),
    "scattering_S": _Kind("S", size=1e-9, low=1e-13, high=1e-2, scale=Scale.LOGARITHMIC),
    "scattering_polarisation": _Kind("", low=-1.0, high=1.0),
    "polarisation": _Kind("", low=-1.0, high=1.0),
    "field_polarisation": _Kind("", low=-1.0, high=1.0),
    "saturation_field_T": _Kind("T", low=1e-3, high=1e3, scale=Scale.LOGARITHMIC),
    "correlation": _Kind("", low=-1.0, high=1.0),
    "coupling": _Kind("", size=0.1, low=-0.3, high=0.3, scale=Scale.COUPLING),
    "decay_length_m": _Kind("m", size=1e-11, low=1e-12, high=1e-8, scale=Scale.LOGARITHMIC),
}
"""Key of a number -> its unit, by how much it counts as changed, and what it can be at all."""


_NEVER_ZERO = ("saturation_field_T", "decay_length_m")  # what is divided by them
_TAKEN = re.compile(r"(conductance|level)_\d+|rate|lifetime|conductance_difference")
"""Names of what fits add to the parameters of a file."""


def is_number(key: str) -> bool:
    """Whether a key of a file is a number, however much is said of it."""
    return key in _KINDS


@dataclass(frozen=True)
class Law:
    """base exp(-z / decay length) + per_uS G, where the base may be ``factor`` times a parameter."""

    base: float | str
    factor: float = 1.0
    per_uS: Law | None = None
    decay_length_m: Law | None = None

    def at(self, values: Mapping[str, float], conductance_S: float, height_m: float) -> float:
        """The number for these values of the parameters, at a conductance and a height."""
        base = self.factor * values[self.base] if isinstance(self.base, str) else self.base
        if self.decay_length_m is not None:
            base *= math.exp(-height_m / self.decay_length_m.at(values, conductance_S, height_m))
        if self.per_uS is not None:
            base += self.per_uS.at(values, conductance_S, height_m) * _MICRO * conductance_S
        return base

    @property
    def names(self) -> set[str]:
        """Of the parameters it depends on."""
        inner = {name for law in (self.per_uS, self.decay_length_m) if law is not None for name in law.names}
        return inner | ({self.base} if isinstance(self.base, str) else set())

    @property
    def varies(self) -> bool:
        """Whether it depends on conductance or height."""
        return self.per_uS is not None or self.decay_length_m is not None


class Gathering:
    """The laws and parameters of a file, as its numbers are met one by one."""

    def __init__(self) -> None:
        self.parameters: dict[str, Parameter] = {}
        self._ties: list[tuple[str, str]] = []

    def law(self, path: str, quantity: Quantity, kind: str = "", per: str = "") -> Law:
        """Of the number at ``path``: "exchanges.direct.heisenberg_meV".

        Raises:
            StationError: two parameters have one name, or it is a value that cannot be.
        """
        key = kind or path.rpartition(".")[2]
        if key in _NEVER_ZERO and quantity.value is not None and not quantity.value > 0.0:
            raise StationError(f"{path} = {quantity.value:g}: a value above 0 {_KINDS[key].unit} is needed")
        base: float | str = quantity.value or 0.0
        if quantity.fitted:
            base = self._parameter(path, quantity, _KINDS[key], per)
        elif quantity.tied_to is not None:
            base = quantity.tied_to
            self._ties.append((path, base))
        slope, length = quantity.per_uS, quantity.decay_length_m
        return Law(
            base,
            quantity.factor,
            None if slope is None else self.law(f"{path}.per_uS", slope, key, "/uS"),
            None if length is None else self.law(f"{path}.decay_length_m", length),
        )

    def check_ties(self) -> None:
        """Raises StationError where a number is tied to what is no parameter."""
        for path, name in self._ties:
            if name not in self.parameters:
                raise StationError(f"{path}.tied_to = {name!r}: the parameters are {', '.join(self.parameters)}")

    def _parameter(self, path: str, quantity: Quantity, kind: _Kind, per: str) -> str:
        name = quantity.name or path.removeprefix("spins.").removeprefix("exchanges.")
        if name in self.parameters:
            raise StationError(f"{path}: a parameter called {name!r} is there already: give another name")
        if _TAKEN.fullmatch(name):
            raise StationError(f"{path}: a fit has a {name} of its own: give another name")
        free = _Kind(f"{kind.unit or '1'}{per}", kind.size) if per else kind
        low = free.low if quantity.low is None else quantity.low
        high = free.high if quantity.high is None else quantity.high
        if low < free.low or high > free.high:
            raise StationError(f"{path}: low and high from {free.low:g} to {free.high:g} are possible")
        for start in quantity.starts:
            if not low <= start <= high:
                raise StationError(f"{path}.start = {start:g}: {low:g} to {high:g} is possible")
        self.parameters[name] = Parameter(
            name,
            quantity.symbol or name,
            free.unit,
            quantity.starts,
            tuple(quantity.at_largest or ()),
            low,
            high,
            quantity.low is not None and quantity.high is not None,
            free.size,
            free.scale,
            quantity.optional,
        )
        return name
