"""Steady states and propagators of rate equations."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from stmlab.errors import PhysicsError
from stmlab.physics.occupation import generator
from stmlab.physics.rate_equations import (
    checked_generators,
    cycle_start,
    held_steps,
    probabilities,
    settled_occupation,
    slowest_times,
)
from tests.approximately import close
from tests.physics import high_precision


def random_generators(seed, count=3, states=4, decades=3.0):
    random = np.random.default_rng(seed)
    return generator(10.0 ** random.uniform(-decades, decades, (count, states, states)))


@given(seed=st.integers(0, 10**6), states=st.integers(2, 6), duration=st.sampled_from([1e-6, 1e-2, 1.0, 30.0]))
def test_held_steps_are_exact_exponentials_and_their_averages(seed, states, duration):
    generators = random_generators(seed, states=states, decades=1.0)
    steps, means = held_steps(generators, np.full(3, duration))
    for matrix, step, mean in zip(generators, steps, means, strict=True):
        twice = np.zeros((2 * states, 2 * states))  # Van Loan: the upper right block integrates the exponential
        twice[:states, :states], twice[:states, states:] = matrix * duration, np.eye(states)
        expected = expm(twice)
        assert step == pytest.approx(expected[:states, :states], abs=1e-10)
        assert mean == pytest.approx(expected[:states, states:], abs=1e-10)
        assert np.abs(mean.sum(axis=0) - 1).max() < 1e-12


@pytest.mark.parametrize("slow", [1e-2, 1e-9, 1e-16])
@pytest.mark.parametrize("duration", [1e-3, 3.0, 1e4])
def test_every_element_of_a_held_step_keeps_its_digits(slow, duration):
    """A chain of four states with rates that differ by up to 1e16, against 70 digits, element by element."""
    rates = np.zeros((4, 4))
    rates[1, 0], rates[2, 1], rates[3, 2], rates[0, 1], rates[1, 2], rates[2, 3] = 1, slow, 2, 0.5, 3 * slow, 0.7
    step, mean = held_steps(generator(rates)[None], np.array([duration]))
    with mp.workdps(70):
        exact = mp.expm(high_precision.exact_generator(rates) * duration)
        for f in range(4):
            for i in range(4):
                assert step[0, f, i] == pytest.approx(float(exact[f, i]), rel=1e-12, abs=0)
    assert (mean >= 0).all()


def test_the_slowest_relaxation_is_found_far_below_the_fastest():
    """Two pairs of states that exchange at 1 /s, joined by 1e-30 /s both ways: 1/time is half of their sum."""
    rates = np.zeros((4, 4))
    rates[1, 0] = rates[0, 1] = rates[3, 2] = rates[2, 3] = 1.0
    rates[2, 0] = rates[0, 2] = 1e-30
    assert slowest_times(generator(rates)[None]) == close([0.25e30], rel=1e-12)


@given(seed=st.integers(0, 10**6))
def test_a_cycle_starts_where_it_ends(seed):
    first, second = random_generators(seed, count=2, decades=1.0)
    steps = held_steps(np.stack([first, second]), np.array([0.1, 0.3]))[0]
    start = cycle_start(steps)
    assert expm(second * 0.3) @ expm(first * 0.1) @ start == pytest.approx(start, abs=1e-10)
    assert probabilities(2 * steps) == close(steps)


@given(seed=st.integers(0, 10**6), states=st.integers(2, 6))
def test_a_settled_occupation_does_not_change(seed, states):
    generators = random_generators(seed, states=states)
    occupations = settled_occupation(generators)
    assert occupations.sum(axis=1) == close(1.0)
    inflow = np.einsum("vfi,vi->vf", np.maximum(generators, 0.0), occupations)
    outflow = -np.einsum("vii,vi->vi", generators, occupations)
    assert inflow == close(outflow, rel=1e-11)


@given(order=st.permutations(range(4)))
def test_a_chain_that_ends_in_one_state_settles_there_in_any_order(order):
    rates = np.zeros((4, 4))
    for start, end in ((0, 1), (1, 2), (2, 3), (3, 2), (2, 1)):
        rates[order[end], order[start]] = 1.0 + start
    occupations = settled_occupation(generator(rates))
    assert occupations[order[0]] == 0.0
    assert occupations[order[3]] == close(occupations[order[2]] * 3.0 / 4.0)


def test_two_separate_groups_of_states_have_no_unique_occupation():
    rates = np.zeros((4, 4))
    rates[1, 0] = rates[0, 1] = rates[3, 2] = rates[2, 3] = 1.0
    with pytest.raises(PhysicsError, match="not unique"):
        settled_occupation(generator(rates))


def test_generators_are_checked():
    with pytest.raises(PhysicsError, match=r"shape of W = \(2, 2\)"):
        checked_generators("W", np.zeros((2, 2)))
    with pytest.raises(PhysicsError, match=r"W = -0\.5: rates of 0 /s or more"):
        checked_generators("W", np.array([[[0.5, 1.0], [-0.5, -1.0]]]))
