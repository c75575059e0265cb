"""Third order: amplitudes summed electron by electron, the broadened logarithm, Kondo peaks, detailed balance."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import digamma
from scipy.special import polygamma as real_polygamma

from stmlab.errors import PhysicsError
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.broadening import windows
from stmlab.physics.constants import ELEMENTARY_CHARGE_C, K_B_MEV_PER_K
from stmlab.physics.logarithm import BroadenedLogarithm
from stmlab.physics.occupation import thermal_occupation
from stmlab.physics.operators import spin_matrices
from stmlab.physics.polygamma import polygamma
from stmlab.physics.spins import Exchange, Spin, SpinSystem
from stmlab.physics.transport import TunnelJunction, conductances, conductances_and_room
from tests.approximately import close

BIAS_V = np.linspace(-8e-3, 8e-3, 9)
KT = K_B_MEV_PER_K * 2.0
ENERGY = np.arange(-18.0, 18.0, 0.02)
PAULI = np.concatenate([np.eye(2)[None], 2 * spin_matrices(0.5)])


def correlated(order=3, coupling=-0.1, field=(0.5, 0.2, 3.0), **rest):
    system = SpinSystem((Spin(1, -4.2, 0.87), Spin(0.5)), (Exchange.heisenberg(0, 1, 1.1),), field)
    tip = Electrode(correlation=-0.5, spin=1)
    return TunnelJunction(system, 2.0, 3e-7, tip=tip, order=order, coupling=coupling, **rest)


@lru_cache
def once_broadened(bandwidth, broadening, pole):
    """L convolved with -f' on ENERGY, by brute force."""
    s = np.arange(-6.0, 6.0, 0.01)
    kernel = 1 / (4 * KT * np.cosh(s / (2 * KT)) ** 2) * 0.01
    x = ENERGY[:, None] - pole - s
    return np.log((bandwidth + np.abs(x)) / np.hypot(x, broadening)) @ kernel


