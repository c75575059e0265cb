from __future__ import annotations

import json

import numpy as np
import pytest
import xarray

import stmlab
from stmlab import models
from stmlab.errors import FileError, FitError, PhysicsError, StationError
from stmlab.models.axes import axis_values
from stmlab.models.computed import parts
from stmlab.models.files import case, cases, write
from stmlab.storage.recorded import open_recording
from tests.approximately import close

FIELD, ORDER = (models.known("transport")[name] for name in ("field", "order"))


# -- axes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0..6 T:4", [0, 2, 4, 6]),
        ("-10..10 mT:3", [-0.01, 0.0, 0.01]),
        ("-3 T .. 500mT : 2", [-3.0, 0.5]),
        ("6..0:3", [6.0, 3.0, 0.0]),
        ("10 mT..1 T:3 log", [0.01, 0.1, 1.0]),
        ("1, 2.5 T", [1.0, 2.5]),
        ("50 mT, 2 T, 7", [0.05, 2.0, 7.0]),
        ("1e-1, 2e0 T", [0.1, 2.0]),
        ("3 T", [3.0]),
        ("2..2 T:1", [2.0]),
    ],
)
def test_an_axis_is_written_as_people_write_it(text, expected):
    assert np.allclose(axis_values(FIELD, text), expected, rtol=1e-12, atol=0)


def test_an_axis_of_words_is_a_list():
    assert axis_values(ORDER, "2, 3") == ["2", "3"]


@pytest.mark.parametrize(
    ("parameter", "text", "why"),
    [
        (FIELD, "0..6 T", "LOW..HIGH UNIT:COUNT"),
        (FIELD, "0..6 T:0", "1 to 1000000 values"),
        (FIELD, "0..6 T:5 log", "both ends above 0"),
        (FIELD, "0..60 T:5", r"field = 60 T: -15 T to 15 T is allowed"),
        (FIELD, "0..6 K:5", "is not a number"),
        (FIELD, "", "is not a number"),
        (ORDER, "2..3:2", "words are listed: 2, 3"),
        (ORDER, "2, 5", "one of 3, 2"),
    ],
)
def test_an_axis_that_is_none_is_refused(parameter, text, why):
    with pytest.raises(PhysicsError, match=why):
        axis_values(parameter, text)


# -- datasets --------------------------------------------------------------------------------------------------------


def test_a_dataset_holds_curves_what_follows_and_every_parameter():
    found = stmlab.model(
        "srs", {"amplitude": "2 mV"}, sweep={"dc_bias": "-4..4 mV:3", "frequency": "1e8..1e9 Hz:5 log"}
    )
    assert found.current.dims == ("dc_bias", "frequency")
    assert found.rate.dims == ("dc_bias",)
    assert found.amplitude.item() == 2e-3
    assert found.amplitude.units == "V"
    assert np.allclose(found.dc_bias, [-4e-3, 0.0, 4e-3], rtol=1e-12, atol=1e-15)
    assert np.allclose(found.frequency, np.geomspace(1e8, 1e9, 5), rtol=1e-12, atol=0)
    for bias in (-4e-3, 4e-3):
        alone = models.known("srs").curves({"amplitude": 2e-3, "dc_bias": bias}, np.geomspace(1e8, 1e9, 5))
        here = found.sel(dc_bias=bias, method="nearest")
        np.testing.assert_allclose(here.current, alone.y["current"].values, rtol=1e-12)
        assert here.rate.item() == close(alone.derived["rate"].value, rel=1e-12)


def test_the_first_axis_is_the_outer_one_and_values_may_be_arrays():
    sweep = {"phi": [0.0, 0.3], "exchange_meV": np.array([0.1, 0.2, 0.3]), "energy": [0.1, 0.2]}
    found = stmlab.model("two-spins", sweep=sweep)
    assert found.both_spins.shape == (2, 3, 2)
    assert parts(found).swept == ("phi", "exchange_meV")
    assert parts(stmlab.model("two-spins", sweep=sweep, curves=False)).swept == ("phi", "exchange_meV")


