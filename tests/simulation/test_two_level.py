"""The two-level junction, against closed forms of Betz et al. and direct integration."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from stmlab.errors import PhysicsError
from stmlab.simulation.junctions import Drive
from stmlab.simulation.junctions.two_level import TwoLevel
from tests.approximately import close

RATE = 1.0e9
CONSTANT = TwoLevel(
    0.4e-6,
    -0.2e-6,
    excitation_rate_per_s=0.3 * RATE,
    relaxation_rate_per_s=0.7 * RATE,
    rectification_A_per_V2=2e-6,
    excitation_slope_per_s_V=40e9,
    relaxation_slope_per_s_V=-40e9,
)
STRONG = TwoLevel(
    0.4e-6,
    -0.2e-6,
    excitation_rate_per_s=0.05 * RATE,
    relaxation_rate_per_s=0.6 * RATE,
    excitation_slope_per_s_V=5e9,
    threshold_V=4.4e-3,
    excitation_slope_beyond_per_s_V=360e9,
    relaxation_slope_beyond_per_s_V=50e9,
    pumping_saturation_V=8e-3,
)


SMOOTH = replace(STRONG, threshold_V=math.inf, excitation_slope_per_s_V=8e9, relaxation_slope_per_s_V=60e9)
EXACT = {"method": "DOP853", "rtol": 1e-9, "atol": 1e-11}


def tone(frequency: float, v_dc: float, v_ac: float, *, samples: int = 64, smooth: bool = True) -> Drive:
    phase = 2 * np.pi * np.arange(samples) / samples
    return Drive(frequency, v_dc + v_ac * np.cos(phase), smooth)


def integrated_current(junction: TwoLevel, drive: Drive) -> float:
    """Mean current over one period, after the transients have died, by a general-purpose integrator."""
    v_dc, v_ac = drive.voltage.mean(), drive.voltage[0] - drive.voltage.mean()

    def slope(t: float, y: np.ndarray) -> list[float]:
        v = v_dc + v_ac * math.cos(2 * math.pi * drive.frequency * t)
        (up,), (down,) = (rate.tolist() for rate in junction.rates(np.array([v])))
        conductance = junction.ground_conductance_S + junction.conductance_difference_S * y[0]
        return [up - (up + down) * y[0], v * conductance * 1e15]

    period = 1 / drive.frequency
    before = solve_ivp(slope, (0, max(20 / RATE, period)), [0.3, 0], **EXACT, max_step=period / 6)
    start = math.ceil(before.t[-1] / period) * period
    to_start = solve_ivp(slope, (before.t[-1], start), before.y[:, -1], **EXACT)
    after = solve_ivp(slope, (start, start + period), [to_start.y[0, -1], 0], **EXACT, max_step=period / 6)
    return float(after.y[1, -1]) * 1e-15 / period


@pytest.mark.parametrize("omega", [1e-3, 0.1, 1.0, 7.0, 1e3])
def test_constant_total_rate_gives_the_exact_lorentzian(omega: float) -> None:
    """Betz et al., eqs. 1 and S10: with a_1 half the cosine amplitude of Gamma_+, I_SR = Delta sigma V_ac a_1/Gamma."""
    v_dc, v_ac = 4e-3, 2.8e-3
    current = CONSTANT.mean_current(tone(omega * RATE / (2 * math.pi), v_dc, v_ac), 1.0)
    half_amplitude = 40e9 * v_ac / 2
    step = -0.2e-6 * v_ac * half_amplitude / RATE / (1 + omega**2)
    occupation = (0.3 * RATE + 40e9 * v_dc) / RATE
    background = v_dc * (0.4e-6 - 0.2e-6 * occupation) + 2e-6 * (v_dc**2 + v_ac**2 / 2)
    assert current == close(background + step, rel=1e-10)


@pytest.mark.parametrize("junction", [SMOOTH, STRONG], ids=["smooth rates", "rates with a threshold"])
@pytest.mark.parametrize("frequency", [3e6, 1.6e8, 2e9])
def test_strong_modulation_agrees_with_direct_integration(junction: TwoLevel, frequency: float) -> None:
    drive = tone(frequency, 3e-3, 4e-3)
    assert junction.mean_current(drive, 1.0) == close(integrated_current(junction, drive), rel=1e-6)


@pytest.mark.parametrize("frequency", [1e3, 3e7, 1.6e8, 2e9, 1e13])
def test_harmonic_balance_and_steps_in_time_agree(frequency: float) -> None:
    smooth = SMOOTH.mean_current(tone(frequency, 3e-3, 4e-3), 1.0)
    steps = SMOOTH.mean_current(tone(frequency, 3e-3, 4e-3, samples=16384, smooth=False), 1.0)
    assert steps == close(smooth, rel=1e-6)


def test_a_slow_drive_sees_the_static_current_at_each_moment() -> None:
    for junction in (SMOOTH, STRONG):
        static = junction.static_current(tone(1.0, 3e-3, 4e-3, samples=8192).voltage, 1.0).mean()
        assert junction.mean_current(tone(1.0, 3e-3, 4e-3), 1.0) == close(static, rel=1e-9)


def test_a_fast_drive_sees_the_occupation_of_the_averaged_rates() -> None:
    for junction, accuracy in ((SMOOTH, 1e-12), (STRONG, 1e-7)):  # a kink of the rates is met to one part in 8192**2
        excitation, relaxation = junction.rates(tone(1e15, 3e-3, 4e-3, samples=65536).voltage)
        occupation = excitation.mean() / (excitation + relaxation).mean()
        current = junction.mean_current(tone(1e15, 3e-3, 4e-3), 1.0)
        assert current == close(3e-3 * (0.4e-6 - 0.2e-6 * occupation), rel=accuracy)


def test_the_occupation_decays_between_pulses() -> None:
    """A pulse of high excitation, then silence: two exponentials joined, in closed form."""
    samples, period, high = 1000, 10e-9, 100
    voltage = np.where(np.arange(samples) < high, 10e-3, 1e-3)
    up, down = STRONG.rates(np.array([10e-3, 1e-3]))
    total, goal = up + down, up / (up + down)
    times = period * np.array([high, samples - high]) / samples
    kept = np.exp(-total * times)
    start = (goal[1] * (1 - kept[1]) + kept[1] * goal[0] * (1 - kept[0])) / (1 - kept[0] * kept[1])
    middle = goal[0] + (start - goal[0]) * kept[0]
    mean = goal * times + (np.array([start, middle]) - goal) * (1 - kept) / total
    expected = np.sum(np.array([10e-3, 1e-3]) * (0.4e-6 * times - 0.2e-6 * mean)) / period
    current = STRONG.mean_current(Drive(1 / period, voltage, smooth=False), 1.0)
    assert current == close(expected, rel=1e-10)


@given(st.floats(-0.05, 0.05), st.floats(0, 0.02), st.floats(3, 12), st.floats(0.01, 100))
def test_the_current_is_that_of_an_occupation_between_zero_and_one(
    v_dc: float, v_ac: float, decade: float, scale: float
) -> None:
    drive = tone(10**decade, v_dc, v_ac, samples=256, smooth=False)
    current = STRONG.mean_current(drive, scale) / scale
    ends = [(drive.voltage * sigma).mean() for sigma in (0.4e-6, 0.2e-6)]
    swing = 0.2e-6 * np.abs(drive.voltage).mean()
    assert min(ends) - swing <= current <= max(ends) + swing
    assert current == close(STRONG.mean_current(drive, 1.0), rel=1e-12, abs=1e-30)


def test_the_true_rate_is_the_time_average_of_both_rates() -> None:
    uneven = replace(CONSTANT, relaxation_slope_per_s_V=-30e9)
    assert uneven.true_values(4e-3, 2.8e-3)["rate_per_s"] == close(RATE + 10e9 * 4e-3)
    phase = np.linspace(0, 2 * np.pi, 100_001)[:-1]
    excitation, relaxation = STRONG.rates(3e-3 + 4e-3 * np.cos(phase))
    assert STRONG.true_values(3e-3, 4e-3)["rate_per_s"] == close((excitation + relaxation).mean(), rel=1e-6)


def test_the_pumped_part_levels_off_and_keeps_rates_positive_at_any_bias() -> None:
    levelled = replace(CONSTANT, pumping_saturation_V=7e-3)
    excitation, relaxation = levelled.rates(np.linspace(-10, 10, 1001))
    assert excitation.min() == close(0.3 * RATE - 40e9 * 7e-3)
    assert relaxation.max() == close(0.7 * RATE + 40e9 * 7e-3)


def test_a_negative_rate_is_refused_with_the_voltage() -> None:
    with pytest.raises(PhysicsError, match=r"excitation rate = -1e\+08 /s at -0.01 V"):
        CONSTANT.rates(np.array([0.0, -0.01]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ground_conductance_S", 0.0),
        ("ground_conductance_S", math.nan),
        ("conductance_difference_S", -0.5e-6),
        ("excitation_rate_per_s", -1.0),
        ("relaxation_slope_per_s_V", math.inf),
        ("pumping_saturation_V", 0.0),
        ("threshold_V", math.nan),
    ],
)
def test_parameters_without_meaning_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(PhysicsError, match=f"^{name} = "):
        replace(CONSTANT, **{name: value})
