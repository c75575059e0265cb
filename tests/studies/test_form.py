"""The form of a study: what is varied, and what is refused before anything is measured."""

import pytest

from stmlab.config_files import find
from stmlab.errors import SequenceError, StationError, StmlabError
from stmlab.studies import check, read_study
from tests.studies.small import TEXT, write_study


def test_each_value_of_each_parameter_meets_each_of_the_others(tmp_path):
    study = read_study(write_study(tmp_path))
    assert study.seeds == (1, 2)
    assert study.short_names == ("relaxation_rate_per_s", "averages")
    values = [tuple(cell.values.values()) for cell in study.cells]
    assert values == [(1.5e9, 1), (1.5e9, 2), (3e9, 1), (3e9, 2)]
    for cell, (rate, averages) in zip(study.cells, values, strict=True):
        junction = cell.sample["two_level"]
        assert (junction["relaxation_rate_per_s"], junction["excitation_rate_per_s"]) == (rate, 3e8)
        assert junction["conductance_difference_S"] == -0.26e-6, "as the sample's file says"
        assert cell.settings["averages"] == averages
        assert cell.settings["dc_bias"] == "4 mV"
    check(study)


def test_without_anything_varied_there_is_one_cell(tmp_path):
    study = read_study(write_study(tmp_path, TEXT.partition("[vary]")[0] + "[fit]" + TEXT.partition("[fit]")[2]))
    assert len(study.cells) == 1
    assert str(study.cells[0]) == "the only cell"


def test_seeds_target_and_varied_values_may_change_and_nothing_else(tmp_path):
    one = read_study(write_study(tmp_path)).identity
    more = TEXT.replace("seeds = 2", "seeds = [1, 7]").replace("2 %", "1 %").replace("[1.5e9, 3e9]", "[2e9]")
    assert read_study(write_study(tmp_path, more)).identity == one
    for old, new in (
        ("points = 8", "points = 9"),
        ("3e8", "4e8"),
        ('"rate_per_s"', '"lifetime"'),
        ("averages", "poles"),
    ):
        assert read_study(write_study(tmp_path, TEXT.replace(old, new))).identity != one


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("seeds = 2", "seeds = 0", "seeds = 0: different numbers are needed, at least one"),
        ("seeds = 2", "seeds = [1, 1]", "different numbers are needed"),
        ("seeds = 2", "seeds = 2.5", "seeds = 2.5: Input"),
        ("seeds = 2", "seeds = []", "at least one"),
        ("seeds = 2", "seeds = [1, -1]", r"seeds\.1 = -1: Input"),
        ('name = "rate', 'nmae = "rate', "nmae = .*this key is not known"),
        ("[1, 2]", "2", "vary.sequence.averages = 2: a list of values is needed"),
        ("[1, 2]", "[]", "a list of values is needed"),
        ("[1, 2]", "[1, 1]", "the values must differ"),
        ('"2 %"', '"200 %"', "fit.target = .*: more than 0 and less than 1 is allowed"),
        ('"2 %"', "0.0", "fit.target = 0.0: more than 0"),
        ('"2 %"', '"2 mV"', "fit.target"),
        ("fe_atom", "fe_atomm", "fe_atomm: no such sample"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path, old, new, complaint):
    with pytest.raises(StationError, match=complaint):
        read_study(write_study(tmp_path, TEXT.replace(old, new)))


def test_a_station_whose_file_has_changed_is_another(tmp_path):
    station = tmp_path / "mine.toml"
    station.write_text(find("simulated").read_text(encoding="utf-8"), encoding="utf-8")
    study = write_study(tmp_path, 'station = "mine.toml"\n' + TEXT)
    before = read_study(study).identity
    station.write_text(station.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert read_study(study).identity != before


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("study.toml", None, "No such file"),
        ("study.toml", b"name =", "Invalid value"),
        ("study.toml", b'name = "\xff"', "can't decode"),
        ("atom.toml", b"kind =", "Invalid value"),
        ("atom.toml", b'kind = "\xff"', "can't decode"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path, name, content, why):
    (tmp_path / "atom.toml").write_text(find("fe_atom", "samples").read_text(encoding="utf-8"), encoding="utf-8")
    path = write_study(tmp_path, TEXT.replace("fe_atom", "atom.toml"))
    assert read_study(path).cells
    file = tmp_path / name
    file.unlink() if content is None else file.write_bytes(content)
    with pytest.raises(StationError, match=f"^{file}: .*{why}"):
        read_study(path)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"rate_per_s"', '"rates"', "fit.true = 'rates': this sample knows .*rate_per_s"),
        ("[1.5e9, 3e9]", "[1.5e9, -3e9]", "relaxation_rate_per_s = -3e.09: 0 or more is needed"),
        ("excitation_rate_per_s = 3e8", "excitation_rate = 3e8", "excitation_rate = 300000000.0: Unexpected keyword"),
        ('name = "srs"', 'name = "srss"', "srss: no such sequence"),
        ("points = 8", "pionts = 8", "pionts"),
        ('"2.8 mV"', '"28 mV"', "28.* is out of bounds|0.028"),
        ("[1, 2]", '[1, "two"]', "averages = two"),
    ],
)
def test_a_run_that_would_be_refused_is_found_before_any_is_made(tmp_path, old, new, complaint):
    study = read_study(write_study(tmp_path, TEXT.replace(old, new)))
    with pytest.raises(StmlabError, match=complaint) as refused:
        check(study)
    assert isinstance(refused.value, SequenceError)


def test_no_study_is_made_at_a_microscope(tmp_path):
    simulated = find("simulated").read_text(encoding="utf-8")
    lab = simulated.replace("simulation:sr860", "TCPIP::127.0.0.1::5025::SOCKET")
    (tmp_path / "lab.toml").write_text(lab.replace('"transfer/', f'"{find("simulated").parent}/transfer/'))
    study = read_study(write_study(tmp_path, 'station = "lab.toml"\n' + TEXT))
    with pytest.raises(StationError, match="on a simulated station only"):
        check(study)
