"""Curves bent by one parameter, side by side: the minima of scipy's search, one after the other."""

import numpy as np
from scipy.optimize import minimize_scalar

from stmlab.analysis.batch.one_bend import Normal, minimised
from tests.approximately import close

TIME = np.linspace(0.0, 4.0, 50)
LIMITS = (-3.0, 3.0)


def decays(count, noise, seed=1):
    random = np.random.default_rng(seed)
    logarithms = random.uniform(-1.0, 1.0, count)
    clean = random.uniform(0.5, 2.0, (count, 1)) * np.exp(-np.exp(logarithms[:, None]) * TIME)
    return logarithms, clean + noise * random.standard_normal(clean.shape)


def normal_of(y):
    """Of y = height exp(-t e^b), the height at its best."""

    def normal(bent, active):
        shape = np.exp(-np.exp(bent)[:, None] * TIME)
        height = (shape * y[active]).sum(axis=1) / (shape**2).sum(axis=1)
        slope = -height[:, None] * np.exp(bent)[:, None] * TIME * shape
        slope -= ((slope * shape).sum(axis=1) / (shape**2).sum(axis=1))[:, None] * shape
        left = y[active] - height[:, None] * shape
        return Normal((slope * left).sum(axis=1), (slope**2).sum(axis=1), (left**2).sum(axis=1), height[:, None])

    return normal


def squares_of(y):
    return ((y - y.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)


def test_minima_are_those_of_a_search_for_each():
    _, y = decays(40, 0.05)
    normal = normal_of(y)
    found = minimised(normal, np.zeros(40), squares_of(y), LIMITS, 48, 1e-6)
    assert not found.late.any()
    for k, value in enumerate(found.at):
        here = np.array([k])
        search = minimize_scalar(
            lambda b, here=here: normal(np.array([b]), here).squares[0],
            bounds=(value - 0.5, value + 0.5),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert value == close(search.x, rel=1e-4)


def test_perfect_curves_are_found_to_rounding():
    truth, y = decays(20, 0.0)
    found = minimised(normal_of(y), np.zeros(20), squares_of(y), LIMITS, 48, 1e-4)
    assert not found.late.any()
    np.testing.assert_allclose(found.at, truth, atol=1e-10)


def test_a_step_that_is_short_by_the_same_factor_each_time_is_lengthened():
    """A quarter of each step of Gauss and Newton: without the change of the steps it would take dozens of rounds."""
    _, y = decays(20, 0.05)
    normal, rounds = normal_of(y), []

    def short(bent, active):
        rounds.append(bent.size)
        whole = normal(bent, active)
        return Normal(whole.gradient / 4, whole.information, whole.squares, whole.linear)

    found = minimised(short, np.zeros(20), squares_of(y), LIMITS, 48, 1e-4)
    assert not found.late.any()
    assert len(rounds) < 16
    whole = minimised(normal, np.zeros(20), squares_of(y), LIMITS, 48, 1e-4)
    np.testing.assert_allclose(found.at, whole.at, atol=1e-4)


def test_a_minimum_beyond_the_limits_is_left_at_them():
    y = np.exp(-50.0 * TIME)[None]
    found = minimised(normal_of(y), np.zeros(1), squares_of(y), (-3.0, 0.5), 48, 1e-4)
    assert found.at.tolist() == [0.5]
