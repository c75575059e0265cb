"""Chosen places on the points of an axis, each of which is visited once."""

import numpy as np
import pytest

from sequences.didv import ConductanceSpectrum
from sequences.pump_probe import PumpProbe
from sequences.srs import StochasticResonance
from stmlab.acquisition.choosing import AxisChooser
from stmlab.physics.constants import K_B_MEV_PER_K, MEV_PER_V


class OnePlace:
    """Wants the same place again and again."""

    ended = ""

    def __init__(self, place):
        self.place = place

    def learn(self, key, x, y):
        """Has no use for it."""

    def think(self):
        """Has no use for it."""

    def known(self):
        return {}

    def choose(self):
        return self.place


@pytest.mark.parametrize(
    ("sequence", "scale", "near"),
    [  # near: where a reading tells nearly as much as at the place itself
        (StochasticResonance(grid="adaptive", start_frequency=1e3, stop_frequency=20e9), np.log, 0.2),
        (PumpProbe(delays="adaptive", stop_delay=4e-9, width=0.2e-9, rise_time=50e-12), np.log, 0.1),
        (ConductanceSpectrum(biases="adaptive"), lambda bias: bias * MEV_PER_V / (K_B_MEV_PER_K * 1.2), 1.5),
    ],
)
def test_a_place_that_is_wanted_a_thousand_times_takes_up_little_of_the_axis(sequence, scale, near):
    axis = sequence.axes()[-1].values
    x = scale(axis)
    place = x[len(x) * 3 // 5]
    chooser = AxisChooser(OnePlace(place), axis, scale, "y")
    chosen = [chooser.choose() for _ in range(1000)]
    assert len(set(chosen)) == 1000
    assert np.abs(x[chosen] - place).max() < near
