"""Occupations: the rate equation against linear algebra, across many orders of magnitude."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmlab.errors import PhysicsError
from stmlab.physics.occupation import RateEquation, drift, generator, groups, steady_occupation, thermal_occupation
from tests.approximately import close


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), states=st.integers(1, 7))
def test_the_steady_state_is_the_kernel_of_the_generator(seed, states):
    rates = np.random.default_rng(seed).exponential(size=(5, states, states))
    occupations = steady_occupation(rates)
    assert occupations.sum(axis=1) == pytest.approx(1, abs=1e-14)
    for matrix, occupation in zip(generator(rates), occupations, strict=True):
        assert matrix @ occupation == pytest.approx(0, abs=1e-13)
        assert matrix.sum(axis=0) == pytest.approx(0, abs=1e-13)


def test_a_grid_of_rates_has_a_grid_of_occupations():
    rates = np.random.default_rng(1).exponential(size=(2, 3, 4, 4))
    found = steady_occupation(rates)
    assert found.shape == (2, 3, 4)
    np.testing.assert_array_equal(found[1, 2], steady_occupation(rates[1, 2]))


def test_populations_of_1e_minus_300_are_exact():
    down, up = 1e10, 1e-50
    rates = np.zeros((7, 7))
    for state in range(6):
        rates[state + 1, state], rates[state, state + 1] = up, down
    assert steady_occupation(rates)[:6] == close((up / down) ** np.arange(6), rel=1e-13)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_response_inverts_the_drift(seed):
    random = np.random.default_rng(seed)
    rates = random.exponential(size=(5, 5, 3))
    source = random.normal(size=(5, 3))
    source -= source.mean(axis=0)
    equation = RateEquation(rates)
    answer = equation.response(source, equation.steady())
    assert drift(rates, answer) == pytest.approx(source, abs=1e-10)
    assert answer.sum(axis=0) == pytest.approx(0, abs=1e-10)


def test_two_sets_of_states_without_a_way_between_them_have_no_unique_steady_state():
    rates = np.zeros((4, 4))
    rates[0, 1] = rates[1, 0] = rates[2, 3] = rates[3, 2] = 1.0
    assert groups(rates > 0) == 2
    with pytest.raises(PhysicsError, match=r"steady state is not unique.*Bath"):
        steady_occupation(rates)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: steady_occupation(np.array([[0, -1.0], [1, 0]])), "rates = -1: rates of 0 or more"),
        (lambda: steady_occupation(np.array([[0, np.nan], [1, 0]])), "rates = nan"),
        (lambda: steady_occupation(np.ones((2, 3))), "rates = shape \\(2, 3\\)"),
        (lambda: thermal_occupation(np.arange(3.0), -1.0), "temperature_K = -1: a value above 0 K"),
        (lambda: thermal_occupation(np.arange(3.0), 0.0), "temperature_K = 0: a value above 0 K"),
    ],
)
def test_what_is_no_rate_equation_is_refused(call, message):
    with pytest.raises(PhysicsError, match=message):
        call()


def test_boltzmann():
    occupations = thermal_occupation(np.array([5.0, 5.08617333262]), 1.0)
    assert occupations[1] / occupations[0] == close(np.exp(-1), rel=1e-12)
