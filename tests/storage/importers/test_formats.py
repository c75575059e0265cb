"""What each importer reads, that content decides and not the ending, and what it says it did not understand."""

import re

import h5py
import numpy as np
import pytest

from stmlab.errors import FileError
from stmlab.storage.importers import IMPORTERS, importer_of, nexus
from stmlab.storage.recorded import Grid, is_recorded, open_recording
from tests.recorded_files import DATA, RECORDED, recorded
from tests.storage.importers.samples import BIAS, curves, write_nexus, write_samples


def write(tmp_path, text, name="table.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def columns(recording):
    return [(column.name, column.unit, column.values.tolist()) for column in recording.columns]


def test_content_decides_and_not_the_ending(tmp_path):
    for path in write_samples(tmp_path):
        renamed = path.rename(path.with_name(f"{path.name}.data"))
        assert is_recorded(renamed), path
        assert open_recording(renamed).format
    assert {importer_of(path) for path in tmp_path.iterdir()} >= set(IMPORTERS) - {
        next(importer for importer in IMPORTERS if importer.ENDINGS[:1] == (".nc",))
    }


def test_a_run_and_what_nobody_knows_are_no_recordings(tmp_path):
    run = tmp_path / "run.h5"
    with h5py.File(run, "w") as file:
        file.attrs["format"] = "stmlab run"
    assert not is_recorded(run)
    with pytest.raises(FileError, match="a run of stmlab"):
        open_recording(run)
    with pytest.raises(FileError, match=r"no ending is not known; .*\.3ds.*\.npz"):
        open_recording(write(tmp_path, "hello", "file"))


@pytest.mark.skipif(not DATA.is_dir(), reason="the files are not here")
@pytest.mark.parametrize("path", sorted(p for p in DATA.glob("*/*") if p.suffix != ".tsv"), ids=lambda p: p.name)
def test_every_file_at_hand_is_imported(path):
    found = open_recording(path)
    named = [*found.channels, *found.parameters] if isinstance(found, Grid) else found.columns
    assert all(np.isfinite(column.values).any() for column in named)
    assert len({column.name for column in named}) == len(named)


# -- text --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Bias (V),Current (pA)\n-1,2.5\n1,3\n",
        "Bias [V];Current [pA]\n-1;2,5\n1;3\n",
        "Bias (V)\tCurrent (pA)\n-1\t2.5\n1\t3\n",
        "Bias (V)  Current (pA)\n-1 2.5\n1 3\n",
        "# Bias (V), Current (pA)\n-1, 2.5\n1, 3\n",
        "# sample: Cu\n# Bias (V) Current (pA)\n-1 2.5\n1 3\n",
        '"Bias (V)","Current (pA)"\n"-1","2.5"\n"1","3"\n',
        "Bias,Current\nV,pA\n-1,2.5\n1,3\n",
        "\ufeffBias (V),Current (pA)\n-1,2.5,\n1,3,\n".replace(",\n", "\n"),
    ],
)
def test_tables_of_every_delimiter_are_read_with_their_units(tmp_path, text):
    assert columns(open_recording(write(tmp_path, text))) == [("Bias", "V", [-1, 1]), ("Current", "pA", [2.5, 3])]


def test_comments_are_the_header_and_gaps_are_named(tmp_path):
    found = open_recording(write(tmp_path, "# user\tme\n# T = 1.2 K\n# at: noon\nBias (V),I (A)\n1,\n2,3\n"))
    assert found.header == {"user": "me", "T": "1.2 K", "at": "noon"}
    assert np.isnan(found["I"].values).tolist() == [True, False]
    assert found.notes == ("1 cells are empty: read as no number (nan)",)


def test_columns_of_text_are_left_out_and_named(tmp_path):
    found = open_recording(write(tmp_path, "Date,I (A)\nMonday,1\nTuesday,2\nFriday,3\n"))
    assert columns(found) == [("I", "A", [1, 2, 3])]
    assert found.notes == ("Date holds text ('Monday'): left out",)