def electron_by_electron(of, to_sample):
    """Channel rates in meV, shape (V, n, n), from second- and third-order amplitudes and the integral over energy."""
    eigensystem = of.system.eigensystem
    energies, states = eigensystem.energies_meV, eigensystem.states
    n = len(energies)
    spins = [
        states.conj().T @ of.system.operator({of.coupled_spin: matrix}) @ states
        for matrix in spin_matrices(of.system.spins[of.coupled_spin].size)
    ]
    # bath[f, i] is the 2x2 matrix on the electron's spin that scatters i -> f; tunnel has the potential part as well.
    bath = np.einsum("afi,ast->fist", np.array(spins), PAULI[1:]) / 2
    tunnel = bath + of.potential_scattering * np.einsum("fi,st->fist", np.eye(n), PAULI[0])

    def density(electrode):
        return np.linalg.eigh((PAULI[0] + np.einsum("a,aij->ij", np.array(electrode.polarisation), PAULI[1:])) / 2)

    (tip_weights, tip_states), (sample_weights, sample_states) = density(of.tip), density(of.sample)
    rates = np.zeros((len(BIAS_V), n, n))
    for f in range(n):
        for i in range(n):
            weight = np.zeros_like(ENERGY)
            for lt, t in zip(tip_weights, tip_states.T, strict=True):
                for ls, s in zip(sample_weights, sample_states.T, strict=True):
                    start, end = (t, s) if to_sample else (s, t)
                    direct = end.conj() @ tunnel[f, i] @ start
                    weight += 4 * lt * ls * abs(direct) ** 2
                    for lb, b in zip(sample_weights, sample_states.T, strict=True):
                        for m in range(n):
                            if to_sample:
                                particle = (s.conj() @ bath[f, m] @ b) * (b.conj() @ tunnel[m, i] @ t)
                                hole = (b.conj() @ tunnel[f, m] @ t) * (s.conj() @ bath[m, i] @ b)
                                poles = energies[m] - energies[i], energies[f] - energies[m]
                            else:
                                particle = (t.conj() @ tunnel[f, m] @ b) * (b.conj() @ bath[m, i] @ s)
                                hole = (b.conj() @ bath[f, m] @ s) * (t.conj() @ tunnel[m, i] @ b)
                                poles = energies[f] - energies[m], energies[m] - energies[i]
                            factor = 16 * of.coupling * lt * ls * lb
                            for sign, amplitude, pole in zip((1, -1), (particle, hole), poles, strict=True):
                                value = factor * sign * (direct.conj() * amplitude).real
                                if abs(value) > 1e-12:
                                    weight += value * once_broadened(
                                        of.bandwidth_meV, of.broadening_meV, round(pole, 12)
                                    )
            d = energies[f] - energies[i]
            for number, bias in enumerate(BIAS_V * 1e3 * (1 if to_sample else -1)):
                filled, empty = 1 / (np.exp((ENERGY - bias) / KT) + 1), 1 / (1 + np.exp((d - ENERGY) / KT))
                rates[number, f, i] = (weight * filled * empty).sum() * 0.02
    return rates


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_rates_and_currents_agree_with_amplitudes_summed_electron_by_electron(seed):
    random = np.random.default_rng(seed)
    system = SpinSystem((Spin(1, -3, 0.7, random.normal(2, 0.3, (3, 3))),), (), tuple(random.normal(size=3)))
    of = TunnelJunction(
        system,
        2.0,
        3e-7,
        tip=Electrode(tuple(random.uniform(-0.5, 0.5, 3))),
        sample=Electrode(tuple(random.uniform(-0.5, 0.5, 3))),
        baths=(Bath(0, 0.0),),
        potential_scattering=0.3,
        order=3,
        coupling=-0.06,
        broadening_meV=0.05,
    )
    there, back = electron_by_electron(of, True), electron_by_electron(of, False)
    rates = 3e-7 * (there + back) * 1e-3 / ELEMENTARY_CHARGE_C * (1 - np.eye(3))
    assert of.rates(BIAS_V) == pytest.approx(rates, rel=2e-5, abs=1e-8 * rates.max())
    currents = 3e-7 * (there - back).sum(axis=1) * 1e-3
    assert of.state_currents(BIAS_V) == pytest.approx(currents, rel=2e-5, abs=2e-6 * currents.max())


def test_the_kondo_peak_of_spin_one_half():
    of = TunnelJunction(SpinSystem((Spin(0.5),)), 1.0, 2.0, order=3, coupling=-0.05, occupation="thermal")
    # G12 = 2 normalises the second order to S(S+1) = 3/4; the logarithm's cut-off is the default 20 meV.
    assert of.conductance([0.0, 4e-3, -4e-3]) == pytest.approx([1.137, 0.884, 0.884], abs=5e-4)


def test_the_logarithm_at_its_pole():
    [value] = BroadenedLogarithm(K_B_MEV_PER_K, 200.0, 0.005).orders(np.array([0.0]), 0, 0)
    assert value[0] == pytest.approx(7.46, abs=5e-3)


@pytest.mark.parametrize("bandwidth", [20.0, 0.5])
@pytest.mark.parametrize("y", [0.0, 0.02, 0.5, 3.4, 3.5, 12.0])
def test_the_logarithm_is_broadened_by_both_fermi_edges(bandwidth, y):
    kT, broadening = K_B_MEV_PER_K, 0.005

    def integrand(x):
        kernel = windows(np.array([(y - x) / kT]), 2)[0][2][0] / kT
        return np.log((bandwidth + abs(x)) / np.hypot(x, broadening)) * kernel

    edges = np.unique(np.concatenate([np.linspace(y - 4, y + 4, 17), [0.0, y, -0.02, 0.02, -0.005, 0.005]]))
    edges = edges[(edges >= y - 4) & (edges <= y + 4)]
    exact = sum(quad(integrand, a, b, epsabs=1e-13)[0] for a, b in pairwise(edges))
    [value] = BroadenedLogarithm(kT, bandwidth, broadening).orders(np.array([y]), 0, 0)
    assert value[0] == pytest.approx(exact, abs=1e-11)


