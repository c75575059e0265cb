"""Station files with mistakes of every kind, anywhere in the file: refused in one line, the same station, or unseen.

A kind changes one place that chance picks. A limit is what keeps the tip: only a value that could be meant is taken.
"""

import re
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from stmlab.config_files import config_directories
from stmlab.errors import StationError
from stmlab.station.configuration import read_station

SIMULATED = next(d for d in config_directories() if (d / "simulated.toml").is_file()) / "simulated.toml"
TEXT = SIMULATED.read_text(encoding="utf-8")
NUMBER = re.compile(r"^(\w+ = )(-?\d[\d.e+-]*)(?=\s|$)", re.MULTILINE)
FREE = ("seed", "modulation_divider")  # a whole number; an option that the microscope reads itself
OF_EACH = 25


def of_numbers(random, change: Callable[[str], str]) -> str:
    """The file with the value of one number changed."""
    places = [match for match in NUMBER.finditer(TEXT) if not match[1].startswith(FREE)]
    place = places[int(random.integers(len(places)))]
    return TEXT[: place.start(2)] + change(place[2]) + TEXT[place.end(2) :]


def a_key_misspelled(random):
    places = [match for match in NUMBER.finditer(TEXT) if not match[1].startswith(FREE)]
    place = places[int(random.integers(len(places)))]
    return TEXT[: place.start()] + str(random.choice(["x", "_", "limit_"])) + TEXT[place.start() :]


def a_table_misspelled(random):
    names = ["limits.bias", "limits.setpoint", "safe", "controller", "preamplifier", "modulation", "rf_path"]
    name = str(random.choice(names))
    return TEXT.replace(f"[{name}]", f"[{name}{random.choice(['s', '_1', 'x'])}]")


def a_word_for_a_number(random):
    return of_numbers(random, lambda _: str(random.choice(['"fast"', '"none"', '""', '"1,5"'])))


def a_truth_for_a_number(random):
    return of_numbers(random, lambda _: str(random.choice(["true", "false"])))


def no_number(random):
    return of_numbers(random, lambda _: str(random.choice(["nan", "inf", "-inf"])))


def a_unit_of_another_kind(random):
    return of_numbers(random, lambda value: f'"{value} {random.choice(["kg", "mol", "cd"])}"')


def a_line_cut_off(random):
    places = list(NUMBER.finditer(TEXT))
    place = places[int(random.integers(len(places)))]
    return TEXT[: place.start(2) - int(random.integers(1, 3))]


def a_key_given_twice(random):
    places = list(NUMBER.finditer(TEXT))
    place = places[int(random.integers(len(places)))]
    return TEXT[: place.start()] + place[0] + "\n" + TEXT[place.start() :]


def a_driver_that_is_none(random):
    driver = str(random.choice(["drivers.sr860:SR860", "drivers.m8195a:M8195A", "drivers.nanonis:Nanonis"]))
    return TEXT.replace(driver, str(random.choice(["", "sr860", "drivers/sr860:SR860", "drivers.sr860:"])))


def a_role_that_is_none(random):
    role = str(random.choice(["lockin", "generator", "bias", "tip", "spectroscopy"]))
    return TEXT.replace(f'"{role}"', f'"{role}s"')


def limits_in_the_wrong_order(random):
    table = str(random.choice(["low = -0.1\nhigh = 0.1", "low = 1e-12\nhigh = 1e-8", "low = 1e3\nhigh = 25e9"]))
    low, high = (line.split(" = ")[1] for line in table.split("\n"))
    return TEXT.replace(table, f"low = {high}\nhigh = {low}")


def a_size_below_zero(random):
    name = str(random.choice(["gain = ", "bandwidth = ", "saturation = ", "divider = ", "slew = ", "largest_step = "]))
    return re.sub(rf"^{name}", f"{name}-", TEXT, count=1, flags=re.MULTILINE)


REFUSED = (
    a_key_misspelled,
    a_table_misspelled,
    a_word_for_a_number,
    a_truth_for_a_number,
    no_number,
    a_unit_of_another_kind,
    a_line_cut_off,
    a_key_given_twice,
    a_driver_that_is_none,
    a_role_that_is_none,
    limits_in_the_wrong_order,
    a_size_below_zero,
)


def lines_of_another_system(random):
    text = TEXT.replace("\n", "\r\n") if random.random() < 0.5 else TEXT
    return text + str(random.choice(["", "\n\n# a comment: µ\n"]))


def a_number_with_its_unit(random):
    return TEXT.replace("high = 0.1\nlargest", f'high = "{random.choice(["100 mV", "0.1 V", "100mV"])}"\nlargest')


def numbers_written_otherwise(random):
    return of_numbers(random, lambda value: f"{float(value):.17g}" if random.random() < 0.5 else f"{float(value):.12e}")


THE_SAME = (lines_of_another_system, a_number_with_its_unit, numbers_written_otherwise)


def written(kind, seed, folder):
    random = np.random.default_rng([zlib.crc32(kind.__name__.encode()), seed])
    path = folder / "lab.toml"
    path.write_bytes(kind(random).encode())
    return path


def refused(kind, seed, folder):
    path = written(kind, seed, folder)
    with pytest.raises(StationError) as refusal:
        read_station(path)
    assert str(refusal.value).startswith(str(path))
    assert "\n" not in str(refusal.value)


def the_same(kind, seed, folder):
    assert read_station(written(kind, seed, folder))[0] == read_station(SIMULATED)[0]


@pytest.mark.parametrize("kind", REFUSED)
def test_a_mistake_of_any_kind_is_refused_in_one_line(kind, tmp_path):
    for seed in range(3):
        refused(kind, seed, tmp_path)


@pytest.mark.parametrize("kind", THE_SAME)
def test_a_way_of_writing_makes_no_difference(kind, tmp_path):
    for seed in range(3):
        the_same(kind, seed, tmp_path)


def test_a_limit_that_could_be_meant_cannot_be_told_from_one_that_is(tmp_path):
    """Nothing in the file knows better than the limit itself."""
    path = tmp_path / "lab.toml"
    path.write_text(TEXT.replace("high = 0.1\nlargest", "high = 1.0\nlargest"), encoding="utf-8")
    assert read_station(path)[0].limits.bias.high == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", REFUSED)
def test_every_mistake_is_refused_in_one_line(kind, tmp_path):
    for seed in range(3, OF_EACH):
        refused(kind, seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", THE_SAME)
def test_no_way_of_writing_makes_a_difference(kind, tmp_path):
    for seed in range(3, OF_EACH):
        the_same(kind, seed, tmp_path)
