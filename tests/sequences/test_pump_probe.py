"""Pump-probe on the simulated microscope, through the wire, the line and the noise."""

import numpy as np
import pytest

from sequences.pump_probe import PumpProbe, pulse_height
from stmlab.acquisition.runner import Runner
from stmlab.errors import OutOfBounds, SequenceError
from stmlab.station import Station
from stmlab.storage import open_run
from tests.approximately import close
from tests.quick_runs import QUICK

SETPOINT = 2.782e-9  # of fe_five_states: its reference height


@pytest.fixture
def station():
    with Station.load("simulated", sample="fe_five_states", seed=11) as found:
        yield found


def test_the_lifetime_of_the_five_state_atom_comes_back(station, tmp_path):
    sequence = PumpProbe(setpoint_current=SETPOINT, averages=6, points=21, delays="even")
    outcome = Runner(sequence, station, tmp_path / "run.h5").run()
    t1 = outcome.fits[0]["T1"]
    true = 1 / station.simulation.sample.true_rate(sequence.dc_bias, 0.0)
    assert t1.value == close(true, rel=0.05)
    assert abs(t1.value - true) < 4 * t1.error
    run = open_run(tmp_path / "run.h5")
    delay, current = run.coordinates["delay"], run.data["current"]
    np.testing.assert_allclose(delay, np.linspace(-4e-9, 4e-9, 21), atol=1e-13)
    at = {round(d * 1e9, 1): c for d, c in zip(delay.tolist(), current.tolist(), strict=True)}
    assert at[0.8] - at[4.0] > 5 * abs(at[-0.8] - at[-4.0])  # the probe alone hardly excites
    np.testing.assert_allclose(run.data["pump_height"], sequence.pump, rtol=0.005)
    np.testing.assert_allclose(run.data["probe_height"], sequence.probe, rtol=0.02)


def test_a_fit_of_both_sides_says_that_echoes_on_the_line_disturb_it(station, tmp_path):
    sequence = PumpProbe(setpoint_current=SETPOINT, averages=4, points=31, fitted_sides="both")
    fit = Runner(sequence, station, tmp_path / "run.h5").run().fits[0]
    assert any("echoes" in warning for warning in fit.warnings)


def test_the_pulse_arrives_as_high_as_was_asked_for(station):
    sequence = PumpProbe(setpoint_current=SETPOINT, probe=-1e-3, pump=-10e-3)
    sequence.connect(station)
    sequence.prepare()
    sequence.move_delay(8e-9)
    currents = station.simulation._path._currents
    arriving = currents._waveform_of(station.simulation.generator).voltage
    assert arriving.min() - np.median(arriving) == close(-10e-3, rel=0.01)


def test_a_flat_line_leaves_a_pulse_as_high_as_it_is():
    class Flat:
        band = (1e3, 25e9)

        def transfer(self, frequency):
            return np.full(frequency.shape, 0.5, dtype=complex)

    assert pulse_height(Flat(), 429e-12, 154e-12, 20e-9) == close(0.5, rel=0.02)
    assert pulse_height(Flat(), 5e-9, 1e-9, 100e-9) == close(0.5, rel=0.02)


@pytest.mark.parametrize(
    ("settings", "error", "name"),
    [
        ({"pump": -21e-3}, OutOfBounds, "junction_amplitude"),
        ({"pump": -15e-3, "probe": -8e-3}, OutOfBounds, "junction_amplitude"),
        ({"pump": -18e-3, "probe": -1e-3}, OutOfBounds, "rf_amplitude"),
        ({"dc_bias": 0.2}, OutOfBounds, "bias"),
        ({"stop_delay": 11e-9}, SequenceError, "stop_delay"),
        ({"width": 15e-9}, SequenceError, "width"),
        ({"probe": -0.5e-3}, OutOfBounds, "probe"),
        ({"period": 0.9e-3}, OutOfBounds, "period"),
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_moves(station, tmp_path, settings, error, name):
    path = tmp_path / "run.h5"
    with pytest.raises(error, match=name):
        Runner(PumpProbe(setpoint_current=SETPOINT, **settings), station, path).run()
    assert not path.exists()


def test_the_tip_is_stabilised_again_every_so_many_delays(station, tmp_path):
    class Counted(PumpProbe):
        stabilised = 0

        def stabilise(self):
            type(self).stabilised += 1
            super().stabilise()

    Runner(Counted(setpoint_current=SETPOINT, points=6, stabilise_every=2, **QUICK), station, tmp_path / "run.h5").run()
    assert Counted.stabilised == 3
    assert station.tip.feedback
    assert not station.simulation.generator.on
