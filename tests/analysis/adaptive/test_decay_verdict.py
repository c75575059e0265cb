"""T1 from delays that were chosen: echoes are doubted, true decays seldom."""

import numpy as np
import pytest

from stmlab.analysis.adaptive.decay_verdict import judged_decay
from stmlab.analysis.adaptive.neighbours import likeness, of_equal_number, of_equal_width
from stmlab.analysis.decay import fit_decay
from stmlab.analysis.residuals import STRUCTURED_TEXT

T1 = 0.8e-9
CHOSEN = np.concatenate([np.full(60, 0.75e-9), np.full(70, 1.4e-9), np.full(70, 4e-9)])
"""Three places tell T1: most readings of a run lie there; a third are spread over the whole range."""
DELAY = np.concatenate([CHOSEN, np.geomspace(0.74e-9, 4e-9, 100)])
TIME = np.random.default_rng(2).permutation(300).astype(float)


def told(echo, seed):
    """Of a decay of height 1 with noise of 0.03, and an echo at 2.4 ns."""
    current = 5 + np.exp(-DELAY / T1) - echo * np.exp(-0.5 * ((DELAY - 2.4e-9) / 0.2e-9) ** 2)
    current += 0.03 * np.random.default_rng(seed).standard_normal(DELAY.size)
    fit = fit_decay(DELAY, current, exclusion=0.7e-9, sides="positive")
    return judged_decay(fit, DELAY, current, TIME, 0.1).warnings


def test_a_true_decay_is_seldom_doubted():
    assert sum(bool(told(0.0, seed)) for seed in range(60)) <= 2


def test_an_echo_of_six_percent_of_the_decay_is_mostly_doubted():
    shown = [told(0.06, seed) for seed in range(30)]
    assert sum(STRUCTURED_TEXT in said for said in shown) >= 24
    assert all("does not count as reached" in said[-1] for said in shown if said)


@pytest.mark.parametrize("groups", [of_equal_number, of_equal_width])
@pytest.mark.parametrize("readings", [2, 5, 11])
def test_a_few_readings_say_nothing(readings, groups):
    x = np.linspace(0.0, 1.0, readings)
    assert likeness(x, x, x**3, groups) == 0.0
