"""A wrong station file is one line that names file, key, value and what is allowed."""

import math
import re

import pytest

from stmlab.config_files import config_directories, find, known, station_template
from stmlab.errors import StationError
from stmlab.station import Station
from stmlab.station.configuration import read_station
from stmlab.station.watch_tables import WatcherConfig
from tests.approximately import close
from tests.station.lab import station_config

SIMULATED = next(d for d in config_directories() if (d / "simulated.toml").is_file()) / "simulated.toml"


def changed(tmp_path, old, new):
    text = SIMULATED.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "lab.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_stations_that_come_with_stmlab_are_right():
    for path in known().values():
        config, text = read_station(path)
        assert config.name
        assert text


@pytest.fixture
def no_sockets(monkeypatch):
    def refuse(*_):
        raise AssertionError("a socket was opened")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(f"socket.socket.{name}", refuse)


def test_the_template_is_no_station(no_sockets):
    template = station_template()
    assert template.is_file()
    assert not any("example" in name for name in known())
    assert not any(path.samefile(template) for path in known().values())
    with pytest.raises(StationError, match="no such station"):
        Station.load("microscope.example")
    with pytest.raises(StationError, match=r"instruments\.lockin\.address = 'TCPIP::192\.0\.2\.10.*is a placeholder"):
        Station.load(str(template))


@pytest.mark.parametrize("mended", ["lockin", "awg", "controller"])
def test_a_copy_of_the_template_is_refused_until_every_address_is_written(tmp_path, no_sockets, mended):
    addresses = {"lockin": "192.0.2.10", "awg": "192.0.2.11", "controller": "192.0.2.12"}
    text = station_template().read_text(encoding="utf-8")
    path = tmp_path / "lab.toml"
    for name, address in addresses.items():
        if name != mended:
            text = text.replace(address, "127.0.0.1")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StationError, match=rf"instruments\.{mended}\.address = .*write that of your instrument"):
        Station.load(str(path))
    path.write_text(text.replace(addresses[mended], "127.0.0.1"), encoding="utf-8")
    assert read_station(path)[0].instruments[mended].address.startswith("TCPIP::127.0.0.1::")
    once_more = text.replace(addresses[mended], "127.0.0.1").replace(
        "127.0.0.1::6504", "203.0.113.9::6504"
    )  # the guardian's own connection counts too
    path.write_text(once_more, encoding="utf-8")
    with pytest.raises(StationError, match=r"instruments\.controller\.guardian_address = .*placeholder"):
        Station.load(str(path))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("low = -0.1", "lowest = -0.1", r"limits\.bias\.lowest = -0\.1: this key is not known \(and 1 more\)"),
        ("low = -0.1\n", "", r"limits\.bias\.low is missing"),
        ("slew = 0.5", 'slew = "fast"', r"limits\.bias\.slew = 'fast': 'fast' is not a number.*V/s"),
        ("slew = 0.5", 'slew = "5 mV"', r"limits\.bias\.slew = '5 mV': '5 mV' is not a number.*V/s"),
        ("slew = 0.5", "slew = 0", r"limits\.bias\.slew = 0: .*greater than 0"),
        ("slew = 0.5", "slew = 1e-300", r"limits\.bias: slew = 1e-300 V/s: .* 2e\+299 s, at most 600 s"),
        ("slew = 0.5", "slew = 3.3e-4", r"limits\.bias: slew = 0\.00033 V/s: .* 0\.000333 V/s or more is needed"),
        ("largest_step = 1e-3", "largest_step = 1e-300", r"limits\.bias: largest_step = 1e-300 V: .* 2e\+299 steps"),
        (
            "smallest_with_feedback = 1e-3",
            "smallest_with_feedback = 0.2",
            r"limits\.bias: smallest_with_feedback = 0\.2",
        ),
        ("low = 1e-12", "low = 0", r"limits\.setpoint\.low = 0: .*greater than 0"),
        ("slew = 0.5", "slew = true", r"limits\.bias\.slew = True: a number"),
        ("[modulation]", "[modulations]", r"modulations: this key is not known"),
        ("divider = 100.0\n\n[rf", "divider = 0\n\n[rf", r"modulation\.divider = 0: .*greater than 0"),
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


def test_a_modulation_whose_divider_is_not_known_is_refused():
    with pytest.raises(ValueError, match=r"limits\.modulation needs a \[modulation\] table with the divider"):
        station_config(modulation=None)


def test_a_quantity_may_carry_its_unit(tmp_path):
    config, _ = read_station(changed(tmp_path, "slew = 0.5", 'slew = "200 mV/s"'))
    assert config.limits.bias.slew == close(0.2)


