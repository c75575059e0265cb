"""The bias tee and its measured transfer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from drivers.bias_tee import BiasTee
from drivers.transfer_table import read_table
from stmlab.errors import OutOfBounds, StationError
from stmlab.simulation.line import Line, RadioFrequencyWiring
from stmlab.station.instruments import RadioFrequencyPath
from tests.approximately import close

CONFIG = Path(__file__).parents[2] / "config"
RATINGS: dict[str, Any] = {
    "largest_voltage": {"value": 50.0, "source": "data sheet"},
    "largest_current": {"value": 0.5, "source": "data sheet"},
    "largest_power": {"value": 1.0, "source": "label"},
}
SECTIONS = ("transfer/line.csv", "transfer/bias_tee.s2p")


def tee(directory: Path = CONFIG, sections: tuple[str, ...] = SECTIONS, **changes: Any) -> BiasTee:
    return BiasTee.from_config({"model": "test tee", "sections": sections} | RATINGS | changes, directory)


def table(directory: Path, *lines: str, header: str = "frequency_Hz,magnitude_dB,phase_deg") -> Path:
    path = directory / "table.csv"
    path.write_text("\n".join(("# date: 2023-02-01", header, *lines)) + "\n")
    return path


def test_it_is_a_radio_frequency_path() -> None:
    assert isinstance(tee(), RadioFrequencyPath)


@given(st.floats(3, 10.3979))
def test_the_measured_files_follow_the_true_line_within_two_hundredths_of_a_decibel(decade: float) -> None:
    frequency = np.array([10**decade])
    error = TEE.transfer(frequency) / RadioFrequencyWiring().transfer(frequency)
    assert abs(20 * np.log10(np.abs(error[0]))) < 0.02
    assert abs(np.degrees(np.angle(error[0]))) < 0.5


TEE = tee()


def test_transfer_keeps_the_shape_and_the_measured_values() -> None:
    path = CONFIG / "transfer" / "line.csv"
    line = tee(sections=("transfer/line.csv",))
    frequency = read_table(path).frequency[:6].reshape(2, 3)
    assert line.transfer(frequency).shape == (2, 3)
    assert np.abs(line.transfer(frequency)) == close(np.abs(Line().transfer(frequency)), rel=1e-5)


def test_magnitude_and_phase_are_interpolated_over_the_logarithm_of_the_frequency(tmp_path: Path) -> None:
    path = table(tmp_path, "1e6, -10, 170", "1e8, -30, -170")
    middle = read_table(path).transfer(np.array([1e7]))[0]
    assert 20 * np.log10(abs(middle)) == close(-20)
    assert abs(np.degrees(np.angle(middle))) == close(180)  # the short way round, not through 0


def test_a_frequency_outside_the_band_is_refused_with_file_and_band() -> None:
    for frequency in (999.0, 25.1e9, np.nan, -1.0, 0.0):
        with pytest.raises(OutOfBounds, match=r"1000 to 2.5e\+10 Hz is allowed .*line\.csv"):
            TEE.transfer(np.array([1e6, frequency]))
    assert TEE.band == (1e3, 25e9)
    assert np.isfinite(TEE.transfer(np.array(TEE.band))).all()


def test_the_band_is_what_all_sections_have_in_common(tmp_path: Path) -> None:
    table(tmp_path, "1e6,-1,0", "1e9,-2,0")
    (tmp_path / "other.csv").write_text("frequency_Hz,magnitude_dB\n1e8,-1\n1e10,-2\n")
    both = tee(tmp_path, ("table.csv", "other.csv"))
    assert both.band == (1e8, 1e9)
    assert 20 * np.log10(np.abs(both.transfer(np.array([1e8, 1e9])))) == close([-1 - 5 / 3, -2 - 1.5])
    (tmp_path / "other.csv").write_text("frequency_Hz,magnitude_dB\n2e9,-1\n1e10,-2\n")
    with pytest.raises(StationError, match="do not overlap"):
        _ = tee(tmp_path, ("table.csv", "other.csv")).band


def test_the_description_says_where_the_transfer_comes_from() -> None:
    description = TEE.describe()
    assert description["model"] == "test tee"
    assert description["section_1_file"].endswith("line.csv")
    assert description["section_2_date"] == "2024-01-01"
    assert (description["band_low_Hz"], description["band_high_Hz"]) == (1e3, 25e9)
    assert description["largest_power_source"] == "label"


def test_ratings_refuse_what_the_part_does_not_stand() -> None:
    TEE.check(voltage=-50.0, current=0.5, rf_amplitude=10.0)
    for excess in ({"voltage": -50.1}, {"current": 0.6}, {"rf_amplitude": 10.1}, {"voltage": np.nan}):
        with pytest.raises(OutOfBounds, match="bias tee"):
            TEE.check(**excess)


def test_what_is_not_told_counts_as_nothing() -> None:
    small = {f"largest_{name}": {"value": 1e-6, "source": "label"} for name in ("voltage", "current", "power")}
    delicate = tee(**small)
    delicate.check()
    for one in ({"voltage": 1e-6}, {"current": -1e-6}, {"rf_amplitude": 9.9e-3}):
        delicate.check(**one)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("1e6,-1,0", "1e6,-2,0"), r"line 4: frequency 1e\+06 Hz does not lie above 1e\+06 Hz"),
        (("1e6,-1,0", "1e5,-2,0"), "line 4: frequency 100000 Hz does not lie above"),
        (("0,-1,0", "1e5,-2,0"), "line 3: frequency 0 Hz does not lie above 0 Hz"),
        (("1e6,-1,0", "1e7,nan,0"), "line 4: '1e7,nan,0': 3 finite numbers"),
        (("1e6,-1,0", "1e7,-1"), "line 4: '1e7,-1': 3 finite numbers"),
        (("1e6,-1,0", "1e7,loud,0"), "line 4: '1e7,loud,0': 3 finite numbers"),
        (("1e6,-1,0",), "1 rows"),
        ((), "0 rows"),
    ],
)
def test_a_wrong_table_is_refused_with_file_and_line(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    path = table(tmp_path, *lines)
    with pytest.raises(StationError, match=message) as refused:
        read_table(path)
    assert str(refused.value).startswith(str(path))


@pytest.mark.parametrize("header", ["f,dB,deg", "frequency_Hz,magnitude_dB,phase_rad", "1e6,-1,0"])
def test_a_wrong_header_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(StationError, match="line 2: header"):
        read_table(table(tmp_path, "1e6,-1,0", "1e7,-2,0", header=header))


@given(st.text(max_size=60))
def test_any_text_is_a_table_or_is_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    path.write_text("frequency_Hz,magnitude_dB\n1e3,-1\n" + text, encoding="utf-8")
    try:
        found = read_table(path)
    except StationError as error:
        assert str(path) in str(error)
    else:
        assert (np.diff(found.frequency) > 0).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sections": ["line.txt"]}, "ends in .csv or .s2p is allowed"),
        ({"sections": []}, "sections"),
        ({"largest_voltage": {"value": -1, "source": "x"}}, r"largest_voltage\.value"),
        ({"largest_power": {"value": 1.0}}, r"largest_power\.source"),
        ({"largest_speed": 1}, "largest_speed"),
    ],
)
def test_a_wrong_configuration_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        tee(**changes)


def test_a_missing_file_is_named_before_anything_is_measured() -> None:
    with pytest.raises(StationError, match=r"none\.csv: no such file"):
        tee(sections=("none.csv",))


def test_a_table_that_is_written_anew_is_read_anew_and_one_that_is_remembered_cannot_be_changed(tmp_path: Path) -> None:
    path = table(tmp_path, "1e6,-10,0", "1e8,-30,0")
    before = read_table(path)
    assert read_table(path) is before
    for values in (before.frequency, before.magnitude_dB, before.phase):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1.0
    assert table(tmp_path, "1e6,-20,0", "1e8,-30,0") == path
    assert read_table(path).magnitude_dB[0] == -20
