"""Levels closer than the rates: the coherent equation beside the secular one, QuTiP, rotations and limits."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import qutip

from stmlab.errors import PhysicsError
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.coherent import Equation, spin_state
from stmlab.physics.constants import ELEMENTARY_CHARGE_C, HBAR_MEV_S, K_B_MEV_PER_K
from stmlab.physics.operators import spin_matrices
from stmlab.physics.spins import Exchange, Spin, SpinSystem
from stmlab.physics.transport import TunnelJunction, conductances, conductances_and_room
from tests.approximately import close

BIAS_V = np.array([8e-3])


def doublet(transverse_meV, bath_S=1e-8, size=1, polarisation=(0, 0, 0.5), field_T=(0, 0, 0)):
    system = SpinSystem((Spin(size, -4.0, transverse_meV),), (), field_T)
    return TunnelJunction(system, 1.0, 100e-9, tip=Electrode(polarisation), baths=(Bath(0, bath_S),))


def read(junction, equation, bias_V=BIAS_V):
    state = spin_state(junction, bias_V, equation)
    return state.current_A[0] * 1e9, state.spins[0, 0, 2]


def test_a_doublet_that_the_rates_cannot_resolve_keeps_its_moment():
    """S = 1, D = -4 meV, tip polarised by half, 100 nS, 1 K, 8 mV."""
    assert read(doublet(0.0), Equation.COHERENT) == pytest.approx((0.581, 0.722), abs=6e-4)
    assert read(doublet(1e-13), Equation.COHERENT) == pytest.approx((0.581, 0.722), abs=6e-4)
    assert read(doublet(1e-3), Equation.COHERENT) == pytest.approx((0.632, 0.359), abs=1e-3)
    assert read(doublet(1e-13), Equation.SECULAR) == pytest.approx((0.683, 0.0), abs=6e-4)


def test_at_exact_degeneracy_both_equations_are_one():
    for size in (1, 1.5, 2):
        coherent, secular = (spin_state(doublet(0.0, size=size), BIAS_V, e) for e in ("coherent", "secular"))
        assert coherent.current_A == close(secular.current_A, rel=1e-10)
        assert coherent.density == pytest.approx(secular.density, abs=1e-10)


def test_the_coherent_solution_becomes_the_secular_one_as_the_levels_part():
    differences = []
    for transverse in (1e-2, 3e-2, 1e-1, 3e-1, 1.0):
        coherent, secular = (np.array(read(doublet(transverse), e)) for e in ("coherent", "secular"))
        differences.append(np.abs(coherent - secular).max())
    assert all(later < 0.2 * earlier for earlier, later in pairwise(differences))
    assert differences[-1] < 1e-5


def test_the_automatic_choice_is_continuous_and_says_what_it_took():
    splittings = 10.0 ** np.linspace(-13, 0, 80)
    states = [spin_state(faint(one), BIAS_V) for one in splittings]
    change = [state.equation for state in states].index(Equation.SECULAR)
    assert {state.equation for state in states[:change]} == {Equation.COHERENT}
    assert {state.equation for state in states[change:]} == {Equation.SECULAR}
    coherent = spin_state(faint(splittings[change]), BIAS_V, Equation.COHERENT)
    assert states[change].current_A == pytest.approx(coherent.current_A, rel=1e-3, abs=0)
    assert states[change].spins == pytest.approx(coherent.spins, abs=1e-3)


def faint(transverse_meV):
    """The same with rates a ten-thousandth as large; the levels part before the rates change."""
    system = SpinSystem((Spin(1, -4.0, transverse_meV),), ())
    return TunnelJunction(system, 1.0, 1e-11, tip=Electrode((0, 0, 0.5)), baths=(Bath(0, 1e-12),))


@pytest.mark.parametrize("axis", [(1, 0, 0), (0.6, 0.0, 0.8), (0.3, -0.5, 0.2)])
def test_a_free_spin_knows_no_axis_but_the_tips(axis):
    """Everything turned: <S> points along the polarisation, whatever basis the degenerate level was given."""
    length = np.linalg.norm(axis)

    def free(polarisation):
        system = SpinSystem((Spin(1.5),))
        return TunnelJunction(system, 1.0, 1e-7, tip=Electrode(polarisation), baths=(Bath(0, 1e-8),))

    turned = spin_state(free(tuple(0.7 * np.array(axis) / length)), BIAS_V)
    upright = spin_state(free((0, 0, 0.7)), BIAS_V)
    assert turned.current_A == close(upright.current_A, rel=1e-9)
    assert turned.spins[0, 0] == pytest.approx(upright.spins[0, 0, 2] * np.array(axis) / length, abs=1e-9)


def test_the_steady_state_is_that_of_qutip():
    """Jump operators written down anew, for two coupled spins in a tilted field; QuTiP solves the master equation."""
    system = SpinSystem((Spin(1, -2.0, 0.003), Spin(0.5)), (Exchange.heisenberg(0, 1, 0.002),), (0.01, 0, 0.02))
    tip, kT = np.array([0.2, 0.1, 0.5]), K_B_MEV_PER_K * 1.0
    junction = TunnelJunction(
        system, 1.0, 2e-7, tip=Electrode(tuple(tip)), baths=(Bath(0, 1e-8), Bath(1, 1e-8)), potential_scattering=0.3
    )
    energies, states = np.linalg.eigh(system.hamiltonian_meV())
    one, half = np.array(spin_matrices(1.0)), np.array(spin_matrices(0.5))
    first = np.array([np.kron(a, np.eye(2)) for a in one])
    second = np.array([np.kron(np.eye(3), a) for a in half])
    per_second = 1e-3 / ELEMENTARY_CHARGE_C

    def jumps(spins, scatter, before, after, conductance, gained):
        x = (energies[:, None] - energies - gained) / kT
        weight = kT * np.where(np.abs(x) < 1e-9, 1.0, x / np.expm1(np.where(np.abs(x) < 1e-9, 1.0, x)))
        found = []
        for p, start in zip(*[np.linalg.eigh(before)[0], np.linalg.eigh(before)[1].T], strict=True):
            for q, end in zip(*[np.linalg.eigh(after)[0], np.linalg.eigh(after)[1].T], strict=True):
                flips = sum(end.conj() @ (2 * half[a]) @ start * spins[a] / 2 for a in range(3))
                flips = flips + scatter * (end.conj() @ start) * np.eye(6)
                inside = (states.conj().T @ flips @ states) * np.sqrt(weight)
                found.append(np.sqrt(4 * conductance * p * q * per_second) * states @ inside @ states.conj().T)
        return found

    plain = np.eye(2) / 2
    polarised = plain + sum(tip[a] * half[a] for a in range(3))
    there = jumps(first, 0.3, polarised, plain, 2e-7, 8.0)
    back = jumps(first, 0.3, plain, polarised, 2e-7, -8.0)
    rest = jumps(first, 0.0, plain, plain, 1e-8, 0.0) + jumps(second, 0.0, plain, plain, 1e-8, 0.0)
    scale = 1e9
    hamiltonian = qutip.Qobj(system.hamiltonian_meV() / HBAR_MEV_S / scale)
    operators = [qutip.Qobj(jump / np.sqrt(scale)) for jump in there + back + rest]
    rho = qutip.steadystate(hamiltonian, operators, method="svd").full()
    current = sum(s * np.trace(j @ rho @ j.conj().T).real for s, js in ((1, there), (-1, back)) for j in js)
    found = spin_state(junction, BIAS_V, Equation.COHERENT)
    assert found.current_A[0] == close(current * ELEMENTARY_CHARGE_C, rel=1e-6)
    assert found.spins[0, 0] == pytest.approx([np.trace(a @ rho).real for a in first], abs=1e-6)
    assert found.spins[0, 1] == pytest.approx([np.trace(a @ rho).real for a in second], abs=1e-6)


def test_the_density_matrix_is_a_state_at_any_bias():
    bias = np.linspace(-12e-3, 12e-3, 13)
    state = spin_state(doublet(4e-4, field_T=(0.5, 0.2, 0.01)), bias, Equation.COHERENT)
    assert np.trace(state.density, axis1=1, axis2=2) == close(np.ones(13))
    assert np.linalg.eigvalsh(state.density).min() > -1e-12


def test_without_bias_no_current_flows_through_an_unpolarised_junction():
    junction = doublet(3e-4, polarisation=(0, 0, 0), field_T=(0.001, 0, 0.002))
    state = spin_state(junction, np.array([0.0, 1e-3]), Equation.COHERENT)
    assert abs(state.current_A[0]) < 1e-12 * state.current_A[1]
    weights = np.exp(-junction.system.eigensystem.energies_meV / K_B_MEV_PER_K)
    assert np.diagonal(state.density[0]).real == pytest.approx(weights / weights.sum(), abs=1e-6)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: {"order": 3, "coupling": -0.05}, "order = 3"),
        (lambda: {"occupation": "thermal"}, "occupation = thermal"),
    ],
)
def test_what_has_no_coherent_equation_is_refused(build, message):
    with pytest.raises(PhysicsError, match=message):
        spin_state(replace(doublet(0.1), **build()), BIAS_V)


def test_moments_that_turn_over_once_in_a_million_years_are_no_trouble():
    """S = 2 far below its first excitation, a splitting of 1e-13 meV: the tunnelling electrons fix the moment."""
    for size, transverse in ((2, 0.0), (2, 1e-13), (2, 1e-6), (2.5, 1e-3)):
        state = spin_state(doublet(transverse, size=size), BIAS_V, Equation.COHERENT)
        assert np.trace(state.density[0]).real == pytest.approx(1.0, abs=1e-12)
        assert state.current_A[0] > 0


# -- currents of junctions that take coherences ----------------------------------------------------------------------

AXIS_V = np.linspace(-9e-3, 9e-3, 19)


def oblique(transverse_meV=2e-4, equation="coherent"):
    """Three levels, two of them close, in a small oblique field, both electrodes polarised."""
    system = SpinSystem((Spin(1, -4.0, transverse_meV),), (), (0.01, 0.02, 0.003))
    return TunnelJunction(
        system,
        1.0,
        100e-9,
        tip=Electrode((0.1, -0.2, 0.5)),
        sample=Electrode((0.0, 0.1, -0.2)),
        baths=(Bath(0, 3e-8),),
        potential_scattering=0.3,
        equation=equation,
    )


def test_a_junction_that_takes_coherences_has_the_current_of_its_state():
    expected = spin_state(oblique(), AXIS_V, "coherent").current_A
    np.testing.assert_allclose(oblique().current(AXIS_V), expected, rtol=1e-12)
    secular = oblique(equation="secular").current(AXIS_V)
    np.testing.assert_allclose(secular, spin_state(oblique(), AXIS_V, "secular").current_A, rtol=1e-12)
    assert np.abs(secular - oblique().current(AXIS_V)).max() > 0.02 * np.abs(secular).max()


@pytest.mark.parametrize("transverse", [2e-4, 0.3])
def test_conductance_and_its_slope_are_the_derivatives_of_the_coherent_current(transverse):
    junction, step = oblique(transverse), 2e-6
    around = [junction.current(AXIS_V + k * step) for k in (-2, -1, 1, 2)]
    first = (around[0] - 8 * around[1] + 8 * around[2] - around[3]) / (12 * step)
    np.testing.assert_allclose(junction.conductance(AXIS_V), first, rtol=1e-7, atol=1e-7 * first.max())
    slopes = [junction.conductance(AXIS_V + k * step) for k in (-2, -1, 1, 2)]
    second = (slopes[0] - 8 * slopes[1] + 8 * slopes[2] - slopes[3]) / (12 * step)
    np.testing.assert_allclose(junction.conductance_slope(AXIS_V), second, atol=1e-6 * np.abs(second).max())


def test_far_below_a_step_nothing_is_lost():
    """Rates of exp(-500): the windows are small, but not their logarithmic slopes."""
    cold = replace(oblique(), temperature_K=0.1)
    found = cold.conductance(np.array([-1e-4, 1e-4]))
    assert np.isfinite(found).all()
    assert found == close(replace(cold, equation="secular").conductance(np.array([-1e-4, 1e-4])), rel=0.3)


def test_coherent_conductances_become_the_secular_ones_as_levels_part():
    differences = []
    for transverse in (3e-3, 3e-2, 3e-1):
        coherent, secular = (oblique(transverse, each).conductance(AXIS_V) for each in ("coherent", "secular"))
        differences.append(np.abs(coherent - secular).max())
    assert differences[2] < 1e-4 * secular.max()
    assert differences[0] > differences[1] > differences[2]


def test_many_junctions_are_solved_each_by_the_equation_that_holds():
    junctions = [oblique(transverse, "automatic") for transverse in (2e-4, 0.3, 1.5)]
    found, room = conductances_and_room(junctions, AXIS_V)
    np.testing.assert_array_equal(room, 1.0)
    np.testing.assert_array_equal(found, conductances(junctions, AXIS_V))
    for one, spectrum in zip(junctions, found, strict=True):
        np.testing.assert_allclose(spectrum, one.conductance(AXIS_V), rtol=1e-12)
    np.testing.assert_array_equal(found[0], oblique().conductance(AXIS_V))
    np.testing.assert_allclose(found[2], oblique(1.5, "secular").conductance(AXIS_V), rtol=1e-12)


@pytest.mark.parametrize(
    "other",
    [
        {"order": 3, "coupling": -0.05},
        {"occupation": "thermal"},
    ],
)
def test_automatic_is_secular_where_there_is_no_coherent_equation_and_coherent_is_refused(other):
    automatic, secular, coherent = (replace(oblique(equation=e), **other) for e in ("automatic", "secular", "coherent"))
    np.testing.assert_array_equal(automatic.conductance(AXIS_V), secular.conductance(AXIS_V))
    with pytest.raises(PhysicsError, match="coherences"):
        coherent.conductance(AXIS_V)
    with pytest.raises(PhysicsError, match="equation = redfield: one of automatic, secular, coherent"):
        oblique(equation="redfield")


def test_many_biases_are_solved_in_parts():
    """Of at most 96, for so many states."""
    bias = np.linspace(-9e-3, 9e-3, 110)
    system = SpinSystem((Spin(2.5, -1.0, 1e-5), Spin(0.5)), (Exchange.heisenberg(0, 1, 1e-4),), (0.0, 0.01, 0.01))
    junction = TunnelJunction(system, 1.0, 1e-7, tip=Electrode((0.3, 0.0, 0.2)), equation="coherent")
    some = [0, 50, 95, 96, 109]
    np.testing.assert_allclose(junction.conductance(bias)[some], junction.conductance(bias[some]), rtol=1e-9)
