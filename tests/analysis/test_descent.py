"""Least squares within bounds: problems whose answers are known, and those that have none."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from stmlab.analysis.descent import descend
from stmlab.analysis.descent_step import Place, Slopes
from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.marquardt import least_squares
from stmlab.physics.stochastic_resonance import line_shape
from tests.approximately import close

FREE = np.full(3, np.inf)
TIME = np.linspace(0, 4, 60)


def decay(at):
    """Amplitude, logarithm of the rate, offset."""
    return at[0] * np.exp(-np.exp(at[1]) * TIME) + at[2]


def slopes(at):
    fall = np.exp(-np.exp(at[1]) * TIME)
    return np.column_stack([fall, -at[0] * np.exp(at[1]) * TIME * fall, np.ones_like(TIME)])


def descended(data, *, low=-FREE, high=FREE, reach=FREE, place=None, columns=slopes, start=(1.0, 0.0, 0.0), most=60):
    def within(at):
        at = np.clip(at, low, high)
        return Place(at, decay(at) - data)

    return descend(
        place or within, lambda at: Slopes(columns(at)), np.array(start), (low, high), reach, tolerance=1e-12, most=most
    )


def test_parameters_are_those_of_the_normal_equations():
    truth = np.array([2.0, 0.3, -0.5])
    data = decay(truth) + 0.01 * np.random.default_rng(1).standard_normal(TIME.size)
    found = descended(data)
    assert found.converged
    jacobian = slopes(found.parameters)
    assert np.abs(jacobian.T @ found.residuals).max() < 1e-6
    np.testing.assert_allclose(found.slopes, jacobian, rtol=1e-3)


def test_a_parameter_at_its_bound_does_not_hold_up_the_others():
    data = decay(np.array([2.0, 1.0, -0.5]))
    high = np.array([np.inf, 0.5, np.inf])
    found = descended(data, high=high)
    assert found.converged
    assert found.steps < 12
    assert found.parameters[1] == 0.5
    fall = np.column_stack([np.exp(-np.exp(0.5) * TIME), np.ones_like(TIME)])
    np.testing.assert_allclose(found.parameters[[0, 2]], np.linalg.lstsq(fall, data)[0], rtol=1e-6)


def test_a_parameter_without_effect_stays():
    data = decay(np.array([2.0, 0.3, -0.5])) + 1e-9 * np.random.default_rng(1).standard_normal(TIME.size)

    def blind(at):
        return slopes(at) * [1.0, 0.0, 1.0]

    found = descended(data, columns=blind, start=(1.0, 0.3, 0.0))
    assert found.converged
    assert found.parameters == close([2.0, 0.3, -0.5], rel=1e-7)


def test_a_minimum_beyond_what_the_model_is_defined_for_ends_soon_and_says_so():
    data = decay(np.array([2.0, 1.0, -0.5]))

    def undefined_beyond(at):
        return Place(at, decay(at) - data) if at[1] + 0.2 * at[0] < 0.8 else None

    found = descended(data, place=undefined_beyond)
    assert not found.converged
    assert found.steps < 30
    assert descended(data, place=undefined_beyond, start=(5.0, 1.0, 0.0)) is None


def test_no_parameter_goes_farther_in_a_step_than_it_may():
    data = decay(np.array([2.0, 2.0, -0.5]))
    reach = np.array([np.inf, 0.25, np.inf])
    found = descended(data, reach=reach, most=3)
    assert 0 < abs(found.parameters[1]) <= 0.75 + 1e-12
    assert descended(data, reach=reach).parameters == close([2.0, 2.0, -0.5], rel=1e-6)


@pytest.mark.parametrize("most", [1, 2])
def test_it_ends_after_the_steps_that_were_asked_for(most):
    assert descended(decay(np.array([2.0, 1.0, -0.5])), most=most).steps == most


def test_steps_that_gain_a_millionth_of_what_they_promise_soon_end():
    """As along the edge of what the model is defined for."""
    none = np.full(1, np.inf)
    found = descend(
        lambda at: Place(at, 1.0 - 1e-6 * at),
        lambda _: Slopes(-np.ones((1, 1))),
        np.zeros(1),
        (-none, none),
        none,
        tolerance=1e-12,
        most=60,
    )
    assert found.steps == 5
    assert not found.converged


def test_a_minimum_beyond_a_curved_edge_is_found_on_it():
    """The edge is a circle: the best point on it, by the angle, is found by a search of its own."""
    data = decay(np.array([2.0, 1.0, -0.5]))
    centre, radius = np.array([1.0, 0.0]), 0.8

    def place(at):
        return Place(at, decay(at) - data, radius**2 - float(((at[:2] - centre) ** 2).sum()))

    def beside(at):
        return Slopes(slopes(at), np.append(-2 * (at[:2] - centre), 0.0))

    none = FREE
    found = descend(place, beside, np.array([1.0, 0.0, 0.0]), (-none, none), none, tolerance=1e-12, most=60)
    assert found.converged
    assert found.steps < 20

    def squares(angle):
        at = np.array([*(centre + radius * np.array([np.cos(angle), np.sin(angle)])), 0.0])
        left = decay(at) - data
        return float(((left - left.mean()) ** 2).sum())

    best = minimize_scalar(squares, bounds=(-1.0, 2.5), method="bounded", options={"xatol": 1e-10})
    assert found.squares == close(best.fun, rel=5e-3)
    assert 0.0 <= place(found.parameters).room < 2e-3


def test_residuals_that_stay_large_do_not_make_steps_overshoot_by_turns():
    """Freudenstein and Roth's function about its other minimum, where the squares are 49 (Dennis, Gay and Welsch)."""

    def residuals(at):
        x, y = at
        return np.array([-13 + x + ((5 - y) * y - 2) * y, -29 + x + ((y + 1) * y - 14) * y])

    def columns(at):
        y = at[1]
        return np.array([[1.0, (10 - 3 * y) * y - 2], [1.0, (3 * y + 2) * y - 14]])

    found = least_squares(residuals, columns, np.array([15.0, -2.0]), most=25)
    assert found.converged
    assert found.chi_square == close(48.9842536792400, rel=1e-9)