def test_a_long_term_chart_keeps_its_numbers_and_names_its_dates(tmp_path):
    rows = "".join(f"0{k}.02.2024 10:00:00\t{k}\t{k}E-9\n" for k in range(1, 5))
    found = open_recording(
        write(tmp_path, f"Experiment\tLong Term\t\n\n[DATA]\nDate\tTime (s)\tZ (m)\n{rows}", "a.dat")
    )
    assert columns(found) == [("Time", "s", [1, 2, 3, 4]), ("Z", "m", [1e-9, 2e-9, 3e-9, 4e-9])]
    assert found.notes == ("Date holds text ('01.02.2024 10:00:00'): left out",)


def test_numbers_alone_have_no_names(tmp_path):
    found = open_recording(write(tmp_path, "1,2\n3,4\n"))
    assert columns(found) == [("column 1", "", [1, 3]), ("column 2", "", [2, 4])]
    assert found.notes == ("the columns have no names and no units",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("V,I\n1,2\n3\n", "line 3 holds 1 values instead of 2"),
        ("V,I\n1,2\n3,x\n", "line 3 holds 'x' where a number"),
        ("a,b,c\n1,2\n3,4\n", "no line above the numbers holds 2 titles"),
        ("only words\n", "no row of numbers"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, complaint):
    with pytest.raises(FileError, match=complaint):
        open_recording(write(tmp_path, text))


def test_results_of_pymeasure_are_read_as_it_wrote_them(tmp_path):
    from pymeasure.experiment import FloatParameter, Procedure, Results  # with pandas and pint
    from pymeasure.experiment.results import CSVFormatter

    class Sweep(Procedure):
        gain = FloatParameter("Gain", units="V/A", default=1e9)
        DATA_COLUMNS = ("Bias (V)", "Current (A)", "Count (V)", "Note")

    path = tmp_path / "results.csv"
    results = Results(Sweep(), str(path))
    line = CSVFormatter(Sweep.DATA_COLUMNS).format
    rows = [{"Bias (V)": v, "Current (A)": 2 * v, "Count (V)": np.float32(3), "Note": "good"} for v in (0.1, 0.2, 0.3)]
    with path.open("a") as file:
        file.writelines(line(row) + "\n" for row in rows)
    assert results.data_filename == str(path)
    found = open_recording(path)
    assert found.format == "pymeasure"
    assert found.header["Gain"] == "1e+09 V/A"
    assert columns(found)[:2] == [("Bias", "V", [0.1, 0.2, 0.3]), ("Current", "A", [0.2, 0.4, 0.6])]
    assert found.notes[0] == "Note holds text ('good'): left out"
    assert "Count holds no number: pymeasure writes" in found.notes[1]
    path.write_text(path.read_text().replace("good", "good, or not", 1))
    with pytest.raises(FileError, match="line 6 holds 5 values instead of 4"):
        open_recording(path)


# -- NumPy -------------------------------------------------------------------------------------------------------------


def test_arrays_are_columns(tmp_path):
    table = np.array([(-1.0, 2.0), (1.0, 3.0)], dtype=[("Bias (V)", float), ("I (A)", "f4")])
    np.save(tmp_path / "named.npy", table)
    assert columns(open_recording(tmp_path / "named.npy")) == [("Bias", "V", [-1, 1]), ("I", "A", [2, 3])]
    np.save(tmp_path / "plain.npy", np.arange(6.0).reshape(2, 3))
    plain = open_recording(tmp_path / "plain.npy")
    assert columns(plain) == [("column 1", "", [0, 1, 2]), ("column 2", "", [3, 4, 5])]
    assert "shape (2, 3): read as 2 columns of 3 rows" in plain.notes[0]
    np.savez(tmp_path / "several.npz", bias=BIAS, current=2 * BIAS, gain=1e9, z=np.array([1 + 2j] * BIAS.size))
    several = open_recording(tmp_path / "several.npz")
    assert [column.name for column in several.columns] == ["bias", "current", "z real", "z imaginary"]
    assert any("gain: float64 of shape () is no column" in note for note in several.notes)


def test_pickled_objects_are_never_read(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FileError, match="pickled objects, which could run anything"):
        open_recording(tmp_path / "objects.npy")


def test_an_array_that_promises_more_than_is_there_is_refused_unread(tmp_path):
    path = tmp_path / "large.npy"
    np.save(path, BIAS)
    path.write_bytes(path.read_bytes().replace(b"(17,)", b"(9" + b"9" * 12 + b",)", 1).replace(b"}  ", b"}", 1))
    with pytest.raises(FileError, match="needs 79999999999992 bytes"):
        open_recording(path)


# -- NeXus -------------------------------------------------------------------------------------------------------------


def test_the_default_plot_is_read_with_its_errors_and_units(tmp_path):
    write_nexus(tmp_path / "a.nxs", 2 * BIAS, axes={"bias": BIAS})
    found = open_recording(tmp_path / "a.nxs")
    assert [(c.name, c.unit) for c in found.columns] == [("bias", "V"), ("current", "A"), ("current_errors", "")]
    np.testing.assert_array_equal(found["current"].values, 2 * BIAS)
    assert (found.header["title"], found.header["temperature"]) == ("a spectrum", "1.2 K")


def test_a_plot_of_two_dimensions_is_a_grid(tmp_path):
    values = curves()[:, 0, 0]
    write_nexus(tmp_path / "a.nxs", values, axes={"place": np.array([3.0, 4.0]), "bias": BIAS})
    grid = open_recording(tmp_path / "a.nxs")
    assert (grid.axes, grid.shape, grid.sweep.name) == (("place",), (2,), "bias")
    np.testing.assert_array_equal(grid["current"].values, values)
    assert grid["place"].values.tolist() == [3, 4]


def test_what_does_not_fit_the_plot_is_named(tmp_path):
    path = tmp_path / "a.nxs"
    write_nexus(path, 2 * BIAS, axes={"bias": BIAS[:-1]})
    with h5py.File(path, "r+") as file:
        file["entry/data/extra"] = np.arange(3.0)
        del file.attrs["default"]
    found = open_recording(path)
    assert found.columns[0].name == "point"
    text = "; ".join(found.notes)
    assert "no default plot is named" in text
    assert re.search(r"axis bias \(shape \(16,\)\) does not fit 17 points: numbered", text)
    assert "/entry/data/extra of shape (3,) does not fit the plot: left out" in text


def test_a_file_without_a_plot_and_one_that_promises_too_much_are_refused(tmp_path):
    with h5py.File(tmp_path / "none.nxs", "w") as file:
        file["x"] = BIAS
    with pytest.raises(FileError, match="without a default plot"):
        open_recording(tmp_path / "none.nxs")
    with h5py.File(tmp_path / "much.nxs", "w") as file:
        data = file.create_group("data")
        data.attrs["signal"] = "y"
        data.create_dataset("y", shape=(1 << 20, 1 << 20), chunks=(1 << 10, 1 << 10), dtype=float)
    with pytest.raises(FileError, match="is said to be stored in 0 bytes"):
        open_recording(tmp_path / "much.nxs")


@recorded
def test_the_nxsts_file_holds_the_spectrum_of_its_dat():
    found, dat = (open_recording(next(RECORDED.glob(name))) for name in ("*4_5.nxs", "pynxstm*.dat"))
    assert [(c.name, c.unit) for c in found.columns] == [("bias", "V"), ("current", "A"), ("di_by_dv", "A/V")]
    for name, other in (("bias", "Bias calc"), ("current", "Current")):  # five decimals are left of the bias
        values = dat[other].values
        np.testing.assert_allclose(found[name].values, values, rtol=0, atol=1e-5 * np.abs(values).max())


def test_a_file_whose_texts_are_damaged_is_refused_before_hdf5_opens_it(tmp_path, monkeypatch):
    path = tmp_path / "a.nxs"
    write_nexus(path, 2 * BIAS, axes={"bias": BIAS})
    assert open_recording(path).columns
    monkeypatch.setattr(nexus, "are_sound_in", lambda path: False)
    monkeypatch.setattr(nexus.h5py, "File", lambda *_: pytest.fail("HDF5 was asked"))
    with pytest.raises(FileError, match="the lengths of its texts are wrong"):
        nexus.read(path)
