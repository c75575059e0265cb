"""Errors that do not suppose even noise."""

import numpy as np
import pytest

from stmlab.analysis.residuals import uneven_covariance
from tests.approximately import close

X = np.linspace(-1, 1, 400)
LINE = np.column_stack([np.ones_like(X), X])


@pytest.mark.parametrize("noise", [np.ones_like(X), 0.05 + np.abs(X)])
def test_the_scatter_of_a_line_fitted_to_even_or_uneven_noise_is_its_error(noise):
    random, found, errors = np.random.default_rng(2), [], []
    for _ in range(400):
        y = 3 + 2 * X + noise * random.standard_normal(X.size)
        vector = np.linalg.lstsq(LINE, y)[0]
        found.append(vector)
        errors.append(np.diag(uneven_covariance(LINE, y - LINE @ vector)))
    assert np.sqrt(np.mean(errors, axis=0)) == close(np.std(found, axis=0), rel=0.12)


def test_the_exact_expectation_for_even_noise_is_that_of_the_normal_equations():
    """HC2 weights r_i^2 by 1 / (1 - h_i), and its mean is sigma^2 (1 - h_i): put in, the usual covariance is left."""
    usual = np.linalg.inv(LINE.T @ LINE)
    expected = np.sqrt(1 - np.einsum("ni,ij,nj->n", LINE, usual, LINE))
    np.testing.assert_allclose(uneven_covariance(LINE, expected), usual, atol=1e-17)


def test_what_the_points_do_not_determine_has_an_enormous_variance():
    twice = np.column_stack([LINE, LINE[:, 1], np.zeros_like(X)])
    variance = np.diag(uneven_covariance(twice, 0.1 * np.cos(40 * X)))
    assert variance[0] < 1e-3
    assert np.all(variance[1:] > 1e9)