def test_a_station_that_is_not_there_lists_those_that_are(tmp_path):
    with pytest.raises(StationError, match=r"no such station; there are .*simulated"):
        find("microscop")
    with pytest.raises(StationError, match="no such file"):
        find(str(tmp_path / "nowhere.toml"))


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("[watch]\nheight_alowance = 1e-11", r"watch\.height_alowance = 1e-11: this key is not known"),
        ('[watch]\nheight_allowance = "2 s"', r"watch\.height_allowance = '2 s': .*unit of m"),
        ("[watch]\nattempts = 0", r"watch\.attempts = 0: .*greater than or equal to 1"),
        ('[[watcher]]\nsignal = "lockin"\naction = "pause"\nabove = 1', r"watcher\.0\.signal = 'lockin': "),
        ('[[watcher]]\nsignal = "oven.temperature"\naction = "pause"\nabove = 1', r"no instrument is called 'oven'"),
        ('[[watcher]]\nsignal = "lockin.x"\naction = "hold"\nabove = 1', r"watcher\.0\.action = 'hold': .*'pause'"),
        ('[[watcher]]\nsignal = "lockin.x"\naction = "pause"', r"watcher\.0: above or below is needed"),
        ('[[watcher]]\nsignal = "lockin.x"\naction = "pause"\nabove = nan', r"watcher\.0\.above = nan: "),
        (
            '[[watcher]]\nsignal = "lockin.x"\naction = "pause"\nabove = 1\nclear_below = 2',
            r"clear_below = 2 lies beyond above = 1",
        ),
        (
            '[[watcher]]\nsignal = "lockin.x"\naction = "stop"\nabove = 1\nclearing_time = "3 s"',
            r'belong to "pause", not to \'stop\'',
        ),
        ('[[interlock]]\nname = "a"\nnever = [{ output = "bias", above = 0 }]', r"interlock\.0\.never: .*at least 2"),
        (
            '[[interlock]]\nname = "a"\nnever = [{ output = "bias", above = 0 }, { output = "bias", below = 1 }]',
            r"never names bias twice",
        ),
        (
            '[[interlock]]\nname = "a"\nnever = [{ output = "bais", above = 0 }, { output = "setpoint", below = 1 }]',
            r"interlock\.0\.never\.0\.output = 'bais': .*'bias'",
        ),
        (
            '[[interlock]]\nname = "a"\nnever = [{ output = "bias" }, { output = "setpoint", below = 1 }]',
            r"one of above, below and beyond",
        ),
        ("[controller]\nz_low = 0", r"controller: z_low and z_high are needed together"),
        ("[controller]\nz_low = 1e-7\nz_high = 0", r"controller: z_low = 1e-07 m must be below z_high = 0 m"),
        ("[controller]\nsafe_tip_threshold = 1e-8", r"safe_tip_threshold = 1e-08 A: SafeTip could never trip"),
        ("[controller]\nsafe_tip_threshold = 0", r"controller\.safe_tip_threshold = 0: .*greater than 0"),
        (
            "[limits.junction_total]\nhigh = 5e-3",
            r"safe\.bias = 0\.01 V is above limits\.junction_total\.high = 0\.005",
        ),
    ],
)
def test_a_mistake_in_a_table_of_safety_is_one_line(tmp_path, table, complaint):
    path = tmp_path / "lab.toml"
    text = SIMULATED.read_text(encoding="utf-8")
    text = re.sub(r"\[controller\].*?(?=\n\[)", "", text, flags=re.DOTALL)
    path.write_text(f"{text}\n{table}\n", encoding="utf-8")
    with pytest.raises(StationError) as refusal:
        read_station(path)
    text = str(refusal.value)
    assert text.startswith(str(path))
    assert re.search(complaint, text), text
    assert "\n" not in text


@pytest.mark.parametrize("bound", [{"above": 2.0, "clear_below": 1.0}, {"below": -2.0, "clear_above": -1.0}])
def test_a_watcher_clears_only_beyond_its_hysteresis(bound):
    watcher = WatcherConfig(signal="oven.temperature", action="pause", **bound)
    sign = 1 if "above" in bound else -1
    tripped = [watcher.trips(sign * value) for value in (0.0, 1.0, 1.5, 2.0, 2.1, math.nan)]
    cleared = [watcher.clears(sign * value) for value in (0.0, 1.0, 1.5, 2.0, 2.1, math.nan)]
    assert tripped == [False, False, False, False, True, True]
    assert cleared == [True, True, False, False, False, False]
    assert (watcher.instrument, watcher.property_name) == ("oven", "temperature")