def test_the_orders_of_the_logarithm_are_derivatives_of_each_other():
    logarithm, y, h = BroadenedLogarithm(0.17, 20.0, 0.005), np.linspace(-12, 12, 49), 1e-4
    at, up, down = (logarithm.orders(y + shift, -1, 2) for shift in (0, h, -h))
    for order in range(3):
        assert at[order + 1] == pytest.approx((up[order] - down[order]) / (2 * h), abs=1e-5)


def test_the_logarithm_ends_where_its_powers_do():
    """A fit that runs away asks for it; warnings are errors."""
    logarithm = BroadenedLogarithm(0.17, 20.0, 0.005)
    far = np.array([0.17e18, -0.16e18])
    assert logarithm.orders(far, 0, 7)[0] == close([0.0, 0.0], abs=1e-9)
    for beyond in (0.18e18, np.inf, np.nan):
        with pytest.raises(PhysicsError, match=r"meV: up to 1e\+18 kT are allowed"):
            logarithm.orders(np.array([1.0, beyond]), 0, 0)


@settings(deadline=None)
@given(re=st.floats(0.5, 30), im=st.floats(-1000, 1000))
def test_digamma_of_complex_arguments(re, im):
    z = np.array([complex(re, im)])
    assert polygamma(z, 0)[0] == close(digamma(z), rel=1e-14, abs=1e-14)  # it crosses zero at 1.46


def test_polygammas_of_real_arguments():
    x = np.array([0.5, 1.0, 3.3, 20.0])
    _, first, second = polygamma(x + 0j, 2)
    assert first.real == close(real_polygamma(1, x), rel=1e-13)
    assert second.real == close(real_polygamma(2, x), rel=1e-13)


def test_derivatives_are_those_of_the_current_at_thresholds_too():
    of, h = correlated(), 1e-6
    thresholds = of.system.eigensystem.excitations_meV * 1e-3
    bias = np.concatenate([BIAS_V, thresholds, thresholds + 1.7e-5, thresholds + 1.8e-5])
    conductance = (of.current(bias + h) - of.current(bias - h)) / (2 * h)
    slope = (of.conductance(bias + h) - of.conductance(bias - h)) / (2 * h)
    assert of.conductance(bias) == close(conductance, rel=1e-5)
    assert of.conductance_slope(bias) == pytest.approx(slope, abs=1e-5 * np.abs(slope).max())


@settings(max_examples=10, deadline=None)
@given(field=st.tuples(*[st.floats(-5, 5)] * 3), state=st.sampled_from(["detailed", "average"]))
def test_the_exact_pole_keeps_detailed_balance(field, state):
    of = correlated(field=field, polarising_state=state, potential_scattering=0.2)
    assert abs(of.current(0.0)) <= 1e-13 * of.current(1e-3)
    boltzmann = thermal_occupation(of.system.eigensystem.energies_meV, 2.0)
    assert of.occupations([0.0])[0] == pytest.approx(boltzmann, rel=1e-8, abs=1e-15)


def test_the_published_pole_does_not():
    of = correlated(pole="ternes")
    assert abs(of.current(0.0)) > 1e-9 * of.current(1e-3)
    assert of.conductance(BIAS_V) == close(correlated().conductance(BIAS_V), rel=0.05)


def test_both_poles_coincide_where_all_states_do():
    free = SpinSystem((Spin(1.5),))
    exact = TunnelJunction(
        free, 1.0, 1e-7, tip=Electrode((0, 0, 0.4)), order=3, coupling=-0.1, potential_scattering=0.4
    )
    assert replace(exact, pole="ternes").conductance(BIAS_V) == close(exact.conductance(BIAS_V), rel=1e-12)


