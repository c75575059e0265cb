"""Recorded spectra as the junction."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from stmlab.analysis.recordings import analyse_recording
from stmlab.clock import SimulatedClock
from stmlab.errors import FileError, OutOfBounds, PhysicsError, SequenceError, StationError
from stmlab.events import ParameterValue
from stmlab.simulation.replay.recorded import Source
from stmlab.simulation.replay.spectra import RecordedSpectra
from stmlab.simulation.samples import read_sample, recorded_sample
from stmlab.station import Station
from stmlab.station.assembly import simulated_microscope
from stmlab.station.configuration import read_station
from stmlab.storage.recorded import open_recording
from tests.approximately import close
from tests.quick_runs import QUICK
from tests.recorded_files import RECORDED, recorded
from tests.simulation.replay.recordings import replayed, run

STATION = Path(__file__).parents[3] / "config" / "replay.toml"
SPECTRUM = {
    **QUICK,
    "start_bias": -8e-3,
    "stop_bias": 8e-3,
    "points": 17,
    "setpoint_bias": 8e-3,
    "setpoint_current": 0.8e-9,
    "modulation": 1e-3,  # as large as the steps are wide: broadened twice it would show
}


@pytest.fixture(scope="module")
def spectrum(tmp_path_factory):
    """A spectrum with the simulated microscope's noise."""
    return run(tmp_path_factory.mktemp("didv"), "didv", "recorded", sample="coh_bare", seed=3, settings=SPECTRUM)


def parabola(modulation, points=401, setpoints=(1e-7,)):
    """dI/dV = g (1 + (V / 5 mV)**2) at every setpoint g."""
    bias = np.linspace(-0.02, 0.02, points)
    g = np.array(setpoints)
    conductance = g[:, None] * (1 + (bias / 5e-3) ** 2)
    current = g[:, None] * (bias + bias**3 / (3 * 5e-3**2))
    source = Source(Path("a.dat"), "", "a bias spectrum")
    return RecordedSpectra(source, bias, g, current, conductance, modulation, (0.01, g[0] * 0.01), stabilised=False)


@pytest.mark.parametrize(
    ("recorded_with", "played", "words"),
    [
        (None, 2e-4, "a modulation that the file does not say, the fit takes it for the 200 µV"),
        (1e-3, 2e-4, "broadened by 1 mV, the fit takes it for the 200 µV that were played"),
        (1e-3, 0.9998e-3, None),
        (1e-3, 2e-3, None),
        (0.0, 2e-4, None),
    ],
)
def test_a_fit_is_told_of_another_modulation(recorded_with, played, words):
    said = parabola(recorded_with).warnings({"modulation": ParameterValue(played, "V", "")})
    assert len(said) == (words is not None)
    assert words is None or words in said[0]
    assert not parabola(recorded_with).warnings({})


@recorded
def test_a_recorded_spectrum_gives_the_step_energies_of_its_file(tmp_path):
    file = RECORDED / "spmqt_nanonis_sts_15mv.dat"
    again = replayed(tmp_path, "didv", file, settings={**QUICK, "points": 101}, fitted=True).fits[0]
    known = analyse_recording(open_recording(file))["forward"]
    for name in ("inner_energy", "outer_energy"):
        assert abs(again[name].value - known[name].value) < known[name].error
    assert any("the file does not say" in warning for warning in again.warnings)


def test_a_run_replayed_through_its_sequence_is_itself(spectrum, tmp_path):
    again = replayed(tmp_path, "didv", spectrum.path)
    assert again.parameters["points"].value == 17
    for name in ("conductance", "current", "x"):
        np.testing.assert_allclose(again.data[name], spectrum.data[name], rtol=1e-6, err_msg=name)
    assert again.sample == "recorded.h5"
    about = again.snapshot_before["recording"]
    assert about["file"] == str(spectrum.path)
    assert len(about["sha256"]) == 64
    assert "999.8 µV peak" in about["notes"]


def test_a_setpoint_beyond_the_sweep_is_held(tmp_path):
    """Steps lie between the end of this sweep and the setpoint: the last dI/dV does not lead to it."""
    settings = {**SPECTRUM, "start_bias": -1e-3, "stop_bias": 1e-3, "points": 5, "setpoint_bias": 10e-3}
    seen = run(tmp_path, "didv", "recorded", sample="coh_bare", seed=3, settings=settings)
    again = replayed(tmp_path, "didv", seen.path)
    np.testing.assert_allclose(again.data["conductance"], seen.data["conductance"], rtol=1e-6)
    junction = recorded_sample({"file": seen.path}).junction
    assert junction.static_current(np.array([10e-3]), 2.0)[0] == close(1.6e-9)
    assert junction.static_current(np.array([-5e-3]), 1.0)[0] == close(
        junction.current[0, 0] - 4e-3 * junction.conductance[0, 0]
    )
    with pytest.raises(OutOfBounds, match="its setpoint's bias"):
        replayed(tmp_path, "didv", seen.path, "other", settings={"setpoint_bias": 5e-3})


