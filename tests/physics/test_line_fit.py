"""The rate of eq. 1 in a computed spectrum, beside scipy's fit of all three parameters, and where there is none."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import curve_fit

from stmlab.physics.line_fit import fitted_rate, line_rate
from stmlab.physics.stochastic_resonance import line_shape, two_width_line_shape
from tests.approximately import close

FREQUENCIES = np.geomspace(1e6, 1e10, 31)
LINE = line_shape(FREQUENCIES, 7.7e8, -3e-12, 2e-12)
TWO = two_width_line_shape(FREQUENCIES, 7.7e8, -3e-12, -1e-12, 2e-12)


def of(signal, frequencies=FREQUENCIES, step=-3e-12):
    return line_rate(SimpleNamespace(signal_A=signal, step_A=step), frequencies)


def test_the_rate_of_an_exact_line_is_found():
    rate, misfit = fitted_rate(FREQUENCIES, LINE)
    assert rate == close(7.7e8, rel=1e-6)
    assert misfit < 1e-6
    assert of(LINE) == rate


def test_a_line_that_is_no_lorentzian_has_the_rate_of_least_squares():
    rate, misfit = fitted_rate(FREQUENCIES, TWO)
    (expected, *others), _ = curve_fit(
        lambda f, *line: line_shape(f, line[0] * 1e8, *line[1:]), FREQUENCIES, 1e12 * TWO, [7.0, -4.0, 2.0], xtol=1e-12
    )
    assert rate == close(1e8 * expected, rel=1e-6)
    left = line_shape(FREQUENCIES, 1e8 * expected, *others) - 1e12 * TWO
    assert misfit == close(np.abs(left).max() / np.ptp(1e12 * TWO), rel=1e-5)
    assert 1e-3 < misfit < 0.1


def test_without_a_signal_a_line_or_enough_frequencies_there_is_no_rate():
    assert np.isnan(of(np.full(31, 2e-12)))
    assert np.isnan(of(LINE, step=1e-19))
    assert not np.isnan(of(LINE, step=1.1e-18))
    few = np.array([0.0, 1e7, 1e8, 5e8, 1e9])
    assert np.isnan(of(line_shape(few, 7.7e8, -3e-12, 2e-12), few))
    enough = np.append(few, 3e9)
    assert of(line_shape(enough, 7.7e8, -3e-12, 2e-12), enough) == close(7.7e8, rel=1e-6)


@pytest.mark.parametrize("step", [0.0, 1e-12])
def test_a_spectrum_that_eq_1_misses_has_no_rate(step):
    """A line that rises and falls again."""
    bump = np.exp(-(np.log(FREQUENCIES / 1e8) ** 2))
    assert np.isnan(of(3e-12 * bump + line_shape(FREQUENCIES, 7.7e8, step, 0.0)))
