"""Best designs against those that are known in closed form, and none better by chance."""

import numpy as np

from stmlab.analysis.adaptive.design import least_variance_of_all, variances
from tests.approximately import close

X = np.linspace(-1, 1, 101)
PARABOLA = np.stack([np.ones_like(X), X, X**2], axis=1)


def test_of_a_line_half_of_the_readings_lie_at_each_end():
    assert least_variance_of_all(PARABOLA[:, :2], np.array([[0.0, 1.0]])) == close(1.0, rel=2e-3)


def test_of_a_curvature_a_quarter_a_half_and_a_quarter():
    assert least_variance_of_all(PARABOLA, np.array([[0.0, 0.0, 1.0]])) == close(4.0, rel=2e-3)


def test_the_worst_of_two_values_is_as_good_as_it_can_be():
    """Ends with a part p, the middle with the rest: max(3 / p, 1 / p (1 - p)) is least at p = 2/3."""
    sought = np.array([[0.0, np.sqrt(3.0), 0.0], [0.0, 0.0, 1.0]])
    assert least_variance_of_all(PARABOLA, sought) == close(4.5, rel=3e-3)
    assert least_variance_of_all(PARABOLA, np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])) == close(4.0, rel=3e-3)


def test_no_design_is_better():
    chance = np.random.default_rng(1)
    rows, sought = chance.normal(size=(40, 4)), chance.normal(size=(2, 4))
    least = least_variance_of_all(rows, sought)
    for _ in range(200):
        weights = chance.dirichlet(np.full(40, 0.2))
        kept = weights > 1e-6
        found = variances(np.sqrt(weights[kept])[:, None] * rows[kept], sought).max()
        assert found >= least


def test_variances_are_those_of_least_squares():
    chance = np.random.default_rng(2)
    rows, sought = chance.normal(size=(30, 3)), chance.normal(size=(2, 3))
    expected = np.diag(sought @ np.linalg.inv(rows.T @ rows) @ sought.T)
    assert variances(rows, sought) == close(expected, rel=1e-9)


def test_readings_that_cannot_tell_the_parameters_apart_say_so():
    assert np.isinf(variances(np.ones((5, 2)), np.array([[0.0, 1.0]]))).all()
    assert np.isinf(variances(np.stack([np.ones(5), np.zeros(5)], axis=1), np.array([[0.0, 1.0]]))).all()
