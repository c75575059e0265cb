"""Transport through spins whose levels lie closer than hbar times their rates: the density matrix, coherences included.

The rate equation of `transport` is secular: it keeps the occupations of the eigenstates and drops the coherences
between them, which is wrong where two levels are closer than the width that the rates give them. A doublet split by
1e-13 meV would be two superpositions without a moment, though nothing that happens within 1e-9 s can tell them from the
two moments.

Here every way in which an electron (spin s before, s' after) meets the spins is one jump operator for all transitions,

    L = sum_fi sqrt(4 G p_s p_s' zeta(e_f - e_i - eV)) |f> <f, s'| sigma.S/2 + U |i, s> <i|,

p being the weights of the electron's spin in its electrode (of electrons that follow a spin, see `electron_jumps`):
rates of different transitions enter with their geometric mean (the coarse-grained or universal Lindblad equation:
Davidovic, Quantum 4, 326 (2020); Nathan and Rudner, Phys. Rev. B 102, 115109 (2020)). The density matrix stays
positive, its populations alone obey the rate equation of `transport`, and the coherences that it adds to them fade as
hbar times the rate over the level distance. Shifts of levels by the electrons are left out, as they are there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import real_array, refuse
from stmlab.physics.coherent_equation import CoherentEquation, coherent_states
from stmlab.physics.constants import HBAR_MEV_S, MEV_PER_V
from stmlab.physics.currents import Currents
from stmlab.physics.electron_jumps import PER_SECOND
from stmlab.physics.junction import Equation, Occupation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stmlab.arrays import BoolArray, ComplexArray, FloatArray
    from stmlab.errors import PhysicsError
    from stmlab.physics.junction import Junction
    from stmlab.physics.transport import TunnelJunction

__all__ = ["Equation", "SpinState", "are_too_close", "level_distances", "spin_state", "takes_coherences"]

_LARGEST = 36
"""States beyond which the equation, quadratic in their number, is refused."""
_ROUNDING = 1e-12  # of the rates
_ALONG = 1e-9  # across the axis: less of a polarisation is along it
SECULAR_ABOVE = 1e2
"""Level distance over hbar times the rates, above which the secular equation is right to about its inverse squared."""


@dataclass(frozen=True, eq=False)
class SpinState:
    """Steady states and currents at V biases.

    Attributes:
        bias_V: shape (V,).
        current_A: shape (V,).
        density: shape (V, n, n), density matrix in the eigenstates of the spins.
        spins: shape (V, spins, 3), <S> of each spin.
        equation: the one that was used.
        closeness: shape (V,), smallest level distance over hbar times the rates of its states; 0 if degenerate.
    """

    bias_V: FloatArray
    current_A: FloatArray
    density: ComplexArray
    spins: FloatArray
    equation: Equation
    closeness: FloatArray


def spin_state(junction: TunnelJunction, bias_V: FloatArray, equation: Equation = Equation.AUTOMATIC) -> SpinState:
    """The steady state of the spins of ``junction`` and the current through it.

    Args:
        junction: of second order, with steady occupation.
        bias_V: shape (V,).
        equation: AUTOMATIC is secular if at every bias all levels are far enough apart, else coherent.

    Raises:
        PhysicsError: third order, thermal occupation, too many states, or no unique steady state.
    """
    equation = Equation(equation)
    if (why := _why_not(junction)) is not None:
        raise why
    bias = np.atleast_1d(real_array("bias_V", bias_V, unit="V"))
    closeness = level_distances(junction, bias).min(axis=1, initial=np.inf)
    if equation is Equation.AUTOMATIC:
        equation = Equation.SECULAR if closeness.min(initial=np.inf) > SECULAR_ABOVE else Equation.COHERENT
    if equation is Equation.SECULAR:
        occupations = junction.occupations(bias)
        density = (occupations[:, :, None] * np.eye(occupations.shape[1])).astype(complex)
        current = replace(junction, equation=Equation.SECULAR).current(bias)
    else:
        density, electrons = coherent_states(junction, MEV_PER_V * bias)
        current = electrons / MEV_PER_V
    eigensystem = junction.system.eigensystem
    elements = np.array([eigensystem.spin_elements(spin) for spin in range(len(junction.system.spins))])
    spins = np.einsum("safi,vif->vsa", elements, density).real
    return SpinState(bias, current, density, spins, equation, closeness)


def takes_coherences(junctions: Sequence[Junction], bias_meV: FloatArray) -> BoolArray:
    """Which of B junctions, alike but for numbers, are solved with coherences between biases of shape (V,); shape (B,).

    With `Equation.AUTOMATIC`, where levels are close at any of these biases and the equation can have them; not where
    close levels are one, between whose states there are none.

    Raises:
        PhysicsError: COHERENT was asked for, and there is no such equation (see `spin_state`).
    """
    found = np.array([one.equation is Equation.COHERENT for one in junctions])
    whys = [_why_not(one) if one.equation is not Equation.SECULAR else None for one in junctions]
    for must, why in zip(found, whys, strict=True):
        if must and why is not None:
            raise why
    asked = np.array(
        [one.equation is Equation.AUTOMATIC and why is None for one, why in zip(junctions, whys, strict=True)]
    )
    if asked.any() and bias_meV.size:
        chosen = [one for one, wanted in zip(junctions, asked, strict=True) if wanted]
        ends = np.array([bias_meV.min(), bias_meV.max()])  # where rates are largest
        exits = PER_SECOND * _exits(Currents(chosen).rates(ends))
        found[asked] = [_matter(one, _distances(one, each), ends) for one, each in zip(chosen, exits, strict=True)]
    return found


def _matter(junction: Junction, distances: FloatArray, bias_meV: FloatArray) -> bool:
    """Whether levels at these distances, shape (V, pairs), have coherences that count."""
    close = distances <= SECULAR_ABOVE
    if (close & (distances > 0.0)).any():
        return True
    return bool(close.any()) and not _is_secular(junction, bias_meV)


def _is_secular(junction: Junction, bias_meV: FloatArray) -> bool:
    """Whether populations make no coherence between the states of any level."""
    energies, size = junction.system.eigensystem.energies_meV, junction.system.dimension
    own = np.arange(size) * (size + 1)
    matrix = np.abs(CoherentEquation(junction, bias_meV, np.eye(size, dtype=complex)).matrix)
    together = np.flatnonzero((energies[:, None] == energies) & ~np.eye(size, dtype=bool))
    made = matrix[:, together[:, None], own].max(initial=0.0)
    return bool(made <= _ROUNDING * matrix[:, own, own].max())


def are_too_close(junction: TunnelJunction, bias_V: FloatArray) -> bool:
    """Whether two levels lie closer than the width that the rates give them, and the junction has rates alone.

    Levels that are one are no matter where electrons are polarised along the axis by which their states are sorted out.

    Args:
        junction: in equilibrium there are no coherences.
        bias_V: shape (V,); rates are largest at the lowest and the highest.

    Raises:
        PhysicsError: as the junction's rates.
    """
    if junction.occupation is not Occupation.STEADY or not bias_V.size:
        return False
    if takes_coherences((junction,), MEV_PER_V * bias_V)[0]:
        return False
    distances = level_distances(junction, np.array([bias_V.min(), bias_V.max()])).min(axis=0, initial=np.inf)
    close = distances < 1.0
    return bool((close if _is_oblique(junction) else close & (distances > 0.0)).any())


def _is_oblique(junction: Junction) -> bool:
    """Whether electrons of a fixed polarisation are polarised across the axis that sorts degenerate states out."""
    electrodes = [junction.tip.polarisation, junction.sample.polarisation]
    axis = np.array(junction.system.quantisation_axis)
    across = [np.cross(one, axis) for one in (*electrodes, *(bath.polarisation for bath in junction.baths or ()))]
    return bool(np.abs(across).max() > _ALONG)


def _why_not(junction: Junction) -> PhysicsError | None:
    """Why there are no coherences for a junction, if there are not."""
    if junction.order != 2:
        return refuse("order", junction.order, "coherences are computed in second order")
    if junction.occupation is not Occupation.STEADY:
        return refuse("occupation", junction.occupation, "coherences belong to the steady state")
    if junction.system.dimension > _LARGEST:
        states = f"{junction.system.dimension} states"
        return refuse("system", states, f"coherences are computed for at most {_LARGEST} states")
    return None


def level_distances(junction: TunnelJunction, bias_V: FloatArray) -> FloatArray:
    """Distance of every two levels over hbar times the mean of their exit rates; shape (V, pairs).

    Raises:
        PhysicsError: as the junction's rates.
    """
    return _distances(junction, _exits(junction.rates(bias_V)))


def _exits(rates: FloatArray) -> FloatArray:
    """Rates out of each state, of rates [..., f, i] whose diagonal means nothing."""
    states = np.arange(rates.shape[-1])
    exits: FloatArray = rates.sum(axis=-2) - rates[..., states, states]
    return exits


def _distances(junction: Junction, exits: FloatArray) -> FloatArray:
    """The same from exit rates in 1/s, shape (V, n)."""
    energies = junction.system.eigensystem.energies_meV
    first, second = np.triu_indices(len(energies), 1)
    width = HBAR_MEV_S * np.maximum((exits[:, first] + exits[:, second]) / 2, np.finfo(float).tiny)
    distances: FloatArray = np.abs(energies[first] - energies[second]) / width
    return distances
