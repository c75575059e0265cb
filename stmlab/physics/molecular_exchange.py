"""Exchange between two magnetic molecules through the electrons of a junction (Fransson, Ren and Zhu).

The local moments couple to the electrons by J_n s_n . S_n. To second order in J_n, in or out of equilibrium, the
electrons give moment 1 the energy

    H = -[J S_1 . S_2 + I S_1z S_2z + D z . (S_1 x S_2)]

in the field of moment 2: Heisenberg J (eq. 5a), Ising I (eq. 5b) and Dzyaloshinskii-Moriya D (eq. 5c), all in meV. A
positive J favours parallel moments, contrary to the sentence after eq. 5; every result carries the convention in words.

With G< and Gr + Ga between the two levels, for spins s and s',

    K_ss' = (i/2) int d eps/2pi {G<_12,s (Gr+Ga)_21,s' + (Gr+Ga)_12,s G<_21,s'},
    J = J_1 J_2 (K_ud + K_du)/4,  J + I = J_1 J_2 (K_uu + K_dd)/4,

and D from eq. 5c, whose last term must read + g(1)>_12 g(0)<_21. Levels may be unequal and spin-split. The integrals
are exact (`stmlab.physics.fermi_integrals`): against 60-digit arithmetic to 1e-13 meV, to 4e-12 meV where all four
resonances merge. Where resonances are narrow, at weak coupling or of nearly half-metallic leads, that would be nothing
of I: they are calculated with more digits, each number to 1e-12 of its size (`stmlab.physics.narrow_resonances`).

Where the paper's formulas differ from its eqs. 3 and 5 (`Form.PRINTED` and `PairEnergy.EQUATION_4` evaluate them as
they stand):

- eq. 7 carries same-spin factors twice, which makes it J + I: equal to eq. 5a only for p = 0 and p_L = -p_R;
- eq. 8 is twice eq. 5b, eq. 9 is eight times eq. 5c;
- in eq. 4 D x S_n must read S_n x D: that is what the trace of eq. 3 leaves, and how moment 1 responds to moment 2;
- eq. 4 sums over mn and nm. Linear response gives J and I once; eq. 5c gives D_21 = +D_12, which cancels in that sum. D
  is a torque of the spin current without a reaction: no Hamiltonian carries it for both moments.

J and I are averages of the two responses, of 1 to 2 and of 2 to 1, which differ under bias; in equilibrium they agree
and -J S_1 . S_2 is the change of the grand potential. Eq. 5c leaves out the reciprocal part of D, its principal value,
0.003 of 0.84 meV at p = (0.9, 0) and 3 mV, but all there is for p_L = p_R.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import refuse
from stmlab.physics.fermi_integrals import Contour, fermi_integrals
from stmlab.physics.molecular_dimer import Dimer, Electrons, Leads, broadcast_shape
from stmlab.physics.narrow_resonances import exact_exchange, narrow

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray

SIGN_CONVENTION = (
    "H = -[J S1.S2 + I S1z S2z + D z.(S1 x S2)], each pair once: "
    "J > 0 lowers the energy of parallel moments, J < 0 that of antiparallel ones"
)
"""What the signs of J, I and D mean; goes with every number."""
_BLOCK = 512
"""Points that are computed together; more of them leave the processor's cache."""


class Form(Enum):
    """Which formulas are evaluated."""

    EXACT = "eqs. 5a-5c"
    PRINTED = "eqs. 7-9"
    """As printed, for equal levels. Gamma_s (f_L + f_R) is read as 2 sum_x G_s^x f_x and (Gamma_s/4)^2 as
    G_s^L G_s^R / 4: the same at the G_s^x = Gamma_s/2 of the printed text, and the only reading in which the curves of
    Fig. 2b for p_L != p_R depend on the direction of the current."""


class PairEnergy(Enum):
    """How J, I and D make up the energy of two moments."""

    LINEAR_RESPONSE = "each pair once, D.(S1 x S2)"
    EQUATION_4 = "eq. 4 as printed, summed over 12 and 21"
    """J and I count twice, and D not at all, since eq. 5c gives D_21 = D_12."""


@dataclass(frozen=True, eq=False)
class MolecularExchange:
    """J, I and D in meV, in the broadcast shape of all arguments.

    Attributes:
        heisenberg_meV: J.
        ising_meV: I, along the common axis z of the polarisations.
        dzyaloshinskii_moriya_meV: D, along z.
        form: the formulas that were evaluated.
        sign_convention: what the signs mean.
    """

    heisenberg_meV: FloatArray
    ising_meV: FloatArray
    dzyaloshinskii_moriya_meV: FloatArray
    form: Form = Form.EXACT
    sign_convention: str = SIGN_CONVENTION

    def tensor_meV(self, energy: PairEnergy = PairEnergy.LINEAR_RESPONSE) -> FloatArray:
        """The exchange tensor M of H = + S_1 . M . S_2, in meV, shape (..., 3, 3), as the spin model takes it.

        Its signs are opposite to those of J, I and D: M = -(J 1 + I z z + D e) with e_xy = 1 = -e_yx. The field on
        moment 1 is that of eq. 5c; a Hamiltonian then turns moment 2 the other way round than eq. 5c does.
        """
        tensor = np.zeros((*self.heisenberg_meV.shape, 3, 3))
        for axis in range(3):
            tensor[..., axis, axis] = -self.heisenberg_meV
        tensor[..., 2, 2] -= self.ising_meV
        tensor[..., 0, 1] = -self.dzyaloshinskii_moriya_meV
        tensor[..., 1, 0] = self.dzyaloshinskii_moriya_meV
        return tensor + tensor.swapaxes(-1, -2) if energy is PairEnergy.EQUATION_4 else tensor


