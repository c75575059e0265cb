"""The transfer function by rectification, and what a spectrum is without it."""

import numpy as np
import pytest

from drivers.transfer_table import read_table
from sequences.pump_probe import PumpProbe
from sequences.srs import StochasticResonance
from sequences.transfer import TransferFunction
from stmlab.acquisition.runner import Runner
from stmlab.errors import OutOfBounds, SequenceError, StationError
from stmlab.simulation.line import CouplingTee, Line, RadioFrequencyWiring
from stmlab.station import Station
from stmlab.storage import open_run
from tests.approximately import close
from tests.sequences.lines import RIPPLE, station_file

SETPOINT = 2e-9  # of the sample nonlinear: its reference height


def measure(station, path, **settings):
    return Runner(TransferFunction(setpoint_current=SETPOINT, **settings), station, path).run()


def deviation(table, wiring, low, high):
    """Of a table from the truth, dB, everywhere in the band and not only at its points."""
    frequency = np.geomspace(low, high, 3000)
    return 20 * np.log10(np.abs(table.transfer(frequency)) / np.abs(wiring.transfer(frequency)))


@pytest.mark.parametrize(("lowest", "highest"), [(3e7, 1.2e9), pytest.param(3e6, 10e9, marks=pytest.mark.slow)])
def test_the_line_of_the_simulated_microscope_comes_back(tmp_path, lowest, highest):
    with Station.load("simulated", sample="nonlinear", seed=3) as station:
        band = {"start_frequency": lowest, "stop_frequency": highest}
        fit = measure(station, tmp_path / "run.h5", averages=2, **band).fits[0]
    table = read_table(tmp_path / "run_transfer.csv")
    assert table.date == "2024-01-01"
    assert np.abs(deviation(table, RadioFrequencyWiring(), max(1.01 * lowest, 10.1e6), 0.999 * highest)).max() < 0.2
    truth = 20 * np.log10(np.abs(RadioFrequencyWiring().transfer(fit.curves["x"])))
    pulls = (fit.curves["magnitude_dB"] - truth)[1:] / fit.curves["magnitude_error_dB"][1:]
    assert np.std(pulls) < 1.5
    assert fit.warnings == ()


@pytest.mark.slow
def test_a_table_measured_with_the_defaults_flattens_a_spectrum_with_the_defaults(tmp_path):
    with Station.load("simulated", sample="nonlinear", seed=3) as station:
        measure(station, tmp_path / "run.h5")
    table = tmp_path / "run_transfer.csv"
    assert np.abs(deviation(read_table(table), RadioFrequencyWiring(), 3.1e6, 9.99e9)).max() < 0.2
    with Station.load(str(station_file(tmp_path, sections=(table,))), sample="fe_atom", seed=5) as station:
        rate = Runner(StochasticResonance(), station, tmp_path / "srs.h5").run().fits[0]["rate"]
    assert abs(rate.value - 1.73e9) < 4 * rate.error


@pytest.mark.parametrize("highest", [1.5e9, pytest.param(5e9, marks=pytest.mark.slow)])
def test_a_line_of_which_little_is_known_is_measured_and_then_flattens(tmp_path, highest):
    """From a table that knows 10 MHz alone, over the measured one, to the right rate behind 6 dB ripple."""
    wiring = RadioFrequencyWiring(Line(standing_waves=(RIPPLE,)), CouplingTee())
    known = 20 * np.log10(np.abs(wiring.transfer(np.array([1.0e7]))[0]))
    little = tmp_path / "little.csv"
    little.write_text(f"frequency_Hz,magnitude_dB\n0.9e7,{known:.4f}\n1.1e7,{known:.4f}\n", encoding="ascii")
    file = station_file(tmp_path, wave=RIPPLE, sections=(little,))
    with Station.load(str(file), sample="nonlinear", seed=4) as station:
        band = {"start_frequency": 10e6, "stop_frequency": highest}
        measure(station, tmp_path / "line.h5", largest_step=30e6, connector_amplitude=0.12, **band)
    table = tmp_path / "line_transfer.csv"
    assert np.abs(deviation(read_table(table), wiring, 10.1e6, 0.998 * highest)).max() < 0.2
    band = {"start_frequency": 1.01e7, "stop_frequency": 0.98 * highest}
    file = station_file(tmp_path, wave=RIPPLE, sections=(table,))
    with Station.load(str(file), sample="fe_atom", seed=5) as station:
        sequence = StochasticResonance(points=30, averages=2, **band)
        rate = Runner(sequence, station, tmp_path / "srs.h5").run().fits[0]["rate"]
        true = station.simulation.sample.true_rate(sequence.dc_bias, sequence.amplitude)
    assert abs(rate.value - true) < max(4 * rate.error, 0.03 * true)