def test_an_axis_of_the_curve_that_follows_a_parameter_reaches_over_all():
    found = stmlab.model("two-spins", sweep={"exchange_meV": [0.1, 0.5]})
    alone = models.known("two-spins").curves({"exchange_meV": 0.5})
    assert found.energy[-1].item() == alone.x[-1]


def test_symbols_are_names_too():
    by_symbol = stmlab.model("transport", {"D": "-3 meV", "G": "50 nS"}, sweep={"B": [0.0, 1.0]})
    by_name = stmlab.model(
        "transport", {"axial_anisotropy_meV": -3.0, "conductance": 50e-9}, sweep={"field": [0.0, 1.0]}
    )
    assert by_symbol.identical(by_name)


@pytest.mark.parametrize(
    ("name", "parameters", "sweep", "why"),
    [
        ("srs", {"dc_bias": 1e-3}, {"dc_bias": "0..1 mV:2"}, "dc_bias: it is swept and set"),
        ("srs", {"V_dc": 1e-3, "dc_bias": 0.0}, {}, "dc_bias is given twice"),
        ("srs", {}, {"rate": [1.0]}, "rate: the model srs has over"),
        ("srs", {}, {"dc_bias": []}, "at least one value"),
        ("transport", {"correlation": 0.3}, {}, "correlation: it has no effect with exchange = none"),
        ("transport", {"order": "2"}, {"kondo_coupling": [0.0, 0.1]}, "kondo_coupling: it has no effect"),
        ("transport", {"Jρ": -0.3}, {"T": [0.05, 5.0]}, r"at temperature_K = 0.05: coupling"),
        ("molecules", {}, {"over": "bias, chemical potential"}, "over: what is computed changes along it"),
        ("magnons", {}, {}, "model = magnons: one of"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(name, parameters, sweep, why):
    with pytest.raises(PhysicsError, match=why):
        stmlab.model(name, parameters, sweep=sweep)


@pytest.mark.parametrize("name", models.MODELS)
def test_no_name_in_a_model_means_two_things(name):
    model = models.known(name)
    curves = model.curves()
    names = [parameter.name for parameter in model.parameters]
    told = [*names, *curves.y, *curves.derived]
    assert len(set(told)) == len(told)
    symbols = [parameter.symbol for parameter in model.parameters if parameter.symbol]
    assert len(set(symbols)) == len(symbols)
    assert not set(symbols) & set(names)


# -- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def computed():
    return stmlab.model("srs", sweep={"dc_bias": "-4..4 mV:3", "frequency": "1e8..1e9 Hz:5"})


def test_netcdf_and_json_are_read_back_as_they_were(computed, tmp_path):
    for name in ("a.nc", "a.json"):
        write(computed, tmp_path / name)
    with xarray.open_dataset(tmp_path / "a.nc") as found:
        assert found.identical(computed)
    assert xarray.Dataset.from_dict(json.loads((tmp_path / "a.json").read_text())).identical(computed)


def test_a_csv_file_has_a_row_for_each_point_units_and_parameters(computed, tmp_path):
    write(computed, tmp_path / "a.csv")
    found = open_recording(tmp_path / "a.csv")
    assert [(c.name, c.unit) for c in found.columns][:3] == [("dc_bias", "V"), ("frequency", "Hz"), ("current", "A")]
    assert (found["current"].values == computed.current.to_numpy().ravel()).all()
    assert (found["rate"].values == np.repeat(computed.rate.to_numpy(), 5)).all()
    assert found.header["amplitude"] == "2.8 mV"
    assert found.header["model"] == "srs"


def test_a_written_curve_is_fitted_as_data_are(tmp_path):
    truth = stmlab.model("srs", {"amplitude": "0.1 mV"})
    write(truth.drop_vars(parts(truth).derived), tmp_path / "a.csv")
    fit = next(iter(stmlab.fit_recording(tmp_path / "a.csv", model="srs").values()))
    assert fit["rate"].value == close(truth.rate.item(), rel=1e-3)


def test_files_are_refused_before_they_lose_something(computed, tmp_path):
    with pytest.raises(FileError, match="give another name, or --format"):
        write(computed, tmp_path / "a.txt")
    write(computed, tmp_path / "a.txt", "csv")
    with pytest.raises(FileError, match="exists already"):
        write(computed, tmp_path / "a.txt", "csv")
    words = stmlab.model("transport", sweep={"order": "2, 3"})
    with pytest.raises(FileError, match="order is no number"):
        write(words, tmp_path / "b.csv")
    write(words, tmp_path / "b.nc")
    with xarray.open_dataset(tmp_path / "b.nc") as found:
        assert found.identical(words)


def written(folder, text):
    path = folder / "case.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_case_is_read_as_samples_are(tmp_path):
    path = written(tmp_path, 'kind = "transport"\ntitle = "mine"\n[transport]\nspin = 2.0\nD = "-1.5 meV"\ng = 2.15\n')
    name, values = case(path)
    assert name == "transport"
    assert values == {"spin": 2.0, "axial_anisotropy_meV": "-1.5 meV", "g_factor": 2.15}
    assert models.known(name).values(values)["spin"] == "2"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('kind = "magnons"', "kind = magnons: one of transport"),
        ('kind = "srs"\namplitude = 1', r"amplitude: this key is not known; parameters stand in the table \[srs\]"),
        ('kind = "srs"\n[srs]\namplitude = [1]', "a number or a text is needed"),
        ('kind = "srs"\n[srs]\namplitude = "1 V"', "case.toml: amplitude = 1 V: 1 µV to 100 mV is allowed"),
        ('kind = "srs"\n[srs]\nrate = 1', "case.toml: rate: the model srs has"),
        ('kind = "two-spins"', "kind = two-spins: parameters of srs are needed"),
    ],
)
def test_a_case_with_a_mistake_is_refused_naming_it(text, why, tmp_path):
    with pytest.raises(PhysicsError, match=why):
        case(written(tmp_path, text), "srs")


@pytest.mark.parametrize("text", [b"kind", b'title = "\xff"'])
def test_a_case_that_cannot_be_read_is_refused_and_listed_as_such(text, tmp_path, monkeypatch):
    path = tmp_path / "models" / "mine.toml"
    path.parent.mkdir()
    path.write_bytes(text)
    with pytest.raises(StationError, match=r"mine\.toml: "):
        case(str(path))
    monkeypatch.setattr("stmlab.config_files.config_directories", lambda: (tmp_path,))
    assert cases()["mine"][1].startswith("cannot be read: ")


def test_every_shipped_case_can_be_computed():
    for name, (kind, title) in cases().items():
        assert title, name
        values = case(name)[1]
        assert stmlab.model(kind, values, curves=True).sizes, name


def test_a_curve_of_pulses_is_fitted_where_they_do_not_overlap(tmp_path):
    found = stmlab.model("pump-probe")
    write(found, tmp_path / "pulses.csv")
    with pytest.raises(FitError, match="exclusion leaves those delays out"):
        stmlab.fit_recording(tmp_path / "pulses.csv")
    (fit,) = stmlab.fit_recording(tmp_path / "pulses.csv", exclusion="0.75 ns").values()
    assert fit["T1"].value == close(found.T1.item(), rel=1e-6)


@pytest.mark.parametrize("period", ["10 ns", "20 ns", "100 ns"])
def test_t1_is_that_of_the_bias_between_the_pulses(period):
    """The bias tee takes their mean off: T1 is that at this bias, and the curve falls with it."""
    given = {"states": "spin", "spin": 1.5, "axial_anisotropy_meV": -2.1, "transverse_anisotropy_meV": 0.35}
    found = stmlab.model("pump-probe", given | {"period": period}, sweep={"delay": "1, 1.5, 2 ns"})
    first, second = np.diff(found.current.values)
    assert found.T1.item() == close(0.5e-9 / np.log(first / second), rel=1e-4)


@pytest.mark.parametrize("frequency", ["20..0.003 GHz:41", "0..20 GHz:41", "1, 0.01, 20, 0.3, 0, 5, 0.1, 2 GHz"])
def test_the_rate_of_a_line_needs_no_order_of_its_frequencies_and_takes_zero(frequency):
    found = stmlab.model("srs", {"amplitude": "0.1 mV"}, sweep={"frequency": frequency})
    assert found.line_rate.item() == close(found.rate.item(), rel=1e-3)
