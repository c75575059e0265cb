"""The shape of one inelastic step in dI/dV, as temperature and the lock-in's modulation leave it.

The step's slope is what two Fermi edges (one of each electrode) and the semicircle of the modulation make of an edge at
one energy: a convolution of all three. Its Fourier transform has a closed form,

    (u / sinh u)^2  2 J1(A w) / (A w),    u = pi kT w,

so that the step, its slope, its integral and their derivatives by the temperature are tabulated by fast Fourier
transforms, however large the modulation. ``stmlab.physics.broadening`` has the same shape by quadrature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.physics.arguments import not_negative, positive, refuse
from stmlab.physics.constants import K_B_MEV_PER_K, MEV_PER_V

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray, IntArray

_NODES_PER_KT = 8
_TERMS = 7  # of the Taylor series about the next node, at most kT / 16 away
_TAIL = 38.0  # kT; the step's tail, x exp(-x), is below rounding there
_WIDTH_KT = 5.4  # full width of the thermal step's slope at half its height
_WIDEST = 1e4  # modulation in kT; beyond, the table would be of millions of nodes


@dataclass(frozen=True, eq=False)
class StepShape:
    """The unit step s(x) at x = eV - E: rises from 0 to 1, s(0) = 1/2, s(x) + s(-x) = 1.

    Attributes:
        temperature_K: of both electrodes, above 0.
        modulation_V: peak amplitude of the lock-in's sine at the junction, 0 for none.

    Raises:
        PhysicsError: an argument is not finite or out of its range, or the modulation is above 10,000 kT.
    """

    temperature_K: float
    modulation_V: float = 0.0

    def __post_init__(self) -> None:
        positive("temperature_K", self.temperature_K, "K")
        not_negative("modulation_V", self.modulation_V, "V")
        if self._modulation_kT > _WIDEST:
            raise refuse("temperature_K", self.temperature_K, f"modulation_V is {self._modulation_kT:.3g} kT, too much")

    @property
    def thermal_energy_meV(self) -> float:
        """The energy kT."""
        return K_B_MEV_PER_K * self.temperature_K

    @property
    def width_meV(self) -> float:
        """Full width of the slope at half its height, about: 5.4 kT and 1.73 amplitudes of the modulation."""
        return math.hypot(_WIDTH_KT * self.thermal_energy_meV, math.sqrt(3) * MEV_PER_V * self.modulation_V)

    @classmethod
    def of_width(cls, width_meV: float, modulation_V: float = 0.0) -> StepShape:
        """The step as wide as ``width_meV`` (above 0); never narrower than the modulation and a tenth of the width."""
        thermal_meV = math.sqrt(max(width_meV**2 - 3 * (MEV_PER_V * modulation_V) ** 2, (0.1 * width_meV) ** 2))
        return cls(thermal_meV / _WIDTH_KT / K_B_MEV_PER_K, modulation_V)

    def step(self, x_meV: FloatArray) -> FloatArray:
        """The step at x = eV - E, meV, any shape."""
        return self._at(x_meV, self._step)

    def slope(self, x_meV: FloatArray) -> FloatArray:
        """Derivative of the step by x, in 1/meV."""
        return self._at(x_meV, self._slope) / self.thermal_energy_meV

    def ramp(self, x_meV: FloatArray) -> FloatArray:
        """Integral of the step from far below to x, in meV: 0 there, and x far above."""
        x = np.asarray(x_meV, dtype=float)
        beyond = np.maximum(np.abs(x) - self._transform.half / _NODES_PER_KT * self.thermal_energy_meV, 0.0)
        return np.asarray((x + beyond) / 2 + self._at(x, self._even_ramp) * self.thermal_energy_meV)

    def by_temperature(self, x_meV: FloatArray) -> FloatArray:
        """Derivative of the step by the temperature, in 1/K."""
        return self._at(x_meV, self._warmer) / self.temperature_K

    def ramp_by_temperature(self, x_meV: FloatArray) -> FloatArray:
        """Derivative of the ramp by the temperature, in meV/K."""
        return self._at(x_meV, self._warmer_ramp) * self.thermal_energy_meV / self.temperature_K

    @property
    def _modulation_kT(self) -> float:
        return MEV_PER_V * self.modulation_V / self.thermal_energy_meV

    def _at(self, x_meV: FloatArray, table: FloatArray) -> FloatArray:
        """The table's Taylor series about the next node; beyond the table its first and last values hold."""
        last = table.shape[1] - 1
        place = np.asarray(x_meV, dtype=float) * (_NODES_PER_KT / self.thermal_energy_meV) + last // 2
        place = np.minimum(np.maximum(place, 0.0), float(last))
        node = np.rint(place).astype(np.intp)
        off = place - node
        total = table[-1].take(node)
        for coefficients in table[-2::-1]:
            total *= off
            total += coefficients.take(node)
        return np.asarray(total)

    @cached_property
    def _transform(self) -> _Transform:
        from scipy.fft import next_fast_len
        from scipy.special import j1

        half = _NODES_PER_KT * math.ceil(_TAIL + self._modulation_kT)
        thermal = _thermal(int(next_fast_len(2 * half + 2, real=True)))
        slope = thermal.slope
        if self.modulation_V > 0:
            place = self._modulation_kT * thermal.frequency
            slope = slope * (2 * j1(place) / place)
        return _Transform(half, thermal, slope)

    @cached_property
    def _slope(self) -> FloatArray:
        return self._transform.series(self._transform.slope, 1.0)

    @cached_property
    def _step(self) -> FloatArray:
        transform = self._transform
        table = transform.series(transform.slope / transform.thermal.turn, 0.0)
        table[0] += 0.5 + transform.kept / transform.thermal.nodes  # the mean of the slope has no periodic integral
        table[1] += 1 / transform.thermal.nodes
        return table

    @cached_property
    def _even_ramp(self) -> FloatArray:
        """The ramp less x / 2, which is |x| / 2 far away."""
        transform = self._transform
        nodes = transform.thermal.nodes
        table = transform.series(transform.slope / transform.thermal.turn**2, 0.0)
        place = transform.kept / _NODES_PER_KT
        table[0] += place**2 / (2 * nodes) * _NODES_PER_KT
        table[1] += place / nodes
        table[2] += 1 / (2 * _NODES_PER_KT * nodes)
        table[0] += transform.half / _NODES_PER_KT / 2 - table[0, -1]
        return table

    @cached_property
    def _warmer(self) -> FloatArray:
        return self._transform.series(self._transform.warmer / self._transform.thermal.turn, 0.0)

    @cached_property
    def _warmer_ramp(self) -> FloatArray:
        mean = 2 * np.pi**2 / 3  # of 2 (1 - u / tanh u) / (i w)^2 at w = 0
        return self._transform.series(self._transform.warmer / self._transform.thermal.turn**2, mean)