@pytest.mark.parametrize("occupation", ["steady", "thermal"])
@pytest.mark.parametrize("pole", ["exact", "ternes"])
def test_third_order_keeps_the_symmetries(occupation, pole):
    def spectrum(j, c, b):
        system = SpinSystem((Spin(1, -4.2, 0.87), Spin(0.5)), (Exchange.ising(0, 1, j),), (0, 0, b))
        tip = Electrode(correlation=c, spin=1)
        rest = {"order": 3, "coupling": -0.1, "occupation": occupation, "pole": pole}
        return TunnelJunction(system, 2.0, 3e-7, tip=tip, **rest).conductance(BIAS_V)

    assert spectrum(1.1, 0.4, 0) == close(spectrum(1.1, -0.4, 0)[::-1], rel=1e-12)
    assert spectrum(1.1, 0.4, 0) == close(spectrum(-1.1, -0.4, 0), rel=1e-12)
    assert spectrum(1.1, 0.4, 3) == close(spectrum(1.1, 0.4, -3), rel=1e-12)


def test_without_coupling_third_order_is_second_order():
    bias = np.linspace(-8e-3, 8e-3, 50)
    second, third = correlated(2, 0.0), correlated(3, 0.0)
    assert third.conductance_slope(bias) == pytest.approx(second.conductance_slope(bias), rel=1e-9, abs=1e-9)


def test_third_order_of_too_many_states_is_refused():
    many = SpinSystem((Spin(2),) * 3 + (Spin(0.5),), (), (0, 0, 1))
    with pytest.raises(PhysicsError, match="order = 3 with 250 states: third order is computed for at most 200"):
        TunnelJunction(many, 1.0, 1e-7, order=3, coupling=-0.1).current([0.0])


@pytest.mark.parametrize("coupling", [-0.05, -0.12, -0.3])
def test_third_order_is_refused_from_the_kondo_temperature_down(coupling):
    """k T_K = w0 exp(-1/|J rho|), up to the constant that thermal broadening gives the logarithm (1.58 - ln 2 pi)."""
    kondo_K = 20.0 / K_B_MEV_PER_K * np.exp(-1 / abs(coupling)) * np.exp(1 + np.euler_gamma) / (2 * np.pi)
    arguments = {"order": 3, "coupling": coupling, "broadening_meV": 0.0, "occupation": "thermal"}
    above = TunnelJunction(SpinSystem((Spin(0.5),)), 1.001 * kondo_K, 1e-7, **arguments)
    assert above.third_order_share == pytest.approx(1.0, abs=abs(coupling) * 2e-3)
    with pytest.raises(PhysicsError, match=f"coupling = {coupling:g}: .* the Kondo temperature, about "):
        TunnelJunction(SpinSystem((Spin(0.5),)), 0.999 * kondo_K, 1e-7, **arguments)


def test_a_strong_coupling_at_fifty_millikelvin_is_refused():
    with pytest.raises(PhysicsError, match=r"outside perturbation theory at 0\.05 K"):
        TunnelJunction(SpinSystem((Spin(1, -4.0),)), 0.05, 1e-7, order=3, coupling=-0.3)


def test_the_room_that_is_left_ends_where_a_negative_rate_is_refused():
    bias = np.linspace(-20e-3, 20e-3, 81)

    def junction(coupling):
        system = SpinSystem((Spin(1, -6.3, 0.6),))
        return TunnelJunction(system, 3.4, 1e-9, order=3, coupling=coupling, potential_scattering=0.14)

    def refused(coupling):
        try:
            return not conductances([junction(coupling)], bias).size
        except PhysicsError as error:
            return "makes a rate negative" in str(error)

    assert refused(-0.2)
    assert not refused(-0.1)
    edge = brentq(lambda coupling: float(conductances_and_room([junction(coupling)], bias)[1][0]), -0.2, -0.1)
    assert refused(edge * (1 + 1e-6))
    assert not refused(edge * (1 - 1e-6))
    both = [junction(-0.1), junction(edge * 1.01)]
    found, room = conductances_and_room(both, bias)
    np.testing.assert_array_equal(found[0], conductances(both[:1], bias)[0])
    assert room[0] > 0.0 > room[1]
    assert conductances_and_room([junction(-1e-6)], bias)[1] == close([1.0], rel=1e-3)
    assert conductances_and_room([replace(both[0], order=2, coupling=0.0)], bias)[1].tolist() == [1.0]


