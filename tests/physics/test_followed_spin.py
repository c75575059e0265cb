"""Coherence where the tip's electrons follow the spin of its apex: between close levels they see moments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import qutip
from scipy.linalg import sqrtm

from stmlab.errors import PhysicsError
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.coherent import level_distances, spin_state
from stmlab.physics.constants import ELEMENTARY_CHARGE_C, HBAR_MEV_S, K_B_MEV_PER_K, MEV_PER_V
from stmlab.physics.operators import spin_matrices
from stmlab.physics.spins import Exchange, Spin, SpinSystem
from stmlab.physics.stochastic_resonance import stochastic_resonance
from stmlab.physics.transport import TunnelJunction
from tests.approximately import close

BIAS_V = np.linspace(-8e-3, 8e-3, 9)
KINDS = ["initial", "detailed", "average"]
CORRELATION, CONDUCTANCE_S, TEMPERATURE_K = -0.5, 3e-7, 2.0


def coh(field_T=(0.0, 0.0, 0.0), equation="coherent", which="detailed"):
    """The complex of Muenks et al. under the antiferromagnetic tip."""
    system = SpinSystem((Spin(1, -4.2, 0.87), Spin(0.5)), (Exchange.heisenberg(0, 1, 1.08),), field_T)
    return TunnelJunction(
        system,
        TEMPERATURE_K,
        CONDUCTANCE_S,
        tip=Electrode(correlation=CORRELATION, spin=1),
        baths=(Bath(0, 2e-6), Bath(1, 1e-9)),
        equation=equation,
        polarising_state=which,
    )


def asymmetry(junction):
    low, *_, high = junction.conductance(BIAS_V)
    return (low - high) / (low + high)


@pytest.mark.parametrize("which", KINDS)
def test_doublets_of_two_moments_have_the_current_of_the_paper(which):
    """Without a field degenerate levels are moments, and all others far apart: the rates of eq. 8."""
    coherent, secular = (coh(which=which, equation=one).current(BIAS_V) for one in ("coherent", "secular"))
    assert coherent == pytest.approx(secular, abs=3e-6 * np.abs(secular).max())


@pytest.mark.parametrize("which", KINDS)
def test_far_levels_have_the_current_of_the_paper(which):
    """At 5 T along the axis, where doublets are split by many widths."""
    coherent, secular = (
        replace(coh((0.0, 0.0, 5.0), one, which), baths=(Bath(0, 1e-8), Bath(1, 1e-8)), conductance_S=1e-9)
        for one in ("coherent", "secular")
    )
    assert level_distances(coherent, BIAS_V).min() > 1e3
    assert coherent.current(BIAS_V) == pytest.approx(secular.current(BIAS_V), abs=1e-6 * 8e-12)


def test_a_stray_field_across_the_axis_does_not_turn_moments_into_means():
    """The rates' asymmetry jumps by a third at any field across; that of the density matrix needs a tesla."""
    without = asymmetry(coh())
    assert asymmetry(coh((1e-9, 0, 0))) == close(without, rel=1e-6)
    assert asymmetry(coh((1e-3, 0, 0))) == close(without, rel=1e-3)
    assert asymmetry(coh((1e-9, 0, 0), "secular")) < 0.7 * without
    assert asymmetry(coh((5.0, 0, 0))) == close(asymmetry(coh((5.0, 0, 0), "secular")), rel=1e-3)


def test_between_both_ends_the_asymmetry_changes_smoothly():
    fields = np.geomspace(1e-3, 30.0, 20)
    found = np.array([asymmetry(coh((float(field), 0, 0), "automatic")) for field in fields])
    steps = np.abs(np.diff(found))
    assert steps.max() < 0.35 * np.ptp(found)
    assert found[0] == close(asymmetry(coh()), rel=1e-3)


@pytest.mark.parametrize("which", KINDS)
def test_no_current_flows_without_bias_in_detailed_balance(which):
    current = coh((1e-3, 2e-3, 0), which=which).current(np.array([0.0, 1e-3]))
    if which == "initial":
        assert abs(current[0]) > 1e-3 * abs(current[1])
    else:
        assert abs(current[0]) < 1e-6 * abs(current[1])


