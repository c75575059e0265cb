"""What a fit takes as numbers, for every fit that takes some."""

import numpy as np
import pytest

from stmlab.analysis.decay import fit_decay
from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.numbers import deviations, finite, numbers
from stmlab.analysis.residuals import scatter_warning, structure_warning
from stmlab.errors import FitError

F = np.geomspace(1e6, 1e10, 60)
Y = 5e-12 / (1 + (2 * np.pi * F / 1.7e9) ** 2) + 1e-13 * np.random.default_rng(0).normal(size=60)


def test_masked_values_are_not_used():
    masked = np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False])
    np.testing.assert_array_equal(numbers("y", masked), [1.0, np.nan, 3.0])
    np.testing.assert_array_equal(numbers("y", np.ma.masked_array([1, 2], [0, 1])), [1.0, np.nan])
    with pytest.raises(FitError, match="y: 1 of 3 values are not finite"):
        finite("y", masked)


def test_numbers_up_to_a_hundred_orders_can_be_squared():
    np.testing.assert_array_equal(finite("y", [0.99e100, -1e-99]), [0.99e100, -1e-99])
    np.testing.assert_array_equal(finite("y", [1.01e-100]), [1.01e-100])


@pytest.mark.parametrize("values", [[1e200, 1.0], [1e-200, 0.0], [1.01e100], [-1.01e100], [0.99e-100]])
def test_numbers_that_cannot_be_squared_are_refused(values):
    with pytest.raises(FitError, match="their squares are no numbers"):
        finite("y", values)


@pytest.mark.parametrize("fit", [fit_srs, fit_decay])
@pytest.mark.parametrize(
    ("sigma", "complaint"),
    [
        ([], "positive numbers, one or one a point"),
        (0.0, "positive"),
        ([1e-13] * 3, r"shape \(3,\)"),
        (1e-90, "no noise of data as large as 5"),
        (1e90, "no noise"),
        (1e-300, "squares"),
        (np.nan, "not finite"),
    ],
)
def test_a_sigma_that_is_none_is_refused(fit, sigma, complaint):
    with pytest.raises(FitError, match=complaint):
        fit(F, Y, sigma=sigma)


def test_a_sigma_is_one_a_point():
    np.testing.assert_array_equal(deviations(2.0, np.ones(3)), [2.0, 2.0, 2.0])
    np.testing.assert_array_equal(deviations([1, 2, 3], np.ones(3)), [1.0, 2.0, 3.0])


def test_white_noise_is_called_structure_once_in_hundreds_and_a_wander_always():
    white = sum(bool(structure_warning(np.random.default_rng(k).normal(size=60), 0, False)) for k in range(1000))
    assert white <= 10
    for k in range(50):
        noise = np.random.default_rng(k).normal(size=60)
        assert "too small" in structure_warning(np.cumsum(noise), 0, False)
        assert "leave it out" in structure_warning(noise + 3 * np.sin(np.arange(60) / 6), 0, True)


def test_scatter_beyond_sigma_is_told():
    assert scatter_warning(60.0, 56) == ""
    assert "reduced chi square 2.00" in scatter_warning(112.0, 56)
