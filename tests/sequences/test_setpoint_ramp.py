"""The conductance-setpoint ramp on the simulated microscope."""

import numpy as np
import pytest

from sequences.setpoint_ramp import SetpointRamp
from stmlab.acquisition.runner import Runner
from stmlab.errors import OutOfBounds, SequenceError
from stmlab.station import Station
from stmlab.storage import open_run
from tests.quick_runs import unfitted


@pytest.fixture
def station():
    with Station.load("simulated", sample="coh_afm_tip", seed=5) as found:
        yield found


def ramp(kind=SetpointRamp, **changes):
    given = {"conductances": 3, "points": 21, "start_conductance": 50e-9, "stop_conductance": 450e-9}
    return kind(**(given | changes))


@pytest.mark.slow
def test_the_ramps_own_fit_is_the_transport_model_with_what_the_run_knows(tmp_path):
    """In the field, and with the modulation, of the run; the sample's exchange and correlation are found."""
    with Station.load("simulated", sample="coh_afm_tip", seed=5) as station:
        sequence = ramp(conductances=5, points=61, start_conductance=50e-9)
        (fit,) = Runner(sequence, station, tmp_path / "run.h5").run().fits
        true = station.simulation.sample.junction
    assert fit.model == "transport"
    assert fit.choices["exchange"] == str(true.exchange)
    for name, value in (
        ("axial_anisotropy_meV", true.axial_anisotropy_meV),
        ("exchange_slope_meV_per_uS", true.exchange_slope_meV_per_uS),
        ("correlation", true.correlation),
    ):
        assert abs(fit[name].value - value) < 4 * fit[name].error
        assert fit[name].error < 0.1 * abs(value)


@pytest.mark.parametrize("hardware", [False, True])
def test_each_spectrum_is_that_of_the_junction_at_its_setpoint(station, tmp_path, hardware):
    sequence = ramp(points=13, start_bias=-6e-3, stop_bias=6e-3, hardware=hardware)
    with unfitted():
        Runner(sequence, station, tmp_path / "run.h5").run()
    run, junction = open_run(tmp_path / "run.h5"), station.simulation.sample.junction
    bias = sequence.axes()[1].values
    for setpoint, measured in zip(run.axes[0].values, run.grid("conductance"), strict=True):
        wanted, scale = setpoint * sequence.setpoint_bias, 1.0
        for _ in range(30):
            scale *= wanted / junction.at(scale).current(np.array([sequence.setpoint_bias]))[0]
        expected = junction.at(scale).conductance(bias, sequence.modulation)
        np.testing.assert_allclose(measured, expected, atol=1e-2 * expected.max())


def test_feedback_is_closed_at_each_setpoint_and_open_in_each_spectrum(station, tmp_path):
    feedback, setpoints = [], []

    class Watched(SetpointRamp):
        def measure(self):
            feedback.append(station.tip.feedback)
            setpoints.append(station.tip.setpoint)
            return super().measure()

    sequence = Watched(**{name: p.value for name, p in ramp(points=4).parameter_record().items()})
    with unfitted():
        Runner(sequence, station, tmp_path / "run.h5").run()
    assert feedback == [False] * 12
    np.testing.assert_allclose(setpoints[:8], [0.5e-9] * 4 + [2.5e-9] * 4, rtol=1e-6)
    assert station.tip.feedback


def test_several_sweeps_and_both_ways_stand_apart(station, tmp_path):
    with unfitted():
        Runner(ramp(conductances=2, points=5, sweeps=2, backward=True), station, tmp_path / "run.h5").run()
    spectra = open_run(tmp_path / "run.h5").grid("conductance")
    assert spectra.shape == (2, 2, 10)
    np.testing.assert_allclose(spectra[..., :5], spectra[..., :4:-1], atol=0.01 * spectra.max())


def test_logarithmic_setpoints_go_down_too():
    values = ramp(start_conductance=700e-9, stop_conductance=7e-9, spacing="logarithmic").axes()[0].values
    np.testing.assert_allclose(values, [700e-9, 70e-9, 7e-9])


@pytest.mark.parametrize(
    ("settings", "error", "complaint"),
    [
        ({"stop_conductance": 2e-6}, OutOfBounds, "setpoint"),
        ({"start_conductance": 1e-12}, OutOfBounds, "setpoint"),
        ({"stop_conductance": 900e-9, "stop_bias": 20e-3}, SequenceError, "saturate the preamplifier"),
        ({"setpoint_bias": 0.0}, OutOfBounds, "setpoint"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_moves(station, tmp_path, settings, error, complaint):
    with pytest.raises(error, match=complaint):
        Runner(ramp(**settings), station, tmp_path / "run.h5").run()
    assert not (tmp_path / "run.h5").exists()
