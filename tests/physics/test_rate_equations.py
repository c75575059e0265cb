"""Steady states and propagators of rate equations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from stmlab.errors import PhysicsError
from stmlab.physics.occupation import generator
from stmlab.physics.rate_equations import checked_generators, cycle_start, following, held_steps, settled_occupation


def random_generators(seed, count=3, states=4, decades=3.0):
    random = np.random.default_rng(seed)
    return generator(10.0 ** random.uniform(-decades, decades, (count, states, states)))


@given(seed=st.integers(0, 10**6), states=st.integers(2, 6), duration=st.sampled_from([1e-6, 1e-2, 1.0, 30.0]))
def test_held_steps_are_exact_exponentials_and_their_averages(seed, states, duration):
    generators = random_generators(seed, states=states, decades=1.0)
    changes, means = held_steps(generators, np.full(3, duration))
    for matrix, change, mean in zip(generators, changes, means, strict=True):
        twice = np.zeros((2 * states, 2 * states))  # Van Loan: the upper right block integrates the exponential
        twice[:states, :states], twice[:states, states:] = matrix * duration, np.eye(states)
        expected = expm(twice)
        assert change + np.eye(states) == pytest.approx(expected[:states, :states], abs=1e-10)
        assert mean == pytest.approx(expected[:states, states:], abs=1e-10)
        assert np.abs(mean.sum(axis=0) - 1).max() < 1e-12


def test_slow_rates_keep_their_digits_beside_fast_ones():
    """Two pairs of states that exchange at 1e11 /s, joined by 1 /s: after 1e-9 s a share of 5e-10 has passed."""
    rates = np.zeros((4, 4))
    rates[1, 0] = rates[0, 1] = rates[3, 2] = rates[2, 3] = 1e11
    rates[2, 0] = 1.0
    change, _ = held_steps(generator(rates)[None], np.array([1e-9]))
    assert change[0, 2:, 0].sum() == pytest.approx(5e-10 * (1 + 0.5e-2), rel=1e-4)
    assert settled_occupation(generator(rates)) == pytest.approx([0, 0, 0.5, 0.5], abs=1e-12)


@given(seed=st.integers(0, 10**6))
def test_steps_compose_like_their_exponentials(seed):
    first, second = random_generators(seed, count=2, decades=1.0)
    a, b = held_steps(np.stack([first, second]), np.array([0.1, 0.3]))[0]
    expected = expm(second * 0.3) @ expm(first * 0.1) - np.eye(4)
    assert following(b, a) == pytest.approx(expected, abs=1e-10)
    start = cycle_start(np.stack([a, b]))
    assert expm(second * 0.3) @ expm(first * 0.1) @ start == pytest.approx(start, abs=1e-10)


@given(seed=st.integers(0, 10**6), states=st.integers(2, 6))
def test_a_settled_occupation_does_not_change(seed, states):
    generators = random_generators(seed, states=states)
    occupations = settled_occupation(generators)
    assert occupations.sum(axis=1) == pytest.approx(1.0)
    inflow = np.einsum("vfi,vi->vf", np.maximum(generators, 0.0), occupations)
    outflow = -np.einsum("vii,vi->vi", generators, occupations)
    assert inflow == pytest.approx(outflow, rel=1e-11)


@given(order=st.permutations(range(4)))
def test_a_chain_that_ends_in_one_state_settles_there_in_any_order(order):
    rates = np.zeros((4, 4))
    for start, end in ((0, 1), (1, 2), (2, 3), (3, 2), (2, 1)):
        rates[order[end], order[start]] = 1.0 + start
    occupations = settled_occupation(generator(rates))
    assert occupations[order[0]] == 0.0
    assert occupations[order[3]] == pytest.approx(occupations[order[2]] * 3.0 / 4.0)


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
