"""Maps of SRS spectra, and single spectra of the samples whose physics is not that of two linear rates."""

import numpy as np
import pytest

from sequences.srs import StochasticResonance
from sequences.srs_map import StochasticResonanceMap
from stmlab.acquisition.runner import Runner
from stmlab.analysis import analyse
from stmlab.analysis.lorentzian import fit_srs, rate_error_bound
from stmlab.analysis.srs_map import fit_srs_map
from stmlab.errors import OutOfBounds, SequenceError
from stmlab.physics.stochastic_resonance import stochastic_resonance
from stmlab.station import Station
from stmlab.storage import open_run
from tests.approximately import close
from tests.quick_runs import QUICK
from tests.sequences.lines import station_file

FIVE_STATES = 2.782e-9  # A, setpoint of the reference height


def test_the_rate_of_the_five_state_atom_comes_back_within_two_percent(tmp_path):
    with Station.load("simulated", sample="fe_five_states", seed=21) as station:
        sequence = StochasticResonance(
            dc_bias=-5.5e-3, amplitude=1.3e-3, setpoint_current=FIVE_STATES, points=40, averages=5, start_frequency=2e7
        )
        rate = Runner(sequence, station, tmp_path / "run.h5").run().fits[0]["rate"]
        true = station.simulation.sample.true_rate(sequence.dc_bias, sequence.amplitude)
    assert rate.value == close(true, rel=0.02)
    assert rate.error < 0.02 * true


@pytest.mark.slow
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
    assert rate.value == close(true, rel=0.02)
    assert rate.error < 0.02 * true


def test_a_map_gives_rate_and_step_of_every_spectrum(tmp_path):
    with Station.load("simulated", sample="fe_five_states", seed=24) as station:
        junction = station.simulation.sample.junction
        sequence = StochasticResonanceMap(
            dc_bias=-6e-3,
            stop_dc_bias=-4e-3,
            dc_points=2,
            amplitude=1.0e-3,
            stop_amplitude=1.6e-3,
            amplitude_points=2,
            points=16,
            averages=3,
            setpoint_current=FIVE_STATES,
            start_frequency=2e7,
        )
        outcome = Runner(sequence, station, tmp_path / "map.h5").run()
    run = open_run(tmp_path / "map.h5")
    assert run.shape == (2, 2, 16)
    np.testing.assert_allclose(run.grid("amplitude")[:, 1], 1.6e-3, rtol=1e-5)
    curves = outcome.fits[0].curves
    assert curves["bias"].tolist() == [-6e-3, -6e-3, -4e-3, -4e-3]
    for k, (bias, drive) in enumerate(zip(curves["bias"], curves["amplitude"], strict=True)):
        model = stochastic_resonance(
            junction.at(1.0), run.coordinates["frequency"][:16], offset_V=bias, amplitude_V=drive
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
            assert not station.simulation.generator.on
            type(self).stabilised += 1
            super().stabilise()

        def measure(self):
            assert not station.tip.feedback
            biases.append(station.simulation.tip.bias)
            return super().measure()

    biases = []
    with Station.load("simulated", sample="fe_atom", seed=1) as station:
        sequence = Counted(dc_bias=-2e-3, stop_dc_bias=2e-3, dc_points=3, points=3, start_frequency=1e7, **QUICK)
        Runner(sequence, station, tmp_path / "map.h5").run()
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


def test_an_optimal_grid_tells_more_of_the_expected_rate_than_any_number_of_decades():
    """Cramer and Rao's bound; half the points at the characteristic frequency would give 4 / sqrt(N) (0.516)."""
    rate, band = 2e9, {"start_frequency": 3e6, "stop_frequency": 20e9, "points": 60}
    error = {}
    for grid in ("logarithmic", "optimal"):
        frequency = StochasticResonance(grid=grid, expected_rate=rate, **band).axes()[0].values
        assert frequency.size == 60
        assert np.all(np.diff(frequency) > 0)
        error[grid] = rate_error_bound(frequency, rate, 1.0, 1.0) / rate
    assert error["optimal"] == close(4 / np.sqrt(60), rel=0.08)
    assert error["optimal"] < 0.7 * error["logarithmic"]


def test_an_optimal_grid_far_from_its_rate_is_refused(tmp_path):
    settings = {"grid": "optimal", "expected_rate": 1e11}
    with Station.load("simulated", sample="fe_atom", seed=1) as station:
        with pytest.raises(SequenceError, match=r"expected_rate = 1e\+11 /s means 1.592e\+10 Hz"):
            Runner(StochasticResonance(**settings), station, tmp_path / "run.h5").preflight()


def test_a_spectrum_without_a_step_leaves_no_number_in_a_map():
    frequency, random = np.geomspace(3e6, 2e10, 40), np.random.default_rng(1)
    line = 1e-12 / (1 + (2 * np.pi * frequency / 2e9) ** 2)
    current = np.concatenate([line, np.zeros(40)]) + 2e-14 * random.standard_normal(80)
    fit = fit_srs_map(np.repeat([4e-3, 0.0], 40), np.full(80, 1e-3), np.tile(frequency, 2), current)
    assert [p.name for p in fit.parameters] == ["rate_2", "step_2", "offset_2"]
    assert np.isnan(fit.curves["rate"][0])
    assert "give no rate: no step from which a rate could be read" in fit.warnings[0]
