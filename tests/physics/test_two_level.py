"""Closed forms of two driven states, and the reduction to them."""

from __future__ import annotations

import numpy as np
import pytest

from stmlab.errors import PhysicsError
from stmlab.physics.driven import occupation_harmonics
from stmlab.physics.occupation import generator
from stmlab.physics.rate_equations import settled_occupation
from stmlab.physics.two_level import (
    effective_two_level,
    occupation_integral,
    occupation_to_first_order,
    occupation_to_second_order,
    two_level_generators,
)
from tests.approximately import close

PHASE = 2 * np.pi * np.arange(32) / 32
FREQUENCIES = np.array([0.01, 0.1, 1.0])


def exact(up, down):
    harmonics = occupation_harmonics(two_level_generators(up, down), FREQUENCIES, tolerance=1e-14)[:, :, 1]
    return harmonics[:, harmonics.shape[1] // 2 :]


def test_first_order_is_exact_while_the_total_rate_is_constant():
    up = 1.0 + 0.5 * np.cos(PHASE) + 0.2 * np.sin(2 * PHASE)
    found = occupation_to_first_order(up, 2.5 - up, FREQUENCIES)[:, :4]
    assert found == close(exact(up, 2.5 - up)[:, :4], rel=1e-12, abs=1e-15)


def test_each_order_gains_one_power_of_the_modulation_of_the_total_rate():
    errors = {}
    for depth in (0.02, 0.01):
        up, down = depth * (1.5 + np.cos(PHASE)) + 0.3, 0.7 + 0.5 * depth * np.cos(PHASE + 0.4)
        reference = exact(up, down)[:, :3]
        for order, formula in ((1, occupation_to_first_order), (2, occupation_to_second_order)):
            errors[order, depth] = np.abs(formula(up, down, FREQUENCIES)[:, :3] - reference).max()
    assert errors[1, 0.02] / errors[1, 0.01] == close(2.0, rel=0.05)
    assert errors[2, 0.02] / errors[2, 0.01] == close(4.0, rel=0.05)
    assert errors[2, 0.01] < 0.02 * errors[1, 0.01]


def test_second_order_is_equation_s19_with_a_product_in_it():
    up, down, frequency = 1.0 + 0.5 * np.cos(PHASE), 0.8 + 0.3 * np.sin(PHASE), 0.2
    gamma = (up + down).mean()
    a, b, omega = np.fft.fft(up) / 32 / gamma, np.fft.fft(up + down) / 32 / gamma, 2 * np.pi * frequency / gamma

    def bracket(k, m):
        return (m + k + 1j / omega) / ((m + k) ** 2 * omega**2 + 1) - (k + 1j / omega) / (k**2 * omega**2 + 1)

    for q in (0, 1, 2):
        expected = a[q] * (1 - 1j * q * omega) / (q**2 * omega**2 + 1)
        expected += sum(a[q - m] * -b[m] / m * bracket(q - m, m) for m in (-1, 1))
        assert occupation_to_second_order(up, down, [frequency])[0, q] == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("modulation", [0.2, 0.6, 1.0, 1.4])
@pytest.mark.parametrize("omega", [0.1, 1.0, 10.0])
def test_the_exact_integral_solves_the_harmonic_balance(modulation, omega):
    up, down = 0.5 * modulation * (1 + np.cos(PHASE)), np.full(32, 1 - 0.5 * modulation)
    frequency = omega / (2 * np.pi)
    harmonics = occupation_harmonics(two_level_generators(up, down), np.array([frequency]), tolerance=1e-14)[0, :, 1]
    order = np.arange(len(harmonics)) - len(harmonics) // 2
    occupation = (np.exp(1j * np.outer(PHASE, order)) @ harmonics).real
    assert occupation_integral(up, down, frequency) == pytest.approx(occupation, abs=3e-14)


def chain(fast=1e6):
    """Two wells joined by a third state that is left at once, with a chance of 0.3 to reach the other one."""
    rates = np.zeros((1, 3, 3))
    rates[0, 1, 0], rates[0, 0, 1] = 0.1, 0.2
    rates[0, 2, 0], rates[0, 2, 1] = 1.0, 4.0
    rates[0, 0, 2], rates[0, 1, 2] = 0.7 * fast, 0.3 * fast
    return generator(rates)


def test_a_transient_state_counts_by_its_chance_to_reach_the_other_well():
    reduced, carried = effective_two_level(chain())
    assert reduced[0, 1, 0] == close(0.1 + 1.0 * 0.3)
    assert reduced[0, 0, 1] == close(0.2 + 4.0 * 0.7)
    assert reduced.sum(axis=1) == pytest.approx(0.0, abs=1e-12)
    assert carried[0, 2] == close([1e-6, 4e-6])


def test_the_reduced_wells_keep_the_steady_state():
    full = settled_occupation(chain(fast=10.0))[0]
    reduced, carried = effective_two_level(chain(fast=10.0))
    kept = carried[0] @ settled_occupation(reduced)[0]
    assert kept / kept.sum() == close(full)


def test_any_two_states_may_be_the_wells():
    swapped, _ = effective_two_level(chain(), (1, 0))
    assert swapped[0] == close(effective_two_level(chain())[0][0][::-1, ::-1])


@pytest.mark.parametrize("wells", [(0, 0), (0, 3), (-1, 0)])
def test_wells_that_do_not_exist_are_refused(wells):
    with pytest.raises(PhysicsError, match="wells = "):
        effective_two_level(chain(), wells)


def test_negative_rates_are_refused():
    with pytest.raises(PhysicsError, match="relaxation_per_s = -1: rates of 0 /s or more"):
        two_level_generators([1.0], [-1.0])
    with pytest.raises(PhysicsError, match="frequency_Hz = 0"):
        occupation_integral([1.0], [1.0], 0.0)


@pytest.mark.parametrize("times", [5, 8, 9, 64])
@pytest.mark.parametrize("formula", [occupation_to_first_order, occupation_to_second_order])
def test_as_many_harmonics_as_the_times_determine(times, formula):
    up = 1.0 + 0.3 * np.cos(2 * np.pi * np.arange(times) / times)
    assert formula(up, 2.5 - up, [0.1, 0.7]).shape == (2, (times + 1) // 2)
