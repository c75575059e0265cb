"""Errors of estimates that are not least squares of the points, from what is left near each."""

import numpy as np
import pytest

from stmlab.analysis.steps.noise import local, of_uneven_noise

X = np.linspace(-1, 1, 200)
SLOPES = np.column_stack([np.ones_like(X), X, np.tanh(8 * X)])
RESPONSE = np.linalg.pinv(np.diff(SLOPES[:, 1:], axis=0))  # of differences, as the Gaussians are fitted
WIDTH = 12.0


def response():
    """d(estimate) = response @ d(points): slope and step from differences, the level from what they leave."""
    two = RESPONSE @ np.diff(np.eye(X.size), axis=0)
    level = (np.ones(X.size) - np.ones(X.size) @ SLOPES[:, 1:] @ two) / X.size
    return np.vstack([level, two])


@pytest.mark.parametrize("noise", [np.ones_like(X), 0.1 + np.abs(X)], ids=["even", "uneven"])
def test_the_covariance_is_that_of_the_scatter_on_average(noise):
    act, random, found = response(), np.random.default_rng(2), []
    for _ in range(600):
        y = SLOPES @ [3.0, 2.0, 1.0] + noise * random.standard_normal(X.size)
        found.append(np.diag(of_uneven_noise(act, SLOPES, y - SLOPES @ (act @ y), WIDTH)))
    true = (act * noise) @ (act * noise).T
    np.testing.assert_allclose(np.mean(found, axis=0), np.diag(true), rtol=0.06)


def test_the_running_mean_is_taken_from_every_column():
    rows = np.random.default_rng(1).standard_normal((50, 3))
    window = np.ones(13)
    mean = np.convolve(rows[:, 1], window, "same") / np.convolve(np.ones(50), window, "same")
    np.testing.assert_allclose(local(rows, 4.0)[:, 1], rows[:, 1] - mean, atol=1e-14)
    np.testing.assert_allclose(local(rows[:, 1], 4.0), rows[:, 1] - mean, atol=1e-14)
