"""The dI/dV spectrum on the simulated microscope, against the junction's own current."""

import numpy as np
import pytest

from sequences.didv import ConductanceSpectrum
from stmlab.errors import InstrumentFault, OutOfBounds, SequenceError
from stmlab.events import PointTaken, RunState
from stmlab.runner import Runner
from stmlab.station import Station
from stmlab.storage import open_run

SETPOINT = 2.782e-9  # A at 10 mV: the reference height of the five-state sample


@pytest.fixture
def station():
    with Station.load("simulated", sample="fe_five_states", seed=5) as found:
        yield found


def first_harmonic(junction, bias, modulation):
    """dI/dV as a lock-in defines it: first harmonic of I(V + A cos), over A."""
    phase = 2 * np.pi * np.arange(64) / 64
    current = junction.static_current((bias[:, None] + modulation * np.cos(phase)).ravel(), 1.0).reshape(-1, 64)
    return 2 * (current * np.cos(phase)).mean(axis=1) / modulation


def test_the_spectrum_is_the_first_harmonic_of_the_junctions_current(station, tmp_path):
    sequence, path = ConductanceSpectrum(points=61, setpoint_current=SETPOINT, averages=2), tmp_path / "run.h5"
    Runner(sequence, station, path).run()
    run, junction = open_run(path), station.simulation.sample.junction
    expected = first_harmonic(junction, run.coordinates["bias"], sequence.modulation)
    scale = SETPOINT / junction.static_current(np.array([0.01]), 1.0)[0]
    deviation = run.data["conductance"] - scale * expected
    error = float(np.sqrt(np.mean(run.data["conductance_error"] ** 2)))
    assert np.ptp(expected) > 0.2 * expected.mean()  # there are steps to see
    assert np.abs(deviation).max() < 5 * error + 2e-3 * expected.max()
    np.testing.assert_allclose(np.abs(run.data["y"]).max(), 0.0, atol=0.01 * run.data["x"].max())
    factor = run.factors["modulation_rms"].value * run.factors["gain"].value
    np.testing.assert_allclose(run.data["conductance"], run.data["x"] / factor, rtol=1e-12)
    static = scale * junction.static_current(run.coordinates["bias"], 1.0)
    np.testing.assert_allclose(run.data["current"], static, atol=5e-12)


def test_forward_and_backward_agree_and_sweeps_stand_apart(station, tmp_path):
    sequence = ConductanceSpectrum(points=15, backward=True, sweeps=2, setpoint_current=SETPOINT)
    Runner(sequence, station, tmp_path / "run.h5").run()
    spectra = open_run(tmp_path / "run.h5").grid("conductance")
    assert spectra.shape == (2, 30)
    np.testing.assert_allclose(spectra[:, :15], spectra[:, :14:-1], rtol=0.02)
    np.testing.assert_allclose(spectra[0], spectra[1], rtol=0.02)


def test_feedback_is_open_and_modulation_on_during_the_sweep_only(station, tmp_path):
    seen = []

    def watch(event):
        if isinstance(event, PointTaken):
            seen.append((station.tip.feedback, station.lockin.sine_voltage))

    sequence = ConductanceSpectrum(points=4, setpoint_current=SETPOINT)
    Runner(sequence, station, tmp_path / "run.h5", [watch]).run()
    sine = sequence.modulation / np.sqrt(2) * station.modulation_divider
    assert [feedback for feedback, _ in seen[:-1]] == [False] * 3
    np.testing.assert_allclose([voltage for _, voltage in seen[:-1]], sine, rtol=1e-2)
    assert station.tip.feedback
    assert station.lockin.sine_voltage == 0


def test_a_failure_in_the_sweep_takes_modulation_away_and_closes_the_feedback(station, tmp_path):
    class Broken(ConductanceSpectrum):
        def measure(self):
            raise InstrumentFault("lockin", "input overload")

    with pytest.raises(InstrumentFault):
        Runner(Broken(points=4, setpoint_current=SETPOINT), station, tmp_path / "run.h5").run()
    assert station.tip.feedback
    assert station.lockin.sine_voltage == 0
    assert open_run(tmp_path / "run.h5").state is RunState.FAILED


@pytest.mark.parametrize(
    ("settings", "error", "complaint"),
    [
        ({"stop_bias": 0.2}, OutOfBounds, "bias"),
        ({"modulation": 5e-3}, OutOfBounds, "modulation"),
        ({"setpoint_current": 2e-8}, OutOfBounds, "setpoint"),
        ({"setpoint_bias": 0.0}, SequenceError, "setpoint_bias = 0"),
        ({"stop_bias": 0.09, "setpoint_current": 4e-9}, SequenceError, "saturate the preamplifier"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_moves(station, tmp_path, settings, error, complaint):
    before = station.snapshot()
    with pytest.raises(error, match=complaint):
        Runner(ConductanceSpectrum(**settings), station, tmp_path / "run.h5").run()
    assert not (tmp_path / "run.h5").exists()
    assert station.snapshot()["lockin"] == before["lockin"]