@dataclass(frozen=True, eq=False)
class _Thermal:
    """What the transforms of all steps have in common whose tables are of one length, with energies in kT.

    Attributes:
        nodes: of one period.
        frequency: w above zero, 1/kT.
        slope: transform of the thermal step's slope.
        warmer: what makes of a slope's transform that of its derivative by log T.
    """

    nodes: int
    frequency: FloatArray
    slope: FloatArray
    warmer: FloatArray

    @cached_property
    def turn(self) -> ComplexArray:
        """The derivative by x: i w."""
        return np.asarray(1j * self.frequency)

    @cached_property
    def powers(self) -> ComplexArray:
        """Of the Taylor series from its second term on, shape (terms - 1, frequencies)."""
        return np.asarray(np.cumprod(self.turn / _NODES_PER_KT / np.arange(1, _TERMS)[:, None], axis=0))


@lru_cache(maxsize=8)
def _thermal(nodes: int) -> _Thermal:
    """Kept from one temperature to the next: a modulation within the same number of kT leaves the nodes as they are."""
    frequency: FloatArray = np.asarray(2 * np.pi * _NODES_PER_KT / nodes * np.arange(1, nodes // 2 + 1), dtype=float)
    u = np.pi * frequency
    return _Thermal(nodes, frequency, (u / np.sinh(u)) ** 2, 2 * (1 - u / np.tanh(u)))


@dataclass(frozen=True, eq=False)
class _Transform:
    """Fourier transforms of the slope and of its derivative by log T, in kT, and the way back.

    Attributes:
        half: nodes on either side of x = 0 that are kept.
        thermal: of the thermal step.
        slope: transform at its frequencies.
    """

    half: int
    thermal: _Thermal
    slope: FloatArray

    @property
    def warmer(self) -> FloatArray:
        """Transform of the slope's derivative by log T."""
        return self.thermal.warmer * self.slope

    @property
    def kept(self) -> IntArray:
        """Numbers of the nodes that are kept."""
        return np.arange(-self.half, self.half + 1)

    def series(self, spectrum: Any, mean: float) -> FloatArray:
        """Taylor series about each node, shape (terms, nodes kept), in powers of the distance between nodes."""
        from scipy.fft import irfft

        spectra = np.empty((_TERMS, len(spectrum) + 1), dtype=complex)
        spectra[:, 0] = 0.0
        spectra[0, 0] = mean
        spectra[0, 1:] = spectrum
        np.multiply(spectrum, self.thermal.powers, out=spectra[1:, 1:])
        period = irfft(spectra, self.thermal.nodes)
        kept = np.concatenate([period[:, -self.half :], period[:, : self.half + 1]], axis=1)
        kept *= _NODES_PER_KT
        return np.asarray(kept)