@pytest.mark.parametrize(("more", "note"), [({"sweeps": 2}, "mean of 2 sweeps"), ({"backward": True}, "way back too")])
def test_sweeps_are_averaged_and_the_way_there_is_replayed(tmp_path, more, note):
    settings = {**SPECTRUM, "points": 5, **more}
    seen = run(tmp_path, "didv", "recorded", sample="coh_bare", seed=3, settings=settings)
    junction = recorded_sample({"file": seen.path}).junction
    expected = seen.grid("conductance")
    expected = expected.mean(axis=0) if "sweeps" in more else expected[:5]
    np.testing.assert_allclose(junction.conductance[0], expected, rtol=1e-12)
    assert any(note in said for said in junction.source.notes)


def test_added_noise_is_that_of_the_instruments(spectrum, tmp_path):
    settings = {"time_constant": 0.01, "averages": 20}
    first = replayed(tmp_path, "didv", spectrum.path, settings=settings, added_noise=True)
    away = first.data["conductance"] - spectrum.data["conductance"]
    assert away.any()
    pulls = away / first.data["conductance_error"]
    assert 0.5 < np.sqrt(np.mean(pulls**2)) < 1.6


def test_between_recorded_points_the_spectrum_is_interpolated():
    junction = parabola(0.0, points=81)
    at = np.array([1.23e-3, -7.77e-3])
    np.testing.assert_allclose(junction.static_current(at, 1.0), 1e-7 * (at + at**3 / (3 * 5e-3**2)), rtol=1e-3)
    assert junction.broadened(1.23e-3, 0.0, 1.0) == close(1e-7 * (1 + (1.23 / 5) ** 2), rel=1e-3)


def test_a_modulation_broadens_by_its_excess_over_the_recorded_one():
    """The mean of a parabola over a modulation A is higher by A**2/4 of its curvature."""
    recorded_with, played = 1e-3, 3e-3
    excess = parabola(recorded_with).broadened(2e-3, played, 1.0) - parabola(recorded_with).broadened(2e-3, 0.0, 1.0)
    assert excess == close(1e-7 * (played**2 - recorded_with**2) / 4 / 5e-3**2, rel=1e-3)
    for smaller in (1e-4, recorded_with):
        assert parabola(recorded_with).broadened(2e-3, smaller, 1.0) == close(1e-7 * 1.16, rel=1e-6)


def test_the_conductance_scales_a_spectrum_and_chooses_between_several():
    one, several = parabola(0.0), parabola(0.0, setpoints=(1e-7, 2e-7, 4e-7))
    assert one.static_current(np.array([5e-3]), 3.0)[0] == close(3 * one.static_current(np.array([5e-3]), 1.0)[0])
    assert several.broadened(0.0, 0.0, 2.0) == close(2e-7)
    assert several.broadened(0.0, 0.0, 3.0) == close(3e-7)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"stop_bias": 9e-3}, OutOfBounds, "-0.008 to 0.008 V is allowed (set in {file}: its bias)"),
        ({"setpoint_bias": 0.05}, OutOfBounds, "setpoint_bias = 0.05 V is out of bounds"),
    ],
)
def test_what_was_not_recorded_is_refused_before_anything_moves(spectrum, tmp_path, settings, error, words):
    with pytest.raises(error) as caught:
        replayed(tmp_path, "didv", spectrum.path, settings=settings)
    assert words.format(file=spectrum.path) in str(caught.value)
    assert not (tmp_path / "replayed.h5").exists()


def test_another_experiment_is_refused_and_names_one_that_can(spectrum, tmp_path):
    with pytest.raises(SequenceError, match=r"frequency is not recorded.*didv or setpoint_ramp"):
        replayed(tmp_path, "srs", spectrum.path)


def test_a_current_that_would_saturate_the_preamplifier_is_refused(spectrum, tmp_path):
    with pytest.raises(SequenceError, match=r"its current comes to 2.\d+e-08 A here and would saturate"):
        replayed(tmp_path, "didv", spectrum.path, settings={"setpoint_bias": 4e-3, "setpoint_current": 8e-9})


def test_an_output_that_was_not_recorded_has_no_limit(spectrum):
    with Station.load("replay", replay={"file": spectrum.path}) as station:
        assert station.limit("bias").high == close(8e-3)
        with pytest.raises(SequenceError, match="rf_frequency is not recorded"):
            station.limit("rf_frequency")