def molecular_exchange(dimer: Dimer, leads: Leads, form: Form = Form.EXACT) -> MolecularExchange:
    """J, I and D between the moments of two molecules, for all combinations that the arguments broadcast to.

    Args:
        dimer: levels, couplings and polarisations.
        leads: chemical potentials and temperatures.
        form: the formulas to evaluate.

    Raises:
        PhysicsError: the shapes of ``dimer`` and ``leads`` do not broadcast, or ``form`` is PRINTED and the levels
            differ.
    """
    if form is Form.PRINTED:
        _check_equal_levels(dimer)
    shape = broadcast_shape(dimer.arguments | leads.arguments)
    arguments = {name: np.broadcast_to(array, shape).ravel() for name, array in dimer.arguments.items()}
    potentials = np.broadcast_to(leads.chemical_potentials_meV, (*shape, 2)).reshape(-1, 2)
    thermal = np.broadcast_to(leads.thermal_energies_meV, (*shape, 2)).reshape(-1, 2)
    answer = np.empty((3, len(potentials)))
    for start in range(0, len(potentials), _BLOCK):
        block = slice(start, start + _BLOCK)
        electrons = Electrons(**{name: array[block] for name, array in arguments.items()})
        answer[:, block] = _exchange(electrons, potentials[block], thermal[block])
    poles = Electrons(**arguments).poles
    for point in np.flatnonzero(narrow(poles, potentials, thermal)):
        one = {name: float(array[point]) for name, array in arguments.items()}
        answer[:, point] = exact_exchange(one, potentials[point], thermal[point])
    answer = _as_printed(answer) if form is Form.PRINTED else answer
    heisenberg, ising, moriya = answer.reshape(3, *shape)
    return MolecularExchange(heisenberg, ising, moriya, form)


def _exchange(electrons: Electrons, potentials: FloatArray, thermal: FloatArray) -> FloatArray:
    """J, I and D of P points, shape (3, P)."""
    integrals = fermi_integrals(lambda contour: _integrands(electrons, contour), electrons.poles, potentials, thermal)
    opposite, same, moriya = np.moveaxis(integrals, 0, -1)
    strength = electrons.spin_couplings * electrons.tunnelling_squared / (4.0 * np.pi)
    heisenberg = -strength * opposite.sum(axis=0)
    ising = strength * (opposite - same).sum(axis=0)
    return np.stack([heisenberg, ising, strength / 2.0 * (moriya[0] - moriya[1])])


def _as_printed(exchange: FloatArray) -> FloatArray:
    """Eqs. 7, 8 and 9: their integrands are those of eqs. 5a + 5b, 2 x 5b and 8 x 5c."""
    heisenberg, ising, moriya = exchange
    return np.stack([heisenberg + ising, 2.0 * ising, 8.0 * moriya])


def _integrands(electrons: Electrons, contour: Contour) -> ComplexArray:
    """The factors of f_L and f_R in K_ud + K_du, K_uu + K_dd and eq. 5c, shape (3, 2, C, N).

    K is without its prefactor -T_c^2 / pi; eq. 5c without J_1 J_2 T_c^2 / 8 pi.
    """
    levels = electrons.levels[:, :, contour.point, None]
    left, right = electrons.left[:, contour.point, None], electrons.right[:, contour.point, None]
    first, second = contour.energy - levels[:, 0], contour.energy - levels[:, 1]
    determinant = contour.below[0::2] * contour.below[1::2]
    conjugate = contour.above[0::2] * contour.above[1::2]
    weight = 1.0 / (determinant * conjugate)
    propagation = (determinant + conjugate) / 2 * weight
    entered = np.stack([second * left, first * right]) * weight
    opposite = (entered * propagation[::-1]).sum(axis=1)
    same = (entered * propagation).sum(axis=1)
    twist = first[0] * second[1] * left[1] * right[0] - second[0] * first[1] * left[0] * right[1]
    moriya = twist * weight[0] * weight[1]
    return np.stack([opposite, same, np.stack([moriya, moriya])])


def _check_equal_levels(dimer: Dimer) -> None:
    for name in ("splitting_1_meV", "splitting_2_meV"):
        if np.any(dimer.arguments[name] != 0.0):
            raise refuse(name, dimer.arguments[name], "the printed forms hold for 0 only")
    if np.any(dimer.arguments["level_1_meV"] != dimer.arguments["level_2_meV"]):
        raise refuse("level_2_meV", dimer.arguments["level_2_meV"], "the printed forms need level_1_meV = level_2_meV")
