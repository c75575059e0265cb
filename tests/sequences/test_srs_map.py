"""Maps of SRS spectra, and single spectra of the samples whose physics is not that of two linear rates."""

import numpy as np
import pytest

from sequences.srs import StochasticResonance
from sequences.srs_map import StochasticResonanceMap
from stmlab.analysis import analyse
from stmlab.analysis.lorentzian import fit_srs
from stmlab.errors import OutOfBounds
from stmlab.events import PointTaken
from stmlab.physics.stochastic_resonance import stochastic_resonance
from stmlab.runner import Runner
from stmlab.station import Station
from stmlab.storage import open_run
from tests.sequences.lines import station_file

FIVE_STATES = 2.782e-9  # A, setpoint of the reference height


def test_the_rate_of_the_five_state_atom_comes_back_within_two_percent(tmp_path):
    with Station.load("simulated", sample="fe_five_states", seed=21) as station:
        sequence = StochasticResonance(
            dc_bias=-5.5e-3, amplitude=1.3e-3, setpoint_current=FIVE_STATES, points=60, averages=4, start_frequency=2e7
        )
        rate = Runner(sequence, station, tmp_path / "run.h5").run().fits[0]["rate"]
        true = station.simulation.sample.true_rate(sequence.dc_bias, sequence.amplitude)
    assert rate.value == pytest.approx(true, rel=0.02)
    assert rate.error < 0.02 * true


def test_the_rate_of_the_bound_state_comes_back_within_two_percent(tmp_path):
    """0.08 mV through the shipped 30 dB would be played with a dozen codes, whose harmonics rectify: 20 dB more."""
    file = station_file(tmp_path, attenuation_dB=50.0)
    with Station.load(str(file), sample="ysr_state", seed=22) as station:
        sequence = StochasticResonance(
            dc_bias=0.62e-3,
            amplitude=0.08e-3,
            setpoint_current=1e-9,
            current_range=50e-12,
            points=60,
            averages=32,
            start_frequency=2e7,
        )
        Runner(sequence, station, tmp_path / "run.h5").run()
        true = station.simulation.sample.true_rate(sequence.dc_bias, sequence.amplitude)
    rate = analyse(open_run(tmp_path / "run.h5"), "srs_two_widths")["rate"]
    assert rate.value == pytest.approx(true, rel=0.02)
    assert rate.error < 0.02 * true


def test_a_map_gives_rate_and_step_of_every_spectrum(tmp_path):
    with Station.load("simulated", sample="fe_five_states", seed=23) as station:
        junction = station.simulation.sample.junction
        sequence = StochasticResonanceMap(
            dc_bias=-6e-3,
            stop_dc_bias=-4e-3,
            dc_points=2,
            amplitude=1.0e-3,
            stop_amplitude=1.6e-3,
            amplitude_points=2,
            points=24,
            averages=2,
            setpoint_current=FIVE_STATES,
            start_frequency=2e7,
        )
        outcome = Runner(sequence, station, tmp_path / "map.h5").run()
    run = open_run(tmp_path / "map.h5")
    assert run.shape == (2, 2, 24)
    np.testing.assert_allclose(run.grid("amplitude")[:, 1], 1.6e-3, rtol=1e-5)
    curves = outcome.fits[0].curves
    assert curves["bias"].tolist() == [-6e-3, -6e-3, -4e-3, -4e-3]
    for k, (bias, drive) in enumerate(zip(curves["bias"], curves["amplitude"], strict=True)):
        model = stochastic_resonance(
            junction.at(1.0), run.coordinates["frequency"][:24], offset_V=bias, amplitude_V=drive
        )
        noiseless = fit_srs(model.frequencies_Hz, model.signal_A)
        for name in ("rate", "step"):
            value, error, expected = curves[name][k], curves[f"{name}_error"][k], noiseless[name].value
            assert abs(value - expected) < max(4 * error, 0.01 * abs(expected))
            assert error < 0.05 * abs(value)


def test_each_spectrum_of_a_map_begins_with_the_tip_stabilised(tmp_path):
    class Counted(StochasticResonanceMap):
        stabilised = 0

        def stabilise(self):
            type(self).stabilised += 1
            super().stabilise()

    biases = []
    with Station.load("simulated", sample="fe_atom", seed=1) as station:

        def watch(event):
            if isinstance(event, PointTaken):
                biases.append(station.simulation.tip.bias)
                assert event.index == 8 or not station.tip.feedback

        sequence = Counted(dc_bias=-2e-3, stop_dc_bias=2e-3, dc_points=3, points=3, start_frequency=1e7)
        Runner(sequence, station, tmp_path / "map.h5", [watch]).run()
    assert Counted.stabilised == 3
    assert len(biases) == 9


def test_a_map_refuses_an_offset_or_amplitude_anywhere_that_is_out_of_bounds(tmp_path):
    for settings in ({"stop_dc_bias": 0.2}, {"stop_amplitude": 0.03, "amplitude_points": 3}):
        with Station.load("simulated", sample="fe_atom", seed=1) as station, pytest.raises(OutOfBounds):
            Runner(StochasticResonanceMap(**settings), station, tmp_path / "map.h5").run()
    assert not list(tmp_path.iterdir())


def test_the_grid_is_logarithmic_or_linear():
    band = {"start_frequency": 1e9, "stop_frequency": 9e9, "points": 3}
    for grid, middle in (("logarithmic", 3e9), ("linear", 5e9)):
        axis = StochasticResonance(grid=grid, **band).axes()[0]
        np.testing.assert_allclose(axis.values, [1e9, middle, 9e9], rtol=1e-5)
        assert axis.logarithmic == (grid == "logarithmic")
