"""The simulated current preamplifier."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stmlab.errors import PhysicsError
from stmlab.simulation.preamplifier import SimulatedPreamplifier
from tests.approximately import close

PREAMPLIFIER = SimulatedPreamplifier(gain=1e9, bandwidth=1e3, saturation=10.0)


def test_gain_and_saturation() -> None:
    assert PREAMPLIFIER.output(np.array([1e-9, -2e-9, 3e-8, -1.0])) == close([1.0, -2.0, 10.0, -10.0])
    assert PREAMPLIFIER.saturates(np.array([0.0, -1.1e-8]))
    assert not PREAMPLIFIER.saturates(np.array([1e-8, -1e-8]))


def test_one_of_which_nothing_is_said_is_a_gigaohm_amplifier_with_an_output_of_ten_volts() -> None:
    default = SimulatedPreamplifier()
    assert default.output(np.array([1e-9, 1.0, -1.0])) == close([1.0, 10.0, -10.0])
    assert abs(default.roll_off(np.array([1.1e3]))[0]) == close(1 / math.sqrt(2))
    assert default.current_noise(0.0) == close(math.hypot(4.3e-15, math.sqrt(4 * 1.380649e-23 * 300 / 1e9)))


def test_the_pole_takes_three_decibels_and_45_degrees_at_its_corner() -> None:
    assert PREAMPLIFIER.roll_off(np.array([1e3]))[0] == close(1 / (1 + 1j))
    assert PREAMPLIFIER.roll_off(np.array([-1e3]))[0] == close(1 / (1 - 1j))


def test_noise_is_shot_johnson_and_amplifier_noise_in_quadrature() -> None:
    """At 1 nA: shot 17.9 fA; 1 Gohm at 300 K: 4.07 fA; both per square root of Hz."""
    shot, johnson = math.sqrt(2 * 1.602177e-19 * 1e-9), math.sqrt(4 * 1.380649e-23 * 300 / 1e9)
    assert PREAMPLIFIER.current_noise(-1e-9) == close(math.hypot(shot, johnson, 4.3e-15), rel=1e-6)
    quiet = SimulatedPreamplifier(input_noise=0.0, temperature=0.0)
    assert quiet.current_noise(0.0) == 0.0


def test_values_without_meaning_are_refused_by_name() -> None:
    for name in ("gain", "bandwidth", "saturation", "feedback_resistance"):
        with pytest.raises(PhysicsError, match=f"{name} = 0"):
            SimulatedPreamplifier(**{name: 0.0})
