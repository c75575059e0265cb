"""The spectra that a transport fit is given, and the axes on which they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stmlab.systems import Conditions

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

SMALLEST_NOISE = 1e-6  # of a spectrum's span; less is rounding


@dataclass(frozen=True, eq=False)
class SpectrumData:
    """One spectrum, and the conditions in which it was taken, as far as they are known.

    Attributes:
        bias: V, shape (n,).
        conductance: dI/dV in S, shape (n,).
        setpoint: S.
        field_T: along the system's direction of the field.
        temperature_K: of the sample.
        modulation_V: peak amplitude of the lock-in's modulation at the junction.
        height_m: of the tip, above where the conductance is the reference's.
        place: what tells it from the others, for people.
    """

    bias: FloatArray
    conductance: FloatArray
    setpoint: float
    field_T: float | None = None
    temperature_K: float | None = None
    modulation_V: float = 0.0
    height_m: float | None = None
    place: str = ""

    def at(self, conductance_S: float) -> Conditions:
        """Its conditions, where the junction has this conductance."""
        return Conditions(conductance_S, self.field_T, self.temperature_K, self.height_m)


def axes(spectra: list[SpectrumData]) -> list[tuple[FloatArray, float, list[int]]]:
    """The bias axes and modulations that occur, and the numbers of the spectra with each."""
    found: dict[tuple[bytes, float], tuple[FloatArray, float, list[int]]] = {}
    for k, one in enumerate(spectra):
        key = one.bias.tobytes(), one.modulation_V
        found.setdefault(key, (one.bias, one.modulation_V, []))[2].append(k)
    return list(found.values())
