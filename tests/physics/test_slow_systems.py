"""Systems whose slowest rate lies many decades below the fastest, against 70 digits: 1e-9 of the step of the signal."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest

from stmlab.errors import PhysicsError
from stmlab.physics import stochastic_resonance as resonance
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.driven import held_occupation, occupation_harmonics
from stmlab.physics.occupation import generator
from stmlab.physics.pulses import Pulse, PulseTrain, mean_pulsed_current, pulse_response
from stmlab.physics.rate_equations import slowest_times
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.stochastic_resonance import stochastic_resonance
from stmlab.physics.transport import TunnelJunction
from tests.physics import high_precision

OF_THE_STEP = 1e-9
SLOW_OVER_FAST = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14, 1e-16)


def sampled(cases):
    """The last of ``cases`` and every fourth one before it; the others are slow tests."""
    left_out = [k for k in range(len(cases)) if (len(cases) - 1 - k) % 4]
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=[pytest.mark.slow] * (k in left_out))
        for k, case in enumerate(cases)
    ]


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(high_precision.DIGITS):
        yield


class Linear:
    """Rates and currents linear in the voltage, from 1 V below to 1 V above zero.

    ``harmonics``: enough for 1e-12 of the step of the signal.
    """

    def __init__(self, rates, swing, seed=3, harmonics=16):
        random = np.random.default_rng(seed)
        self.constant, self.swing, self.harmonics = rates, swing, harmonics
        self.current, self.current_swing = random.uniform(0, 1, len(rates)), random.uniform(-0.3, 0.3, len(rates))

    def rates(self, bias_V):
        return self.constant + self.swing * np.asarray(bias_V)[:, None, None]

    def state_currents(self, bias_V):
        return self.current + self.current_swing * np.asarray(bias_V)[:, None]

    @cached_property
    def still(self):
        return high_precision.static_mean(self.constant, self.current)

    def exact_mean(self, frequency):
        linear = self.constant, self.swing, self.current, self.current_swing
        return high_precision.cosine_mean(*linear, frequency, self.harmonics)

    def exact(self, frequency):
        return self.exact_mean(frequency) - self.still


def double_well(slow):
    """Two wells of two states each, within which the states exchange at rates of order one."""
    rates = np.zeros((4, 4))
    rates[1, 0], rates[0, 1], rates[3, 2], rates[2, 3] = 0.3, 1.0, 0.2, 0.9
    rates[2, 0], rates[0, 2], rates[3, 1], rates[1, 3] = 0.5 * slow, 0.7 * slow, 2.0 * slow, 1.3 * slow
    return Linear(rates, rates * np.random.default_rng(1).uniform(-0.6, 0.6, (4, 4)))


def ladder(up):
    """Seven states in a row, the middle one on top: the slow rate is ``up`` cubed."""
    rates = np.zeros((7, 7))
    for low, high in pairwise(range(4)):
        rates[high, low], rates[low, high] = up, 1.0
        rates[6 - high, 6 - low], rates[6 - low, 6 - high] = 0.7 * up, 0.9
    return Linear(rates, rates * np.random.default_rng(2).uniform(-0.6, 0.6, (7, 7)))


def scattered(seed):
    """Rates anywhere within 16 decades, some of them missing."""
    random = np.random.default_rng(seed)
    states = int(random.integers(2, 7))
    rates = 10.0 ** random.uniform(-16, 0, (states, states))
    np.fill_diagonal(rates, 0.0)
    return Linear(rates, rates * random.uniform(-0.6, 0.6, (states, states)), seed)


def magnet(size, axial_meV, temperature_K):
    """Rates of a spin on an easy axis over its barrier, and their slopes by the voltage."""
    junction = TunnelJunction(
        SpinSystem((Spin(size, axial_meV),), (), (0, 0, -0.5)),
        temperature_K,
        5e-8,
        tip=Electrode((0, 0, 0.86)),
        baths=(Bath(0, 7.2e-6),),
        potential_scattering=0.76,
    )
    rates = junction.rates(np.array([-3e-3, -1.7e-3, -4.3e-3]))
    swing = np.clip((rates[1] - rates[2]) / 2, -0.7 * rates[0], 0.7 * rates[0])
    return Linear(rates[0], swing, harmonics=24)


def keeps_its_digits(states, count):
    """The signal from far below the slowest rate to beyond the fastest, its step, and its parts that follow the states.

    The signal also contains how the currents bend with the voltage, a difference of currents in double precision.
    """
    slow = 1.0 / float(slowest_times(generator(states.constant)[None])[0])
    frequencies = np.concatenate([[1e-4 * slow], np.geomspace(0.03 * slow, 10 * states.constant.max(), count)])
    found = stochastic_resonance(states, frequencies, offset_V=0.0, amplitude_V=1.0)
    exact = [states.exact(frequency) for frequency in frequencies]
    beyond = states.exact(1e9 * states.constant.max())
    step = float(states.exact(1e-9 * slow) - beyond)
    parts = found.homodyne_A + found.average_A + found.higher_A
    assert abs(found.step_A - step) <= OF_THE_STEP * abs(step)
    assert np.abs(parts - [float(one - beyond) for one in exact]).max() <= OF_THE_STEP * abs(step)
    return np.abs(found.signal_A - [float(one) for one in exact]).max() <= OF_THE_STEP * abs(step) + 1e-15


@pytest.mark.parametrize("slow", sampled(SLOW_OVER_FAST))
def test_a_double_well_keeps_its_digits_however_slow_it_is(slow):
    assert keeps_its_digits(double_well(slow), count=3)


@pytest.mark.parametrize("slow", sampled(SLOW_OVER_FAST[1::2]))
def test_a_ladder_over_a_barrier_keeps_its_digits(slow):
    assert keeps_its_digits(ladder(slow ** (1 / 3)), count=2)


@pytest.mark.parametrize("seed", sampled([1, 2, 3, 4, 6, 9, 10]))
def test_rates_scattered_over_sixteen_decades_keep_their_digits(seed):
    assert keeps_its_digits(scattered(seed), count=3)


@pytest.mark.parametrize(
    ("size", "axial_meV", "temperature_K"), sampled([(5, -0.4, 1.5), (4, -0.5, 1.5), (2, -1.5, 0.5)])
)
def test_molecular_magnets_keep_their_digits(size, axial_meV, temperature_K):
    assert keeps_its_digits(magnet(size, axial_meV, temperature_K), count=1)


@pytest.mark.slow
def test_rates_that_grow_exponentially_with_the_voltage():
    """Arrhenius rates over 14 decades; harmonics of any order are coupled."""
    random = np.random.default_rng(8)
    height, slope = random.uniform(-14, 0, (3, 3)), random.uniform(-0.8, 0.8, (3, 3))
    currents = random.uniform(0, 1, 3)

    class Arrhenius:
        def rates(self, bias_V):
            return 10.0**height * np.exp(slope * np.asarray(bias_V)[:, None, None])

        def state_currents(self, bias_V):
            return np.asarray(bias_V)[:, None] * 0.1 + currents

    states, times = Arrhenius(), 27
    bias = np.cos(2 * np.pi * np.arange(times) / times)
    still = high_precision.static_mean(states.rates(np.zeros(1))[0], states.state_currents(np.zeros(1))[0])
    slow = 1.0 / float(slowest_times(generator(states.rates(np.zeros(1))))[0])
    frequencies = slow * np.array([0.1, 3.0])
    found = stochastic_resonance(states, frequencies, offset_V=0.0, amplitude_V=1.0)
    for frequency, signal in zip(frequencies, found.signal_A, strict=True):
        exact = high_precision.sampled_mean(states.rates(bias), states.state_currents(bias), frequency) - still
        assert abs(signal - float(exact)) <= OF_THE_STEP * abs(found.step_A)


def test_harmonics_of_slow_occupations_are_right_from_samples_as_well():
    """As the simulated junction has them: sampled rates, no function of the voltage."""
    states = double_well(1e-14)
    bias = np.cos(2 * np.pi * np.arange(64) / 64)
    frequency = 1e-14
    harmonics = occupation_harmonics(generator(states.rates(bias)), np.array([frequency]))[0]
    middle = len(harmonics) // 2
    mean = (harmonics[middle] @ states.current + harmonics[middle + 1].real @ states.current_swing).real
    assert abs(mean - float(states.exact_mean(frequency))) < 1e-12


@pytest.mark.parametrize("slow", sampled(SLOW_OVER_FAST[::3]))
def test_pulses_on_a_slow_double_well_keep_their_digits(slow):
    """Mean currents at periods from a hundredth of the slow time to a hundred times it, edges sharp."""
    states = double_well(slow)
    means, exact = [], []
    for period in np.array([1e-4, 0.3, 100.0]) / slow:
        train = PulseTrain(period, (Pulse(0.1 * period, 0.2 * period, 0.9), Pulse(0.6 * period, 0.1 * period, -0.7)))
        durations, voltages, _ = train.pieces()
        rates, currents = states.rates(voltages), states.state_currents(voltages)
        exact.append(high_precision.held_mean(list(zip(rates, durations, strict=True)), currents))
        means.append(mean_pulsed_current(states, train))
    step = abs(float(exact[0] - exact[-1]))
    assert np.abs(np.array(means) - high_precision.as_doubles(exact)).max() <= OF_THE_STEP * step


@pytest.mark.slow
def test_pulses_with_ramps_keep_the_digits_of_a_small_signal():
    """A slow rate of 1e-3, ramps short and long against it; the reference is a Taylor series in time."""
    states, means, exact = double_well(1e-3), [], []
    for period in (3.0, 60.0):
        pulses = (
            Pulse(0.1 * period, 0.2 * period, 0.9, 0.1 * period),
            Pulse(0.6 * period, 0.1 * period, -0.7, 0.03 * period),
        )
        train = PulseTrain(period, pulses)
        durations, starts, ends = train.pieces()
        pieces = list(zip(starts, ends, durations, strict=True))
        exact.append(
            high_precision.ramped_mean(pieces, states.constant, states.swing, states.current, states.current_swing)
        )
        means.append(mean_pulsed_current(states, train))
    step = abs(float(exact[0] - exact[1]))
    assert np.abs(np.array(means) - high_precision.as_doubles(exact)).max() <= OF_THE_STEP * step


@pytest.mark.parametrize("slow", [1e-8, 1e-14])
def test_pulses_with_ramps_agree_with_steps_that_are_held(slow):
    states, period = double_well(slow), 3.0 / slow
    pulses = (
        Pulse(0.1 * period, 0.2 * period, 0.9, 0.1 * period),
        Pulse(0.6 * period, 0.1 * period, -0.7, 0.03 * period),
    )
    train = PulseTrain(period, pulses)
    row = []
    for steps in (8, 16, 32, 64, 128):
        new = [pulse_response(states, train, steps_per_ramp=steps).mean_current_A]
        for order, coarser in enumerate(row, start=1):
            new.append(new[-1] + (new[-1] - coarser) / (4.0**order - 1.0))
        row = new
    assert abs(mean_pulsed_current(states, train) - row[-1]) < 1e-12


def test_a_held_drive_on_a_slow_double_well_keeps_its_digits():
    states, frequency = double_well(1e-15), 1e-15
    bias = np.array([0.9, -0.2, -0.8])
    rates, currents = states.rates(bias), states.state_currents(bias)
    mean = (held_occupation(generator(rates), frequency) * currents).sum(axis=1).mean()
    pieces = [(one, 1 / (3 * mp.mpf(frequency))) for one in rates]
    assert abs(mean - float(high_precision.held_mean(pieces, currents))) < 1e-13


def test_no_drive_gives_no_step_however_slow_the_system_is():
    found = stochastic_resonance(double_well(1e-12), np.array([0.0, 1e-12]), offset_V=0.3, amplitude_V=0.0)
    assert [found.step_A, *found.signal_A] == pytest.approx([0.0, 0.0, 0.0], abs=1e-13)


def test_what_misses_its_limits_is_refused(monkeypatch):
    def spoiled(*arguments):
        found = periodic(*arguments)
        wrong = found.occupations * (1.0 + 1e-6 * np.arange(4))
        return dataclasses.replace(found, occupations=wrong / wrong.sum(axis=2, keepdims=True))

    periodic = resonance.periodic_states
    monkeypatch.setattr(resonance, "periodic_states", spoiled)
    with pytest.raises(PhysicsError, match="misses its limits"):
        stochastic_resonance(double_well(1e-12), np.array([1e-12]), offset_V=0.0, amplitude_V=1.0)


FE = TunnelJunction(
    SpinSystem((Spin(2, -1.557, 0.248, 2.15),), (), (0, 0, -2)),
    temperature_K=0.5,
    conductance_S=0.05e-6,
    tip=Electrode((0, 0, 0.86)),
    baths=(Bath(0, 7.2e-6),),
    potential_scattering=0.76,
)


@pytest.mark.parametrize(
    ("temperature_K", "amplitude_V"), [pytest.param(0.5, 50e-3, marks=pytest.mark.slow), (5e-3, 1.3e-3)]
)
def test_thresholds_that_are_sharp_within_the_drive(temperature_K, amplitude_V):
    """50 mV at 0.5 K, or 5 mK: rates change within a ten-thousandth of the period; beside the held drive."""
    states = dataclasses.replace(FE, temperature_K=temperature_K)
    frequencies = np.array([1e7, 1e9])
    found = stochastic_resonance(states, frequencies, offset_V=-5.5e-3, amplitude_V=amplitude_V)
    bias = -5.5e-3 + amplitude_V * np.cos(2 * np.pi * (np.arange(8192) + 0.5) / 8192)
    generators, currents = generator(states.rates(bias)), states.state_currents(bias)
    held = [(held_occupation(generators, f) * currents).sum(axis=1).mean() for f in frequencies]
    assert found.signal_A == pytest.approx(np.array(held) - found.direct_current_A, rel=0, abs=3e-6 * found.step_A)
