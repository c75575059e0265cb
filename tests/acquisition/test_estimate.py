"""The estimate knows how long the ramps of the bias take."""

import numpy as np
import pytest

from sequences.didv import ConductanceSpectrum
from sequences.pump_probe import PumpProbe
from sequences.setpoint_ramp import SetpointRamp
from sequences.srs import StochasticResonance
from sequences.srs_map import StochasticResonanceMap
from sequences.time_trace import TimeTrace
from stmlab import display
from stmlab.acquisition.ordering import order_of
from stmlab.acquisition.runner import Runner
from tests.approximately import close
from tests.station.lab import lab

SLOW = {"limits__bias__slew": 1e-3}  # V/s


@pytest.mark.parametrize(
    ("sequence", "volts"),
    [
        # setpoint 10 mV -> -10 mV -> 10 mV, which is the setpoint again
        (ConductanceSpectrum(points=41), 20e-3 + 20e-3),
        # twice: -> -10 mV -> 10 mV -> -10 mV -> setpoint
        (ConductanceSpectrum(points=41, backward=True, sweeps=2), 2 * (20e-3 + 20e-3 + 20e-3 + 20e-3)),
        (ConductanceSpectrum(points=41, start_bias=-4e-3, stop_bias=0.0, hardware=True), 14e-3 + 4e-3 + 10e-3),
        (TimeTrace(dc_bias=4e-3), 2 * 6e-3),
        (StochasticResonance(dc_bias=4e-3), 2 * 6e-3),
    ],
)
def test_ramps_are_a_part_of_the_duration(sequence, volts):
    with lab(**SLOW) as station:
        estimate = Runner(sequence, station).preflight()
    assert estimate.ramps == close(volts / 1e-3, rel=1e-9)
    points = estimate.points * sequence.point_seconds() + sequence.stabilising_seconds(estimate.points)
    assert estimate.seconds == close(estimate.ramps + points, rel=1e-9)
    assert display.estimate_as_dict(estimate)["ramp_seconds"] == estimate.ramps


@pytest.mark.parametrize(
    ("sequence", "times"),
    [
        (StochasticResonance(points=7), 1),
        (StochasticResonance(points=7, stabilise_every=3), 3),
        (StochasticResonance(points=6, stabilise_every=3, sweeps=2), 4),
        (StochasticResonanceMap(points=5, dc_points=3, amplitude_points=2, stop_amplitude=2e-3), 6),
        (StochasticResonanceMap(points=5, dc_points=3, stabilise_every=2), 9),
        (ConductanceSpectrum(points=5, sweeps=3), 3),
        (ConductanceSpectrum(points=21, sweeps=3, hardware=True), 3),
        (SetpointRamp(points=5, conductances=2, backward=True), 3),
        (SetpointRamp(points=5, conductances=2, sweeps=2), 5),
        (PumpProbe(points=8, stabilise_every=4), 2),
    ],
)
def test_stabilising_the_tip_is_a_part_of_the_duration(sequence, times, monkeypatch):
    """As often as it is done; before the first point of a ramp twice."""
    done, stabilise = [], type(sequence).stabilise

    def counted(self):
        done.append(self)
        stabilise(self)

    monkeypatch.setattr(type(sequence), "stabilise", counted)
    with lab() as station:
        runner = Runner(sequence, station)
        estimate = runner.preflight()
        runner.run()
        took = station.clock.now()
    assert len(done) == times
    assert estimate.seconds == close(took, rel=0.1)


def test_each_shuffled_sweep_has_a_way_of_its_own():
    sequence = ConductanceSpectrum(points=5, sweeps=3, order="shuffled")
    with lab(**SLOW) as station:
        estimate = Runner(sequence, station).preflight()
    bias = np.linspace(-10e-3, 10e-3, 5)
    ways = [np.array([10e-3, *bias[order_of("shuffled", "bias", 5, sweep)], 10e-3]) for sweep in range(3)]
    travelled = [float(np.abs(np.diff(way)).sum()) for way in ways]
    assert sum(travelled) != close(3 * travelled[0], rel=1e-3)
    assert estimate.ramps == close(sum(travelled) / 1e-3, rel=1e-9)


def test_long_ramps_are_said_and_short_ones_are_not():
    with lab(**SLOW) as station:
        slow = Runner(TimeTrace(dc_bias=4e-3), station).preflight()
    with lab() as station:
        fast = Runner(TimeTrace(dc_bias=4e-3), station).preflight()
    assert "would take 18 s (12 s of it ramps of the bias)" in display.estimate_as_text(slow)
    assert "ramps" not in display.estimate_as_text(fast)
