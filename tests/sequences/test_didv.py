"""The dI/dV spectrum on the simulated microscope, against the junction's own current."""

import numpy as np
import pytest

from sequences.didv import ConductanceSpectrum
from stmlab.acquisition.runner import Runner
from stmlab.config_files import find
from stmlab.errors import InstrumentFault, OutOfBounds, SequenceError, StationError
from stmlab.events import PointTaken, RunState
from stmlab.station import Station
from stmlab.storage import open_run
from tests.quick_runs import unfitted

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
    sequence, path = ConductanceSpectrum(points=41, setpoint_current=SETPOINT, averages=2), tmp_path / "run.h5"
    Runner(sequence, station, path).run()
    run, junction = open_run(path), station.simulation.sample.junction
    expected = first_harmonic(junction, run.coordinates["bias"], sequence.modulation)
    scale = SETPOINT / junction.static_current(np.array([0.01]), 1.0)[0]
    deviation = run.data["conductance"] - scale * expected
    error = float(np.sqrt(np.mean(run.data["conductance_error"] ** 2)))
    assert np.ptp(expected) > 0.2 * expected.mean()  # there are steps to see
    assert np.abs(deviation).max() < 5 * error + 5e-4 * expected.max()
    np.testing.assert_allclose(np.abs(run.data["y"]).max(), 0.0, atol=0.01 * run.data["x"].max())
    volts_per_siemens = run.data["modulation"] / np.sqrt(2) * run.factors["gain"].value
    np.testing.assert_allclose(run.data["conductance"], run.data["x"] / volts_per_siemens, rtol=1e-12)
    static = scale * junction.static_current(run.coordinates["bias"], 1.0)
    np.testing.assert_allclose(run.data["current"], static, atol=5e-12)


def test_forward_and_backward_agree_and_sweeps_stand_apart(station, tmp_path):
    sequence = ConductanceSpectrum(points=9, backward=True, sweeps=2, setpoint_current=SETPOINT)
    with unfitted():
        Runner(sequence, station, tmp_path / "run.h5").run()
    spectra = open_run(tmp_path / "run.h5").grid("conductance")
    assert spectra.shape == (2, 18)
    np.testing.assert_allclose(spectra[:, :9], spectra[:, :8:-1], rtol=0.02)
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


def test_a_failure_in_the_sweep_takes_modulation_away_and_withdraws_the_tip(station, tmp_path):
    class Broken(ConductanceSpectrum):
        def measure(self):
            raise InstrumentFault("lockin", "input overload")

    with pytest.raises(InstrumentFault):
        Runner(Broken(points=4, setpoint_current=SETPOINT), station, tmp_path / "run.h5").run()
    assert station.simulation.true_state().withdrawn
    assert station.lockin.sine_voltage == 0
    assert open_run(tmp_path / "run.h5").state is RunState.FAILED