def test_a_fit_ends_at_the_rounding_of_a_perfect_curve():
    truth = np.array([2.0, 0.3, -0.5])
    found = least_squares(lambda at: decay(at) - decay(truth), slopes, np.array([1.0, 0.0, 0.0]))
    assert found.converged
    assert found.values == close(truth, rel=1e-12)


def test_errors_are_those_of_repeated_noise():
    truth, random = np.array([2.0, 0.3, -0.5]), np.random.default_rng(4)
    found = []
    for _ in range(250):
        data = decay(truth) + 0.05 * random.standard_normal(TIME.size)
        one = least_squares(lambda at, data=data: decay(at) - data, slopes, np.array([1.0, 0.0, 0.0]))
        found.append([one.values, np.sqrt(np.diag(one.covariance))])
    values, errors = np.moveaxis(np.array(found), 1, 0)
    assert values.std(axis=0) == close(errors.mean(axis=0), rel=0.15)


def test_a_parameter_that_is_not_determined_has_no_covariance():
    def blind(at):
        return slopes(at) * [1.0, 0.0, 1.0]

    data = decay(np.array([2.0, 0.3, -0.5]))
    found = least_squares(lambda at: decay(at) - data, blind, np.array([1.0, 0.3, 0.0]))
    assert found.converged
    assert found.covariance is None
    assert not found.determined


def test_values_errors_and_correlations_are_lmfits():
    """Of a resonance line: lmfit goes down by MINPACK, with derivatives of its own."""
    import lmfit  # half a second: not where tests are collected

    frequency = np.geomspace(3e6, 20e9, 60)
    current = line_shape(frequency, 3e9, 5e-12, -3e-12) + 2e-13 * np.random.default_rng(3).standard_normal(60)
    ours = fit_srs(frequency, current).to_lmfit()

    def left(p):
        return 1e12 * (line_shape(frequency, p["rate"], 1e-12 * p["step"], 1e-12 * p["offset"]) - current)

    start = lmfit.create_params(rate=2e9, step=4.0, offset=-2.0)
    theirs = lmfit.minimize(left, start, ftol=1e-12, xtol=1e-12).params
    assert list(ours) == list(theirs)
    for name, unit in (("rate", 1.0), ("step", 1e-12), ("offset", 1e-12)):
        assert abs(ours[name].value - unit * theirs[name].value) < 1e-4 * ours[name].stderr
        assert ours[name].stderr == close(unit * theirs[name].stderr, rel=1e-3)
        for other, correlation in theirs[name].correl.items():
            assert ours[name].correl[other] == close(correlation, rel=2e-3)