@pytest.mark.parametrize("temperature_K", [0.5, 2.0])
def test_a_ferromagnetic_coupling_is_refused_where_the_conductance_would_turn_negative(temperature_K):
    def free(coupling):
        return TunnelJunction(
            SpinSystem((Spin(0.5),)), temperature_K, 1e-7, order=3, coupling=coupling, occupation="thermal"
        )

    limit = 0.5 / (free(0.01).third_order_share / 0.01)
    left = free(0.98 * limit).conductance(np.zeros(1))[0] / free(0.0).conductance(np.zeros(1))[0]
    assert 0.0 < left < 0.03
    with pytest.raises(PhysicsError, match="conductance at zero bias would be negative"):
        free(1.001 * limit)


def test_negative_rates_are_refused():
    atom = TunnelJunction(SpinSystem((Spin(1.5, -2.0, 0.3),), (), (0, 0, 0.5)), 2.0, 1e-7, order=3, coupling=0.1)
    for of in (atom.current, atom.rates, atom.state_currents, atom.occupations):
        with pytest.raises(PhysicsError, match="third order makes a rate negative"):
            of(np.linspace(-12e-3, 12e-3, 25))


def polarised(coupling, tip_coupling, *, mirrored=False):
    """Different electrodes, each polarised; mirrored, tip and sample have changed places."""
    system = SpinSystem((Spin(1, -4.2, 0.87), Spin(0.5)), (Exchange.heisenberg(0, 1, 1.1),), (0.5, 0.2, 3.0))
    one, other = Electrode((0.1, 0.0, 0.2), -0.3, spin=1), Electrode((0.0, 0.3, -0.1))
    if mirrored:
        coupling, tip_coupling, one, other = tip_coupling, coupling, other, one
    return TunnelJunction(
        system, 2.0, 3e-7, tip=one, sample=other, order=3, coupling=coupling, tip_coupling=tip_coupling
    )


@pytest.mark.parametrize("couplings", [(0.0, -0.06), (-0.03, -0.05), (-0.04, 0.02)])
def test_scattering_in_the_tip_is_that_in_the_sample_seen_from_the_other_side(couplings):
    here, there = polarised(*couplings).current(BIAS_V), polarised(*couplings, mirrored=True).current(-BIAS_V)
    np.testing.assert_allclose(here, -there, atol=1e-12 * np.abs(here).max())
    assert np.abs(here - polarised(sum(couplings), 0.0).current(BIAS_V)).max() > 1e-5 * np.abs(here).max()


def test_scattering_in_both_electrodes_keeps_detailed_balance():
    of = replace(polarised(-0.04, -0.03), tip=Electrode(correlation=-0.4, spin=1), sample=Electrode())
    assert abs(of.current(np.zeros(1))[0]) < 1e-9 * np.abs(of.current(BIAS_V)).max()
    thermal = thermal_occupation(of.system.eigensystem.energies_meV, of.temperature_K)
    np.testing.assert_allclose(of.occupations(np.zeros(1))[0], thermal, atol=1e-9)


def test_both_electrodes_screen_the_spin_together():
    with pytest.raises(PhysicsError, match="Kondo temperature"):
        polarised(-0.13, -0.13)
    with pytest.raises(PhysicsError, match=r"tip_coupling = -0\.3"):
        polarised(0.2, -0.3)
    with pytest.raises(PhysicsError, match=r"tip_coupling = 0\.1: it acts in third order only"):
        TunnelJunction(SpinSystem((Spin(0.5),)), 2.0, 1e-7, tip_coupling=0.1)
