"""Errors, and a test of the residual, that do not suppose even noise."""

import numpy as np
import pytest

from stmlab.analysis.residuals import LIKELY, are_structured, is_structured, structure, uneven_covariance
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


NOISES = {"even": np.ones_like(X), "shot": 0.05 + np.abs(X), "one loud end": np.where(X > 0.9, 30.0, 1.0)}


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_white_noise_has_no_structure_however_uneven_it_is(noise):
    rows = noise * np.random.default_rng(4).standard_normal((4000, X.size))
    found = structure(rows, 0)
    assert abs(found.mean()) < 4 / np.sqrt(4000)
    assert found.std() == pytest.approx(1.0, abs=0.05)
    assert np.mean(found > LIKELY) < 0.003
    assert np.mean(found > 2.33) == pytest.approx(0.01, abs=0.006)


@pytest.mark.parametrize("name", ["even", "shot"])
def test_what_a_fit_takes_of_the_noise_is_allowed_for(name):
    """A polynomial of degree 24 turns neighbours against each other: by more than a standard deviation."""
    basis = np.linalg.qr(np.polynomial.legendre.legvander(X, 24))[0]
    rows = NOISES[name] * np.random.default_rng(5).standard_normal((2000, X.size))
    left = rows - rows @ basis @ basis.T
    assert structure(left, 0).mean() < -1.0
    assert abs(structure(left, 25).mean()) < 0.4
    assert np.mean(are_structured(left, 25)) < 0.005


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_a_wave_within_the_noise_is_found_where_the_noise_is_low(noise):
    rows = noise * np.random.default_rng(6).standard_normal((200, X.size)) + np.sin(25 * X)
    assert np.mean(are_structured(rows, 2)) > 0.95
    assert is_structured(rows[0], 2)
    assert not is_structured(np.zeros(X.size), 0)
