"""The lock-in's filter in closed form, against numerical integration of the cascade."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from stmlab.lowpass import SLOPES, noise_bandwidth, settling_time, step_residual
from tests.approximately import close


def cascade(n):
    return -np.eye(n) + np.diag(np.ones(n - 1), -1)


@pytest.mark.parametrize("slope", SLOPES)
def test_the_settling_time_is_when_the_cascade_has_come_within_the_residual(slope):
    n = SLOPES.index(slope) + 1
    end = settling_time(0.3, slope, 1e-3) / 0.3
    drive = np.eye(n)[0]
    solution = solve_ivp(lambda _, y: cascade(n) @ y + drive, (0, end), np.zeros(n), rtol=1e-10, atol=1e-13)
    assert 1 - solution.y[-1, -1] == close(1e-3, rel=1e-4)
    assert step_residual(end, n) == close(1e-3, rel=1e-6)


@pytest.mark.parametrize("slope", SLOPES)
def test_the_noise_bandwidth_is_the_integral_of_the_power_response(slope):
    n = SLOPES.index(slope) + 1
    integral, _ = quad(lambda f: (1 + (2 * np.pi * f * 0.3) ** 2) ** -n, 0, np.inf)
    assert noise_bandwidth(0.3, slope) == close(integral, rel=1e-6)


def test_a_slope_that_no_lockin_has_is_refused():
    with pytest.raises(ValueError, match="one of 6, 12, 18, 24"):
        settling_time(0.1, 10, 1e-3)
