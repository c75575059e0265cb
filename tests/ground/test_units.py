"""Values with their errors, as they are printed everywhere."""

import math
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.errors import SequenceError
from stmlab.units import _by_pint, exact_quantity, format_quantity, format_value, in_unit, prefixed_unit, written_unit
from tests.approximately import close


@pytest.mark.parametrize(
    ("value", "error", "unit", "text"),
    [
        (1.73e9, 4e7, "1/s", "(1.73 ± 0.04)·10⁹ /s"),
        (199e3, 5e3, "1/s", "(199 ± 5)·10³ /s"),
        (12.34, 0.56, "1/s", "(12.3 ± 0.6) /s"),
        (5.37e-12, 5e-14, "A", "(5.37 ± 0.05) pA"),
        (-3.66e-12, 2e-14, "A", "(-3.66 ± 0.02) pA"),
        (204e-12, 4e-12, "s", "(204 ± 4) ps"),
        (2.786e8, 1.34e6, "Hz", "(278.6 ± 1.3) MHz"),
        (-1.557, 0.012, "meV", "(-1.557 ± 0.012) meV"),
        (0.86, 0.0961, "", "0.86 ± 0.10"),
        (523e3, 42e3, "1/s", "(520 ± 40)·10³ /s"),
        (1e-3, 5.0, "", "0 ± 5"),
        (0.0, 1e-15, "A", "(0.0 ± 1.0) fA"),
        (1.2, math.nan, "V", "1.2 V (error unknown)"),
        (3e9, math.inf, "V", "not determined"),
        (1.2e7, 0.0, "1/s", "12·10⁶ /s (error unknown)"),
        (math.nan, 1.0, "V", "nan V"),
    ],
)
def test_a_value_is_written_as_physicists_do(value, error, unit, text):
    assert format_value(value, error, unit) == text


_POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_PREFIX = {"a": -18, "f": -15, "p": -12, "n": -9, "µ": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12}


@given(
    st.floats(1e-14, 1e11),
    st.sampled_from([1, -1]),
    st.floats(1e-6, 1e2),
    st.sampled_from(["A", "Hz", "1/s", "meV", ""]),
)
def test_what_is_written_is_the_value_within_a_fraction_of_its_error(size, sign, relative, unit):
    value, error = sign * size, size * relative
    text = format_value(value, error, unit)
    numbers = re.match(r"\(?(-?[\d.]+) ± ([\d.]+)\)?(?:·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?(?: (.*))?$", text)
    power = int((numbers[3] or "⁰").translate(_POWERS))
    if unit in ("A", "Hz") and numbers[4]:
        power += _PREFIX.get(numbers[4].removesuffix(unit), 0)
    assert float(numbers[1]) * 10.0**power == pytest.approx(value, abs=0.51 * error)
    assert float(numbers[2]) * 10.0**power == close(error, rel=0.26)
    assert len(numbers[2].replace(".", "").strip("0")) <= 2


@given(st.floats(), st.floats(), st.sampled_from(["A", "1/s", "meV", ""]))
def test_any_two_numbers_can_be_written(value, error, unit):
    assert "\n" not in format_value(value, error, unit)


@pytest.mark.parametrize(
    ("size", "unit", "prefixed", "written"),
    [
        (5e-9, "A", (-9, "nA"), (-9, "nA")),
        (999e-12, "A", (-12, "pA"), (-12, "pA")),
        (1e3, "Hz", (3, "kHz"), (3, "kHz")),
        (12.0, "V", (0, "V"), (0, "V")),
        (0.0, "V", (0, "V"), (0, "V")),
        (math.inf, "V", (0, "V"), (0, "V")),
        (1.7e9, "1/s", (0, "1/s"), (9, "10⁹ /s")),
        (0.02, "meV", (0, "meV"), (0, "meV")),
        (0.002, "meV", (0, "meV"), (-3, "10⁻³ meV")),
        (1e40, "A", (0, "A"), (39, "10³⁹ A")),
    ],
)
def test_a_unit_has_a_prefix_where_there_is_one_and_a_power_of_ten_elsewhere(size, unit, prefixed, written):
    assert prefixed_unit(size, unit) == prefixed
    assert written_unit(size, unit) == written


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (4e-3, "V", "4 mV"),
        (-2.5e-10, "A", "-250 pA"),
        (1.73e9, "1/s", "1.73·10⁹ /s"),
        (0.5, "", "0.5"),
        (0, "V", "0 V"),
    ],
)
def test_a_setting_is_written_with_its_prefix(value, unit, text):
    assert format_quantity(value, unit) == text


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("1e9 1/s", "1/s", 1e9),
        ("1e9 /s", "1/s", 1e9),
        ("1·10⁹ /s", "1/s", 1e9),
        ("1.5·10⁻³ meV", "meV", 1.5e-3),
        ("2 1/ms", "1/s", 2000.0),
        ("1.5 GHz", "1/s", 1.5e9),
        ("7 Hz", "1/s", 7.0),
        ("3·10² ", "", 300.0),
        ("200 uV", "V", 2e-4),
        ("200 μV", "V", 2e-4),
        ("200 µV", "V", 2e-4),
        ("1.5e3 mV", "V", 1.5),
        ("7 mm", "m", 7e-3),
        ("2 V", "mV", 2000.0),
        ("3 dm", "m", 0.3),
        ("65 GSa/s", "Sa/s", 65e9),
        ("0.3 %", "", 0.003),
    ],
)
def test_rates_and_powers_of_ten_are_read_as_they_are_written(text, unit, value):
    assert in_unit(text, unit) == close(value, rel=1e-12)


@given(st.integers(-(10**6), 10**6), st.sampled_from(["f", "p", "n", "µ", "m", "", "k", "M", "G"]))
def test_a_prefix_is_that_of_pint_and_correctly_rounded(number, prefix):
    power = "fpnµm kMG".index(prefix or " ") * 3 - 15
    assert in_unit(f"{number} {prefix}V", "V") == float(f"{number}e{power}")
    assert in_unit(f"{number} {prefix}V", "V") == close(_by_pint(str(number), f"{prefix}V", "V"), rel=1e-15)


def test_what_people_mostly_write_needs_no_registry_of_units():
    written = "in_unit('4 mV', 'V') + in_unit('1 %', '') + in_unit('1 GHz', '1/s')"
    program = f"import sys; from stmlab.units import in_unit; {written}; sys.exit('pint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


@pytest.mark.parametrize("text", ["3 /", "1·10 V", "·10³ V", "4 /V", "5 kHz"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(SequenceError, match=re.escape(repr(text))):
        in_unit(text, "V")


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["V", "A", "Hz", "1/s", "T", "Sa/s"]))
def test_an_exact_quantity_is_read_as_the_same_number(value, unit):
    assert math.isclose(in_unit(exact_quantity(value, unit), unit), value, rel_tol=1e-14, abs_tol=0)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2e-4, "V", "200 µV"),
        (1e9, "1/s", "1·10⁹ /s"),
        (1.23456789e-3, "V", "1.23456789 mV"),
        (0.0, "T", "0 T"),
        (24.0, "dB/octave", "24 dB/octave"),
        (250.0, "Sa/s", "250 Sa/s"),
        (250.0, "counts/bin", "250 counts/bin"),
    ],
)
def test_an_exact_quantity_has_the_digits_that_it_needs(value, unit, text):
    assert exact_quantity(value, unit) == text
