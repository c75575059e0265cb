"""Files of other programs: real ones where they are at hand, and what can be wrong with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.errors import FileError
from stmlab.storage.recorded import open_recording
from tests.approximately import close
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
    assert recording.sample_interval == close(1e-3)
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
        ("a.dat", DAT[: DAT.index("[DATA]") + 6], r"nothing follows \[DATA\]"),
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
        ("a.VERT", VERT.replace("20  1", "20  15"), "rows of 4 numbers do not fit the channels .* 7 are expected"),
        (
            "a.VERT",
            VERT.replace("DATA", "Vertchannelselectval=3\nDATA"),
            "the header names the channels 3, .* counts 1",
        ),
        ("a.VERT", VERT.replace("DATA", "SpecFreq=10.0\nDATA"), "more than once, as 1000.0 and 10.0"),
        (
            "a.dat",
            DAT.replace("-1E-3", "-1,5E-3").replace("3E-12", "3.1E-12"),
            r"commas \(line 6\) .* points \(line 7\)",
        ),
        ("a.dat", DAT.replace("-1E-3", "1_0"), "line 6 holds '1_0' where"),
        ("a.dat", DAT.replace("-1E-3", "1,234,5"), "line 6 holds '1,234,5' where"),
        ("a.doc", "", r"\.doc is not known"),
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


def write(tmp_path, text, name="a.dat"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_decimal_commas_are_read_where_the_whole_file_has_them(tmp_path):
    recording = open_recording(write(tmp_path, DAT.replace("2E-12", "2,5E-12").replace("-1E-3", "-1,25E-3")))
    assert recording.columns[0].values.tolist() == [-1.25e-3, 1e-3]
    assert recording.columns[1].values.tolist() == [2.5e-12, 3e-12]
    assert recording.notes == ("numbers are written with decimal commas",)


@pytest.mark.parametrize(
    ("title", "name", "unit"),
    [
        ("Noise (V/sqrt(Hz))", "Noise", "V/sqrt(Hz)"),
        ("Noise [AVG] (A/(V*s)) [bwd]", "Noise [AVG] [bwd]", "A/(V*s)"),
        ("LI (first) (V)", "LI (first)", "V"),
        ("X) (V)", "X)", "V"),
        ("Ratio", "Ratio", ""),
        ("Current [pA]", "Current", "pA"),
        ("Current [AVG] [pA] [bwd]", "Current [AVG] [bwd]", "pA"),
        ("LockIn [First]", "LockIn [First]", ""),
        ("Odd (V", "Odd (V", ""),
        ("", "column 2", ""),
    ],
)
def test_the_unit_is_what_the_last_parentheses_hold(tmp_path, title, name, unit):
    column = open_recording(write(tmp_path, f"[DATA]\nBias (V)\t{title}\tZ (m)\n1\t2\t3\n")).columns[1]
    assert (column.name, column.unit) == (name, unit)


def test_nothing_is_lost_where_a_key_or_a_name_is_repeated(tmp_path):
    recording = open_recording(
        write(tmp_path, "Comment\tfirst\nComment\tsecond\n\n[DATA]\nBias (V)\tI (A)\tI (A)\n1\t2\t3\n")
    )
    assert recording.header == {"Comment": "first", "Comment #2": "second"}
    assert [column.name for column in recording.columns] == ["Bias", "I", "I #2"]
    assert recording["I #2"].values == 3
    assert recording.notes == ("two columns have one name: the later is called I #2",)


def test_a_channel_that_nobody_knows_is_kept_in_its_place(tmp_path):
    code = 1 << 0 | 1 << 20 | 1 << 25
    text = VERT.replace("20  1", f"20  {code}").replace("524288", "524288 7 8").replace("-52428.8", "-52428.8 9 10")
    recording = open_recording(write(tmp_path, text, "a.VERT"))
    assert [c.name for c in recording.columns] == ["Bias", "Z", "Current", "channel 20", "channel 25"]
    np.testing.assert_allclose(recording["Current"].values, [10e-9, -1e-9])
    assert recording["channel 25"].values.tolist() == [8, 10]
    assert len(recording.notes) == 2


@pytest.mark.parametrize(
    ("version", "counts", "positions"),
    [
        ("30", "2  10  20  1", ["Bias", "Z"]),
        ("30", "2  10  20  1  0  0  3", ["Bias", "Z"]),
        ("32", "2  10  20  1", ["Bias", "Z"]),
        ("32", "2  10  20  1  0  0  2", ["Bias", "Z"]),
        ("32", "2  10  20  1  0  0  3  1.5  -2.5", ["Bias", "Z", "X"]),
    ],
)
def test_the_seventh_count_of_a_newer_file_says_whether_x_is_there(tmp_path, version, counts, positions):
    text = VERT.replace("ParVERT30", f"ParVERT{version}").replace("2  10  20  1", counts)
    if len(positions) == 3:
        text = text.replace("\t0\t", "\t0\t5\t")
    recording = open_recording(write(tmp_path, text, "a.VERT"))
    assert [column.name for column in recording.columns] == [*positions, "Current"]
    np.testing.assert_allclose(recording["Current"].values, [10e-9, -1e-9])


def test_two_gains_in_one_header_are_told(tmp_path):
    text = VERT.replace("DATA", "Vertmangain=8\nDATA")
    assert "names two gains, 10^9 and for spectra 10^8" in open_recording(write(tmp_path, text, "a.VERT")).notes[0]
