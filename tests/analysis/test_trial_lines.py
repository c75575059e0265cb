"""Trial lines: where between them a line explains most, by a search for each; and the top that is uphill."""

import numpy as np
from scipy.optimize import minimize_scalar

from stmlab.analysis.batch.trial_lines import FINER, TrialLines, between, finer, top_near

X = np.geomspace(0.01, 100.0, 60)
TRIALS = TrialLines.over(X, np.ones(X.size))


def line(log_rate):
    return 1 / (1 + (X / np.exp(log_rate)) ** 2)


def explained(y, *log_rates):
    """Squares by which lines with free heights and an offset are better than an offset."""
    shapes = np.column_stack([np.ones_like(X), *map(line, log_rates)])
    left = np.linalg.lstsq(shapes, y, rcond=None)[1][0]
    return np.sum((y - y.mean()) ** 2) - left


def spectra(log_rates, noise, seed=1):
    clean = np.array([line(rate) + 0.7 * line(rate - np.log(2)) for rate in log_rates])
    return clean + noise * np.random.default_rng(seed).standard_normal(clean.shape)


def test_the_best_rate_between_the_trial_rates_is_that_of_a_search():
    y = spectra(np.linspace(-3.0, 3.0, 31), 0.02)
    profile = TRIALS.one_width(y)
    found = TRIALS.at(between(profile, profile.argmax(axis=1)))
    for k, rate in enumerate(found):
        search = minimize_scalar(
            lambda u, k=k: -explained(y[k], u),
            bounds=(rate - 0.3, rate + 0.3),
            method="bounded",
            options={"xatol": 1e-8},
        )
        assert abs(rate - search.x) < 1e-5


def test_two_widths_explain_what_least_squares_says():
    y = spectra(np.linspace(-2.0, 2.0, 9), 0.02)
    y -= y.mean(axis=1, keepdims=True)
    near = np.full(9, TRIALS.log_rates.size // 2)
    profile, first = TRIALS.two_widths(y, near)
    for k in range(9):
        for j in (0, 7, 13):
            rate = TRIALS.log_rates[first[k] + j]
            np.testing.assert_allclose(profile[k, j], explained(y[k], rate, rate - np.log(2)), rtol=1e-9)
    fine = finer(profile)
    assert fine.shape == (9, FINER * 13 + 1)
    rate = TRIALS.at(first + 5.25)
    wanted = [explained(y[k], rate[k], rate[k] - np.log(2)) for k in range(9)]
    np.testing.assert_allclose(fine[:, 4 * 5 + 1], wanted, rtol=1e-6)


def test_a_climb_ends_at_the_top_uphill_from_its_start():
    hills = np.array([[0.0, 2.0, 1.0, 3.0, 4.0, 3.0, 5.0]])
    tops = {0: 1, 1: 1, 2: 4, 3: 4, 4: 4, 5: 6, 6: 6}
    for start, top in tops.items():
        assert top_near(hills, np.array([start])).tolist() == [top]
    assert top_near(hills[:, ::-1], np.array([6])).tolist() == [5]
    assert top_near(hills[:, ::-1], np.array([3])).tolist() == [2]
