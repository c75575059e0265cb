"""Two molecules between two leads: what their electrons do (Fransson, Ren and Zhu, eqs. 1 and 6).

Each molecule has one level; electrons tunnel between the levels, from the left lead into level 1 and from the right
lead into level 2. The wide-band self-energy of spin s = +1, -1 is -i G_s/2 with G_s = Gamma (1 + s p)/2 for each lead.
The determinant of the inverse Green function,

    D_s(eps) = (eps - eps_1s + i G_s^L/2) (eps - eps_2s + i G_s^R/2) - T_c^2,

has its two zeros E_s+ and E_s- below the real axis. All arguments are numbers or arrays and broadcast against each
other.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import real_array, refuse
from stmlab.physics.constants import K_B_MEV_PER_K

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from stmlab.arrays import ComplexArray, FloatArray

_NARROWEST = 1e-12
"""Width of a level relative to the energies around it, below which its occupation is undetermined in floating point."""


@dataclass(frozen=True, eq=False)
class Dimer:
    """Two molecules in series between a left and a right lead; the defaults are those of the paper's Fig. 2.

    Attributes:
        left_polarisation, right_polarisation: p_L and p_R of the leads, -1 ... 1, along one axis z.
        level_1_meV, level_2_meV: level of each molecule, averaged over spin.
        splitting_1_meV, splitting_2_meV: spin up minus spin down of each level.
        tunnelling_meV: T_c between the levels; only its square matters.
        spin_coupling_1_meV, spin_coupling_2_meV: J_1 and J_2 of J_n s_n . S_n, electron spin to local moment.
        left_coupling_meV, right_coupling_meV: Gamma^L and Gamma^R, summed over spin; the paper's Gamma is their sum.

    Raises:
        PhysicsError: an argument is not finite, |p| > 1, a coupling is not above zero, shapes do not broadcast, or one
            spin is cut off from both leads.
    """

    left_polarisation: ArrayLike = 0.0
    right_polarisation: ArrayLike = 0.0
    level_1_meV: ArrayLike = 0.0
    level_2_meV: ArrayLike = 0.0
    splitting_1_meV: ArrayLike = 0.0
    splitting_2_meV: ArrayLike = 0.0
    tunnelling_meV: ArrayLike = 1.0
    spin_coupling_1_meV: ArrayLike = 1.0
    spin_coupling_2_meV: ArrayLike = 1.0
    left_coupling_meV: ArrayLike = 1.0 / 6.0
    right_coupling_meV: ArrayLike = 1.0 / 6.0

    def __post_init__(self) -> None:
        """Check the values one by one, then whether every level is broadened."""
        for name in (field.name for field in fields(self)):
            array = real_array(name, getattr(self, name), unit="" if name.endswith("polarisation") else "meV")
            object.__setattr__(self, name, array)
            if name.endswith("polarisation"):
                _require(name, array, np.abs(array) <= 1.0, "-1 to 1 is allowed")
            if name in ("left_coupling_meV", "right_coupling_meV"):
                _require(name, array, array > 0.0, "a value above 0 meV is needed")
        self._check_broadened()

    @property
    def arguments(self) -> dict[str, FloatArray]:
        """Every argument as a float array, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def _check_broadened(self) -> None:
        """Refuse a spin that reaches no lead: its occupation has no steady state."""
        arguments = self.arguments
        shape = broadcast_shape(arguments)
        electrons = Electrons(**{name: np.broadcast_to(a, shape).ravel() for name, a in arguments.items()})
        scale = np.abs(electrons.poles).max(axis=1, keepdims=True) + electrons.left.max() + electrons.right.max()
        sharp = (-electrons.poles.imag <= _NARROWEST * scale).any(axis=1)
        if sharp.any():
            first = int(np.flatnonzero(sharp)[0])
            pair = (float(electrons.left_polarisation[first]), float(electrons.right_polarisation[first]))
            raise refuse(
                "(left_polarisation, right_polarisation)", pair, "each spin must reach a lead from every level"
            )


