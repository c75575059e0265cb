"""The junction with a bound state: Betz et al., figure 5."""

import numpy as np
import pytest

from stmlab.config_files import find
from stmlab.physics.stochastic_resonance import stochastic_resonance
from stmlab.simulation.junctions import Drive
from stmlab.simulation.samples import read_sample
from tests.approximately import close


@pytest.fixture(scope="module")
def state():
    return read_sample(find("ysr_state", "samples")).junction


def test_rate_and_step_are_those_of_the_figure(state):
    spectrum = stochastic_resonance(state, np.array([1e6]), offset_V=0.64e-3, amplitude_V=0.14e-3)
    assert state.true_values(0.64e-3, 0.14e-3)["rate_per_s"] == close(4.91e9, rel=0.01)
    assert spectrum.step_A == close(-3.66e-12, rel=0.05)
    assert state.static_current(np.array([10e-3]), 1.0)[0] == close(1e-9, rel=0.002)


def test_the_continuum_sets_in_beyond_both_gaps_and_does_not_see_the_state(state):
    inside, outside = state.state_currents(np.array([1.2e-3])), state.state_currents(np.array([2e-3]))
    bound = super(type(state), state).state_currents
    np.testing.assert_allclose(inside, bound(np.array([1.2e-3])), rtol=1e-12)
    extra = outside - bound(np.array([2e-3]))
    np.testing.assert_allclose(extra, state.continuum_conductance_S * np.sqrt(2.0**2 - 1.3**2) * 1e-3, rtol=1e-9)


@pytest.mark.parametrize("frequency", [1e6, 7.8e8, 2e10])
def test_a_driven_current_is_the_signal_of_stochastic_resonance(state, frequency):
    phase = 2 * np.pi * np.arange(64) / 64
    drive = Drive(frequency, 0.64e-3 + 0.14e-3 * np.cos(phase), smooth=True)
    spectrum = stochastic_resonance(state, np.array([frequency]), offset_V=0.64e-3, amplitude_V=0.14e-3)
    expected = spectrum.direct_current_A + spectrum.signal_A[0]
    assert state.mean_current(drive, 1.0) == close(expected, rel=1e-5)


def test_tunnelling_follows_the_height_and_relaxation_does_not(state):
    half = state.at(0.5)
    assert half.relaxation_rate_per_s == state.relaxation_rate_per_s
    np.testing.assert_allclose(
        half.state_currents(np.array([0.7e-3, 5e-3])), 0.5 * state.state_currents(np.array([0.7e-3, 5e-3]))
    )
