"""Driven rate equations against the exact integral, the one-period propagator, LSODA and their own limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from stmlab.errors import PhysicsError
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.driven import (
    FewerStates,
    adiabatic_occupation,
    fast_occupation,
    held_occupation,
    occupation_harmonics,
)
from stmlab.physics.occupation import generator
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.transport import TunnelJunction
from stmlab.physics.two_level import occupation_integral, two_level_generators
from tests.approximately import close

PHASE = 2 * np.pi * np.arange(64) / 64
FE = TunnelJunction(
    SpinSystem((Spin(2, -1.557, 0.248, 2.15),), (), (0, 0, -2)),
    temperature_K=0.5,
    conductance_S=0.05e-6,
    tip=Electrode((0, 0, 0.86)),
    baths=(Bath(0, 7.2e-6),),
    potential_scattering=0.76,
)


def fe_generators(samples=256, phase=0.0):
    angle = 2 * np.pi * np.arange(samples) / samples + phase
    return generator(FE.rates(-5.5e-3 + 1.3e-3 * np.cos(angle)))


def in_time(harmonics, samples):
    """Occupations at equally spaced times from Fourier coefficients -K ... K of shape (2K+1, n)."""
    order = np.arange(len(harmonics)) - len(harmonics) // 2
    return (np.exp(2j * np.pi * np.outer(np.arange(samples), order) / samples) @ harmonics).real


def average(harmonics):
    return harmonics[..., harmonics.shape[-2] // 2, :].real


def richardson(generators, frequency):
    """Mean occupation by the one-period propagator with 512, 1024, 2048 ... steps, extrapolated."""
    row = []
    for stride in (8, 4, 2, 1):
        new = [held_occupation(generators[::stride], frequency).mean(axis=0)]
        for order, coarser in enumerate(row, start=1):
            new.append(new[-1] + (new[-1] - coarser) / (4.0**order - 1.0))
        row = new
    return row[-1]


amplitudes = st.floats(-1.0, 1.0)


@settings(max_examples=25, deadline=None)
@given(
    cosines=st.tuples(amplitudes, amplitudes),
    sines=st.tuples(amplitudes, amplitudes),
    down=amplitudes,
    omega=st.floats(0.05, 20.0),
    rate=st.sampled_from([1e2, 1e6, 1e11]),
)
def test_two_states_agree_with_the_exact_integral(cosines, sines, down, omega, rate):
    shape = sum(cosines[k - 1] * np.cos(k * PHASE) + sines[k - 1] * np.sin(k * PHASE) for k in (1, 2))
    excitation = rate * np.exp(0.5 * shape)
    relaxation = rate * np.exp(0.5 * down * np.cos(PHASE - 1.0))
    frequency = omega * float((excitation + relaxation).mean()) / (2 * np.pi)
    exact = occupation_integral(excitation, relaxation, frequency)
    rates = two_level_generators(excitation, relaxation)
    harmonics = occupation_harmonics(rates, np.array([frequency]), tolerance=1e-13)[0, :, 1]
    middle = len(harmonics) // 2
    assert np.abs(harmonics[middle : middle + 2] - np.fft.fft(exact)[:2] / 64).max() < 1e-12
    assert np.abs(in_time(harmonics[:, None], 64)[:, 0] - exact).max() < 1e-10


def test_harmonic_balance_holds_order_by_order():
    """(i q Omega + 1) n_q + sum_{m != 0} B_m n_{q-m} = A_q with Fourier coefficients over the mean total rate."""
    up, down = 1.0 + 0.6 * np.cos(PHASE) + 0.3 * np.sin(2 * PHASE), 0.8 + 0.5 * np.cos(PHASE)
    gamma, omega = float((up + down).mean()), 0.7
    n = occupation_harmonics(two_level_generators(up, down), np.array([omega * gamma / 2 / np.pi]), tolerance=1e-14)
    n = n[0, :, 1]
    middle = len(n) // 2
    a, b = np.fft.fft(up) / 64 / gamma, np.fft.fft(up + down) / 64 / gamma
    for q in range(-3, 4):
        mixed = sum(b[m] * n[middle + q - m] for m in range(-3, 4) if m)
        assert (1j * q * omega + 1) * n[middle + q] + mixed == pytest.approx(a[q], abs=1e-14)


@pytest.mark.parametrize("frequency", [1e6, 2.4e8, 2e10])
def test_five_states_agree_with_the_propagator_of_one_period(frequency):
    harmonics = occupation_harmonics(fe_generators(), np.array([frequency]), tolerance=1e-12)
    assert richardson(fe_generators(2048), frequency) == pytest.approx(average(harmonics)[0], abs=1e-10)


def test_five_states_agree_with_lsoda():
    frequency = 1.5e9
    rates = fe_generators()
    harmonics = occupation_harmonics(rates, np.array([frequency]), tolerance=1e-12)[0]

    def slope(time, occupation):
        bias = -5.5e-3 + 1.3e-3 * np.cos(2 * np.pi * frequency * time)
        return generator(FE.rates(np.array([bias])))[0] @ occupation

    times = np.arange(8) / 8 / frequency
    solution = solve_ivp(
        slope, (0, times[-1]), in_time(harmonics, 8)[0], method="LSODA", t_eval=times, rtol=1e-9, atol=1e-12
    )
    assert np.abs(solution.y.T - in_time(harmonics, 8)).max() < 2e-8


def test_many_frequencies_at_once_are_the_same_as_one_by_one():
    frequencies = np.geomspace(1e6, 2e10, 12)
    together = occupation_harmonics(fe_generators(), frequencies)
    for frequency, harmonics in zip(frequencies, together, strict=True):
        alone = occupation_harmonics(fe_generators(), np.array([frequency]), tolerance=1e-11)
        assert average(harmonics) == pytest.approx(average(alone)[0], abs=1e-10)


def test_a_drive_without_symmetry_is_solved_as_well():
    angle = 2 * np.pi * np.arange(2048) / 2048
    rates = generator(FE.rates(-5.5e-3 + 1.3e-3 * np.cos(angle) + 0.5e-3 * np.sin(2 * angle + 0.3)))
    harmonics = occupation_harmonics(rates[::4], np.array([3e8, 1e9, 3e9, 1e10]))
    assert richardson(rates, 1e9) == pytest.approx(average(harmonics)[1], abs=1e-9)


def test_a_delayed_drive_gives_delayed_occupations():
    frequency = np.array([3e8, 5e8, 7e8, 9e8])
    prompt = in_time(occupation_harmonics(fe_generators(), frequency)[1], 256)
    delayed = in_time(occupation_harmonics(fe_generators(phase=-2 * np.pi * 32 / 256), frequency)[1], 256)
    assert delayed == pytest.approx(np.roll(prompt, 32, axis=0), abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), states=st.integers(2, 6), scale=st.sampled_from([1e-3, 1.0, 1e11]))
def test_occupations_are_probabilities_and_know_no_unit_of_time(seed, states, scale):
    random = np.random.default_rng(seed)
    weak = random.uniform(0.2, 3.0, (states, states))
    swing = random.uniform(-0.6, 0.6, (2, states, states))
    drive = swing[0] * np.cos(PHASE)[:, None, None] + swing[1] * np.sin(PHASE)[:, None, None]
    rates = generator(weak * np.exp(drive))
    frequencies = np.array([0.0, 0.1, 1.0, 30.0])
    harmonics = occupation_harmonics(rates, frequencies)
    assert average(harmonics).sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    for one in harmonics:
        occupations = in_time(one, 64)
        assert occupations.min() > 0.0
        assert occupations.sum(axis=1) == pytest.approx(1.0, abs=1e-11)
    scaled = occupation_harmonics(scale * rates, scale * frequencies)
    assert average(scaled) == pytest.approx(average(harmonics), abs=1e-9)


def test_slow_and_fast_drives_reach_their_limits():
    rates = fe_generators()
    slow, fast = occupation_harmonics(rates, np.array([0.0, 1e16]), tolerance=1e-12)
    assert average(slow) == pytest.approx(adiabatic_occupation(rates).mean(axis=0), abs=1e-12)
    assert in_time(slow, 256) == pytest.approx(adiabatic_occupation(rates), abs=1e-5)
    assert average(fast) == pytest.approx(fast_occupation(rates), abs=1e-12)


def test_rates_that_vanish_for_part_of_the_period_are_no_trouble():
    angle = 2 * np.pi * np.arange(2048) / 2048
    up = 1e9 * np.exp(-0.5 * ((angle - np.pi) / 0.2) ** 2)
    down = np.roll(up, 300)
    rates = two_level_generators(up, down)
    frequencies = np.array([3e7, 1e8, 3e8, 1e9])
    harmonics = occupation_harmonics(rates, frequencies)
    for frequency, mean in zip(frequencies, average(harmonics), strict=True):
        assert richardson(rates, frequency) == pytest.approx(mean, abs=2e-9)


def test_rates_that_span_six_decades_within_a_period_are_no_trouble():
    angle = 2 * np.pi * np.arange(2048) / 2048
    rates = two_level_generators(1e3 * np.exp(14 * np.cos(angle)), np.full(2048, 1e3))
    for frequency in (1e6, 1e8):
        harmonics = occupation_harmonics(rates, np.array([frequency]))
        assert richardson(rates, frequency) == pytest.approx(average(harmonics)[0], abs=1e-6)


def test_a_constant_drive_leaves_the_steady_state():
    harmonics = occupation_harmonics(two_level_generators([1.0], [3.0]), np.array([5.0]))
    assert average(harmonics)[0] == pytest.approx([0.75, 0.25], abs=1e-15)


def test_a_state_that_is_left_for_good_is_empty():
    harmonics = occupation_harmonics(two_level_generators([2.0, 2.0], [0.0, 0.0]), np.array([5.0]))
    assert average(harmonics)[0] == pytest.approx([0.0, 1.0], abs=1e-15)


def test_a_square_drive_is_exact_in_the_time_domain():
    """Half a period with rates (1, 3), half with (3, 1): n swings between two exponentials."""
    up, down, frequency = np.array([1.0, 3.0]), np.array([3.0, 1.0]), 2.0
    kept = np.exp(-4.0 / (2 * frequency))
    low = (0.25 + 0.75 * kept) / (1 + kept)  # n at the end of the first half, from n = 1 - low at its start
    mean_first = 0.25 + (1 - low - 0.25) * (1 - kept) / (4.0 / (2 * frequency))
    held = held_occupation(two_level_generators(up, down), frequency)
    assert held[:, 1] == pytest.approx([mean_first, 1 - mean_first], abs=1e-14)


def test_fewer_states_are_a_corner_of_all():
    bias = np.array([-3e-3, 4e-3])
    two = FewerStates(FE, 2)
    assert two.rates(bias) == close(FE.rates(bias)[:, :2, :2])
    assert two.state_currents(bias).shape == (2, 2)
    with pytest.raises(PhysicsError, match="count = 6"):
        FewerStates(FE, 6)


@pytest.mark.parametrize(
    ("generators", "frequencies", "message"),
    [
        (np.zeros((4, 2, 3)), [1.0], r"shape of generators = \(4, 2, 3\)"),
        (np.full((4, 2, 2), np.nan), [1.0], "generators = nan"),
        (np.ones((4, 2, 2)), [1.0], "column sum of generators = 2"),
        (two_level_generators([1.0], [1.0]) * -1, [1.0], "generators = -1: rates of 0 /s"),
        (np.zeros((4, 2, 2)), [1.0], "not unique"),
        (two_level_generators([1.0], [1.0]), [-1.0], "frequencies = -1: 0 Hz or more"),
        (two_level_generators([1.0], [1.0]), [np.inf], "frequencies = inf"),
        (two_level_generators([1.0], [1.0]), [], r"shape of frequencies = \(0,\)"),
    ],
)
def test_what_is_no_driven_rate_equation_is_refused(generators, frequencies, message):
    with pytest.raises(PhysicsError, match=message):
        occupation_harmonics(generators, np.array(frequencies))


def test_a_drive_that_harmonics_cannot_follow_is_refused_with_a_way_out():
    up = np.where(np.arange(32) < 16, 1.0, 1e-6)
    with pytest.raises(PhysicsError, match="held_occupation"):
        occupation_harmonics(two_level_generators(up, up[::-1]), np.array([0.01]))
    with pytest.raises(PhysicsError, match="tolerance = 0"):
        occupation_harmonics(two_level_generators([1.0], [1.0]), np.array([1.0]), tolerance=0.0)
    with pytest.raises(PhysicsError, match="frequency_Hz = 0"):
        held_occupation(two_level_generators([1.0], [1.0]), 0.0)