@pytest.mark.parametrize(
    ("settings", "error", "complaint"),
    [
        ({"stop_bias": 0.2}, OutOfBounds, "bias"),
        ({"modulation": 5e-3}, OutOfBounds, "modulation"),
        ({"setpoint_current": 2e-8}, OutOfBounds, "setpoint"),
        ({"setpoint_bias": 0.0}, SequenceError, "would drive the tip into the sample"),
        ({"setpoint_bias": -0.5e-3}, SequenceError, r"at least 0.001 V is allowed .*smallest_with_feedback"),
        ({"start_bias": 1e-3, "stop_bias": 1e-3}, SequenceError, "there is no sweep"),
        ({"stop_bias": 0.09, "setpoint_current": 4e-9}, SequenceError, "saturate the preamplifier"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_moves(station, tmp_path, settings, error, complaint):
    before = station.snapshot()
    with pytest.raises(error, match=complaint):
        Runner(ConductanceSpectrum(**settings), station, tmp_path / "run.h5").run()
    assert not (tmp_path / "run.h5").exists()
    assert station.snapshot()["lockin"] == before["lockin"]


def test_the_controllers_own_sweep_measures_the_same_spectrum(station, tmp_path):
    given = {"start_bias": -6e-3, "stop_bias": 6e-3, "points": 13, "setpoint_current": SETPOINT}
    given |= {"backward": True, "sweeps": 2}
    spectra = []
    for hardware in (False, True):
        path = tmp_path / f"{hardware}.h5"
        sequence = ConductanceSpectrum(**given, hardware=hardware)
        with unfitted():
            Runner(sequence, station, path).run()
        run = open_run(path)
        assert run.complete
        spectra.append(run.grid("conductance"))
        assert station.tip.feedback
        assert station.lockin.sine_voltage == 0
    assert spectra[0].shape == spectra[1].shape == (2, 26)
    np.testing.assert_allclose(spectra[1], spectra[0], atol=5e-3 * spectra[0].max())


def test_an_overload_within_a_controllers_sweep_fails_the_run(station, tmp_path):
    class TooSensitive(ConductanceSpectrum):
        def full_scale(self):
            return 1e-6

    sequence = TooSensitive(points=31, setpoint_current=8e-9, modulation=1e-3, stop_bias=9e-3, hardware=True)
    with pytest.raises(InstrumentFault, match="exceeds the input range"):
        Runner(sequence, station, tmp_path / "run.h5").run()
    assert station.simulation.true_state().withdrawn


def test_without_a_spectroscopy_module_a_controllers_sweep_is_refused(tmp_path):
    text = find("simulated").read_text().replace('"tip", "spectroscopy"', '"tip"')
    (tmp_path / "plain.toml").write_text(text.replace("transfer/", f"{find('simulated').parent.as_posix()}/transfer/"))
    with Station.load(str(tmp_path / "plain.toml"), sample="fe_five_states") as plain:
        with pytest.raises(StationError, match="no spectroscopy"):
            Runner(ConductanceSpectrum(hardware=True), plain, tmp_path / "run.h5").run()
        Runner(ConductanceSpectrum(points=3), plain, tmp_path / "run.h5").preflight()


def test_auto_phase_finds_the_phase_that_the_preamplifier_gives(station, tmp_path):
    sequence = ConductanceSpectrum(points=3, setpoint_current=SETPOINT, auto_phase=True)
    Runner(sequence, station, tmp_path / "run.h5").run()
    run = open_run(tmp_path / "run.h5")
    assert run.data["phase"][0] == pytest.approx(run.factors["phase"].value, abs=1.0)
    assert run.data["phase"][0] != pytest.approx(run.factors["phase"].value, abs=1e-6)  # it was measured


@pytest.mark.parametrize(
    "turned", [-70.0, 20.0, 110.0, *(pytest.param(angle, marks=pytest.mark.slow) for angle in (-20.0, 70.0))]
)
def test_auto_phase_turns_back_by_less_than_a_quarter(station, tmp_path, turned):
    """A phase that is wrong by more would turn the sign of the signal: the nearer zero of Y is taken."""

    class Turned(ConductanceSpectrum):
        def find_phase(self):
            self.station.lockin.phase += turned
            super().find_phase()

    sequence = Turned(points=3, setpoint_current=SETPOINT, auto_phase=True)
    Runner(sequence, station, tmp_path / "run.h5").run()
    run = open_run(tmp_path / "run.h5")
    right = run.factors["phase"].value + (180.0 if turned > 90 else 0.0)
    off = (run.data["phase"][0] - right + 180.0) % 360.0 - 180.0
    assert off == pytest.approx(0.0, abs=1.0)
    assert np.all(run.data["x"] < 0) == (turned > 90)


def test_auto_phase_is_refused_where_noise_hides_the_signal(station, tmp_path):
    sequence = ConductanceSpectrum(
        points=3, setpoint_current=20e-12, modulation=5e-6, time_constant=0.01, auto_phase=True
    )
    with pytest.raises(SequenceError, match="auto_phase"):
        Runner(sequence, station, tmp_path / "run.h5").run()
    assert station.simulation.true_state().withdrawn