def by_qutip(junction, bias_V):
    """Jump operators written down anew: electrons polarised along the moments of the closest pairs of levels."""
    size = len(junction.system.eigensystem.energies_meV)
    kT, tip_size = K_B_MEV_PER_K * TEMPERATURE_K, size // 3
    energies, states = np.linalg.eigh(junction.system.hamiltonian_meV())
    first = [np.kron(a, np.eye(tip_size)) for a in spin_matrices(1.0)]
    second = [np.kron(np.eye(3), a) for a in spin_matrices((tip_size - 1) / 2)]
    seen = np.array(states)
    for pair in range(0, size, 2):
        doublet = states[:, pair : pair + 2]
        moment = doublet.conj().T @ (second[2] + 1e-3 * first[2]) @ doublet
        seen[:, pair : pair + 2] = doublet @ np.linalg.eigh(moment)[1]
    pauli = [2 * np.array(a) for a in spin_matrices(0.5)]
    projectors = [np.outer(seen[:, p], seen[:, p].conj()) for p in range(size)]
    roots = []
    for p in range(size):
        expected = [(seen[:, p].conj() @ a @ seen[:, p]).real for a in second]
        matrix = np.eye(2) / 2 + CORRELATION * sum(e * s for e, s in zip(expected, pauli, strict=True))
        roots.append(sqrtm(matrix))
    conditional = sum(np.kron(p, root) for p, root in zip(projectors, roots, strict=True))
    meets = sum(np.kron(a, s) for a, s in zip(first, pauli, strict=True)) / 2

    def jumps(operator, conductance, gained):
        found = []
        x = (energies[:, None] - energies - gained) / kT
        safe = np.where(np.abs(x) < 1e-9, 1.0, x)
        weight = np.sqrt(kT * np.where(np.abs(x) < 1e-9, 1.0, safe / np.expm1(safe)))
        for s in range(2):
            for t in range(2):
                part = operator.reshape(size, 2, size, 2)[:, t, :, s]
                inside = (states.conj().T @ part @ states) * weight
                scale = np.sqrt(4 * conductance * 1e-3 / ELEMENTARY_CHARGE_C)
                found.append(scale * states @ inside @ states.conj().T)
        return found

    plain = np.sqrt(0.5)
    there = jumps(plain * meets @ conditional, CONDUCTANCE_S, MEV_PER_V * bias_V)
    back = jumps(plain * conditional @ meets, CONDUCTANCE_S, -MEV_PER_V * bias_V)
    other = sum(np.kron(a, s) for a, s in zip(second, pauli, strict=True)) / 2
    rest = [*jumps(0.5 * meets, 2e-6, 0.0), *jumps(0.5 * other, 1e-9, 0.0)]
    unit = 1e9
    hamiltonian = qutip.Qobj(junction.system.hamiltonian_meV() / HBAR_MEV_S / unit)
    operators = [qutip.Qobj(jump / np.sqrt(unit)) for jump in there + back + rest]
    rho = qutip.steadystate(hamiltonian, operators, method="svd").full()
    charge = sum(sign * np.trace(j @ rho @ j.conj().T).real for sign, js in ((1, there), (-1, back)) for j in js)
    return charge * ELEMENTARY_CHARGE_C, [np.trace(a @ rho).real for a in second]


@pytest.mark.parametrize("bias_V", [-6e-3, 7e-3])
def test_the_steady_state_is_that_of_qutip(bias_V):
    junction = coh((2e-4, 1e-4, 3e-4))
    found = spin_state(junction, np.array([bias_V]), "coherent")
    current, moment = by_qutip(junction, bias_V)
    assert found.current_A[0] == close(current, rel=1e-5)
    assert found.spins[0, 1] == pytest.approx(moment, abs=1e-5)
    secular = spin_state(junction, np.array([bias_V]), "secular")
    assert abs(secular.current_A[0] - current) > 1e-3 * abs(current)


def test_derivatives_are_those_of_the_current():
    junction, step = coh((1e-3, 0, 0)), 2e-6
    around = [junction.current(BIAS_V + k * step) for k in (-2, -1, 1, 2)]
    first = (around[0] - 8 * around[1] + 8 * around[2] - around[3]) / (12 * step)
    np.testing.assert_allclose(junction.conductance(BIAS_V), first, rtol=1e-6, atol=1e-6 * first.max())


def test_a_drive_is_answered_as_well():
    """At zero frequency by the static currents."""
    junction = coh((1e-3, 0, 0))
    found = stochastic_resonance(junction, np.array([0.0, 1e9]), offset_V=3e-3, amplitude_V=1e-3)
    voltages = 3e-3 + 1e-3 * np.cos(2 * np.pi * np.arange(64) / 64)
    slow = junction.current(voltages).mean() - junction.current(np.array([3e-3]))[0]
    assert found.signal_A[0] == close(slow, rel=1e-6)
    assert found.signal_A[1] != close(slow, rel=1e-2)


def test_moments_that_would_polarise_by_more_than_all_are_refused():
    system = SpinSystem((Spin(1, -4.2, 0.87), Spin(1, -2.0)), (Exchange.ising(0, 1, 0.01),), (1e-6, 0, 0))
    strong = replace(coh(), system=system, tip=Electrode(correlation=0.9, spin=1))
    with pytest.raises(PhysicsError, match=r"correlation = 0\.9: gives .* at most 1 is possible"):
        strong.current(BIAS_V)
