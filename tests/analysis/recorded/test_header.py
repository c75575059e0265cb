"""What a header says of lock-in and temperature, and what it only names."""

from pathlib import Path

import numpy as np
import pytest

from stmlab.analysis.recorded.header import promise_warnings, told_by_header
from stmlab.storage.recorded import Recording
from tests.approximately import close

ON = {"Lock-in>Lock-in status": "ON", "Lock-in>Modulated signal": "Bias (V)", "Lock-in>Amplitude": "200E-6"}


def told(header):
    return told_by_header(Recording(Path("x.dat"), "nanonis", header, ()))


def test_a_lockin_that_ran_on_the_bias_says_its_amplitude():
    assert told(ON).known == {"modulation": 200e-6}
    assert told({**ON, "Lock-in>Modulated signal": "Bias (mV)"}).known["modulation"] == close(2e-7, rel=1e-9)
    off = {**ON, "Lock-in>Lock-in status": "OFF"}
    assert told({**off, "Bias Spectroscopy>Lock-In run": "TRUE"}).known == {"modulation": 200e-6}
    assert told({**ON, "Lock-in>Amplitude": "200,5E-6"}).known["modulation"] == close(200.5e-6, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        ({"Lock-in>Lock-in status": "OFF"}, "was off"),
        ({"Lock-in>Lock-in status": ""}, "not whether the lock-in ran"),
        ({"Lock-in>Modulated signal": "Z (m)"}, "modulates Z"),
        ({"Lock-in>Modulated signal": ""}, "does not say what"),
    ],
)
def test_what_is_not_plain_is_named_and_not_used(change, doubt):
    found = told({**ON, **change})
    assert found.known == {}
    assert doubt in found.doubts["modulation"]


def test_a_createc_amplitude_is_named_and_not_used():
    found = told({"LockinAmpl": " 15.000", "T_ADC2[K]": "4.068", "T_ADC3[K]": "4.721"})
    assert found.known == {}
    assert "15 mV" in found.doubts["modulation"]
    assert "T_ADC2[K] = 4.068, T_ADC3[K] = 4.721" in found.doubts["temperature"]


@pytest.mark.parametrize(
    ("header", "temperature"),
    [
        ({"Temperature 1>Temperature 1 (K)": "1.0"}, 1.0),
        ({"Temperature 1>Temperature 1 (K)": "4.2", "Temperature 2>Temperature 2 (K)": "4.3"}, 4.2),
        ({"Temperature 1>Temperature 1 (K)": "4.2", "Temperature 2>Temperature 2 (K)": "77"}, None),
        ({"Temperature 1>Temperature 1 (K)": "0"}, None),
        ({"Temperature 1>Temperature 1 (K)": "N/A"}, None),
        ({"Temperature 1>Channel": "Input 4"}, None),
    ],
)
def test_a_temperature_is_taken_where_there_is_one(header, temperature):
    assert told(header).known.get("temperature") == temperature


def test_what_was_used_is_said_unless_it_is_overruled():
    found = told({**ON, "Temperature 1>Temperature 1 (K)": "1.2", "Lock-in>Reference phase (deg)": "33"})
    assert found.said({}) == {
        "header": "modulation = 200 µV (Lock-in>Amplitude), temperature = 1.2 K (Temperature 1>Temperature 1 (K))",
        "lock-in": "Lock-in status ON, Reference phase (deg) 33",
    }
    assert found.said({"temperature": 2.0, "modulation": 1e-4})["lock-in"]
    assert "header" not in found.said({"temperature": 2.0, "modulation": 1e-4})


def test_a_sweep_that_is_not_the_header_s_is_told():
    header = {
        "Experiment": "bias spectroscopy",
        "Bias Spectroscopy>Num Pixel": "101",
        "Bias Spectroscopy>Sweep Start (V)": "10E-3",
        "Bias Spectroscopy>Sweep End (V)": "-10E-3",
    }
    recording = Recording(Path("x.dat"), "nanonis", header, ())
    assert promise_warnings(recording, np.linspace(-10e-3, 10e-3, 101)) == []
    assert "promises 101 rows" in promise_warnings(recording, np.linspace(-10e-3, 10e-3, 90))[0]
    assert "a wrong unit" in promise_warnings(recording, np.linspace(-10e-6, 10e-6, 101))[0]
    other = Recording(Path("x.dat"), "nanonis", {**header, "Experiment": "Z spectroscopy"}, ())
    assert promise_warnings(other, np.linspace(0, 1, 7)) == []