def test_without_flattening_a_ripple_of_6_dB_makes_the_rate_wrong_and_with_it_right(tmp_path):
    file = station_file(tmp_path, wave=RIPPLE)
    rates = {}
    for flatten in (False, True):
        with Station.load(str(file), sample="fe_atom", seed=6) as station:
            sequence = StochasticResonance(points=40, averages=2, flatten=flatten, stop_frequency=10e9)
            outcome = Runner(sequence, station, tmp_path / f"{flatten}.h5").run()
            rates[flatten] = outcome.fits[0]["rate"].value if outcome.fits else np.inf
            true = station.simulation.sample.true_rate(sequence.dc_bias, sequence.amplitude)
        run = open_run(tmp_path / f"{flatten}.h5")
        assert run.factors["flattened"].value == flatten
        assert (np.ptp(run.data["amplitude"]) < 1e-5 * sequence.amplitude) == flatten
    assert abs(rates[False] / true - 1) > 0.10
    assert abs(rates[True] / true - 1) < 0.02


@pytest.mark.parametrize(
    ("measured", "words"), [("2023-01-01", "365 days ago"), ("2024-02-01", "-31 days ago"), ("", "date = ''")]
)
def test_a_spectrum_is_not_called_flattened_with_a_table_that_is_too_old(tmp_path, measured, words):
    file = station_file(tmp_path, measured=measured or "2024-01-01", options="largest_age_days = 90")
    table = tmp_path / "line.csv"
    if not measured:
        table.write_text("\n".join(table.read_text(encoding="ascii").splitlines()[1:]), encoding="ascii")
    with Station.load(str(file), sample="fe_atom", seed=1) as station:
        with pytest.raises(StationError, match=words) as refusal:
            Runner(StochasticResonance(points=3), station, tmp_path / "run.h5").run()
        assert "line.csv" in str(refusal.value)
        assert not (tmp_path / "run.h5").exists()
        with pytest.raises(StationError, match=words):  # the height of a pulse needs the table too
            Runner(PumpProbe(points=3), station, tmp_path / "run.h5").run()
        Runner(StochasticResonance(points=5, flatten=False), station, tmp_path / "unflattened.h5").run()
    assert not open_run(tmp_path / "unflattened.h5").factors["flattened"].value


def test_a_spectrum_is_not_called_flattened_beyond_the_table(tmp_path):
    short = tmp_path / "short.csv"
    short.write_text("frequency_Hz,magnitude_dB\n1e6,-30\n1e9,-32\n", encoding="ascii")
    with Station.load(str(station_file(tmp_path, sections=(short,))), sample="fe_atom", seed=1) as station:
        with pytest.raises(OutOfBounds, match=r"short\.csv"):
            Runner(StochasticResonance(points=3), station, tmp_path / "run.h5").run()
        assert not (tmp_path / "run.h5").exists()
        Runner(StochasticResonance(points=5, flatten=False), station, tmp_path / "unflattened.h5").run()
    assert np.isnan(open_run(tmp_path / "unflattened.h5").data["amplitude"]).tolist() == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_a_table_is_never_overwritten(tmp_path):
    (tmp_path / "run_transfer.csv").write_text("precious", encoding="ascii")
    settings = {"stop_frequency": 100e6, "points_per_decade": 5}
    with Station.load("simulated", sample="nonlinear", seed=3) as station:
        measure(station, tmp_path / "run.h5", **settings)
    assert (tmp_path / "run_transfer.csv").read_text(encoding="ascii") == "precious"
    assert read_table(tmp_path / "run_transfer_2.csv").band[0] == close(3e6, rel=1e-3)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"start_frequency": 10e6, "stop_frequency": 5e6}, SequenceError, "stop_frequency"),
        ({"connector_amplitude": 0.6}, OutOfBounds, "rf_amplitude"),
        ({"connector_amplitude": 0.5, "stop_frequency": 24e9}, OutOfBounds, "connector_amplitude"),
        ({"setpoint_bias": 0.2}, OutOfBounds, "bias"),
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_moves(tmp_path, settings, error, words):
    with Station.load("simulated", sample="nonlinear", seed=3) as station, pytest.raises(error, match=words):
        measure(station, tmp_path / "run.h5", **settings)
    assert not list(tmp_path.iterdir())


def test_sweeps_are_not_offered_where_nothing_repeats_them():
    assert "sweeps" in StochasticResonance().parameter_objects()
    assert "sweeps" not in TransferFunction().parameter_objects()
