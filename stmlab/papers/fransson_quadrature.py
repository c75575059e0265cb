"""The formulas of Fransson, Ren and Zhu by quadrature, apart from the residues of `stmlab.physics.molecular_exchange`.

Eqs. 3 and 5 from Green functions that are inverted as matrices, and eqs. 7 to 9 as printed, at the parameters of Fig. 2
(eps_0 = 0, T_c = J_1 = J_2 = 1 meV, Gamma = 1/3 meV, T_L = T_R = 1 K); energies in meV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.constants import K_B_MEV_PER_K

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray

_LEAD = 1.0 / 6.0
"""Gamma of each lead, summed over spin."""
_TUNNELLING = 1.0
_TAIL = np.geomspace(10.0, 1e4, 31)
_EDGES = np.concatenate([-_TAIL[:0:-1], np.linspace(-10.0, 10.0, 401), _TAIL[1:]])
"""Panels: short against kT = 0.086 meV and the levels' widths around them; the integrands fall as the fifth power."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_ENERGY: FloatArray = (_EDGES[:-1, None] + np.diff(_EDGES)[:, None] * (_NODES + 1) / 2).ravel()
_WEIGHT: FloatArray = (np.diff(_EDGES)[:, None] * _WEIGHTS / 2).ravel()


@dataclass(frozen=True)
class Bridge:
    """The dimer of Fig. 2.

    Attributes:
        left, right: polarisations p_L and p_R.
        mu_meV: chemical potential.
        bias_mV: symmetric, mu_L - mu_R = eV.
    """

    left: float
    right: float
    mu_meV: float
    bias_mV: float = 0.0

    def widths(self, spin: int) -> tuple[float, float]:
        """Gamma_s of the left and the right lead."""
        return _LEAD * (1 + spin * self.left) / 2, _LEAD * (1 + spin * self.right) / 2

    def occupations(self) -> tuple[FloatArray, FloatArray]:
        """f_L and f_R at the energies of the quadrature."""
        return _fermi(self.mu_meV + self.bias_mV / 2), _fermi(self.mu_meV - self.bias_mV / 2)

    def green(self, spin: int) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
        """Retarded, lesser and greater Green function, each of shape (E, 2, 2)."""
        left, right = self.widths(spin)
        hamiltonian = np.array([[-0.5j * left, _TUNNELLING], [_TUNNELLING, -0.5j * right]])
        retarded = np.linalg.inv(_ENERGY[:, None, None] * np.eye(2) - hamiltonian)
        advanced = retarded.conj().transpose(0, 2, 1)
        filled = np.stack([left * self.occupations()[0], right * self.occupations()[1]], axis=-1)
        empty = np.array([left, right]) - filled
        lesser, greater = ((retarded * part[:, None, :]) @ advanced for part in (1j * filled, -1j * empty))
        return retarded, lesser, greater


def heisenberg_and_ising(bridge: Bridge) -> tuple[float, float]:
    """J and I of eqs. 5a and 5b, in meV; the energy denominator turns one of the Green functions into Gr + Ga."""
    retarded, lesser, _ = zip(*(bridge.green(spin) for spin in (1, -1)), strict=True)
    even = [green + green.conj().transpose(0, 2, 1) for green in retarded]

    def response(s: int, other: int) -> float:
        product = lesser[s][:, 0, 1] * even[other][:, 1, 0] + even[s][:, 0, 1] * lesser[other][:, 1, 0]
        return float((0.5j * _integral(product) / (2 * np.pi)).real)

    heisenberg = (response(0, 1) + response(1, 0)) / 4
    return heisenberg, (response(0, 0) + response(1, 1)) / 4 - heisenberg


def moriya(bridge: Bridge) -> float:
    """D of eq. 5c with its last term + g(1)>_mn g(0)<_nm, in meV."""
    (_, up_less, up_more), (_, down_less, down_more) = (bridge.green(spin) for spin in (1, -1))
    charge_less, charge_more = (up_less + down_less) / 2, (up_more + down_more) / 2
    spin_less, spin_more = (up_less - down_less) / 2, (up_more - down_more) / 2
    product = (
        charge_less[:, 0, 1] * spin_more[:, 1, 0]
        - charge_more[:, 0, 1] * spin_less[:, 1, 0]
        - spin_less[:, 0, 1] * charge_more[:, 1, 0]
        + spin_more[:, 0, 1] * charge_less[:, 1, 0]
    )
    return float(_integral(product).real / (8 * np.pi))


def equilibrium_heisenberg(bridge: Bridge) -> float:
    """The formula after eq. 5, with the imaginary part of G G, in meV."""
    products = [(bridge.green(spin)[0][:, 0, 1] ** 2).imag for spin in (1, -1)]
    return float(_integral(bridge.occupations()[0] * (products[0] + products[1])).real / (4 * np.pi))


def printed_heisenberg(bridge: Bridge) -> float:
    """J of eq. 7 as printed, for p_L = p_R, in meV."""
    return sum(_printed(bridge, spin, spin) for spin in (1, -1)) / (8 * np.pi)


def printed_ising(bridge: Bridge) -> float:
    """I of eq. 8 as printed, for p_L = p_R, in meV."""
    pairs = [(spin, other) for spin in (1, -1) for other in (1, -1)]
    return sum(spin * other * _printed(bridge, spin, other) for spin, other in pairs) / (4 * np.pi)


def printed_moriya(bridge: Bridge) -> float:
    """D of eq. 9 as printed, in meV."""
    (up_left, up_right), (down_left, down_right) = (bridge.widths(spin) for spin in (1, -1))
    left, right = bridge.occupations()
    moduli = _modulus(bridge, 1) * _modulus(bridge, -1)
    twist = up_left * down_right - down_left * up_right
    return float(-(twist * _integral((left - right) * _ENERGY**2 / moduli)).real * _TUNNELLING**2 / np.pi)


def resonances(left_width: float, right_width: float, splitting_meV: float) -> ComplexArray:
    """E_s+ and E_s- of eq. 6 as printed, levels 0 and -``splitting_meV``; shape (2,)."""
    root = np.sqrt((splitting_meV - 0.5j * (left_width - right_width)) ** 2 + 4 * _TUNNELLING**2)
    middle = -splitting_meV - 0.5j * (left_width + right_width)
    return np.array([(middle + root) / 2, (middle - root) / 2], dtype=complex)


def _printed(bridge: Bridge, spin: int, other: int) -> float:
    """-T_c^2 Gamma_s int (f_L + f_R) x (x^2 - T_c^2 - (Gamma_s'/4)^2) / |...|, the summand of eqs. 7 and 8."""
    left, right = bridge.occupations()
    numerator = _ENERGY**2 - _TUNNELLING**2 - (sum(bridge.widths(other)) / 4) ** 2
    integrand = (left + right) * _ENERGY * numerator / (_modulus(bridge, spin) * _modulus(bridge, other))
    return float(-(_TUNNELLING**2) * sum(bridge.widths(spin)) * _integral(integrand).real)


def _modulus(bridge: Bridge, spin: int) -> FloatArray:
    """|e - E_s+|^2 |e - E_s-|^2."""
    above, below = resonances(*bridge.widths(spin), 0.0)
    modulus: FloatArray = np.abs((_ENERGY - above) * (_ENERGY - below)) ** 2
    return modulus


def _fermi(mu: float) -> FloatArray:
    occupation: FloatArray = 0.5 - 0.5 * np.tanh((_ENERGY - mu) / (2 * K_B_MEV_PER_K))
    return occupation


def _integral(integrand: FloatArray | ComplexArray) -> complex:
    return complex(_WEIGHT @ integrand)
