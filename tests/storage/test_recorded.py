"""Files of other programs: real ones where they are at hand, and what can be wrong with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.errors import FileError
from stmlab.storage.recorded import open_recording
from tests.recorded_files import RECORDED, recorded

DAT = (
    "Experiment\tbias spectroscopy\t\nUser\t\n\n[DATA]\n"
    "Bias calc (V)\tCurrent [AVG] (A) [filt]\n-1E-3\t2E-12\n1E-3\t3E-12\n"
)
VERT = (
    "[ParVERT30]\nDAC-Type=20bit\nGainpreamp / GainPre 10^=9\nSpecFreq=1000.0\nDATA\n   2  10  20  1\n"
    "0\t-3.0E+02\t0\t524288\n1\t-3.0E+02\t0\t-52428.8\n"
)


@recorded
@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.dat")) + sorted(RECORDED.glob("*.VERT")), ids=lambda p: p.name)
def test_every_recorded_file_is_read_whole(path):
    recording = open_recording(path)
    rows = int(
        next(r for r in (RECORDED / "INDEX.tsv").read_text().splitlines() if r.startswith(path.name)).split("\t")[7]
    )
    for column in recording.columns:
        assert len(column.values) == rows
        assert column.name
        assert "(" not in column.name
    assert recording.header


@recorded
def test_the_two_step_spectrum_has_both_directions():
    recording = open_recording(RECORDED / "spmqt_nanonis_sts_15mv.dat")
    bias, forward = recording["Bias calc"], recording["LockIn [AVG]"]
    assert (bias.unit, forward.unit, recording["LockIn [AVG] [bwd]"].unit) == ("V", "V", "V")
    np.testing.assert_allclose([bias.values[0], bias.values[-1]], [-15e-3, 15e-3])
    single = (recording["LockIn [00001]"].values + recording["LockIn [00002]"].values) / 2
    np.testing.assert_allclose(forward.values, single, rtol=1e-4)
    assert recording.header["Bias Spectroscopy>Num Pixel"] == "401"


@recorded
def test_a_telegraph_trace_is_a_trace_with_its_sample_interval():
    recording = open_recording(RECORDED / "spmqt_createc_ivt_telegraph_300mv_a.VERT")
    assert recording.is_trace
    assert recording.sample_interval == pytest.approx(1e-3)
    np.testing.assert_allclose(recording["Bias"].values, -0.3)
    assert -1e-9 < recording["Current"].values.mean() < -1e-11


def test_flags_may_stand_before_and_behind_the_unit_and_a_mark_before_the_text(tmp_path):
    path = tmp_path / "a.dat"
    path.write_text("﻿" + DAT, encoding="utf-8")
    recording = open_recording(path)
    assert [(c.name, c.unit) for c in recording.columns] == [("Bias calc", "V"), ("Current [AVG] [filt]", "A")]
    assert recording.header["Experiment"] == "bias spectroscopy"
    np.testing.assert_array_equal(recording.columns[1].values, [2e-12, 3e-12])


def test_a_micro_sign_of_windows_is_read(tmp_path):
    path = tmp_path / "a.dat"
    path.write_bytes(DAT.replace("bias spectroscopy", "5 \u00b5V").encode("cp1252"))
    assert open_recording(str(path)).header["Experiment"] == "5 \u00b5V"


def test_a_createc_step_is_ten_volts_over_half_the_range_through_the_gain(tmp_path):
    path = tmp_path / "a.VERT"
    path.write_text(VERT)
    np.testing.assert_allclose(open_recording(path)["Current"].values, [10e-9, -1e-9])


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.dat", "Experiment\tx\n", r"no line \[DATA\]"),
        ("a.dat", DAT.replace("\t2E-12", ""), "line 6 holds 1 values instead of 2"),
        ("a.dat", DAT.replace("2E-12", "two"), "line 6 holds 'two' where a number should be"),
        ("a.dat", DAT[: DAT.index("-1E-3")], "no rows"),
        ("a.VERT", "hello", "not a Createc"),
        ("a.VERT", VERT.replace("   2  10", "   3  10"), "2 rows, the line of counts promises 3"),
        ("a.VERT", VERT[:-12], "line 8 holds 2 values instead of 4"),
        ("a.VERT", VERT.replace("524288", "much"), "line 7 holds 'much' where"),
        ("a.VERT", VERT.replace("20bit", ""), "DAC-Type"),
        ("a.VERT", VERT.replace("SpecFreq=1000.0\n", ""), "SpecFreq"),
        ("a.VERT", VERT.replace("SpecFreq=1000.0", "SpecFreq=0"), "SpecFreq = 0: 1e-09 to 1e"),
        ("a.VERT", VERT.replace("20bit", "99999bit"), "DAC-Type"),
        ("a.VERT", VERT.replace("20  1", "20  15"), "do not fit 4 channels"),
        ("a.txt", "", r"\.txt is not known"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(tmp_path, name, text, complaint):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(FileError, match=complaint) as refusal:
        open_recording(path)
    assert "\n" not in str(refusal.value)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_file_error_or_a_recording(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzz.dat"
    path.write_bytes(DAT.encode() + content)
    try:
        recording = open_recording(path)
    except FileError:
        return
    assert len(recording.columns) == 2


def test_a_column_is_known_by_its_name_without_flags_if_only_one_is_called_so(tmp_path):
    path = tmp_path / "spectrum.dat"
    path.write_text(
        "[DATA]\nBias (V)\tCurrent [AVG] (A)\tCurrent [AVG] [bwd] (A)\tX [1] (V)\tX [2] (V)\n0\t1\t2\t3\t4\n"
    )
    recording = open_recording(path)
    assert recording["Current"].name == "Current [AVG]"
    with pytest.raises(FileError, match=r"'X' may be several columns: name one of X \[1\], X \[2\]$"):
        recording["X"]
    with pytest.raises(FileError, match=r"no column 'Curr'; there are Bias, Current"):
        recording["Curr"]
