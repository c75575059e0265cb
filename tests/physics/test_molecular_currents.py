"""Currents through two molecules, against other methods and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from stmlab.physics.constants import (
    CONDUCTANCE_QUANTUM_S,
    ELEMENTARY_CHARGE_C,
    HBAR_MEV_S,
    K_B_MEV_PER_K,
)
from stmlab.physics.molecular_currents import molecular_currents
from stmlab.physics.molecular_dimer import Dimer, Leads
from tests.approximately import close

GENERAL = Dimer(0.7, -0.3, 0.2, -0.4, 0.3, -0.1, 0.8, left_coupling_meV=0.3, right_coupling_meV=0.15)
EDGES = np.concatenate([-np.geomspace(12.0, 1e4, 40)[::-1], np.linspace(-10.0, 10.0, 801), np.geomspace(12.0, 1e4, 40)])
NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)
ENERGY = (EDGES[:-1, None] + np.diff(EDGES)[:, None] * (NODES + 1) / 2).ravel()
WEIGHT = (np.diff(EDGES)[:, None] * WEIGHTS / 2).ravel()


def transmission(dimer, spin):
    """Tr[Gamma_L G Gamma_R G+] with Green functions that are inverted as matrices."""
    value = {name: float(array) for name, array in dimer.arguments.items()}
    left, right = (
        value[f"{side}_coupling_meV"] * (1 + spin * value[f"{side}_polarisation"]) / 2 for side in ("left", "right")
    )
    first, second = (value[f"level_{k}_meV"] + spin * value[f"splitting_{k}_meV"] / 2 for k in (1, 2))
    hamiltonian = np.array(
        [[first - 0.5j * left, value["tunnelling_meV"]], [value["tunnelling_meV"], second - 0.5j * right]]
    )
    green = np.linalg.inv(ENERGY[:, None, None] * np.eye(2) - hamiltonian)
    gammas = np.diag([left, 0.0]), np.diag([0.0, right])
    return np.einsum("ij,ejk,kl,eil->e", gammas[0], green, gammas[1], green.conj()).real


def fermi(mu, temperature):
    return 0.5 - 0.5 * np.tanh((ENERGY - mu) / (2 * K_B_MEV_PER_K * temperature))


def landauer(dimer, mu, bias, left_K, right_K):
    """I_up and I_down in A, by quadrature."""
    window = fermi(mu + bias / 2, left_K) - fermi(mu - bias / 2, right_K)
    return 1e-3 * CONDUCTANCE_QUANTUM_S / 2 * np.array([WEIGHT @ (transmission(dimer, s) * window) for s in (1, -1)])


@pytest.mark.parametrize(
    ("mu", "bias", "difference"), [(-1.0, 2.0, 0.0), (0.3, -3.0, 5.0), (-2.0, 0.0, 10.0), (4.0, 0.1, 0.0)]
)
def test_currents_are_those_of_green_functions_by_quadrature(mu, bias, difference):
    found = molecular_currents(GENERAL, Leads(mu, bias, 2.0, difference))
    expected = landauer(GENERAL, mu, bias, 2.0, 2.0 + difference)
    np.testing.assert_allclose(found.spin_resolved_A, expected, rtol=1e-9)
    assert found.charge_A == close(expected.sum(), rel=1e-9)
    assert found.spin_A == close(expected[0] - expected[1], rel=1e-9)


def test_derivatives_are_those_of_the_current():
    at = {"chemical_potential_meV": -1.1, "bias_mV": 0.7, "left_temperature_K": 3.0, "temperature_difference_K": 2.0}
    step = 1e-3
    found = molecular_currents(GENERAL, Leads(**at, left_share=0.3))
    for name, per, derivative in (
        ("bias_mV", 1e3, found.conductance_S),
        ("temperature_difference_K", 1.0, found.thermal_A_per_K),
    ):
        above, below = (
            molecular_currents(GENERAL, Leads(**at | {name: at[name] + k * step}, left_share=0.3)).spin_resolved_A
            for k in (1, -1)
        )
        np.testing.assert_allclose(derivative, per * (above - below) / (2 * step), rtol=1e-6)


def test_nothing_flows_in_equilibrium():
    found = molecular_currents(GENERAL, Leads(np.linspace(-3.0, 3.0, 13)))
    assert np.abs(found.spin_resolved_A).max() < 1e-15 * CONDUCTANCE_QUANTUM_S


@pytest.mark.parametrize("detuning", [0.0, 0.4])
def test_a_large_bias_drives_the_current_of_two_levels_in_series(detuning):
    """e Tc^2 (GL + GR) / [(Tc^2 + GL GR / 4) (GL + GR)^2 / (GL GR) + detuning^2] / hbar for each spin."""
    left, right, tunnelling = 0.1, 0.06, 0.3
    dimer = Dimer(
        level_2_meV=detuning, tunnelling_meV=tunnelling, left_coupling_meV=2 * left, right_coupling_meV=2 * right
    )
    found = molecular_currents(dimer, Leads(0.0, 4000.0))
    total = left + right
    rate = tunnelling**2 * total / ((tunnelling**2 + left * right / 4) * total**2 / (left * right) + detuning**2)
    assert found.charge_A == close(2 * ELEMENTARY_CHARGE_C * rate / HBAR_MEV_S, rel=1e-6)


def test_a_cold_resonance_conducts_a_quantum_for_each_spin():
    """Equal couplings: T = 1 where the bonding level meets the chemical potential."""
    resonance = np.sqrt(1.0 - (1 / 12) ** 2 / 4)
    found = molecular_currents(Dimer(), Leads(resonance, 0.0, 1e-3))
    np.testing.assert_allclose(found.conductance_S, CONDUCTANCE_QUANTUM_S / 2, rtol=1e-4)


@pytest.mark.parametrize("mu", [-1.4, -0.6, 0.5])
def test_the_seebeck_coefficient_obeys_mott_at_low_temperature(mu):
    """S = -(pi^2/3) (k_B^2 T / e) d ln T / d mu."""
    temperature, step = 0.02, 1e-4
    found = molecular_currents(GENERAL, Leads(mu, 0.0, temperature))
    cold = [molecular_currents(GENERAL, Leads(mu + k * step, 0.0, 1e-3)).conductance_S.sum() for k in (1, -1)]
    slope = (np.log(cold[0]) - np.log(cold[1])) / (2 * step)
    mott = -(np.pi**2) / 3 * K_B_MEV_PER_K**2 * temperature * slope * 1e-3
    assert found.seebeck_V_per_K == close(mott, rel=2e-3)


def test_seebeck_is_the_mean_energy_of_the_carriers_over_temperature():
    """The heat current at zero temperature difference is S T I (Onsager); moments by quadrature."""
    mu, temperature = -0.7, 4.0
    kT = K_B_MEV_PER_K * temperature
    found = molecular_currents(GENERAL, Leads(mu, 0.0, temperature))
    weight = WEIGHT / (4 * kT) / np.cosh(np.clip((ENERGY - mu) / (2 * kT), -300, 300)) ** 2
    moments = np.array([[weight @ (transmission(GENERAL, s) * (ENERGY - mu) ** k) for s in (1, -1)] for k in (0, 1)])
    assert found.seebeck_V_per_K == close(-1e-3 * moments[1].sum() / moments[0].sum() / temperature, rel=1e-8)
    spin = -1e-3 * (moments[1, 0] - moments[1, 1]) / moments[0].sum() / temperature
    assert found.spin_seebeck_V_per_K == close(spin, rel=1e-8)


def test_the_open_circuit_voltage_of_a_small_temperature_difference_is_minus_s():
    from scipy.optimize import brentq

    difference = 1e-3
    mean = {"chemical_potential_meV": -0.7, "left_temperature_K": 4.0}
    seebeck = float(molecular_currents(GENERAL, Leads(**mean)).seebeck_V_per_K)
    leads = mean | {"temperature_difference_K": difference}

    def current(bias):
        return float(molecular_currents(GENERAL, Leads(**leads, bias_mV=bias)).charge_A)

    voltage = brentq(current, -1, 1, xtol=1e-14)
    assert -1e-3 * voltage / difference == close(seebeck, rel=1e-3)


def test_symmetries():
    mu = np.linspace(-2.0, 2.0, 9)
    found = molecular_currents(Dimer(0.6, 0.6), Leads(mu, 1.0))
    mirrored = molecular_currents(Dimer(-0.6, -0.6), Leads(mu, -1.0))
    np.testing.assert_allclose(mirrored.spin_resolved_A, -found.spin_resolved_A[::-1], rtol=1e-12)
    plain = molecular_currents(Dimer(), Leads(mu))
    np.testing.assert_allclose(plain.seebeck_V_per_K, -plain.seebeck_V_per_K[::-1], rtol=1e-9, atol=1e-15)
    assert np.abs(plain.spin_seebeck_V_per_K).max() < 1e-15


def test_a_half_metallic_lead_passes_one_spin_only():
    found = molecular_currents(Dimer(1.0, 0.0), Leads(-1.0, 2.0))
    assert found.spin_resolved_A[1] == 0.0
    assert found.spin_A == found.charge_A > 0


def test_shapes_broadcast():
    found = molecular_currents(Dimer(np.array([0.0, 0.5])[:, None]), Leads(np.array([0.0, 1.0, 2.0]), 1.0))
    assert found.charge_A.shape == (2, 3)
    alone = molecular_currents(Dimer(0.5), Leads(2.0, 1.0))
    assert found.charge_A[1, 2] == close(float(alone.charge_A), rel=1e-13)
