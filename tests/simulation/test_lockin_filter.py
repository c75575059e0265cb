"""The lock-in's filter in time, against numerical integration and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp

from stmlab.lowpass import SLOPES, noise_bandwidth, settling_time
from stmlab.simulation.lockin_filter import STAGES, LowPassCascade, Tones, decay, noise_factor, steady_state
from tests.approximately import close

TAU = 0.03
STEADY = Tones(np.zeros(1), np.array([1.0 + 0j]))
MIXED = Tones(np.array([0.0, 691.0, -1382.0, 3.3]), np.array([0.7 - 0.2j, 0.3, 0.4j, 0.1 + 0.1j]))
turns = st.floats(1e-9, 1e3)


def quiet() -> LowPassCascade:
    return LowPassCascade(np.random.default_rng(0))


def integrated(tones: Tones, times: np.ndarray) -> np.ndarray:
    def slope(t: float, z: np.ndarray) -> np.ndarray:
        source = np.sum(tones.amplitudes * np.exp(2j * np.pi * tones.frequencies * t))
        return (np.concatenate([[source], z[:-1]]) - z) / TAU

    solution = solve_ivp(slope, (0, times[-1]), np.zeros(STAGES, complex), "DOP853", times, rtol=1e-10, atol=1e-12)
    return solution.y.T


def test_the_filter_follows_the_differential_equations_of_its_stages() -> None:
    times = np.array([0.001, 0.004, 0.03, 0.031, 0.2])
    cascade = quiet()
    found = [
        cascade.run(MIXED, 0.0, start, end - start, 1, TAU)[0]
        for start, end in zip(np.append(0, times), times, strict=False)
    ]
    assert np.allclose(found, integrated(MIXED, times), rtol=0, atol=1e-7)


def test_one_long_wait_is_the_same_as_many_short_ones() -> None:
    once, often = quiet(), quiet()
    once.run(MIXED, 0.0, 0.5, 0.2, 1, TAU)
    for k in range(20):
        often.run(MIXED, 0.0, 0.5 + 0.01 * k, 0.01, 1, TAU)
    assert [often.output(p) for p in (1, 2, 3, 4)] == pytest.approx([once.output(p) for p in (1, 2, 3, 4)], abs=1e-12)


def test_another_input_takes_the_place_of_the_first() -> None:
    cascade = quiet()
    for tones in (STEADY, MIXED, STEADY):
        found = cascade.run(tones, 0.0, 0.0, 60 * TAU, 1, TAU)
        assert np.allclose(found, steady_state(tones, np.array([60 * TAU]), TAU), rtol=0, atol=1e-12)


def test_one_call_of_many_intervals_ends_where_many_calls_do() -> None:
    at_once, one_by_one = quiet(), quiet()
    readings = at_once.run(MIXED, 0.0, 0.5, 0.01, 20, TAU)
    each = [one_by_one.run(MIXED, 0.0, 0.5 + 0.01 * k, 0.01, 1, TAU)[0] for k in range(20)]
    assert np.allclose(readings, each, rtol=0, atol=1e-12)
    assert [at_once.output(p) for p in (1, 2, 3, 4)] == list(readings[-1])
    assert np.allclose(
        at_once.run(MIXED, 0.0, 0.7, 0.01, 3, TAU), one_by_one.run(MIXED, 0.0, 0.7, 0.01, 3, TAU), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("slope", SLOPES)
def test_a_reading_after_one_time_constant_is_visibly_wrong_and_after_the_settling_time_right(slope: int) -> None:
    poles = SLOPES.index(slope) + 1
    early, settled = quiet(), quiet()
    early.run(STEADY, 0.0, 0.0, TAU, 1, TAU)
    settled.run(STEADY, 0.0, 0.0, settling_time(TAU, slope, 1e-3), 1, TAU)
    assert abs(early.output(poles)) < 0.64
    assert abs(settled.output(poles) - 1) == close(1e-3, rel=1e-6)


def test_a_change_of_slope_keeps_every_stage() -> None:
    cascade = quiet()
    cascade.run(STEADY, 0.0, 0.0, 50 * TAU, 1, TAU)
    assert [cascade.output(poles) for poles in (1, 2, 3, 4)] == close([1.0] * 4)


def test_ripple_falls_by_the_response_of_each_stage() -> None:
    tones = Tones(np.array([1382.0]), np.array([1.0 + 0j]))
    state = np.abs(steady_state(tones, np.array([0.123]), TAU)[0])
    response = 1 / math.hypot(1, 2 * math.pi * 1382.0 * TAU)
    assert state == close([response**stage for stage in (1, 2, 3, 4)])


@pytest.mark.parametrize("slope", SLOPES)
def test_the_noise_of_a_settled_output_has_the_filter_s_noise_bandwidth(slope: int) -> None:
    stage = SLOPES.index(slope)
    factor = noise_factor(1e4)
    variance = (factor @ factor.T)[stage, stage] / (2 * TAU)
    assert variance == close(noise_bandwidth(TAU, slope), rel=1e-12)


@given(st.floats(1e-3, 50))
def test_the_noise_covariance_is_the_integral_of_the_impulse_responses(x: float) -> None:
    factor = noise_factor(x)
    for j, k in ((1, 1), (1, 4), (3, 2), (4, 4)):

        def product(y: float, j: int = j, k: int = k) -> float:
            return y ** (j + k - 2) * math.exp(-2 * y) / (math.factorial(j - 1) * math.factorial(k - 1))

        expected, error = quad(product, 0, x, epsabs=0, epsrel=1e-10)
        assert (factor @ factor.T)[j - 1, k - 1] == pytest.approx(expected, rel=1e-8, abs=10 * error)


@given(turns, turns)
def test_noise_gathered_in_two_waits_equals_noise_gathered_in_one(first: float, second: float) -> None:
    def covariance(x: float) -> np.ndarray:
        factor: np.ndarray = noise_factor(x)
        return factor @ factor.T

    fade = decay(second)
    assert np.allclose(
        fade @ covariance(first) @ fade.T + covariance(second), covariance(first + second), rtol=1e-7, atol=0
    )


def test_drawn_noise_has_the_variance_and_the_correlation_of_the_filter() -> None:
    count, wait = 40_000, 0.5
    cascade = quiet()
    silence = Tones(np.zeros(1), np.zeros(1, dtype=complex))
    readings = cascade.run(silence, 2.0, 0.0, wait * TAU, count, TAU)[100:]
    factor = noise_factor(100.0)
    covariance = 4.0 / (2 * TAU) * factor @ factor.T
    for part in (readings.real, readings.imag):
        assert part.T @ part / len(part) == close(covariance, rel=0.1)
        assert part[1:].T @ part[:-1] / len(part) == close(decay(wait) @ covariance, rel=0.1)
    assert np.abs(readings.real.T @ readings.imag / len(readings)).max() < 0.03 * covariance.max()
