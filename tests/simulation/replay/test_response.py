"""Recorded stochastic resonance spectra as the junction."""

import numpy as np
import pytest

from stmlab.acquisition.measurement import measurement
from stmlab.errors import FileError, OutOfBounds, PhysicsError, SequenceError
from stmlab.events import PointTaken
from stmlab.simulation.samples import recorded_sample
from stmlab.storage import open_run
from stmlab.storage.exporters import export
from tests.approximately import close
from tests.quick_runs import QUICK
from tests.simulation.replay.recordings import replayed, run

SRS = {**QUICK, "points": 7, "start_frequency": 10e6}
MAP = {
    **QUICK,
    "dc_bias": 2e-3,
    "stop_dc_bias": 6e-3,
    "dc_points": 3,
    "amplitude": 1.5e-3,
    "stop_amplitude": 3e-3,
    "amplitude_points": 3,
    "points": 5,
}


@pytest.fixture(scope="module")
def spectrum(tmp_path_factory):
    """A spectrum with the simulated microscope's noise."""
    return run(tmp_path_factory.mktemp("srs"), "srs", "recorded", sample="fe_atom", seed=3, settings=SRS)


@pytest.fixture(scope="module")
def map_of_spectra(tmp_path_factory):
    """Three biases, three amplitudes, five frequencies."""
    return run(tmp_path_factory.mktemp("map"), "srs_map", "recorded", sample="fe_atom", seed=3, settings=MAP)


def test_a_spectrum_replayed_is_itself(spectrum, tmp_path):
    again = replayed(tmp_path, "srs", spectrum.path)
    for name in ("current", "x", "amplitude"):
        np.testing.assert_allclose(again.data[name], spectrum.data[name], rtol=1e-6, err_msg=name)


@pytest.mark.slow
def test_a_map_replayed_is_itself(map_of_spectra, tmp_path):
    again = replayed(tmp_path, "srs_map", map_of_spectra.path)
    largest = np.abs(map_of_spectra.data["current"]).max()
    np.testing.assert_allclose(again.data["current"], map_of_spectra.data["current"], rtol=0, atol=1e-6 * largest)


@pytest.mark.parametrize("repeated", [{"amplitude_points": 1}, {"stop_dc_bias": 2e-3, "amplitude_points": 1}])
def test_a_map_of_one_amplitude_or_one_bias_is_replayed(tmp_path, repeated):
    seen = run(tmp_path, "srs_map", "recorded", sample="fe_atom", seed=3, settings={**MAP, **repeated})
    again = replayed(tmp_path, "srs_map", seen.path)
    largest = np.abs(seen.data["current"]).max()
    first = seen.grid("current") if repeated.get("stop_dc_bias") is None else seen.grid("current")[:1]
    np.testing.assert_allclose(again.grid("current") - first, 0.0, atol=1e-6 * largest)


def test_a_run_at_the_generators_amplitude_replayed_is_itself(tmp_path):
    settings = {"stop_frequency": 1e9, "largest_step": 1e9, "points_per_decade": 3, **QUICK}
    seen = run(tmp_path, "transfer", "recorded", sample="nonlinear", seed=3, settings=settings)
    again = replayed(tmp_path, "transfer", seen.path)
    largest = np.abs(seen.data["current"]).max()
    np.testing.assert_allclose(again.data["current"], seen.data["current"], rtol=0, atol=1e-6 * largest)
    with pytest.raises(OutOfBounds, match="its microwave amplitude"):
        replayed(tmp_path, "transfer", seen.path, "other", settings={"connector_amplitude": 0.3})


def test_one_spectrum_is_taken_out_of_a_map(map_of_spectra, tmp_path):
    settings = {"dc_bias": 4e-3, "amplitude": 2.25e-3, "points": 5, **QUICK}
    again = replayed(tmp_path, "srs", map_of_spectra.path, settings=settings)
    known = map_of_spectra.grid("current")[1, 1]
    np.testing.assert_allclose(again.data["current"], known, rtol=0, atol=1e-6 * np.abs(known).max())


