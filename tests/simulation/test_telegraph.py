"""Slow switching in the simulated current."""

import math

import numpy as np
import pytest

from stmlab.config_files import find
from stmlab.simulation.junctions import Telegraph
from stmlab.simulation.samples import read_sample
from stmlab.simulation.telegraph import SlowSwitch
from stmlab.station import Station
from tests.approximately import close

SLOW = Telegraph(12.0, 30.0, 50e-12)


def followed(telegraph, seconds, interval=1e-3, bandwidth=200.0, seed=1):
    switch = SlowSwitch(bandwidth, np.random.default_rng(seed))
    readings = []
    for _ in range(round(seconds / interval)):
        switch.live(interval, telegraph)
        readings.append(switch.deviation(telegraph))
    return np.array(readings)


def test_occupation_and_rates_are_those_of_the_junction():
    current = followed(SLOW, 200.0)
    assert current.mean() == pytest.approx(0.0, abs=1.5e-12)
    assert np.ptp(current) == close(50e-12, rel=1e-3)
    jumps = np.count_nonzero(np.diff(current > 0) != 0)
    assert jumps == close(2 * 200 * 12 * 30 / 42, rel=0.12)
    assert np.mean(current > 0) == pytest.approx(12 / 42, abs=0.03)


def test_the_converters_pole_rounds_the_jumps():
    current = followed(SLOW, 2.0, interval=1e-4)
    jump = np.flatnonzero(np.diff(np.sign(current)) > 0)[0]
    up = current[jump + 1 : jump + 12] + 50e-12 * SLOW.occupation
    left = 1 - up / 50e-12
    np.testing.assert_allclose(left[1:] / left[:-1], math.exp(-2 * math.pi * 200 * 1e-4), rtol=1e-6)


def test_equal_seeds_switch_alike_and_a_fast_junction_is_an_average():
    np.testing.assert_array_equal(followed(SLOW, 1.0), followed(SLOW, 1.0))
    assert np.any(followed(SLOW, 1.0) != followed(SLOW, 1.0, seed=2))
    assert not followed(Telegraph(1e5, 1e5, 50e-12), 0.1).any()
    assert not followed(None, 0.1).any()


def test_a_state_that_is_never_left_stays():
    current = followed(Telegraph(0.0, 5.0, 50e-12), 1.0)
    np.testing.assert_array_equal(current, current[0])


def test_the_sample_jumps_with_open_feedback_only():
    truth = read_sample(find("slow_switch", "samples")).true_values(10e-3, 0.0)
    assert truth["rate_up_per_s"] == close(11.95, rel=1e-3)
    with Station.load("simulated", sample="slow_switch", seed=4) as station:
        station.tip.setpoint = 250e-12
        station.tip.feedback = True
        station.clock.sleep(2.0)

        def readings():
            found = []
            for _ in range(600):
                station.clock.sleep(2e-3)
                found.append(station.tip.current)
            return np.array(found)

        assert np.ptp(readings()) < 10e-12
        station.tip.feedback = False
        assert np.ptp(readings()) == close(50e-12, rel=0.1)
        station.bias.bias = -10e-3
        assert -readings().mean() > 200e-12


@pytest.mark.parametrize("sample", ["fe_atom", "fe_chain_of_four"])
def test_fast_samples_do_not_jump(sample):
    with Station.load("simulated", sample=sample, seed=4) as station:
        station.tip.feedback = False
        assert station.simulation._switch.deviation(station.simulation._path.telegraph(1.0)) == 0.0
