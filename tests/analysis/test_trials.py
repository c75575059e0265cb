"""Files as others bring them, each with what is wrong or odd about it, and the answer that is right.

The table beside the files says what each of them is; this is its right answer, row by row.
"""

from pathlib import Path

import numpy as np
import pytest

from stmlab.analysis.recordings import analyse_recording
from stmlab.errors import FitError
from stmlab.storage.recorded import open_recording
from tests.recorded_files import DATA

TRIALS = DATA / "trials"
pytestmark = pytest.mark.skipif(not TRIALS.is_dir(), reason=f"the trial files are not here ({TRIALS})")


def fits(name, *arguments, **settings):
    return analyse_recording(open_recording(TRIALS / name), *arguments, settings=settings)


def said(fit):
    return "\n".join(fit.warnings)


def assert_base(fit, temperature=1.0, tolerance=0.02):
    """Two pairs at 1.200 and 3.800 meV, alike at both polarities."""
    for name, energy in (("inner", 1.2), ("outer", 3.8)):
        assert abs(fit[f"{name}_energy"].value - energy) < 4 * fit[f"{name}_energy"].error < 0.02 * energy
        assert abs(fit[f"eta_{name}"].value) < 4 * fit[f"eta_{name}"].error
    if temperature:
        assert abs(fit["temperature"].value - temperature) < tolerance


def test_every_row_of_the_table_is_tried():
    rows = [line.split("\t")[0] for line in (TRIALS / "INDEX.tsv").read_text().splitlines()[1:] if line]
    names = {name.strip() for row in rows for name in row.split(",")}
    here = Path(__file__).read_text(encoding="utf-8")
    tried = {name for name in names if f'"{name}"' in here}
    assert names - tried <= {"grid.3ds"}  # a grid is read and fitted elsewhere


@pytest.mark.parametrize(
    "name",
    [
        "base.dat",
        "single.VERT",
        "named_SRX.dat",
        "named_HF2_X1.dat",
        "named_dI_dV.dat",
        "named_Lock_In_X.dat",
        "decimal_comma.dat",
        "magnitude_first.dat",
        "unknown_channel.VERT",
        "phase_turned.dat",
        "z_ramp.VERT",
    ],
)
def test_the_same_spectrum_gives_the_same_numbers_in_every_guise(name):
    found = fits(name)
    assert list(found) == ["forward"]
    assert_base(found["forward"])
    assert "numerical derivative" not in said(found["forward"])


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("decimal_comma.dat", "decimal commas"),
        ("phase_turned.dat", "turned by 180 degrees"),
        ("unknown_channel.VERT", "channel 20"),
        ("z_ramp.VERT", "not at fixed height"),
    ],
)
def test_what_is_odd_about_a_file_is_said_and_of_no_other(name, word):
    assert word in said(fits(name)["forward"])
    assert word not in said(fits("base.dat")["forward"]) + said(fits("single.VERT")["forward"])


def test_an_unknown_channel_is_kept():
    assert open_recording(TRIALS / "unknown_channel.VERT")["channel 20"].values.tolist() == [1.0] * 321


def test_what_the_header_says_of_the_lockin_is_used_unless_it_is_overruled():
    fit = fits("lockin_in_header.dat")["forward"]
    assert "modulation = 200 µV (Lock-in>Amplitude)" in fit.choices["header"]
    assert "temperature = 1 K (Temperature 1>Temperature 1 (K))" in fit.choices["header"]
    assert "is not known" not in said(fit)
    assert_base(fit, temperature=None)
    told = fits("lockin_in_header.dat", modulation=100e-6, temperature=1.5)["forward"]
    assert "header" not in told.choices
    assert "modulation = 0.0001 V, temperature = 1.5 K" in told.choices["given"]


def test_the_magnitude_is_taken_last_and_with_a_warning():
    assert fits("magnitude_first.dat")["forward"].choices["column"] == "LI Demod 1 X"
    magnitude = fits("magnitude_first.dat", None, "LI Demod 1 R")
    assert magnitude["forward"].choices["column"] == "LI Demod 1 R"
    assert "is the magnitude" in said(magnitude["forward"])


def test_steps_with_overshoot_are_placed_or_refused_never_beyond_their_energy():
    try:
        fit = fits("peaked_steps.dat", "steps_one_pair", modulation=1.41e-3, temperature=1.6, window=50e-3)["forward"]
    except FitError:
        return
    assert 7 < fit["inner_energy"].value < 9
    assert abs(fit["bias_offset"].value) < 0.5e-3


def test_a_spectrum_beyond_the_window_is_refused_by_the_name_of_the_setting():
    with pytest.raises(FitError, match="--set window=600mV"):
        fits("wide.dat")
    fit = fits("wide.dat", window=0.6)["forward"]
    assert fit["inner_energy"].value == pytest.approx(30, abs=2)
    assert fit["outer_energy"].value == pytest.approx(200, abs=2)


def test_a_sweep_there_and_back_is_two_sweeps():
    found = fits("retrace.VERT")
    assert list(found) == ["forward", "backward"]
    for fit, offset in zip(found.values(), (0.0, 0.6e-3), strict=True):
        assert_base(fit)
        assert abs(fit["bias_offset"].value - offset) < 4 * fit["bias_offset"].error
    assert found["backward"].choices["sweep"] == "8 mV to -8 mV"


@pytest.mark.parametrize("name", ["trace.dat", "trace_bias_jump.VERT"])
def test_a_trace_is_a_trace(name):
    fit = fits(name)["trace"]
    assert fit.choices["transitions"] == "102"
    assert abs(fit["rate_up"].value - 20) < 3 * fit["rate_up"].error
    assert abs(fit["rate_down"].value - 40) < 3 * fit["rate_down"].error
    assert ("20 of 4000 rows lie at another bias (-50 mV instead of -300 mV)" in said(fit)) == ("jump" in name)


def test_settling_and_hum_are_no_switching():
    with pytest.raises(FitError, match="does not show two levels"):
        fits("drift_no_telegraph.VERT")


def test_a_frequency_sweep_gives_the_rate():
    fit = fits("srs.dat")["forward"]
    assert fit.model == "srs"
    assert abs(fit["rate"].value - 1.5e9) < 3 * fit["rate"].error < 0.1e9


def test_a_delay_sweep_gives_t1_from_both_sides():
    fit = fits("pump_probe.dat")["forward"]
    assert fit.model == "decay"
    assert abs(fit["T1"].value - 60e-9) < 3 * fit["T1"].error < 5e-9
    np.testing.assert_allclose(
        [fit["height_positive"].value, fit["height_negative"].value], [4e-12, 2.5e-12], rtol=0.05
    )
