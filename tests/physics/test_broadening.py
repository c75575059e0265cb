"""Thermal and lock-in broadening against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmlab.errors import PhysicsError
from stmlab.physics.broadening import modulated, thermal_step, windows
from stmlab.physics.constants import K_B_MEV_PER_K
from tests.approximately import close


@settings(deadline=None)
@given(x=st.floats(-60, 60))
def test_both_fermi_edges_make_zeta(x):
    energy = np.linspace(-100, 100, 40_001)
    filled, empty = 1 / (np.exp(energy) + 1), 1 / (1 + np.exp(x - energy))
    assert windows(np.array([x]))[0][0] == pytest.approx((filled * empty).sum() * 0.005, rel=1e-9, abs=1e-30)


@settings(deadline=None)
@given(x=st.floats(-30, 30))
def test_derivatives_of_zeta_follow_from_zeta(x):
    step = 1e-4
    (at, _), (up, _), (down, _) = (windows(np.array([v]), 2) for v in (x, x + step, x - step))
    assert at[1] == pytest.approx((up[0] - down[0]) / (2 * step), abs=1e-8)
    assert at[2] == pytest.approx((up[1] - down[1]) / (2 * step), abs=1e-8)


@settings(deadline=None)
@given(x=st.floats(-900, 900))
def test_zeta_keeps_detailed_balance_without_overflow(x):
    at_x, at_minus_x = windows(np.array([x]), 2)
    assert all(np.isfinite(values).all() for values in (*at_x, *at_minus_x))
    if abs(x) < 600:
        assert at_minus_x[0] == close(np.exp(x) * at_x[0], rel=1e-12)


def test_a_thermal_step_is_5_4_kT_wide_and_half_way_up_at_its_threshold():
    kT_V = K_B_MEV_PER_K * 4.2 / 1e3
    bias = 0.004 + kT_V * np.array([-1000, -1, 0, 1, 1000])
    x = np.array([1.0, -1.0])
    closed_form = (1 + (x - 1) * np.exp(x)) / (np.exp(x) - 1) ** 2
    step = thermal_step(bias, 4.0, 4.2)
    assert step[[1, 3]] == close(closed_form, rel=1e-12)
    assert step[[0, 2, 4]] == pytest.approx([0, 0.5, 1], abs=1e-12)
    fine = np.linspace(-10, 10, 20_001)
    slope = np.gradient(thermal_step(0.004 + kT_V * fine, 4.0, 4.2), fine)
    assert np.ptp(fine[slope > slope.max() / 2]) == pytest.approx(5.44, abs=0.02)


@pytest.mark.parametrize("amplitude_V", [1e-5, 2e-4, 5e-3])
def test_the_lock_in_reads_the_harmonics_of_the_current(amplitude_V):
    temperature, threshold = 1.4, 3.0
    kT = K_B_MEV_PER_K * temperature / 1e3
    bias = np.linspace(-2e-3, 8e-3, 23)

    def derivative(order):
        return lambda v: (-1 / kT) ** order * windows((threshold / 1e3 - v) / kT, 2)[0][order]

    phase = 2 * np.pi * (np.arange(4096) + 0.5) / 4096
    current = derivative(0)(bias[:, None] + amplitude_V * np.cos(phase))
    first = 2 * (current * np.cos(phase)).mean(axis=1) / amplitude_V
    second = 4 * 2 * (current * np.cos(2 * phase)).mean(axis=1) / amplitude_V**2
    tolerance = 1e-14 * current.max() / amplitude_V
    read = modulated(derivative(1), bias, amplitude_V, temperature)
    assert read == pytest.approx(first, rel=1e-11, abs=10 * tolerance)
    read = modulated(derivative(2), bias, amplitude_V, temperature, harmonic=2)
    assert read == pytest.approx(second, rel=1e-10, abs=100 * tolerance / amplitude_V)


def test_a_large_modulation_turns_a_step_into_the_integral_of_a_semicircle():
    amplitude = 5e-3
    u = np.array([-2, -0.9, -0.3, 0, 0.4, 0.8, 2])
    inside = np.clip(u, -1, 1)
    expected = 0.5 + (np.arcsin(inside) + inside * np.sqrt(1 - inside**2)) / np.pi
    read = modulated(lambda v: thermal_step(v, 10.0, 0.05), 0.01 + amplitude * u, amplitude, 0.05)
    assert read == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(2), -1e-3, 1.0, 1), "modulation_V = -0.001: 0 V or more"),
        ((np.zeros(2), np.nan, 1.0, 1), "modulation_V = nan"),
        ((np.array([np.inf]), 1e-3, 1.0, 1), "bias_V = inf"),
        ((np.zeros(2), 1e-3, 0.0, 1), "temperature_K = 0"),
        ((np.zeros(2), 1e-3, 1.0, 3), "harmonic = 3: 1 or 2"),
    ],
)
def test_a_modulation_that_is_none_is_refused(arguments, message):
    bias, amplitude, temperature, harmonic = arguments
    with pytest.raises(PhysicsError, match=message):
        modulated(np.cos, bias, amplitude, temperature, harmonic=harmonic)


@pytest.mark.parametrize("derivatives", [0, 1, 2])
def test_the_window_comes_with_the_derivatives_that_were_asked_for(derivatives: int) -> None:
    x = np.array([-3.0, 0.0, 0.1, 40.0])
    at_x, at_minus_x = windows(x, derivatives)
    assert len(at_x) == len(at_minus_x) == derivatives + 1
    for there, back in zip(at_x, windows(-x, derivatives)[1], strict=True):
        np.testing.assert_array_equal(there, back)
