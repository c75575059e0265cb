"""Rates from frequencies that were chosen: lines that are none are doubted, true ones seldom."""

import math

import numpy as np

from stmlab.analysis.adaptive.posterior import resonance
from stmlab.analysis.adaptive.resonance_verdict import judged_rate
from stmlab.analysis.lorentzian import distortion, fit_srs
from stmlab.analysis.residuals import STRUCTURED_TEXT

U = np.array(21.3)
X = np.sort(np.concatenate([21.3 + np.random.default_rng(1).uniform(-1.5, 1.5, 160), np.linspace(17.5, 25.0, 40)]))
FREQUENCY = np.exp(X) / (2 * math.pi)
TIME = np.random.default_rng(2).permutation(200).astype(float)


def read(line, seed, height=30.0):
    return 2 + height * line + np.random.default_rng(seed).normal(size=200)


def warnings(line, seed):
    current = read(line, seed)
    return judged_rate(fit_srs(FREQUENCY, current), FREQUENCY, current, TIME, 0.05).warnings


def test_a_true_line_is_seldom_doubted():
    assert sum(bool(warnings(resonance(X, U), seed)) for seed in range(60)) <= 5


def test_a_second_width_of_two_and_a_half_deviations_is_enough():
    """Where `fit_srs` itself has no doubt yet."""
    line = resonance(X, U) - 0.12 * resonance(X, U - math.log(2))
    clean = [seed for seed in range(30) if not fit_srs(FREQUENCY, read(line, seed)).warnings]
    told = [warnings(line, seed) for seed in clean]
    doubted = [said for said in told if said]
    assert 0 < len(doubted) < len(clean)
    assert any("distorted as by strong modulation" in said[0] for said in doubted)
    for seed, said in zip(clean, told, strict=True):
        if distortion(FREQUENCY, read(line, seed), 6.25):
            assert "does not count as reached" in said[-1]


def test_neighbours_that_are_alike_are_seen():
    """Ripple that the products of neighbours alone do not show."""
    ripple = resonance(X, U) * (1 + 0.06 * np.cos(6.0 * X))
    shown = [warnings(ripple, seed) for seed in range(20)]
    assert sum(STRUCTURED_TEXT in said for said in shown) >= 15
    assert sum(STRUCTURED_TEXT in fit_srs(FREQUENCY, read(ripple, seed)).warnings for seed in range(20)) < 15
