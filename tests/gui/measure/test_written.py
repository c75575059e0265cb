"""Ranges in few letters."""

import pytest

from stmlab.gui.measure.written import written, written_range


@pytest.mark.parametrize(
    ("low", "high", "unit", "text"),
    [
        (-0.1, 0.1, "V", "±100 mV"),
        (0.0, 0.02, "V", "0 … 20 mV"),
        (1e-12, 1e-8, "A", "1 pA … 10 nA"),
        (1e3, 25e3, "Hz", "1 … 25 kHz"),
        (1, 100_000, "", "1 … 100000"),
        (1e-9, 0.1, "", "1e-09 … 0.1"),
        (-0.05, 0.1, "V", "-50 … 100 mV"),
        (0.0, 0.00141421356, "V", "0 … 1.414 mV"),
    ],
)
def test_a_range_is_written_in_few_letters(low, high, unit, text):
    assert written_range(low, high, unit) == text


def test_a_value_of_any_kind_is_written_as_it_is_set():
    assert [written(True), written(60), written("linear"), written(24, "dB/octave"), written(1e-3)] == [
        "true",
        "60",
        "linear",
        "24",
        "0.001",
    ]
