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

    def at(self, x_meV: FloatArray) -> StepsAt:
        """The step at x = eV - E, meV, any shape: what several are asked of is looked up once."""
        x, tables = np.asarray(x_meV, dtype=float), _transform_of(self._modulation_kT)
        place = x * (_NODES_PER_KT / self.thermal_energy_meV) + tables.half
        place = np.minimum(np.maximum(place, 0.0), 2.0 * tables.half)
        node = np.rint(place).astype(np.intp)
        return StepsAt(self, tables, x, node, place - node)

    def step(self, x_meV: FloatArray) -> FloatArray:
        """The step at x = eV - E, meV, any shape."""
        return self.at(x_meV).step()

    def slope(self, x_meV: FloatArray) -> FloatArray:
        """Derivative of the step by x, in 1/meV."""
        return self.at(x_meV).slope()

    def ramp(self, x_meV: FloatArray) -> FloatArray:
        """Integral of the step from far below to x, in meV: 0 there, and x far above."""
        return self.at(x_meV).ramp()

    def by_temperature(self, x_meV: FloatArray) -> FloatArray:
        """Derivative of the step by the temperature, in 1/K."""
        return self.at(x_meV).by_temperature()

    def ramp_by_temperature(self, x_meV: FloatArray) -> FloatArray:
        """Derivative of the ramp by the temperature, in meV/K."""
        return self.at(x_meV).ramp_by_temperature()

    @property
    def _modulation_kT(self) -> float:
        return MEV_PER_V * self.modulation_V / self.thermal_energy_meV


@dataclass(frozen=True, eq=False)
class StepsAt:
    """A step at some energies: its methods are those of `StepShape`.

    Attributes:
        shape: of the step.
        x_meV: the energies.
        node, off: next node of the tables, and how far away it is, in nodes.
    """

    shape: StepShape
    _tables: _Transform
    x_meV: FloatArray
    node: IntArray
    off: FloatArray

    def __getitem__(self, some: slice) -> StepsAt:
        return StepsAt(self.shape, self._tables, self.x_meV[some], self.node[some], self.off[some])

    def step(self) -> FloatArray:
        """The step."""
        return self._read(self._tables.step)

    def slope(self) -> FloatArray:
        """1/meV."""
        return self._read(self._tables.rise) / self.shape.thermal_energy_meV

    def ramp(self) -> FloatArray:
        """meV."""
        scale = self.shape.thermal_energy_meV
        beyond = np.maximum(np.abs(self.x_meV) - self._tables.half / _NODES_PER_KT * scale, 0.0)
        return np.asarray((self.x_meV + beyond) / 2 + self._read(self._tables.even_ramp) * scale)

    def by_temperature(self) -> FloatArray:
        """1/K."""
        return self._read(self._tables.warmer_step) / self.shape.temperature_K

    def ramp_by_temperature(self) -> FloatArray:
        """meV/K."""
        return self._read(self._tables.warmer_ramp) * self.shape.thermal_energy_meV / self.shape.temperature_K

    def _read(self, table: FloatArray) -> FloatArray:
        """The table's Taylor series about the next node; beyond the table its first and last values hold."""
        total = table[-1].take(self.node)
        for coefficients in table[-2::-1]:
            total *= self.off
            total += coefficients.take(self.node)
        return np.asarray(total)


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
    """Fourier transforms of the slope and of its derivative by log T, in kT, and the tables that they make.

    Attributes:
        half: nodes on either side of x = 0 that are kept.
        thermal: of the thermal step.
        slope: transform at its frequencies.
    """

    half: int
    thermal: _Thermal
    slope: FloatArray

    @cached_property
    def rise(self) -> FloatArray:
        """Of the slope."""
        return self.series(self.slope, 1.0)

    @cached_property
    def step(self) -> FloatArray:
        """Of the step."""
        table = self.series(self.slope / self.thermal.turn, 0.0)
        table[0] += 0.5 + self.kept / self.thermal.nodes  # the mean of the slope has no periodic integral
        table[1] += 1 / self.thermal.nodes
        return table

    @cached_property
    def even_ramp(self) -> FloatArray:
        """Of the ramp less x / 2, which is |x| / 2 far away."""
        nodes = self.thermal.nodes
        table = self.series(self.slope / self.thermal.turn**2, 0.0)
        place = self.kept / _NODES_PER_KT
        table[0] += place**2 / (2 * nodes) * _NODES_PER_KT
        table[1] += place / nodes
        table[2] += 1 / (2 * _NODES_PER_KT * nodes)
        table[0] += self.half / _NODES_PER_KT / 2 - table[0, -1]
        return table

    @cached_property
    def warmer_step(self) -> FloatArray:
        """Of the step's derivative by log T."""
        return self.series(self.warmer / self.thermal.turn, 0.0)

    @cached_property
    def warmer_ramp(self) -> FloatArray:
        """Of the ramp's derivative by log T."""
        mean = 2 * np.pi**2 / 3  # of 2 (1 - u / tanh u) / (i w)^2 at w = 0
        return self.series(self.warmer / self.thermal.turn**2, mean)

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


@lru_cache(maxsize=4)
def _transform_of(modulation_kT: float) -> _Transform:
    """Value, slopes and errors are asked for at the same parameters; without a modulation all temperatures share it."""
    from scipy.fft import next_fast_len
    from scipy.special import j1

    half = _NODES_PER_KT * math.ceil(_TAIL + modulation_kT)
    thermal = _thermal(int(next_fast_len(2 * half + 2, real=True)))
    slope = thermal.slope
    if modulation_kT > 0:
        place = modulation_kT * thermal.frequency
        slope = slope * (2 * j1(place) / place)
    return _Transform(half, thermal, slope)