def test_of_a_stopped_map_the_whole_biases_are_replayed(tmp_path):
    with measurement("srs_map", sample="fe_atom", seed=3, settings=MAP, path=tmp_path / "stopped.h5") as (runner, _):
        taken = []

        def stop(event):
            taken.append(event)
            if sum(isinstance(one, PointTaken) for one in taken) == 32:  # of 45: two biases, and a bit of the third
                runner.stop()

        runner.listen(stop)
        runner.run()
    junction = recorded_sample({"file": tmp_path / "stopped.h5"}).junction
    np.testing.assert_allclose(junction.offset, [2e-3, 4e-3])
    assert "1 of 3 biases were not measured whole: left out" in junction.source.notes
    seen = open_run(tmp_path / "stopped.h5")
    np.testing.assert_array_equal(junction.current, seen.grid("current")[:2])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dc_bias": 5e-3}, r"bias = 0.005 V is out of bounds: 0.004 to 0.004 V is allowed .*its only DC bias"),
        ({"amplitude": 3e-3}, r"junction_amplitude = 0.003 V .*its only microwave amplitude"),
        ({"setpoint_current": 3e-9}, r"setpoint = 3e-09 A .*its setpoint"),
        ({"stop_frequency": 22e9}, r"frequency = 2.\d+e\+10 Hz .*its frequency"),
    ],
)
def test_another_drive_than_recorded_is_refused(spectrum, tmp_path, settings, words):
    with pytest.raises(OutOfBounds, match=words):
        replayed(tmp_path, "srs", spectrum.path, settings=settings)
    assert not (tmp_path / "replayed.h5").exists()


def test_another_experiment_is_refused(spectrum, tmp_path):
    with pytest.raises(SequenceError, match=r"bias is not recorded: .* resonance spectrum, which srs or srs_map"):
        replayed(tmp_path, "didv", spectrum.path)
    with pytest.raises(SequenceError, match=r"delay is not recorded"):
        replayed(tmp_path, "pump_probe", spectrum.path)


def test_between_recorded_points_it_is_interpolated_and_beyond_refused(map_of_spectra):
    junction = recorded_sample({"file": map_of_spectra.path}).junction
    f, a = float(junction.frequency[2]), float(junction.amplitude[0, 0, 2])
    corner = junction.current[:2, :2, 2]
    between = junction.at(f, 3e-3, 0.5 * float(junction.amplitude[0, :2, 2].sum()))
    assert corner.min() <= between <= corner.max()
    assert junction.at(f, 2e-3, a * 1.001) == close(junction.current[0, 0, 2])  # not to be told from it
    for drive in ((2 * junction.frequency[-1], 2e-3, a), (f, 7e-3, a), (f, 2e-3, 0.9 * a)):
        with pytest.raises(PhysicsError, match="is recorded"):
            junction.at(*drive)


def test_a_file_of_frequency_and_current_is_replayed_at_any_bias(tmp_path):
    frequency = np.geomspace(1e7, 1e10, 30)
    current = 3e-12 + 5e-12 / (1 + (frequency / 2.4e8) ** 2)
    rows = "\n".join(f"{f:.9e}\t{i:.9e}" for f, i in zip(frequency, current, strict=True))
    file = tmp_path / "a.dat"
    file.write_text(f"Experiment\tSweep\n\n[DATA]\nFrequency (Hz)\tCurrent (A)\n{rows}\n")
    settings = {"points": 7, "start_frequency": 1.2e7, "stop_frequency": 9e9, **QUICK}
    again = replayed(tmp_path, "srs", file, settings=settings)
    at = again.grid("frequency")
    np.testing.assert_allclose(again.data["current"], 3e-12 + 5e-12 / (1 + (at / 2.4e8) ** 2), rtol=0.02)
    assert "does not say" in again.snapshot_before["recording"]["notes"]
    with pytest.raises(OutOfBounds, match="its only DC bias"):
        replayed(tmp_path, "srs", file, "other", settings={**settings, "dc_bias": 4e-3}, bias=3e-3)


def test_an_exported_run_says_what_it_was_taken_with(spectrum, tmp_path):
    export(spectrum, "csv", tmp_path / "a.csv")
    with pytest.raises(FileError, match=r"x is in V: .* as in --recorded channel=current"):
        recorded_sample({"file": tmp_path / "a.csv"})
    junction = recorded_sample({"file": tmp_path / "a.csv", "channel": "current"}).junction
    np.testing.assert_allclose(junction.current[0, 0], spectrum.data["current"])
    assert junction.offset == close(4e-3)
    assert junction.drive == close(2.8e-3)
    told = recorded_sample({"file": tmp_path / "a.csv", "channel": "current", "bias": "5 mV"}).junction
    assert told.offset == close(5e-3)


def test_a_run_that_lacks_a_channel_is_refused(spectrum, monkeypatch):
    whole = open_run(spectrum.path)
    del whole.data["amplitude"]
    monkeypatch.setattr("stmlab.simulation.replay.own_runs.open_run", lambda _: whole)
    with pytest.raises(FileError, match="no channel 'amplitude' among current, current_error, x, y: a replay of this"):
        recorded_sample({"file": spectrum.path})
