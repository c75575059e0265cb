"""What the junction has answered once is not asked for again, because instruments ask at every reading."""

import numpy as np

from stmlab.simulation.bench import GeneratorPanel
from stmlab.simulation.currents import JunctionCurrents
from stmlab.simulation.line import RadioFrequencyWiring
from tests.approximately import close


class Counting:
    """A junction of 1 S at ``scale`` = 1 that counts how often it is asked."""

    asked = 0

    def static_current(self, voltage, scale):
        self.asked += 1
        return scale * voltage


def test_a_current_is_asked_for_once_for_each_bias_and_conductance():
    junction = Counting()
    currents = JunctionCurrents(junction, RadioFrequencyWiring())
    for _ in range(3):
        for bias in (0.1, -0.2):
            for scale in (1.0, 0.5):
                assert currents.levels(GeneratorPanel(), bias, scale).off == close(scale * bias, rel=1e-15)
    assert junction.asked == 4
    assert currents.static(0.1, 0.0) == 0.0
    assert junction.asked == 4


def test_a_ramp_is_forgotten_and_stays_right():
    junction = Counting()
    currents = JunctionCurrents(junction, RadioFrequencyWiring())
    for bias in np.linspace(0.1, 1.0, 1000).tolist():
        assert currents.static(bias, 2.0) == 2.0 * bias
