"""A wrong station file is one line that names file, key, value and what is allowed."""

import re

import pytest

from stmlab.config_files import config_directories, find
from stmlab.errors import StationError
from stmlab.station.configuration import read_station

SIMULATED = next(d for d in config_directories() if (d / "simulated.toml").is_file()) / "simulated.toml"


def changed(tmp_path, old, new):
    text = SIMULATED.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "lab.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_stations_that_come_with_stmlab_are_right():
    for path in SIMULATED.parent.glob("*.toml"):
        if path.name not in ("sequences.toml", "demo.toml"):
            config, text = read_station(path)
            assert config.name
            assert text


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("low = -0.1", "lowest = -0.1", r"limits\.bias\.lowest = -0\.1: this key is not known \(and 1 more\)"),
        ("low = -0.1\n", "", r"limits\.bias\.low is missing"),
        ("slew = 0.5", 'slew = "fast"', r"limits\.bias\.slew = 'fast': 'fast' is not a number.*V/s"),
        ("slew = 0.5", 'slew = "5 mV"', r"limits\.bias\.slew = '5 mV': '5 mV' is not a number.*V/s"),
        ("slew = 0.5", "slew = 0", r"limits\.bias\.slew = 0: .*greater than 0"),
        ("slew = 0.5", "slew = nan", r"limits\.bias\.slew = nan: "),
        ("gain = 1e9", "gain = 1e9\ngian = 2", r"preamplifier\.gian = 2: this key is not known"),
        ("low = 1e-12", "low = 1e-7", r"limits\.setpoint: low = 1e-07 must be below high = 1e-08"),
        ('roles = ["lockin"]', 'roles = ["lock-in"]', r"instruments\.lockin\.roles\.0 = 'lock-in': .*'lockin'"),
        ('roles = ["lockin"]', 'roles = ["tip"]', r"role 'tip' is filled by both"),
        ("bias = 10e-3", "bias = 0", r"safe: bias = 0 with feedback on"),
        ("bias = 10e-3", "bias = 0.2", r"safe\.bias = 0\.2 V lies outside limits\.bias"),
        ("setpoint = 1e-10", "setpoint = 1", r"safe\.setpoint = 1 A lies outside"),
        ("[safe]", "[safe", r"lab\.toml: "),
    ],
)
def test_a_mistake_is_one_line(tmp_path, old, new, complaint):
    path = changed(tmp_path, old, new)
    with pytest.raises(StationError) as refusal:
        read_station(path)
    text = str(refusal.value)
    assert text.startswith(str(path))
    assert re.search(complaint, text), text
    assert "\n" not in text


def test_a_quantity_may_carry_its_unit(tmp_path):
    config, _ = read_station(changed(tmp_path, "slew = 0.5", 'slew = "200 mV/s"'))
    assert config.limits.bias.slew == pytest.approx(0.2)


def test_a_station_that_is_not_there_lists_those_that_are(tmp_path):
    with pytest.raises(StationError, match=r"no such station; there are .*simulated"):
        find("microscop")
    with pytest.raises(StationError, match="no such file"):
        find(str(tmp_path / "nowhere.toml"))