@dataclass(frozen=True, eq=False)
class Leads:
    """Chemical potentials and temperatures of the two leads.

    mu_L = mu + a V and mu_R = mu - (1 - a) V with a = ``left_share``, so that mu_L - mu_R = eV; the paper does not say
    how it splits the bias.

    Attributes:
        chemical_potential_meV: mu.
        bias_mV: V.
        left_temperature_K: T_L, above zero.
        temperature_difference_K: T_R - T_L; T_R must be above zero.
        left_share: share of the bias on the left lead, 0 ... 1; 1/2 is symmetric.

    Raises:
        PhysicsError: an argument is not finite, a temperature is not above zero, or ``left_share`` is outside 0 ... 1.
    """

    chemical_potential_meV: ArrayLike = 0.0
    bias_mV: ArrayLike = 0.0
    left_temperature_K: ArrayLike = 1.0
    temperature_difference_K: ArrayLike = 0.0
    left_share: ArrayLike = 0.5

    def __post_init__(self) -> None:
        """Check the values one by one."""
        for name in (field.name for field in fields(self)):
            object.__setattr__(self, name, real_array(name, getattr(self, name), unit=_LEAD_UNITS[name]))
        arguments = self.arguments
        broadcast_shape(arguments)
        share, left = arguments["left_share"], arguments["left_temperature_K"]
        _require("left_share", share, (share >= 0.0) & (share <= 1.0), "0 to 1 is allowed")
        _require("left_temperature_K", left, left > 0.0, "a value above 0 K is needed")
        difference = np.broadcast_arrays(arguments["temperature_difference_K"], left)[0]
        _require("temperature_difference_K", difference, left + difference > 0.0, "the right lead must stay above 0 K")

    @property
    def arguments(self) -> dict[str, FloatArray]:
        """Every argument as a float array, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def chemical_potentials_meV(self) -> FloatArray:
        """mu_L and mu_R, shape (..., 2)."""
        mu, bias, share = self.chemical_potential_meV, np.asarray(self.bias_mV), np.asarray(self.left_share)
        return np.stack(np.broadcast_arrays(mu + share * bias, mu - (1.0 - share) * bias), axis=-1)

    @property
    def thermal_energies_meV(self) -> FloatArray:
        """k_B T_L and k_B T_R, shape (..., 2)."""
        left = np.asarray(self.left_temperature_K)
        return K_B_MEV_PER_K * np.stack(np.broadcast_arrays(left, left + self.temperature_difference_K), axis=-1)


_LEAD_UNITS = {
    "chemical_potential_meV": "meV",
    "bias_mV": "mV",
    "left_temperature_K": "K",
    "temperature_difference_K": "K",
    "left_share": "",
}


class Electrons:
    """The non-interacting electrons of P dimers; the keyword arguments are those of `Dimer`, each of shape (P,).

    Attributes:
        levels: eps_ns, shape (2, 2, P): spin up and down, molecule 1 and 2.
        left, right: G_s^L and G_s^R, shape (2, P).
        poles: the zeros of D_s, shape (P, 4): up +, up -, down +, down -.
        tunnelling_squared: T_c^2, shape (P,).
        spin_couplings: J_1 J_2, shape (P,).
        left_polarisation, right_polarisation: shape (P,).
    """

    def __init__(
        self,
        left_polarisation: FloatArray,
        right_polarisation: FloatArray,
        level_1_meV: FloatArray,
        level_2_meV: FloatArray,
        splitting_1_meV: FloatArray,
        splitting_2_meV: FloatArray,
        tunnelling_meV: FloatArray,
        spin_coupling_1_meV: FloatArray,
        spin_coupling_2_meV: FloatArray,
        left_coupling_meV: FloatArray,
        right_coupling_meV: FloatArray,
    ) -> None:
        spin = np.array([1.0, -1.0])[:, None]
        first = level_1_meV + spin * splitting_1_meV / 2
        second = level_2_meV + spin * splitting_2_meV / 2
        self.left_polarisation, self.right_polarisation = left_polarisation, right_polarisation
        self.levels = np.stack([first, second], axis=1)
        self.left: FloatArray = left_coupling_meV * (1.0 + spin * left_polarisation) / 2
        self.right: FloatArray = right_coupling_meV * (1.0 + spin * right_polarisation) / 2
        self.tunnelling_squared = tunnelling_meV**2
        self.spin_couplings = spin_coupling_1_meV * spin_coupling_2_meV
        self.poles = self._poles()

    def _poles(self) -> ComplexArray:
        first = self.levels[:, 0] - 0.5j * self.left
        second = self.levels[:, 1] - 0.5j * self.right
        root = np.sqrt(((first - second) / 2) ** 2 + self.tunnelling_squared)
        middle = (first + second) / 2
        up, down = np.stack([middle + root, middle - root], axis=-1)
        return np.concatenate([up, down], axis=-1)


def broadcast_shape(arguments: dict[str, FloatArray]) -> tuple[int, ...]:
    """The common shape of all ``arguments``; raises PhysicsError naming the shapes that do not go together."""
    try:
        return np.broadcast_shapes(*(array.shape for array in arguments.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arguments.items() if array.ndim)
        raise refuse("shapes", shapes, "they must broadcast against each other") from None


def _require(name: str, array: FloatArray, good: NDArray[np.bool_], allowed: str) -> None:
    """Raise PhysicsError with the first value of ``array`` that is not ``good``."""
    if not good.all():
        raise refuse(name, float(array[~good].flat[0]), allowed)
