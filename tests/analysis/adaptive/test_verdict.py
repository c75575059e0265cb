"""What a run that chose its points must refuse, and when its target counts as reached."""

import math

import numpy as np
import pytest

from stmlab.analysis.adaptive.posterior import resonance
from stmlab.analysis.adaptive.verdict import judged
from stmlab.analysis.lorentzian import fit_srs
from stmlab.errors import FitError

X = np.tile(np.linspace(17.5, 25.0, 40), 5)
TIME = np.arange(200.0)
U = np.array(21.3)


def spectrum(seed=1):
    line = resonance(X, U)
    return line, 2 + 30 * line + np.random.default_rng(seed).normal(size=200)


def verdict(line, y, target=0.05):
    fit = fit_srs(np.exp(X) / (2 * math.pi), y)
    return judged(fit, line, y, TIME, target, "rate")


def test_a_good_fit_within_its_target_is_as_it_was():
    for seed in range(10):
        line, y = spectrum(seed)
        assert verdict(line, y).warnings == ()


def test_an_error_above_the_target_is_said():
    fit = verdict(*spectrum(), target=0.001)
    assert len(fit.warnings) == 1
    assert "the target error of 0.1 % was not reached: it is" in fit.warnings[0]


def test_a_fit_in_doubt_has_not_reached_its_target():
    line, y = spectrum()
    y = y + 8 * resonance(X, U + 3)
    fit = verdict(line, y)
    assert "does not count as reached" in fit.warnings[-1]


def test_outliers_give_no_value():
    line, y = spectrum()
    y[[17, 120]] += [40, -25]
    with pytest.raises(FitError, match="2 of 200 readings lie more than"):
        verdict(line, y)


@pytest.mark.parametrize("moment", [30, 100, 170])
def test_a_jump_of_the_tip_gives_no_value(moment):
    line, y = spectrum()
    y[moment:] += 12 * line[moment:]
    with pytest.raises(FitError, match="the line is another one after"):
        verdict(line, y)


def test_a_drift_of_a_percent_is_no_jump():
    line, y = spectrum()
    drift = 1 + 0.01 * np.sin(TIME / 60)
    assert verdict(line, 2 + (y - 2) * drift).warnings == ()


def test_a_line_near_an_end_of_the_band_gives_no_value():
    line = resonance(X, np.array(24.5))
    y = 2 + 300 * line + np.random.default_rng(1).normal(size=200)
    with pytest.raises(FitError, match="widen the band"):
        verdict(line, y)