def test_a_fit_is_told_of_a_spectrum_that_was_scaled(spectrum):
    junction = recorded_sample({"file": spectrum.path}).junction
    asked = {name: spectrum.parameters[name] for name in ("setpoint_bias", "setpoint_current", "modulation")}
    assert not junction.warnings(asked)
    scaled = junction.warnings({**asked, "setpoint_current": ParameterValue(1.6e-9, "A", "")})
    assert len(scaled) == 1
    assert "replayed at 2 times the conductance" in scaled[0]
    at_zero = {**asked, "setpoint_bias": ParameterValue(0.0, "V", "")}
    assert junction.largest_current((), at_zero) < 1e-9


def test_what_the_lockin_reads_beyond_the_recording_is_an_error_and_no_number(spectrum):
    with Station.load("replay", replay={"file": spectrum.path}) as station:
        station.tip.feedback = False
        station.bias.bias = 7e-3
        assert len(station.lockin.xy) == 2
        station.bias.bias = 9e-3
        with pytest.raises(PhysicsError, match=r"bias = 0.009 V is not recorded: -0.008 to 0.008 V is"):
            _ = station.lockin.xy


def test_a_station_with_instruments_replays_nothing(spectrum):
    config, _ = read_station(STATION)
    at_the_microscope = config.model_copy(update={"simulation": None})
    with pytest.raises(StationError, match="simulated station only"):
        simulated_microscope(
            at_the_microscope, STATION, sample=None, seed=1, clock=SimulatedClock(), replay={"file": spectrum.path}
        )


def test_a_sample_file_names_a_recording(spectrum, tmp_path):
    shutil.copy(spectrum.path, tmp_path / "seen.h5")
    text = 'name = "seen"\ntitle = "seen"\nkind = "recorded"\nsource = "ours"\ndecay_constant_per_m = 1e10\n'
    (tmp_path / "seen.toml").write_text(text + '[recorded]\nfile = "seen.h5"\n')
    sample = read_sample(tmp_path / "seen.toml")
    assert not sample.noise
    direct = recorded_sample({"file": spectrum.path})
    assert sample.junction.source.sha256 == direct.junction.source.sha256
    (tmp_path / "seen.toml").write_text(text + '[recorded]\nfile = "seen.h5"\npixle = [1, 2]\n')
    with pytest.raises(StationError, match="pixle"):
        read_sample(tmp_path / "seen.toml")


def nanonis(path, columns, rows):
    lines = ["Experiment\tbias spectroscopy\t", "", "[DATA]", "\t".join(columns)]
    path.write_text("\n".join([*lines, *("\t".join(f"{value:.9e}" for value in row) for row in rows)]))
    return path


def test_a_reading_in_volts_is_scaled_to_the_current(tmp_path):
    junction = parabola(0.0)
    reading = -3e7 * junction.conductance[0] + 0.0
    rows = np.column_stack([junction.bias, junction.current[0], reading])
    file = nanonis(tmp_path / "a.dat", ["Bias calc (V)", "Current (A)", "LI Demod 1 X (V)"], rows)
    again = recorded_sample({"file": file}).junction
    np.testing.assert_allclose(again.conductance[0], junction.conductance[0], rtol=1e-3)
    assert again.modulation is None
    assert any("180 degrees" in note for note in again.source.notes)
    told = "dI/dV is LI Demod 1 X times -3.33"  # 1 / -3e7, to what the sum over the biases is off
    assert any(note.startswith(told) and note.endswith("integrates to Current") for note in again.source.notes)
    assert "not known" in again.source.notes[-1]
    assert recorded_sample({"file": file, "modulation": "0.2 mV"}).junction.modulation == close(2e-4)


def test_a_reading_that_is_not_the_currents_slope_is_refused(tmp_path):
    junction = parabola(0.0)
    rows = np.column_stack([junction.bias, junction.current[0], np.sin(junction.bias * 3000)])
    file = nanonis(tmp_path / "a.dat", ["Bias calc (V)", "Current (A)", "LI Demod 1 X (V)"], rows)
    with pytest.raises(FileError, match=r"the integral of LI Demod 1 X is not Current .* name the channel"):
        recorded_sample({"file": file})
    derived = recorded_sample({"file": file, "channel": "Current"}).junction
    np.testing.assert_allclose(derived.conductance[0][1:-1], junction.conductance[0][1:-1], rtol=1e-3)
    assert derived.modulation == 0.0


def test_a_file_without_current_is_refused(tmp_path):
    rows = np.column_stack([np.linspace(-0.01, 0.01, 50), np.linspace(1, 2, 50)])
    file = nanonis(tmp_path / "a.dat", ["Bias calc (V)", "LI Demod 1 X (V)"], rows)
    with pytest.raises(FileError, match="no current beside LI Demod 1 X"):
        recorded_sample({"file": file})
