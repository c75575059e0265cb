"""Pulse trains and pump-probe."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import curve_fit

from stmlab.errors import PhysicsError
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.occupation import generator
from stmlab.physics.pulses import Pulse, PulseTrain, mean_pulsed_current, pulse_response, pump_probe_current
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.stochastic_resonance import static_current
from stmlab.physics.transport import TunnelJunction
from stmlab.physics.two_level import two_level_generators
from tests.approximately import close

FE = TunnelJunction(
    SpinSystem((Spin(2, -1.557, 0.248, 2.15),), (), (0, 0, -2)),
    temperature_K=2.4,
    conductance_S=0.05e-6,
    tip=Electrode((0, 0, 0.86)),
    baths=(Bath(0, 7.2e-6),),
    potential_scattering=0.76,
)
PUMP = Pulse(2e-9, 429e-12, -10e-3, 154e-12)
PROBE = Pulse(0.0, 429e-12, -2e-3, 154e-12)


class Switch:
    """Two states, smooth in the voltage, that relax at 1 /s without it."""

    def rates(self, bias_V):
        return two_level_generators(0.2 + np.asarray(bias_V) ** 2, np.ones(len(bias_V)))

    def state_currents(self, bias_V):
        return np.asarray(bias_V)[:, None] * np.array([1.0, 0.5])


def test_pump_probe_on_fe_decays_with_its_slow_rate():
    """T1 = 0.80 ns = 1/(slow rate at V = 0), to 0.1 % (printed 0.6 +- 0.1 ns)."""
    delays = np.linspace(1e-9, 6e-9, 11)
    currents = pump_probe_current(FE, PUMP, PROBE, delays, period_s=30e-9)
    signal = (currents - currents[-1]) * 1e15
    (_, _, lifetime), _ = curve_fit(
        lambda t, height, floor, time: height * np.exp(-t / time) + floor, delays * 1e9, signal, p0=[signal[0], 0, 1]
    )
    slow = np.sort(-np.linalg.eigvals(generator(FE.rates(np.zeros(1)))[0]).real)[1]
    assert lifetime == pytest.approx(0.797, abs=0.001)
    assert lifetime * 1e-9 == close(1 / slow, rel=1e-6)


class Counted:
    """The same states, which count at how many voltages they are asked for their rates."""

    def __init__(self, states):
        self.states, self.asked = states, 0

    def rates(self, bias_V):
        self.asked += len(bias_V)
        return self.states.rates(bias_V)

    def state_currents(self, bias_V):
        return self.states.state_currents(bias_V)


def test_delays_have_the_currents_of_each_by_itself_and_share_what_their_ramps_have_in_common():
    states, delays = Counted(FE), np.concatenate([np.linspace(-4e-9, 4e-9, 17), [1.1e-10, 4.29e-10]])
    together = pump_probe_current(states, PUMP, PROBE, delays, period_s=30e-9)
    asked, states.asked = states.asked, 0
    alone = [pump_probe_current(states, PUMP, PROBE, [delay], period_s=30e-9)[0] for delay in delays]
    np.testing.assert_allclose(together, alone, rtol=1e-10)
    assert asked < states.asked / 4


def test_what_trains_have_in_common_is_forgotten_when_it_is_too_much(monkeypatch):
    delays = np.linspace(-1e-9, 1e-9, 5)
    kept = pump_probe_current(FE, PUMP, PROBE, delays, period_s=30e-9)
    monkeypatch.setattr("stmlab.physics.pulse_panels._MOST_HELD", 100)
    states = Counted(FE)
    np.testing.assert_allclose(pump_probe_current(states, PUMP, PROBE, delays, period_s=30e-9), kept, rtol=1e-10)
    asked, states.asked = states.asked, 0
    for delay in delays:
        pump_probe_current(states, PUMP, PROBE, [delay], period_s=30e-9)
    assert states.asked == asked


def test_a_train_without_pulses_is_direct_current():
    train = PulseTrain(10e-9, (), -3e-3)
    assert mean_pulsed_current(FE, train) == close(static_current(FE, np.array([-3e-3]))[0], rel=1e-12)


def test_sharp_pulses_need_one_step_each():
    """Two exponentials that meet: period 3, voltage 1 for 1 s."""
    train = PulseTrain(3.0, (Pulse(0.5, 1.0, 1.0),))
    response = pulse_response(Switch(), train)
    assert len(response.times_s) == 3
    high, low = 1.2 / 2.2, 0.2 / 1.2
    kept_high, kept_low = np.exp(-2.2), np.exp(-2.4)
    end = (high * (1 - kept_high) + kept_high * low * (1 - kept_low)) / (1 - kept_high * kept_low)
    start = low + (end - low) * kept_low
    mean = high + (start - high) * (1 - kept_high) / 2.2
    assert response.occupations[1] == pytest.approx([1 - mean, mean], abs=1e-14)
    assert response.mean_current_A == pytest.approx((1 - 0.5 * mean) / 3.0, abs=1e-14)
    assert mean_pulsed_current(Switch(), train) == pytest.approx(response.mean_current_A, abs=1e-14)


def test_ramps_agree_with_lsoda():
    train = PulseTrain(4.0, (Pulse(0.7, 1.0, 1.5, 0.6), Pulse(2.2, 0.8, -1.0, 0.5)), base_V=0.1)
    corners = [0.0, *sorted(corner for pulse in train.pulses for corner in pulse.corners_s), 4.0]

    def slope(time, y):
        bias = train.at(np.array([time]))
        occupation = np.array([1 - y[0], y[0]])
        return [
            (generator(Switch().rates(bias))[0] @ occupation)[1],
            float(Switch().state_currents(bias)[0] @ occupation),
        ]

    def cycle(occupation):
        state = np.array([occupation, 0.0])
        for begin, end in pairwise(corners):
            state = solve_ivp(slope, (begin, end), state, method="LSODA", rtol=1e-11, atol=1e-13).y[:, -1]
        return state

    zero, one = cycle(0.0)[0], cycle(1.0)[0]
    charge = cycle(zero / (1 + zero - one))[1]
    assert mean_pulsed_current(Switch(), train, tolerance=1e-11) == close(charge / 4.0, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(shift=st.floats(-5.0, 5.0), start=st.floats(0.0, 4.0))
def test_the_mean_current_does_not_know_where_the_period_begins(shift, start):
    def train(offset):
        return PulseTrain(4.0, (Pulse(start + offset, 1.0, 1.5, 0.4), Pulse(1.0 + offset, 0.8, -1.0)), base_V=0.1)

    moved, still = (mean_pulsed_current(Switch(), train(offset), tolerance=1e-10) for offset in (shift, 0.0))
    assert moved == close(still, rel=1e-8)


def test_a_pulse_passes_half_its_height_at_its_edges():
    train = PulseTrain(10.0, (Pulse(2.0, 3.0, 4.0, 1.0), Pulse(9.5, 2.0, 1.0)), base_V=0.5)
    assert train.at(np.array([2.0, 3.5, 5.0, 0.25, 9.75])) == close([2.5, 4.5, 2.5, 1.5, 1.5])
    durations, starts, ends = train.pieces()
    assert durations.sum() == close(10.0)
    assert (durations * (starts + ends) / 2).sum() == close(0.5 * 10 + 3 * 4 + 2 * 1)


def test_pulses_that_cannot_be_are_refused():
    with pytest.raises(PhysicsError, match=r"rise_s = 2: at most width_s = 1 s"):
        Pulse(0.0, 1.0, 1.0, 2.0)
    with pytest.raises(PhysicsError, match="width_s = 0"):
        Pulse(0.0, 0.0, 1.0)
    with pytest.raises(PhysicsError, match="start_s = nan"):
        Pulse(np.nan, 1.0, 1.0)
    with pytest.raises(PhysicsError, match="amplitude_V = inf"):
        Pulse(0.0, 1.0, np.inf)
    with pytest.raises(PhysicsError, match=r"width_s \+ rise_s = 3: at most 2 s"):
        PulseTrain(2.0, (Pulse(0.0, 2.0, 1.0, 1.0),))
    with pytest.raises(PhysicsError, match="delays_s = nan"):
        pump_probe_current(FE, PUMP, PROBE, np.array([np.nan]), period_s=30e-9)
    with pytest.raises(PhysicsError, match="tolerance = 0"):
        mean_pulsed_current(FE, PulseTrain(1e-8, (PUMP,)), tolerance=0.0)
