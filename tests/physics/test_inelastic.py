"""Rates of one Fe atom on Cu2N (Betz et al., supplement table 1, with C_ST = 0.050 uS)."""

from __future__ import annotations

import numpy as np
import pytest

from stmlab.errors import PhysicsError
from stmlab.physics.constants import ELEMENTARY_CHARGE_C, K_B_MEV_PER_K
from stmlab.physics.inelastic import inelastic_rates
from stmlab.physics.spins import Spin, SpinSystem

IRON = SpinSystem((Spin(2, -1.557, 0.248, 2.15),), (), (0, 0, -2))
ETA, POTENTIAL, C_ST, C_SS, TEMPERATURE_K = 0.86, 0.76, 0.05e-6, 7.2e-6, 0.5


def iron(bias_V, temperature_K=TEMPERATURE_K, polarisation=ETA):
    return inelastic_rates(
        IRON,
        np.asarray(bias_V),
        temperature_K=temperature_K,
        tunnel_conductance_S=C_ST,
        sample_conductance_S=C_SS,
        polarisation=(0, 0, polarisation),
        potential_scattering=POTENTIAL,
    )


def test_without_a_word_on_the_tip_it_is_not_polarised_and_nothing_passes_beside_the_spin():
    arguments = {"temperature_K": 0.5, "tunnel_conductance_S": C_ST, "sample_conductance_S": C_SS}
    bias, system = np.array([-7e-3, 0.0, 5e-3]), SpinSystem((Spin(1, -4.0, 0.5), Spin(0.5)), (), (2.0, 3.0, 5.0))
    silent = inelastic_rates(system, bias, **arguments)
    told = inelastic_rates(system, bias, **arguments, polarisation=(0, 0, 0), potential_scattering=0.0, coupled_spin=0)
    for axis in np.eye(3):
        assert not np.array_equal(inelastic_rates(system, bias, **arguments, polarisation=axis).rates, told.rates)
    np.testing.assert_array_equal(silent.rates, told.rates)
    np.testing.assert_array_equal(silent.currents, told.currents)


def as_written_by_betz(bias_V):
    """Rates and state currents from X_ts, X_st and X_ss, matrix element by matrix element."""
    eigensystem = IRON.eigensystem
    spin = eigensystem.spin_elements(0)
    raising, lowering, z = spin[0] + 1j * spin[1], spin[0] - 1j * spin[1], spin[2]
    elastic = POTENTIAL * np.eye(5)
    # (s', s) of the electron: up -> up, down -> down, down -> up, up -> down.
    amplitudes = {(1, 1): z / 2 + elastic, (-1, -1): elastic - z / 2, (1, -1): lowering / 2, (-1, 1): raising / 2}
    x_ts = sum((1 + ETA * s) * abs(m) ** 2 for (_, s), m in amplitudes.items())
    x_ss = sum(abs(m) ** 2 for m in amplitudes.values())
    kT = K_B_MEV_PER_K * TEMPERATURE_K
    e_fi = eigensystem.energies_meV[:, None] - eigensystem.energies_meV

    def zeta(x):
        x = np.where(np.abs(x) < 1e-9, 1e-9, x)
        return x / np.expm1(x / kT) * 1e-3

    rates, currents = [], []
    for v in np.asarray(bias_V) * 1e3:
        r_ts, r_st = C_ST * x_ts * zeta(e_fi - v), C_ST * x_ts.T * zeta(e_fi + v)
        total = (r_ts + r_st + C_SS * x_ss * zeta(e_fi)) / ELEMENTARY_CHARGE_C
        rates.append(total * (1 - np.eye(5)))
        currents.append((r_ts - r_st).sum(axis=0))
    return np.array(rates), np.array(currents)


def test_rates_and_currents_are_those_of_the_supplement():
    bias = np.array([-6.2e-3, -1e-3, 0.5e-3, 5.1e-3])
    rates, currents = as_written_by_betz(bias)
    table = iron(bias)
    assert table.rates == pytest.approx(rates, rel=1e-9, abs=1e-3)
    assert table.currents == pytest.approx(currents, rel=1e-9, abs=1e-20)
    assert table.energies_meV == pytest.approx([0, 0.993, 4.442, 6.011, 6.900], abs=5e-4)


def test_the_generators_conserve_probability():
    table = iron(np.linspace(-8e-3, 8e-3, 17))
    assert table.rates.shape == (17, 5, 5)
    assert table.currents.shape == (17, 5)
    assert table.generators.sum(axis=1) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("temperature_K", [0.5, 2.4])
def test_the_lifetime_at_zero_bias_is_0_80_ns(temperature_K):
    slow = np.sort(-np.linalg.eigvals(iron([0.0], temperature_K).generators[0]).real)[1]
    assert 1 / slow == pytest.approx(0.80e-9, abs=0.015e-9)
    assert 1.23e9 < slow < 1.29e9


def test_the_excited_state_conducts_0_255_uS_less():
    bias = np.linspace(-4e-3, 4e-3, 9)
    currents = iron(bias).currents
    slope = np.polyfit(bias, currents[:, 1] - currents[:, 0], 1)[0]
    assert slope == pytest.approx(-0.255e-6, abs=0.001e-6)


def test_the_printed_tunnel_conductance_would_be_ten_times_too_large():
    slow = [np.sort(-np.linalg.eigvals(w).real)[1] for w in iron([7e-3, 9e-3]).generators]
    slope = (slow[1] - slow[0]) / 2  # 1/s per mV, printed 0.36e9
    assert slope == pytest.approx(0.35e9, abs=0.01e9)


def test_rates_without_a_temperature_are_refused():
    with pytest.raises(PhysicsError, match=r"temperature_K = -0.5: a value above 0 K"):
        iron([0.0], -0.5)
