"""The shape of one inelastic step in dI/dV, as temperature and the lock-in's modulation leave it.

The step's slope is what two Fermi edges (one of each electrode) and the semicircle of the modulation make of an edge at
one energy: a convolution of all three. Its Fourier transform has a closed form,

    (u / sinh u)^2  2 J1(A w) / (A w),    u = pi kT w,

so that the step, its slope and its derivative by the temperature are tabulated at once by fast Fourier transforms,
however large the modulation. ``stmlab.physics.broadening`` has the same shape by quadrature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.physics.arguments import not_negative, positive, refuse
from stmlab.physics.constants import K_B_MEV_PER_K, MEV_PER_V

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

_NODES_PER_KT = 8
_TERMS = 7  # of the Taylor series about the next node, at most kT / 16 away
_TAIL = 38.0  # kT; the step's tail, x exp(-x), is below rounding there
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
        return math.hypot(5.4 * self.thermal_energy_meV, math.sqrt(3) * MEV_PER_V * self.modulation_V)

    def step(self, x_meV: FloatArray) -> FloatArray:
        """The step at x = eV - E, meV, any shape."""
        return self._at(x_meV, self._tables[0])

    def slope(self, x_meV: FloatArray) -> FloatArray:
        """Derivative of the step by x, in 1/meV."""
        return self._at(x_meV, self._tables[1]) / self.thermal_energy_meV

    def by_temperature(self, x_meV: FloatArray) -> FloatArray:
        """Derivative of the step by the temperature, in 1/K."""
        return self._at(x_meV, self._tables[2]) / self.temperature_K

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
    def _tables(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Step, slope and derivative by log T about each node, in kT: shape (terms, nodes), powers of the distance."""
        from scipy.fft import irfft, next_fast_len
        from scipy.special import j1

        half = _NODES_PER_KT * math.ceil(_TAIL + self._modulation_kT)
        nodes = next_fast_len(2 * half + 2, real=True)
        frequency = 2 * np.pi * _NODES_PER_KT / nodes * np.arange(1, nodes // 2 + 1)
        u = np.pi * frequency
        slope = (u / np.sinh(u)) ** 2
        if self.modulation_V > 0:
            slope *= 2 * j1(self._modulation_kT * frequency) / (self._modulation_kT * frequency)
        shapes = slope / (1j * frequency), slope, 2 * (1 - u / np.tanh(u)) * slope / (1j * frequency)
        kept = np.arange(-half, half + 1)
        turns = 1j * frequency / _NODES_PER_KT

        def series(shape: Any, mean: float) -> FloatArray:
            powers = [shape * turns**k / math.factorial(k) for k in range(_TERMS)]
            spectra = np.insert(np.array(powers), 0, 0.0, axis=1)
            spectra[0, 0] = mean
            return np.asarray(irfft(spectra, nodes)[:, kept]) * _NODES_PER_KT

        step, by_energy, by_log_temperature = (series(s, m) for s, m in zip(shapes, (0.0, 1.0, 0.0), strict=True))
        step[0] += 0.5 + kept / nodes  # the mean of the slope, which a Fourier series cannot integrate
        step[1] += 1 / nodes
        return step, by_energy, by_log_temperature
